//! `InteractiveBrowserCredential`: a user signs in with the browser of this machine.
//!
//! The browser comes back to a listener on loopback, which is open for this one sign-in. What comes back is the sign-in's
//! if it shows its state; the code is redeemed with the verifier that never left this process (RFC 7636, RFC 8252).

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use url::{Host, Url};

use super::entra::client::Tokens;
use super::entra::user::{Needs, Setup, SignIn, SigningIn, Step};
use super::entra::{Client, Proof, User, authority};
use super::{Place, Tenants, browser};
use crate::error::{Error, ErrorKind};
use crate::options::Options;
use crate::random;
use crate::token::Secret;
use crate::wire::address;
use crate::wire::entra::Endpoint;
use crate::wire::redirect::{self, Authorize, Outcome, Pkce};
use crate::world::{Landing, LandingAt, World};

/// The class name.
pub(crate) const NAME: &str = "InteractiveBrowserCredential";

/// How long a user may take, in seconds, where the program does not say.
const TIMEOUT: f64 = 300.0;

/// How often a sign-in looks whether anybody still waits for it.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Browser {
    /// Where the browser comes back to, if the program says so.
    redirect: Option<Url>,
    login_hint: Option<String>,
    timeout: Duration,
}

/// From the credential's own options.
pub(crate) fn from_options(world: &World, options: &Options) -> Result<User, Error> {
    let authority = authority(NAME, world, options)?;
    let allowed = options.additionally_allowed_tenants.clone();
    let tenants = Tenants::own(world, NAME, Some(options.user_tenant()), allowed)?;
    let client_id = options.user_client();
    let client = Client { credential: NAME, authority, client_id, proof: Proof::Public };
    let timeout = Duration::from_secs_f64(options.timeout.unwrap_or(TIMEOUT));
    let setup = Setup {
        tenants,
        // Whoever signs in to one object has not signed in to another.
        parts: vec![Secret::new(random::unique())],
        patience: timeout.saturating_add(Duration::from_mins(2)),
        automatic: options.disable_automatic_authentication != Some(true),
        pinned: options.authentication_record.clone(),
    };
    let login_hint = options.login_hint.clone().filter(|hint| !hint.is_empty());
    let browser = Browser { redirect: redirect_of(options)?, login_hint, timeout };
    Ok(User::new(client, Box::new(browser), setup))
}

/// The program's redirect URI: on this host, with a port that can be listened on.
fn redirect_of(options: &Options) -> Result<Option<Url>, Error> {
    let Some(text) = options.redirect_uri.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
    let on_loopback = |url: &Url| match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address == std::net::Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(address)) => address == std::net::Ipv6Addr::LOCALHOST,
        None => false,
    };
    let plain = |url: &Url| {
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none()
    };
    let url = Url::parse(text).ok();
    let url = url.filter(|url| url.scheme() == "http" && url.port().is_some() && on_loopback(url) && plain(url));
    let wrong = || {
        let expected = "expected a URL of this host with a port, such as http://localhost:8400";
        options.wrong(NAME, "redirect_uri", &format!("{expected}, got '{}'", address::shown(text)))
    };
    url.map(Some).ok_or_else(wrong)
}

