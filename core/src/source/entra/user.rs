//! Somebody signs in, once; from then on a refresh token gives what is asked for.
//!
//! The refresh token stays in this object: it is written nowhere and shared with nobody. A renewal that a caller does
//! not wait for never brings up a prompt, and one credential is one account: a sign-in as somebody else is refused.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::Mutex;

use super::account::{Account, AuthenticationRecord};
use super::client::{Client, Tokens};
use crate::error::{Error, ErrorKind};
use crate::generation::PerGeneration;
use crate::source::{About, Ask, Fetch, Grant, Interactive, Source, Tenants};
use crate::token::Secret;
use crate::world::Boxed;

/// The code of an error that a sign-in of the user mends.
pub(crate) const REQUIRED: &str = "authentication_required";

/// What a sign-in may need to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step<'a> {
    pub(crate) client: &'a Client,
    pub(crate) ask: &'a Ask<'a>,
    pub(crate) tenant: &'a str,
    /// The request's scopes and those of OpenID Connect, separated by spaces.
    pub(crate) scope: &'a str,
    /// The account that is expected.
    pub(crate) account: Option<&'a Account>,
}

/// A sign-in under way.
pub(crate) type SigningIn<'a> = Boxed<'a, Result<Tokens, Error>>;

/// How somebody signs in.
pub(crate) trait SignIn: std::fmt::Debug + Send + Sync {
    /// Who is needed for it.
    fn needs(&self) -> Needs;
    /// Whether the program may ask for a sign-in on its own account.
    fn authenticates(&self) -> bool {
        self.needs() == Needs::Person
    }
    /// Signs in.
    fn sign_in<'a>(&'a self, step: Step<'a>) -> SigningIn<'a>;
}

/// Who is needed for a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// A person, each time.
    Person,
    /// Nobody: what was configured can be used again.
    Nobody,
    /// Nobody, and it works once.
    Once,
}

/// A credential of a user.
#[derive(Debug)]
pub(crate) struct User {
    about: About,
    client: Client,
    how: Box<dyn SignIn>,
    /// Whether a token request may bring up a prompt.
    automatic: bool,
    /// The account that the program expects.
    pinned: Option<Account>,
    session: ArcSwapOption<Session>,
    turns: PerGeneration<Turns>,
}

/// One refresh at a time, since servers may take a refresh token that comes twice for a stolen one; and one sign-in at a
/// time, which may take a user minutes and holds up no refresh. A forked child has its own.
#[derive(Debug, Default)]
struct Turns {
    refresh: Mutex<()>,
    sign_in: Mutex<()>,
}

/// What is kept of a sign-in.
#[derive(Debug)]
struct Session {
    refresh_token: Option<Secret>,
    account: Option<Account>,
}

/// How a [`User`] is set up, beside its client and its sign-in.
pub(crate) struct Setup {
    pub(crate) tenants: Tenants,
    /// What decides whose tokens these are, beside the client.
    pub(crate) parts: Vec<Secret>,
    pub(crate) patience: Duration,
    pub(crate) automatic: bool,
    pub(crate) pinned: Option<Account>,
}

impl User {
    pub(crate) fn new(client: Client, how: Box<dyn SignIn>, setup: Setup) -> User {
        let permission = setup.tenants.permission();
        let tenant = setup.tenants.default_tenant().unwrap_or_default().to_owned();
        let proof = client.proof.parts();
        let mut parts = vec![client.authority.base(), &client.client_id, &tenant, &permission];
        parts.extend(proof.iter().chain(&setup.parts).map(Secret::expose));
        // Who expects one account must not find the token of another.
        parts.extend(setup.pinned.as_ref().map(|account| account.home_account_id.as_str()));
        let patience = client.authority.patience(setup.patience);
        let about = About { cae: true, tenants: setup.tenants, ..About::new(client.credential, &parts, patience) };
        User {
            about,
            client,
            how,
            automatic: setup.automatic,
            pinned: setup.pinned,
            session: ArcSwapOption::empty(),
            turns: PerGeneration::new(),
        }
    }

    async fn ask(&self, ask: &Ask<'_>) -> Result<Grant, Error> {
        let tenant = self.about.tenants.resolve(self.about.credential, ask.request.tenant_id.as_deref())?;
        let scope = with_oidc(&ask.request.scopes);
        let step = Step { client: &self.client, ask, tenant: tenant.unwrap_or_default(), scope: &scope, account: None };
        let turns = self.turns.get();
        let (mut refused, before) = match self.refresh(&turns, step).await? {
            Refreshed::Yes(grant) => return Ok(grant),
            Refreshed::No(refused, session) => (refused, session),
        };
        let _mine = turns.sign_in.lock().await;
        if !is_same(self.session.load_full().as_ref(), before.as_ref()) {
            // Somebody signed in meanwhile.
            match self.refresh(&turns, step).await? {
                Refreshed::Yes(grant) => return Ok(grant),
                Refreshed::No(again, _) => refused = again.or(refused),
            }
        }
        match (self.how.needs(), refused) {
            (Needs::Person, refused) => self.may_prompt(ask, refused.as_ref())?,
            (Needs::Once, Some(refused)) => return Err(refused),
            (Needs::Once, None) | (Needs::Nobody, _) => {}
        }
        // A refresh may have ended while this one waited for its own.
        let session = self.session.load_full();
        let step = Step { account: self.expected(session.as_deref()), ..step };
        let tokens = self.how.sign_in(step).await?;
        if step.account.is_some() && tokens.account.is_none() {
            return Err(Error::failed(format!(
                "{}: the answer does not say who signed in, and the credential is for one account",
                self.about.credential
            )));
        }
        self.check(&tokens, session.as_deref())?;
        let (grant, session) = kept(tokens, session.as_deref());
        self.session.store(Some(session));
        Ok(grant)
    }

