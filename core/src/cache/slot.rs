//! One token, one gate: single flight, and replacement on success only.
//!
//! Readers take a snapshot; only a commit writes. The gate guards the list of flights and who waits for each; it is
//! never held across an await or a call out. It belongs to one fork generation: a child finds the snapshot as it was
//! and a gate of its own, since the flights of the parent will never land here.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::judge::{ClaimsHash, Demand, Verdict, is_alive, judge, renewal};
use super::ticket::{Answer, Ticket};
use crate::driver;
use crate::error::{Error, ErrorKind};
use crate::generation::{Made, PerGeneration};
use crate::request::TokenRequest;
use crate::source::{Ask, Audience, Grant, Place, Source};
use crate::token::{AccessToken, CacheLevel};
use crate::world::World;

/// How long a failed renewal rests, while the token lives.
const REST: i64 = 30;

/// How many callers may join a flight before those who left are forgotten.
const PRUNED_EVERY: usize = 256;

/// What a slot holds.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) token: AccessToken,
    /// No renewal before this moment (Unix seconds).
    pub(crate) rests_until: i64,
    /// The claims it was got with.
    pub(crate) claims: Option<ClaimsHash>,
}

impl Entry {
    pub(crate) fn meets(&self, demand: &Demand, now: i64) -> bool {
        is_alive(self.token.expires_on(), demand.min_ttl, now)
            && (demand.claims.is_none() || demand.claims == self.claims)
    }
}

/// One token, and the way to a new one.
#[derive(Debug)]
pub(crate) struct Slot {
    entry: ArcSwapOption<Entry>,
    gate: PerGeneration<Gate>,
    /// 0 to 1, from the host and the key: when this slot renews relative to others.
    jitter: f64,
}

#[derive(Debug, Default)]
struct Gate {
    flights: Mutex<Vec<Flight>>,
}

/// A question under way, and who waits for its answer.
#[derive(Debug)]
struct Flight {
    claims: Option<ClaimsHash>,
    waiting: Vec<Arc<Ticket>>,
}

impl Gate {
    /// Whether somebody waits for a flight.
    fn is_awaited(&self, claims: Option<ClaimsHash>) -> bool {
        let flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        let flight = flights.iter().find(|flight| flight.claims == claims);
        flight.is_some_and(|flight| flight.waiting.iter().any(|ticket| !ticket.is_settled()))
    }

    /// Ends a flight: everyone who waits gets its result.
    fn land(&self, claims: Option<ClaimsHash>, answer: &Answer, now: i64) {
        let flight = {
            let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
            let at = flights.iter().position(|flight| flight.claims == claims);
            at.map(|at| flights.swap_remove(at))
        };
        for ticket in flight.into_iter().flat_map(|flight| flight.waiting) {
            ticket.land(answer.clone(), now);
        }
    }
}

impl Slot {
    pub(crate) fn new(jitter: f64) -> Slot {
        Slot { entry: ArcSwapOption::empty(), gate: PerGeneration::new(), jitter }
    }

    /// What the cache has for a caller, now.
    pub(crate) fn judge(&self, demand: &Demand, now: i64) -> Verdict {
        match judge(self.entry.load().as_deref(), demand, now) {
            Verdict::Fresh(token) => Verdict::Fresh(token.at_level(CacheLevel::Process)),
            Verdict::Renew(token) => Verdict::Renew(token.at_level(CacheLevel::Process)),
            Verdict::Resting(token) => Verdict::Resting(token.at_level(CacheLevel::Process)),
            Verdict::Must => Verdict::Must,
        }
    }

    /// Whether nothing is lost with it: no live token, and no flight. A parent's gate stays where it is.
    pub(crate) fn is_spent(&self, now: i64) -> bool {
        let entry = self.entry.load();
        !entry.as_ref().is_some_and(|entry| is_alive(entry.token.expires_on(), 0, now))
            && self
                .gate
                .made()
                .is_some_and(|gate| gate.flights.lock().unwrap_or_else(PoisonError::into_inner).is_empty())
    }

    /// Starts a renewal that nobody waits for, unless one is under way.
    pub(crate) fn renew(self: &Arc<Self>, source: &Arc<dyn Source>, world: &World, request: &TokenRequest) {
        self.board(source, world, request, &Demand::default(), None);
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
        let gate = self.gate.get();
        {
            let mut flights = gate.flights.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(flight) = flights.iter_mut().find(|flight| flight.claims == demand.claims) {
                if flight.waiting.len() % PRUNED_EVERY == PRUNED_EVERY - 1 {
                    flight.waiting.retain(|ticket| !ticket.is_settled());
                }
                flight.waiting.extend(ticket);
                return;
            }
            // A flight may have landed since the caller looked: then there is a token to take, and nothing to renew.
            match (&ticket, self.judge(demand, world.clock.now())) {
                (Some(ticket), Verdict::Fresh(token) | Verdict::Renew(token) | Verdict::Resting(token)) => {
                    drop(flights);
                    ticket.settle(Ok(token));
                    return;
                }
                (None, Verdict::Fresh(_) | Verdict::Resting(_)) => return,
                (Some(_) | None, Verdict::Must) | (None, Verdict::Renew(_)) => {}
            }
            flights.push(Flight { claims: demand.claims, waiting: ticket.into_iter().collect() });
        }
        let flight = fly(
            Arc::clone(self),
            Arc::clone(&gate),
            Arc::clone(source),
            world.clone(),
            TokenRequest { cancel: None, timeout: None, ..request.clone() },
            *demand,
        );
        if let Err(error) = driver::spawn(flight) {
            gate.land(demand.claims, &Err(error), world.clock.now());
        }
    }