impl Browser {
    async fn sign_in(&self, step: Step<'_>) -> Result<Tokens, Error> {
        let world = step.ask.world;
        step.client.confirm(step.ask, step.tenant).await?;
        let unavailable = |sentence: String| Error::unavailable(format!("{NAME}: {sentence}"));
        let at = LandingAt {
            port: self.redirect.as_ref().and_then(Url::port),
            path: self.redirect.as_ref().map(|url| url.path().to_owned()).unwrap_or_default(),
        };
        let mut landing = world.landings.open(at).await.map_err(unavailable)?;
        let redirect_uri = match &self.redirect {
            // As it is registered: a path keeps its last slash, no path has none.
            Some(url) if url.path() == "/" => url.as_str().trim_end_matches('/').to_owned(),
            Some(url) => url.as_str().to_owned(),
            None => format!("http://localhost:{}", landing.port()),
        };
        let pkce = Pkce::new(&random::bytes().map_err(unavailable)?);
        let secret = || random::text().map_err(unavailable);
        let (state, nonce) = (secret()?, secret()?);
        let claims = crate::wire::entra::claims(step.ask.request.claims.as_deref(), step.ask.request.enable_cae);
        let account = step.account.map(|account| account.username.as_str()).filter(|name| !name.is_empty());
        let parts = Authorize {
            client_id: &step.client.client_id,
            redirect_uri: &redirect_uri,
            scope: step.scope,
            state: &state,
            nonce: &nonce,
            challenge: &pkce.challenge,
            prompt: Some("select_account"),
            login_hint: self.login_hint.as_deref().or(account),
            domain_hint: None,
            claims: claims.as_deref(),
        };
        let url = redirect::authorize_url(&step.client.authority.url(Endpoint::Authorize, step.tenant), &parts);
        browser::open(world, &url).await.map_err(unavailable)?;
        let code = self.code(step, &mut *landing, &state).await?;
        drop(landing);
        let grant = [
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", redirect_uri.as_str()),
            ("code_verifier", pkce.verifier.expose()),
            ("client_info", "1"),
        ];
        let tokens = step.client.exchange(step.ask, step.tenant, step.scope, &grant).await?;
        // OpenID Connect Core section 3.1.3.7: the answer to this sign-in, not to another one.
        match tokens.nonce.as_ref() {
            Some(given) if given.expose() != nonce.expose() => Err(Error::failed(format!(
                "{NAME}: the answer of {} is for another sign-in",
                step.client.authority.host()
            ))),
            _ => Ok(tokens),
        }
    }

    /// Waits for the code, as long as the user may take and anybody waits for the token.
    async fn code(&self, step: Step<'_>, landing: &mut dyn Landing, state: &Secret) -> Result<Secret, Error> {
        let clock = &step.ask.world.clock;
        let seconds = self.timeout.as_secs().max(1);
        let until = clock.now().saturating_add_unsigned(seconds);
        loop {
            if let Some(visit) = first(landing.next(), clock.sleep(LOOK)).await {
                let visit = visit.map_err(|sentence| Error::transient(format!("{NAME}: {sentence}")))?;
                let outcome = redirect::read(&visit.redirect, state);
                visit.answer(outcome.page()).await;
                match outcome {
                    Outcome::Code(code) => return Ok(code),
                    Outcome::Ignored => {}
                    Outcome::Refused(refusal) => {
                        let host = step.client.authority.host();
                        let code = refusal.code.clone().map(|code| format!("{code}: ")).unwrap_or_default();
                        let text = refusal.text.as_deref().unwrap_or("without saying why");
                        let message = format!("{NAME}: {host} refused the sign-in: {code}{text}");
                        return Err(Error::failed(message).with_code(refusal.code).with_claims(refusal.claims));
                    }
                }
            }
            // Also between visits: a page that knocks all the time must not keep the sign-in from its end.
            if !step.ask.audience.is_there() {
                let message = format!("{NAME}: everyone who waited for the user left");
                return Err(Error::new(ErrorKind::Cancelled, message));
            }
            if clock.now() >= until {
                // Behind it, a default chain has members that need nobody.
                let kind = if step.ask.place == Place::Default { ErrorKind::Unavailable } else { ErrorKind::Failed };
                return Err(Error::new(kind, format!("{NAME}: the user did not sign in within {seconds} s")));
            }
        }
    }
}

/// What comes first of a result and the end of a pause; the result, if both are there.
async fn first<T>(result: impl Future<Output = T>, pause: impl Future<Output = ()>) -> Option<T> {
    let (mut result, mut pause) = (pin!(result), pin!(pause));
    poll_fn(|context| match result.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => pause.as_mut().poll(context).map(|()| None),
    })
    .await
}

impl SignIn for Browser {
    fn needs(&self) -> Needs {
        Needs::Person
    }

    fn sign_in<'a>(&'a self, step: Step<'a>) -> SigningIn<'a> {
        Box::pin(self.sign_in(step))
    }
}
