//! How often an identity's tokens were asked for, and what came of it.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::stripe::STRIPES;

/// What happened for one identity since the process started; a forked child goes on from its parent's numbers.
///
/// `hits + misses` are the calls that were asked at all; a call that is wrong by itself is in none of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Calls that took a live token out of the cache, those that found its renewal due included.
    pub hits: u64,
    /// Calls that found no token they could take.
    pub misses: u64,
    /// Of the misses, those that waited for a flight which another call had started.
    pub waiters: u64,
    /// Times that the source was asked, for a caller who waited or to renew ahead of time.
    pub flights: u64,
    /// HTTP requests that were sent and programs that were run by these flights, retries and probes included.
    pub upstream_requests: u64,
    /// Flights that brought no token.
    pub failures: u64,
}

impl Statistics {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Statistics) -> Statistics {
        Statistics {
            hits: self.hits + other.hits,
            misses: self.misses + other.misses,
            waiters: self.waiters + other.waiters,
            flights: self.flights + other.flights,
            upstream_requests: self.upstream_requests + other.upstream_requests,
            failures: self.failures + other.failures,
        }
    }
}

/// The counters behind [`Statistics`]. Hits are counted on the way that every cached call goes, so in stripes.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    hits: [Padded; STRIPES],
    pub(crate) misses: AtomicU64,
    pub(crate) waiters: AtomicU64,
    pub(crate) flights: AtomicU64,
    pub(crate) upstream: AtomicU64,
    pub(crate) failures: AtomicU64,
}

/// A counter on a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Padded(AtomicU64);

impl Tally {
    /// Counts hits, and gives how many this stripe had before.
    #[inline]
    pub(crate) fn hit(&self, stripe: usize, calls: u64) -> u64 {
        // The index is below the number of stripes; `get` keeps a panic out of the read path all the same.
        self.hits.get(stripe).map_or(0, |counter| counter.0.fetch_add(calls, Ordering::Relaxed))
    }

    pub(crate) fn read(&self) -> Statistics {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Statistics {
            hits: self.hits.iter().map(|counter| of(&counter.0)).sum(),
            misses: of(&self.misses),
            waiters: of(&self.waiters),
            flights: of(&self.flights),
            upstream_requests: of(&self.upstream),
            failures: of(&self.failures),
        }
    }
}

/// Counts one more.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