    /// A token by the session's refresh token, if it has one and the program did not ask for a sign-in.
    async fn refresh(&self, turns: &Turns, step: Step<'_>) -> Result<Refreshed, Error> {
        let _mine = turns.refresh.lock().await;
        let held = self.session.load_full();
        let session = held.as_ref().filter(|_| !step.ask.request.authenticate);
        let Some(refresh_token) = session.and_then(|session| session.refresh_token.as_ref()) else {
            return Ok(Refreshed::No(None, held));
        };
        let grant = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose()), ("client_info", "1")];
        match self.client.exchange(step.ask, step.tenant, step.scope, &grant).await {
            Ok(tokens) => {
                self.check(&tokens, session.map(Arc::as_ref))?;
                let (grant, renewed) = kept(tokens, session.map(Arc::as_ref));
                // What a sign-in brought meanwhile stays.
                drop(self.session.compare_and_swap(&held, Some(renewed)));
                Ok(Refreshed::Yes(grant))
            }
            // Revoked, expired, or not enough for these claims: signing in again mends all of it. What failed before the
            // server had its say (trust, the program's function) it does not.
            Err(error) if error.kind() == ErrorKind::Failed && error.http_status().is_some() => {
                Ok(Refreshed::No(Some(error), held))
            }
            Err(error) => Err(error),
        }
    }

    fn expected<'a>(&'a self, session: Option<&'a Session>) -> Option<&'a Account> {
        self.pinned.as_ref().or_else(|| session?.account.as_ref())
    }

    /// Whether somebody is there to sign in, and the program wants it now.
    fn may_prompt(&self, ask: &Ask<'_>, refusal: Option<&Error>) -> Result<(), Error> {
        if ask.request.authenticate || (self.automatic && ask.audience.is_there()) {
            return Ok(());
        }
        let credential = self.about.credential;
        let why = if self.automatic { "a renewal in the background asks nobody" } else { "call authenticate" };
        let because = refusal.map(|error| format!(" ({error})")).unwrap_or_default();
        let error = Error::unavailable(format!("{credential}: the user has to sign in, and {why}{because}"));
        let claims = refusal.and_then(Error::claims).or(ask.request.claims.as_deref());
        Err(error.with_code(Some(REQUIRED.to_owned())).with_claims(claims.map(str::to_owned)))
    }

    /// Refuses the tokens of somebody else.
    fn check(&self, tokens: &Tokens, session: Option<&Session>) -> Result<(), Error> {
        if let (Some(expected), Some(got)) = (self.expected(session), &tokens.account)
            && expected.home_account_id != got.home_account_id
        {
            return Err(Error::failed(format!(
                "{}: expected a sign-in of {}, got one of {}; another account needs a credential of its own",
                self.about.credential,
                crate::request::shown(&expected.username),
                crate::request::shown(&got.username)
            )));
        }
        Ok(())
    }
}

/// What came of a refresh.
enum Refreshed {
    Yes(Grant),
    /// There was no refresh token, or it was refused; and the session that was tried.
    No(Option<Error>, Option<Arc<Session>>),
}

fn is_same(one: Option<&Arc<Session>>, other: Option<&Arc<Session>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// The grant, and the session after it: what the answer leaves out is as it was.
fn kept(tokens: Tokens, before: Option<&Session>) -> (Grant, Arc<Session>) {
    let account = tokens.account.or_else(|| before?.account.clone());
    let refresh_token = tokens.refresh_token.or_else(|| before?.refresh_token.clone());
    (tokens.grant, Arc::new(Session { refresh_token, account }))
}

/// The scopes of a user's token: OpenID Connect's bring the account and the refresh token.
fn with_oidc(scopes: &[String]) -> String {
    let mut all: Vec<&str> = scopes.iter().map(String::as_str).collect();
    for oidc in ["openid", "profile", "offline_access"] {
        if !all.contains(&oidc) {
            all.push(oidc);
        }
    }
    all.join(" ")
}

impl Interactive for User {
    fn record(&self) -> Option<AuthenticationRecord> {
        self.session.load().as_ref()?.account.clone()
    }

    fn default_scope(&self) -> String {
        self.client.authority.management_scope()
    }

    fn asks_a_person(&self) -> bool {
        self.how.needs() == Needs::Person
    }
}

impl Source for User {
    fn about(&self) -> &About {
        &self.about
    }

    fn interactive(&self) -> Option<&dyn Interactive> {
        self.how.authenticates().then_some(self as &dyn Interactive)
    }

    fn fetch<'a>(&'a self, ask: &'a Ask<'a>) -> Fetch<'a> {
        Box::pin(self.ask(ask))
    }
}
