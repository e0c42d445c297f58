//! One token of the process, the gate in front of it, and how it gets to callers and flights.
//!
//! What is held survives a fork as it is; the gate is made anew in a child, since its parent's flights never land there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::failure::Failure;
use super::flight::Flight;
use super::gate::{Boarding, Gate};
use super::hold::Hold;
use super::judge::{ClaimsHash, Demand, SKEW, Verdict, renewal};
use super::login::Login;
use super::primitives::Real;
use super::ticket::{Answer, Ticket};
use crate::driver;
use crate::error::Error;
use crate::generation::{Made, PerGeneration};
use crate::moment::Moment;
use crate::request::TokenRequest;
use crate::share;
use crate::source::{Grant, Source, Want};
use crate::stripe::mine;
use crate::tally::{Tally, count};
use crate::token::{AccessToken, CacheLevel, TokenHandle};
use crate::world::World;

/// How long a failed renewal rests, in seconds, while the token lives.
const REST: i64 = 30;

/// How many hits of an identity, on one stripe, there are to a sample.
const SAMPLE: u64 = 1024;

/// The gate of one process in a line of forks.
pub(super) type OurGate = Made<Gate<Real, Arc<Ticket>>>;

/// One token, and the way to a new one.
#[derive(Debug)]
pub(crate) struct Slot {
    hold: Hold<Real>,
    gate: PerGeneration<Gate<Real, Arc<Ticket>>>,
    pub(super) tally: Arc<Tally>,
    /// 0 to 1, from the host and the key: when this slot renews relative to others.
    jitter: f64,
    /// In which minute since the host started it was used last: noted at most once a minute, so that readers write
    /// nothing in between.
    used: AtomicU32,
    gone: AtomicBool,
    /// Whose login its token is of, where that may change.
    login: Option<Login>,
}

impl Slot {
    pub(crate) fn new(tally: Arc<Tally>, jitter: f64, login: Option<Login>, now: Moment) -> Slot {
        let used = AtomicU32::new(minute(now));
        let gone = AtomicBool::new(false);
        Slot { hold: Hold::empty(), gate: PerGeneration::new(), tally, jitter, used, gone, login }
    }

    /// Looks at the live token whose renewal is not due. It counts as a hit; nothing does not count.
    #[inline]
    pub(crate) fn fresh<R>(&self, min_ttl: i64, now: Moment, look: impl FnOnce(&AccessToken) -> R) -> Option<R> {
        self.sampled(min_ttl, now, |token, _| look(token))
    }

    /// The same for whoever wants to know which slot is used most without counting: one hit in [`SAMPLE`] says so.
    #[inline]
    pub(crate) fn sampled<R>(
        &self,
        min_ttl: i64,
        now: Moment,
        look: impl FnOnce(&AccessToken, bool) -> R,
    ) -> Option<R> {
        if !self.is_of_login(now) {
            return None;
        }
        self.hold.fresh(min_ttl, now, |entry| {
            let stripe = mine();
            let before = self.note(now, stripe);
            look(entry.token_at(stripe), before.is_multiple_of(SAMPLE))
        })
    }

    /// The same for whoever wants a lease on it, which is no call.
    pub(crate) fn standing(&self, now: Moment) -> Option<AccessToken> {
        self.hold.fresh(0, now, |entry| entry.token().clone())
    }

    /// What the cache has for a caller, now. A token counts as a hit.
    pub(crate) fn look(&self, demand: &Demand, now: Moment) -> Verdict {
        if !self.is_of_login(now) {
            return Verdict::Must;
        }
        let verdict = self.hold.judge(demand, now);
        match verdict {
            Verdict::Fresh(_) | Verdict::Renew(_) | Verdict::Resting(_) => {
                self.note(now, mine());
            }
            Verdict::Must => {}
        }
        verdict
    }

    /// Whether this very token is the one to give, and no renewal of it is due. Counts as a hit.
    #[inline]
    pub(crate) fn is_fresh(&self, token: &TokenHandle, now: Moment) -> bool {
        let fresh = self.is_of_login(now) && self.hold.is_fresh(token, now);
        if fresh {
            self.note(now, mine());
        }
        fresh
    }

    /// Whether its token is of whoever is signed in; lets go of it where not.
    #[inline]
    fn is_of_login(&self, now: Moment) -> bool {
        self.login.as_ref().is_none_or(|login| {
            let holds = login.holds(now);
            if !holds {
                self.hold.clear();
            }
            holds
        })
    }

    #[inline]
    fn note(&self, now: Moment, stripe: usize) -> u64 {
        let minute = minute(now);
        if self.used.load(Ordering::Relaxed) != minute {
            self.used.store(minute, Ordering::Relaxed);
        }
        self.tally.hit(stripe, 1)
    }

    /// Counts so many hits.
    pub(crate) fn count(&self, calls: u64) {
        self.tally.hit(mine(), calls);
    }

    /// In which minute since the host started it was used last.
    pub(crate) fn used(&self) -> u32 {
        self.used.load(Ordering::Relaxed)
    }

    /// Whether nothing is lost with it: no live token, and no flight. A parent's gate stays where it is.
    pub(crate) fn is_spent(&self, now: Moment) -> bool {
        let lives = self.hold.read(|entry| entry.is_some_and(|entry| entry.is_alive(0, now)));
        !lives && self.is_idle()
    }

    /// Whether no flight of this process is under way, where this process made the gate at all: a thing of the parent's
    /// that is let go in a child may be in the middle of a change.
    pub(crate) fn is_idle(&self) -> bool {
        self.gate.look(|gate| gate.is_some_and(Gate::is_idle))
    }