    /// Puts a new token in. A token that outlives it stays, unless a resource refused it.
    fn commit(&self, grant: Grant, demand: &Demand, now: i64) -> Answer {
        let refresh_on = renewal(now, grant.expires_on, grant.refresh_in, self.jitter);
        let credential = grant.provenance.credential;
        let token = AccessToken::new(grant.text.expose(), grant.expires_on, refresh_on, grant.provenance)
            .ok_or_else(|| Error::transient(format!("{credential}: the token holds characters that no token has")))?;
        if !is_alive(token.expires_on(), 0, now) {
            let life = token.expires_on().saturating_sub(now);
            return Err(Error::transient(format!("{credential}: the source gave a token that lives {life} s")));
        }
        let fresh = Arc::new(Entry { token: token.clone(), rests_until: 0, claims: demand.claims });
        self.entry.rcu(|held| match held {
            Some(held) if demand.claims.is_none() && held.token.expires_on() > token.expires_on() => {
                Some(Arc::new(Entry { rests_until: now.saturating_add(REST), ..Entry::clone(held) }))
            }
            _ => Some(Arc::clone(&fresh)),
        });
        Ok(token)
    }

    /// Notes that a renewal failed, so that the next one waits a little.
    fn rest(&self, error: &Error, now: i64) {
        #[expect(clippy::cast_possible_truncation, reason = "a jitter of at most 15 s")]
        let pause = REST + (self.jitter * 15.0) as i64;
        let asked = error.retry_after().and_then(|span| i64::try_from(span.as_secs()).ok()).unwrap_or(0);
        let rests_until = now.saturating_add(pause.max(asked));
        self.entry.rcu(|held| held.as_ref().map(|held| Arc::new(Entry { rests_until, ..Entry::clone(held) })));
    }
}

/// Asks the source once, within its patience, commits, and tells everyone who waits.
async fn fly(
    slot: Arc<Slot>,
    gate: Arc<Made<Gate>>,
    source: Arc<dyn Source>,
    world: World,
    request: TokenRequest,
    demand: Demand,
) {
    let awaited = || gate.is_awaited(demand.claims);
    let audience = Audience::new(&awaited);
    let ask = Ask { world: &world, request: &request, place: Place::Alone, audience };
    let patience = source.about().patience;
    let answer = driver::caught(AssertUnwindSafe(driver::within(patience, source.fetch(&ask)))).await;
    let now = world.clock.now();
    let answer = match answer {
        Ok(Some(Ok(grant))) => slot.commit(grant, &demand, now),
        Ok(Some(Err(error))) => Err(error),
        Ok(None) => Err(late(&*source, patience)),
        Err(_) => Err(Error::new(
            ErrorKind::Internal,
            format!("{}: a bug in azcred was contained; please report it", source.about().credential),
        )),
    };
    if let Err(error) = &answer {
        tracing::warn!(credential = source.about().credential, kind = error.kind().name(), "{error}");
        if demand == Demand::default() {
            slot.rest(error, now);
        }
    }
    gate.land(demand.claims, &answer, now);
}

fn late(source: &dyn Source, patience: Duration) -> Error {
    let credential = source.about().credential;
    Error::transient(format!("{credential}: no answer within {} s", patience.as_secs()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;
    use crate::source::{About, Fetch};
    use crate::token::{Provenance, Secret};
    use crate::world::fake::Fake;

    #[derive(Debug)]
    struct Counting(About, AtomicUsize);

    impl Source for Counting {
        fn about(&self) -> &About {
            &self.0
        }

        fn fetch<'a>(&'a self, ask: &'a Ask<'a>) -> Fetch<'a> {
            self.1.fetch_add(1, Ordering::SeqCst);
            let provenance = Provenance { credential: "Counting", source: "test", tenant_id: None, client_id: None };
            let expires_on = ask.world.clock.now() + 3600;
            let grant = Grant { text: Secret::new("t"), expires_on, refresh_in: None, provenance };
            Box::pin(std::future::ready(Ok(grant)))
        }
    }

    #[test]
    fn a_renewal_that_comes_after_the_landing_asks_nobody() {
        let (world, fake) = Fake::world();
        let counting = Arc::new(Counting(About::new("Counting", &[], Duration::from_secs(5)), AtomicUsize::new(0)));
        let source: Arc<dyn Source> = Arc::clone(&counting) as Arc<dyn Source>;
        let (slot, request) = (Arc::new(Slot::new(0.0)), TokenRequest::scope("s"));
        let landed = || {
            let (sender, landed) = mpsc::channel();
            let ticket = Ticket::new(0, Box::new(move |answer| sender.send(answer.is_ok()).unwrap()));
            slot.wait(&source, &world, &request, &Demand::default(), ticket);
            assert!(landed.recv().unwrap());
        };
        landed();
        // Two callers saw a renewal due; the second comes here when the first one's flight has landed.
        slot.renew(&source, &world, &request);
        assert_eq!(slot.gate.get().flights.lock().unwrap().len(), 0, "no flight for a fresh token");
        assert_eq!(counting.1.load(Ordering::SeqCst), 1);
        fake.advance(3500);
        slot.renew(&source, &world, &request);
        fake.advance(100);
        landed();
        assert_eq!(
            counting.1.load(Ordering::SeqCst),
            2,
            "one that is due is fetched, and waited for by who has no token"
        );
    }
}
