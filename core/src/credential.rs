//! The handle everyone holds: a source, the cache, and the world they live in.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::builder;
use crate::cache::judge::{Demand, Verdict};
use crate::cache::key::{Name, Scopes, with_scopes};
use crate::cache::slot::Slot;
use crate::cache::ticket::{Answer, Ticket, cancelled};
use crate::driver;
use crate::error::{Error, ErrorKind};
use crate::fingerprint::Fingerprint;
use crate::function::{Pending, on_a_thread};
use crate::lease::{Lanes, Lease, Peek};
use crate::moment::Moment;
use crate::options::{Spelling, Value};
use crate::random;
use crate::request::{Cancel, TokenRequest};
use crate::source::chain::Chain;
use crate::source::foreign::{Foreign, ForeignAnswer};
use crate::source::{AuthenticationRecord, Interactive, Source};
use crate::tally::Statistics;
use crate::token::AccessToken;
use crate::world::World;

/// A source of tokens. Cheap to clone, made without I/O, good for any thread; all credentials of a process with the
/// same identity share their tokens.
#[derive(Clone, Debug)]
pub struct Credential {
    source: Arc<dyn Source>,
    world: World,
    /// The way of most calls.
    lanes: Arc<Lanes>,
}

impl Credential {
    fn made(source: Arc<dyn Source>, world: World) -> Credential {
        Credential { source, world, lanes: Arc::default() }
    }

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
        Ok(Credential::made(source, world))
    }

    /// `ChainedTokenCredential`: asks its members in their order until one is available.
    ///
    /// # Errors
    /// `InvalidConfiguration` if there is no member.
    pub fn chain(members: &[Credential]) -> Result<Credential, Error> {
        let world = members.first().map_or_else(World::real, |member| member.world.clone());
        let sources = members.iter().map(|member| Arc::clone(&member.source)).collect();
        Ok(Credential::made(Arc::new(Chain::of(sources)?), world))
    }

    /// A credential of another library's, for a chain: `ask` is called on a thread made for the call, and may block.
    /// `name` is its class name; what `ask` says of a failure has that name in front already.
    pub fn foreign(name: &str, ask: impl Fn(TokenRequest) -> ForeignAnswer + Send + Sync + 'static) -> Credential {
        let ask = Arc::new(ask);
        Credential::foreign_deferred(name, move |request, pending| {
            let ask = Arc::clone(&ask);
            on_a_thread(move || pending.give(ask(request)));
        })
    }

    /// [`Credential::foreign`] for one that is only started by the call, on azcred's own thread, and gives its answer later,
    /// from any thread.
    pub fn foreign_deferred(
        name: &str,
        start: impl Fn(TokenRequest, Pending<ForeignAnswer>) + Send + Sync + 'static,
    ) -> Credential {
        Credential::made(Arc::new(Foreign::new(name, Box::new(start))), World::real())
    }

    /// The members of a chain, in their order; nothing for what is no chain.
    pub fn members(&self) -> Vec<Credential> {
        let members = self.source.about().members.iter();
        members.map(|source| Credential::made(Arc::clone(source), self.world.clone())).collect()
    }

    /// A credential over a source of one's own.
    pub fn from_source(source: Arc<dyn Source>, world: World) -> Credential {
        Credential::made(source, world)
    }

    /// Its class name.
    pub fn name(&self) -> &'static str {
        self.source.about().credential
    }

    /// The live token of the cache, if there is one and no renewal of it is due: takes no lock, allocates nothing, and asks
    /// nobody but the clock. Whatever else there is to say about the request, [`Credential::get_token`] says.
    #[inline]
    pub fn peek(&self, peek: &Peek<'_>) -> Option<AccessToken> {
        self.peek_at(peek, AccessToken::clone)
    }

    /// [`Credential::peek`] for whoever needs no token of its own, only what `look` makes of it.
    #[inline]
    pub fn peek_at<R>(&self, peek: &Peek<'_>, look: impl FnOnce(&AccessToken) -> R) -> Option<R> {
        if let Some(slot) = self.lanes.leads(peek) {
            return slot.fresh(peek.min_ttl, self.world.clock.moment(), look);
        }
        self.find(peek, |slot, now| {
            slot.sampled(peek.min_ttl, now, |token, is_sample| {
                // Where the host's configuration leads may change.
                if self.source.about().aim.is_none() && (is_sample || self.lanes.are_none()) {
                    self.lanes.note(peek, slot);
                }
                look(token)
            })
        })
    }

    /// A lease on the token that [`Credential::peek`] would give, for whoever comes again. Counts as no call; `min_ttl` is
    /// not looked at.
    pub fn lease(&self, peek: &Peek<'_>) -> Option<Lease> {
        let terms =
            self.source.about().aim.as_ref().map(|_| (self.world.clone(), self.world.config.version(&self.world)));
        self.find(peek, |slot, now| Some(Lease::new(slot, &self.world.clock, slot.standing(now)?, terms)))
    }

    /// Gives `with` the source to ask: this credential's own, or the one that the host's configuration has for these scopes.
    #[inline]
    fn aim<R>(&self, scopes: &[&str], with: impl FnOnce(&Arc<dyn Source>) -> R) -> Result<R, Error> {
        match &self.source.about().aim {
            None => Ok(with(&self.source)),
            Some(aim) => self.world.config.aim(&self.world, aim.identity.as_deref(), scopes, with),
        }
    }

    #[inline]
    fn find<R>(&self, peek: &Peek<'_>, look: impl FnOnce(&Arc<Slot>, Moment) -> Option<R>) -> Option<R> {
        self.aim(peek.scopes, |source| {
            let about = source.about();
            let tenant = about.tenants.resolve(about.credential, peek.tenant_id).ok()?;
            with_scopes(peek.scopes, |scopes| {
                let name =
                    Name { identity: &about.identity, tenant, scopes: scopes?, cae: peek.enable_cae && about.cae };
                self.world.cache.look(&name, |slot| look(slot?, self.world.clock.moment()))
            })
        })
        .ok()?
    }

    /// Notes that a resource refused this token though it looks alive, by its text: the next call asks the source for
    /// another one. Gives whether it will; not for a token that is not the newest, nor twice for the same one, nor sooner than
    /// 30 s after the one before.
    pub fn reject(&self, token: &str) -> bool {
        let now = self.world.clock.moment();
        self.identities().iter().fold(false, |done, identity| self.world.cache.refuse(identity, token, now) | done)
    }

    /// Whose tokens it gives: of all identities that the host's configuration may lead to, where it does.
    fn identities(&self) -> Vec<Fingerprint> {
        match &self.source.about().aim {
            None => vec![self.source.about().identity],
            Some(aim) => self.world.config.identities(&self.world, aim.identity.as_deref()),
        }
    }

    /// What happened so far for this credential's identity in this process, by all credentials that share it.
    pub fn statistics(&self) -> Statistics {
        let all = self.identities().into_iter().map(|identity| self.world.cache.statistics(&identity));
        all.fold(Statistics::default(), Statistics::plus)
    }

    /// The live token of the cache, if there is one: never waits. A renewal that is due is started, not awaited.
    ///
    /// # Errors
    /// `InvalidArgument` for a request that no source could serve.
    pub fn cached(&self, request: &TokenRequest) -> Result<Option<AccessToken>, Error> {
        let question = self.question(request)?;
        Ok(self.look(request, &question))
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

    /// [`Credential::get_token`] that calls `patience` while it waits; `Break` ends the wait with `Cancelled`. For hosts that
    /// must look for signals: some twenty times a second on the process's first thread, once a second on others.
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
        let question = self.question(request)?;
        if let Some(token) = self.look(request, &question) {
            return Ok(token);
        }
        check_cancel(request)?;
        driver::wait(request, question.demand.min_ttl, patience, |ticket| self.board(request, &question, ticket))
    }

    /// A token, given to `done` on azcred's own thread, exactly once, and never from inside this call.
    ///
    /// # Errors
    /// When nothing was started; `done` is not called then.
    pub fn start(&self, request: TokenRequest, done: impl FnOnce(Answer) + Send + 'static) -> Result<(), Error> {
        let question = self.question(&request)?;
        let token = self.look(&request, &question);
        if token.is_none() {
            check_cancel(&request)?;
        }
        // Before there is a ticket: what can't be started must not be completed either.
        let driver = driver::ready()?;
        let ticket = Ticket::new(question.demand.min_ttl, Box::new(done));
        let credential = self.clone();
        let task = driver.spawn(async move {
            if let Some(token) = token {
                ticket.settle(Ok(token));
                return;
            }
            match driver::guard(&ticket, &request) {
                Ok(()) => credential.board(&request, &question, ticket),
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
        let asked: Vec<&str> = request.scopes.iter().map(String::as_str).collect();
        let default = self.aim(&asked, |source| source.interactive().map(Interactive::default_scope))?;
        let Some(default) = default else {
            return Err(Error::argument(format!("{} has no user who could sign in", self.name())));
        };
        let scopes = if request.scopes.is_empty() { vec![default] } else { request.scopes };
        Ok(TokenRequest { scopes, authenticate: true, ..request })
    }

    /// Who signed in to this credential, if anybody did.
    pub fn record(&self) -> Option<AuthenticationRecord> {
        self.aim(&[], |source| source.interactive()?.record()).ok()?
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
    fn question(&self, request: &TokenRequest) -> Result<Question, Error> {
        request.check()?;
        let claims = request.claims().map(|claims| *Fingerprint::of("claims", &[claims]).bytes());
        // Nothing that is there answers a sign-in, and no two of them are one.
        let sign_in = || *Fingerprint::of("sign-in", &[&random::unique()]).bytes();
        let claims = if request.authenticate { Some(sign_in()) } else { claims };
        let scopes: Vec<&str> = request.scopes.iter().map(String::as_str).collect();
        let source = self.aim(&scopes, Arc::clone)?;
        let about = source.about();
        let tenant = about.tenants.resolve(about.credential, request.tenant_id.as_deref())?;
        Ok(Question {
            demand: Demand { min_ttl: request.min_ttl, claims },
            tenant: tenant.map(str::to_owned),
            // A request that was checked has scopes without blanks.
            scopes: with_scopes(&scopes, |scopes| scopes.map(|scopes| scopes.joined.to_owned()).unwrap_or_default()),
            cae: request.enable_cae && about.cae,
            source,
        })
    }

    /// What the cache has; starts the renewal that is due.
    fn look(&self, request: &TokenRequest, question: &Question) -> Option<AccessToken> {
        self.world.cache.look(&question.name(), |slot| {
            let slot = slot?;
            match slot.look(&question.demand, self.world.clock.moment()) {
                Verdict::Fresh(token) | Verdict::Resting(token) => Some(token),
                Verdict::Renew(token) => {
                    if !slot.is_renewing() {
                        slot.renew(&question.source, &self.world, request);
                    }
                    Some(token)
                }
                Verdict::Must => None,
            }
        })
    }

    fn board(&self, request: &TokenRequest, question: &Question, ticket: Arc<Ticket>) {
        let (login, now) = (&question.source.about().login, self.world.clock.moment());
        let slot = self.world.cache.slot(&question.name(), login, &self.world.files, now);
        slot.wait(&question.source, &self.world, request, &question.demand, ticket);
    }
}

/// A request, read: who is asked, which token is meant, and what it must be like.
struct Question {
    source: Arc<dyn Source>,
    demand: Demand,
    tenant: Option<String>,
    scopes: String,
    cae: bool,
}

impl Question {
    fn name(&self) -> Name<'_> {
        let scopes = Scopes { joined: &self.scopes, several: self.scopes.contains(' ') };
        let identity = &self.source.about().identity;
        Name { identity, tenant: self.tenant.as_deref(), scopes, cae: self.cae }
    }
}

/// Whoever was told to leave before it came waits for nothing and asks nobody.
fn check_cancel(request: &TokenRequest) -> Result<(), Error> {
    if request.cancel.as_ref().is_some_and(Cancel::is_triggered) { Err(cancelled()) } else { Ok(()) }
}