    /// Whether the cache let go of it, so that its name leads to another one.
    #[inline]
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        self.hold.read(|entry| entry.map_or(512, super::entry::Entry::size))
    }

    /// Lets go of the token, on its way out of the cache.
    pub(crate) fn clear(&self) {
        self.gone.store(true, Ordering::Relaxed);
        self.hold.clear();
    }

    /// Notes that a resource refused the token with this text; whether that leads to another one.
    pub(crate) fn refuse(&self, text: &str, now: Moment) -> bool {
        self.hold.refuse(text, now)
    }

    /// Starts a renewal that nobody waits for, unless one is under way.
    pub(crate) fn renew(self: &Arc<Self>, source: &Arc<dyn Source>, world: &World, request: &TokenRequest) {
        self.board(source, world, request, &Demand::default(), None);
    }

    /// Whether a renewal is under way in this process: then there is nothing to start, and no lock to take.
    pub(crate) fn is_renewing(&self) -> bool {
        self.gate.look(|gate| gate.is_some_and(Gate::is_renewing))
    }

    /// Lets a caller wait for the flight that answers its demand, starting it where there is none.
    pub(crate) fn wait(
        self: &Arc<Self>,
        source: &Arc<dyn Source>,
        world: &World,
        request: &TokenRequest,
        demand: &Demand,
        ticket: Arc<Ticket>,
    ) {
        count(&self.tally.misses);
        self.board(source, world, request, demand, Some(ticket));
    }

    fn board(
        self: &Arc<Self>,
        source: &Arc<dyn Source>,
        world: &World,
        request: &TokenRequest,
        demand: &Demand,
        ticket: Option<Arc<Ticket>>,
    ) {
        let now = world.clock.moment();
        // Files are looked at before the gate. An error that came after that look counts without one.
        let changed = self.hold.failure(demand, now).filter(|failure| !failure.is_unchanged(world));
        let gate = self.gate.get();
        let waits = ticket.is_some();
        match gate.board(&self.hold, ticket, demand, now, changed.as_ref(), |ticket| ticket.is_settled()) {
            Boarding::Joined if waits => count(&self.tally.waiters),
            Boarding::Joined | Boarding::Idle => {}
            Boarding::Settled(ticket, answer) => ticket.settle(answer),
            Boarding::Start => {
                count(&self.tally.flights);
                if self.login.as_ref().is_some_and(|login| !login.note()) {
                    self.hold.clear();
                }
                let want = self.want(demand, !waits);
                let flight = Flight::new(self, &gate, source, world, request, demand, want);
                if let Err(error) = driver::spawn(flight.fly()) {
                    count(&self.tally.failures);
                    self.land(&gate, demand.claims, &Err(error), now);
                }
            }
        }
    }

    /// What a token that another process got must be like to answer a flight.
    fn want(&self, demand: &Demand, is_renewal: bool) -> Want {
        let Demand { min_ttl, claims } = *demand;
        self.hold.read(|entry| Want {
            min_ttl,
            claims,
            refused: entry.filter(|entry| entry.is_refused).map(|entry| share::hash(entry.token().secret())),
            beyond: entry.filter(|_| is_renewal).map(|entry| (entry.token().expires_on(), entry.got.boot)),
        })
    }

    /// Puts what a source gave into the cache, and gives the token to use.
    pub(super) fn commit(&self, grant: Grant, demand: &Demand, now: Moment) -> Answer {
        let (got, level) = grant.got.unwrap_or((now, CacheLevel::Source));
        let refresh_on = renewal(got.wall, grant.expires_on, grant.refresh_in, self.jitter);
        let credential = grant.provenance.credential;
        let token = AccessToken::new(grant.text.expose(), grant.expires_on, refresh_on, grant.provenance)
            .ok_or_else(|| Error::transient(format!("{credential}: the token holds characters that no token has")))?;
        if token.expires_on().saturating_sub(now.wall) <= SKEW {
            let life = token.expires_on().saturating_sub(now.wall);
            return Err(Error::transient(format!("{credential}: the source gave a token that lives {life} s")));
        }
        Ok(self.hold.commit(&token.at_level(level), demand, got, now, REST))
    }

    /// Notes that a flight failed: the next renewal waits a little, and so does who has no token.
    pub(super) fn fail(&self, error: &Error, demand: &Demand, failure: Option<Failure>, now: Moment) {
        if demand.claims.is_none() {
            #[expect(clippy::cast_possible_truncation, reason = "a jitter of at most 15 s")]
            let pause = REST + (self.jitter * 15.0) as i64;
            let asked = error.retry_after().and_then(|span| i64::try_from(span.as_secs()).ok()).unwrap_or(0);
            self.hold.rest(now, pause.max(asked));
        }
        if let Some(failure) = failure {
            self.hold.fail(failure);
        }
    }

    /// Ends a flight: everyone who waits gets its result, as far as it is what they asked for.
    pub(super) fn land(&self, gate: &OurGate, claims: Option<ClaimsHash>, answer: &Answer, now: Moment) {
        for ticket in gate.land(claims) {
            let answer = answer.clone().and_then(|token| self.hold.enough(token, ticket.min_ttl(), now));
            ticket.settle(answer);
        }
    }
}

fn minute(now: Moment) -> u32 {
    u32::try_from(now.boot / 60).unwrap_or(0)
}

#[cfg(test)]
mod properties;
