//! The handle everyone holds: a source, the cache, and the world they live in.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::builder;
use crate::cache::Key;
use crate::cache::judge::{Demand, Verdict};
use crate::cache::ticket::{Answer, Ticket, cancelled};
use crate::driver;
use crate::error::{Error, ErrorKind};
use crate::fingerprint::Fingerprint;
use crate::options::{Spelling, Value};
use crate::random;
use crate::request::{Cancel, TokenRequest};
use crate::source::chain::Chain;
use crate::source::{AuthenticationRecord, Source};
use crate::token::AccessToken;
use crate::world::World;

/// A source of tokens. Cheap to clone, made without I/O, good for any thread; all credentials of a process with the
/// same identity share their tokens.
#[derive(Clone, Debug)]
pub struct Credential {
    source: Arc<dyn Source>,
    world: World,
}

impl Credential {
    /// A credential by its class name (`ManagedIdentityCredential`, `DefaultAzureCredential`, …) and its options.
    ///
    /// # Errors
    /// `InvalidConfiguration` names the option or variable that is wrong, and what was expected.
    pub fn new(name: &str, options: Vec<(String, Value)>, spelling: Spelling) -> Result<Credential, Error> {
        Credential::in_world(World::real(), name, options, spelling)
    }

    /// [`Credential::new`] in a world of one's own.
    ///
    /// # Errors
    /// As [`Credential::new`].
    pub fn in_world(
        world: World,
        name: &str,
        options: Vec<(String, Value)>,
        spelling: Spelling,
    ) -> Result<Credential, Error> {
        let source = builder::build(&world, name, options, spelling)?;
        Ok(Credential { source, world })
    }

    /// `ChainedTokenCredential`: asks its members in their order until one is available.
    ///
    /// # Errors
    /// `InvalidConfiguration` if there is no member.
    pub fn chain(members: &[Credential]) -> Result<Credential, Error> {
        let world = members.first().map_or_else(World::real, |member| member.world.clone());
        let sources = members.iter().map(|member| Arc::clone(&member.source)).collect();
        Ok(Credential { source: Arc::new(Chain::of(sources)?), world })
    }

    /// A credential over a source of one's own.
    pub fn from_source(source: Arc<dyn Source>, world: World) -> Credential {
        Credential { source, world }
    }

