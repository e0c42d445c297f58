//! Single flight: who comes while the source is asked waits for that answer, and only who comes first asks.

use std::sync::Arc;

use super::failure::Failure;
use super::hold::Hold;
use super::judge::{ClaimsHash, Demand, Verdict};
use super::primitives::{Flag as _, Lock as _, Primitives};
use super::ticket::Answer;
use crate::moment::Moment;

/// How many callers may join a flight before those who left are forgotten.
const PRUNED_EVERY: usize = 256;

/// The flights of one token; `W` is a caller who waits.
#[derive(Debug)]
pub(crate) struct Gate<P: Primitives, W: 'static> {
    flights: P::Lock<Vec<Flight<W>>>,
    /// Raised while a flight without claims is under way: callers whose token lives need not come to the lock.
    is_renewing: P::Flag,
}

/// A question under way, and who waits for its answer.
#[derive(Debug)]
pub(crate) struct Flight<W> {
    claims: Option<ClaimsHash>,
    waiting: Vec<W>,
}

/// What becomes of a caller at the gate.
#[derive(Debug)]
pub(crate) enum Boarding<W> {
    /// It waits for a flight that is under way.
    Joined,
    /// It has come first: the source is to be asked, and [`Gate::land`] to be called then.
    Start,
    /// It need not wait: this is its answer.
    Settled(W, Answer),
    /// A renewal that nobody needs any more.
    Idle,
}

/// What a caller saw before it came to the gate: an error that does not count for it, since its cause may have gone.
pub(crate) type Seen<'a> = Option<&'a Arc<Failure>>;

impl<P: Primitives, W> Default for Gate<P, W> {
    fn default() -> Gate<P, W> {
        Gate { flights: P::Lock::of(Vec::new()), is_renewing: P::Flag::lowered() }
    }
}

impl<P: Primitives, W> Gate<P, W> {
    /// Lets a caller in; one without `waiter` wants a renewal and no answer. `has_left` says who waits no more.
    pub(crate) fn board(
        &self,
        hold: &Hold<P>,
        waiter: Option<W>,
        demand: &Demand,
        now: Moment,
        seen: Seen<'_>,
        has_left: impl Fn(&W) -> bool,
    ) -> Boarding<W> {
        self.flights.with(|flights| {
            if let Some(flight) = flights.iter_mut().find(|flight| flight.claims == demand.claims) {
                if flight.waiting.len() % PRUNED_EVERY == PRUNED_EVERY - 1 {
                    flight.waiting.retain(|waiter| !has_left(waiter));
                }
                flight.waiting.extend(waiter);
                return Boarding::Joined;
            }
            // A flight may have landed since the caller looked.
            let waiter = match (waiter, hold.judge(demand, now)) {
                (Some(waiter), Verdict::Fresh(token) | Verdict::Renew(token) | Verdict::Resting(token)) => {
                    return Boarding::Settled(waiter, Ok(token));
                }
                (None, Verdict::Fresh(_) | Verdict::Resting(_)) => return Boarding::Idle,
                (Some(waiter), Verdict::Must) => {
                    if let Some(failure) = hold.failure(demand, now).filter(|failure| !is(seen, failure)) {
                        return Boarding::Settled(waiter, Err(failure.error().clone()));
                    }
                    if let Some(error) = hold.short(demand, now) {
                        return Boarding::Settled(waiter, Err(error));
                    }
                    Some(waiter)
                }
                (None, Verdict::Must | Verdict::Renew(_)) => None,
            };
            flights.push(Flight { claims: demand.claims, waiting: waiter.into_iter().collect() });
            if demand.claims.is_none() {
                self.is_renewing.set(true);
            }
            Boarding::Start
        })
    }

    /// Ends a flight, after its result is in the hold, and gives those who wait for it.
    pub(crate) fn land(&self, claims: Option<ClaimsHash>) -> Vec<W> {
        self.flights.with(|flights| {
            if claims.is_none() {
                self.is_renewing.set(false);
            }
            let at = flights.iter().position(|flight| flight.claims == claims);
            at.map(|at| flights.swap_remove(at).waiting).unwrap_or_default()
        })
    }

    /// Whether a flight without claims is under way. A look without the lock: it may just have begun or ended.
    pub(crate) fn is_renewing(&self) -> bool {
        self.is_renewing.is_raised()
    }

    /// Whether anybody waits for a flight whom `waits` says of.
    pub(crate) fn is_awaited(&self, claims: Option<ClaimsHash>, waits: impl Fn(&W) -> bool) -> bool {
        self.flights.with(|flights| {
            let flight = flights.iter().find(|flight| flight.claims == claims);
            flight.is_some_and(|flight| flight.waiting.iter().any(waits))
        })
    }

    /// Whether no flight is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.flights.with(|flights| flights.is_empty())
    }
}

fn is(seen: Seen<'_>, failure: &Arc<Failure>) -> bool {
    seen.is_some_and(|seen| Arc::ptr_eq(seen, failure))
}