    /// Its class name.
    pub fn name(&self) -> &'static str {
        self.source.about().credential
    }

    /// The live token of the cache, if there is one: never waits. A renewal that is due is started, not awaited.
    ///
    /// # Errors
    /// `InvalidArgument` for a request that no source could serve.
    pub fn cached(&self, request: &TokenRequest) -> Result<Option<AccessToken>, Error> {
        let (key, demand) = self.question(request)?;
        Ok(self.look(request, &key, &demand))
    }

    /// Whether this credential could be asked this at all, without asking.
    ///
    /// # Errors
    /// As [`Credential::get_token`] for a request that no source could serve.
    pub fn check(&self, request: &TokenRequest) -> Result<(), Error> {
        self.question(request).map(drop)
    }

    /// A token; blocks this thread until it is there, without running anything on it.
    ///
    /// # Errors
    /// Why there is none; `TimedOut` and `Cancelled` as the request allows.
    pub fn get_token(&self, request: &TokenRequest) -> Result<AccessToken, Error> {
        self.block(request, None)
    }

    /// [`Credential::get_token`] that calls `patience` some twenty times a second while it waits; `Break` ends the wait
    /// with `Cancelled`. For hosts that must look for signals.
    ///
    /// # Errors
    /// As [`Credential::get_token`].
    pub fn get_token_while(
        &self,
        request: &TokenRequest,
        patience: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<AccessToken, Error> {
        self.block(request, Some(patience))
    }

    fn block(&self, request: &TokenRequest, patience: Option<driver::Patience<'_>>) -> Result<AccessToken, Error> {
        let (key, demand) = self.question(request)?;
        if let Some(token) = self.look(request, &key, &demand) {
            return Ok(token);
        }
        check_cancel(request)?;
        driver::wait(request, demand.min_ttl, patience, |ticket| self.board(request, &key, &demand, ticket))
    }

    /// A token, given to `done` on azcred's own thread, exactly once, and never from inside this call.
    ///
    /// # Errors
    /// When nothing was started; `done` is not called then.
    pub fn start(&self, request: TokenRequest, done: impl FnOnce(Answer) + Send + 'static) -> Result<(), Error> {
        let (key, demand) = self.question(&request)?;
        let token = self.look(&request, &key, &demand);
        if token.is_none() {
            check_cancel(&request)?;
        }
        // Before there is a ticket: what can't be started must not be completed either.
        let driver = driver::ready()?;
        let ticket = Ticket::new(demand.min_ttl, Box::new(done));
        let credential = self.clone();
        let task = driver.spawn(async move {
            if let Some(token) = token {
                ticket.settle(Ok(token));
                return;
            }
            match driver::guard(&ticket, &request) {
                Ok(()) => credential.board(&request, &key, &demand, ticket),
                Err(error) => ticket.settle(Err(error)),
            }
        });
        drop(task);
        Ok(())
    }

    /// A token, for async Rust on any executor.
    ///
    /// # Errors
    /// As [`Credential::get_token`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves the fetch alone; whoever asks next finds its result.
    pub async fn get_token_async(&self, request: TokenRequest) -> Result<AccessToken, Error> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        // A receiver that is gone wants no answer.
        self.start(request, move |answer| drop(sender.send(answer)))?;
        let lost = |_| Error::new(ErrorKind::Internal, "azcred's thread ended; please report this");
        receiver.await.map_err(lost)?
    }

    /// A request that has the user sign in, from one for a token: pass it to any of the calls above, then take the
    /// [`record`](Credential::record). A request without a scope gets the cloud's management.
    ///
    /// # Errors
    /// `InvalidArgument` for a credential that no user signs in to.
    pub fn authentication(&self, request: TokenRequest) -> Result<TokenRequest, Error> {
        let Some(interactive) = self.source.interactive() else {
            return Err(Error::argument(format!("{} has no user who could sign in", self.name())));
        };
        let scopes = if request.scopes.is_empty() { vec![interactive.default_scope()] } else { request.scopes };
        Ok(TokenRequest { scopes, authenticate: true, ..request })
    }

    /// Who signed in to this credential, if anybody did.
    pub fn record(&self) -> Option<AuthenticationRecord> {
        self.source.interactive()?.record()
    }

    /// Who signed in, as the answer to a sign-in that succeeded.
    ///
    /// # Errors
    /// `Failed` where Entra ID did not say who it was.
    pub fn signed_in(&self) -> Result<AuthenticationRecord, Error> {
        let silent = || Error::failed(format!("{}: the answer does not say who signed in", self.name()));
        self.record().ok_or_else(silent)
    }

    /// What a request asks for, or why no source could serve it.
    fn question(&self, request: &TokenRequest) -> Result<(Key, Demand), Error> {
        request.check()?;
        let claims = request.claims.as_deref().map(|claims| *Fingerprint::of("claims", &[claims]).bytes());
        // Nothing that is there answers a sign-in, and no two of them are one.
        let sign_in = || *Fingerprint::of("sign-in", &[&random::unique()]).bytes();
        let claims = if request.authenticate { Some(sign_in()) } else { claims };
        Ok((self.key(request)?, Demand { min_ttl: request.min_ttl, claims }))
    }

    /// What the cache has; starts the renewal that is due.
    fn look(&self, request: &TokenRequest, key: &Key, demand: &Demand) -> Option<AccessToken> {
        let slot = self.world.cache.find(key)?;
        match slot.judge(demand, self.world.clock.now()) {
            Verdict::Fresh(token) | Verdict::Resting(token) => Some(token),
            Verdict::Renew(token) => {
                slot.renew(&self.source, &self.world, request);
                Some(token)
            }
            Verdict::Must => None,
        }
    }

    fn board(&self, request: &TokenRequest, key: &Key, demand: &Demand, ticket: Arc<Ticket>) {
        let slot = self.world.cache.slot(key, &*self.world.files, self.world.clock.now());
        slot.wait(&self.source, &self.world, request, demand, ticket);
    }

    fn key(&self, request: &TokenRequest) -> Result<Key, Error> {
        let about = self.source.about();
        let tenant = about.tenants.resolve(about.credential, request.tenant_id.as_deref())?;
        let mut scopes = request.scopes.clone();
        scopes.sort_unstable();
        scopes.dedup();
        let cae = request.enable_cae && about.cae;
        Ok(Key { identity: about.identity, tenant: tenant.map(str::to_owned), scopes, cae })
    }
}

/// Whoever was told to leave before it came waits for nothing and asks nobody.
fn check_cancel(request: &TokenRequest) -> Result<(), Error> {
    if request.cancel.as_ref().is_some_and(Cancel::is_triggered) { Err(cancelled()) } else { Ok(()) }
}
