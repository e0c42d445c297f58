//! How often and how many at once IMDS may be asked.
//!
//! The rate is counted over the last second, not per calendar second, so no two adjacent seconds
//! let twice the number through. It never waits: a request beyond a limit is refused at once.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{clock::Moment, config::ImdsLimits};

/// The limits of one endpoint, or their absence.
#[derive(Debug)]
pub(crate) struct Limits(Option<Gauges>);

#[derive(Debug)]
struct Gauges {
    rate: Mutex<Rate>,
    concurrent: Arc<Semaphore>,
}

/// Held while an admitted request is being answered.
#[derive(Debug)]
pub(crate) struct Admission(#[expect(dead_code, reason = "held for its drop")] Option<OwnedSemaphorePermit>);

impl Limits {
    pub(crate) fn new(limits: Option<ImdsLimits>) -> Self {
        Self(limits.map(|limits| Gauges {
            rate: Mutex::new(Rate::new(limits.requests_per_second as usize)),
            concurrent: Arc::new(Semaphore::new(limits.concurrent as usize)),
        }))
    }

    /// `None` when one of the limits is reached.
    pub(crate) fn admit(&self, now: Moment) -> Option<Admission> {
        let Some(gauges) = &self.0 else {
            return Some(Admission(None));
        };
        let permit = Arc::clone(&gauges.concurrent).try_acquire_owned().ok()?;
        let admitted = gauges.rate.lock().admit(now);
        admitted.then_some(Admission(Some(permit)))
    }
}

/// The moments of the last second's admitted requests.
#[derive(Debug)]
struct Rate {
    most: usize,
    recent: VecDeque<Moment>,
}

impl Rate {
    fn new(most: usize) -> Self {
        Self { most, recent: VecDeque::new() }
    }

    fn admit(&mut self, now: Moment) -> bool {
        const WINDOW: Duration = Duration::from_secs(1);
        while let Some(&oldest) = self.recent.front()
            && now.saturating_duration_since(oldest) >= WINDOW
        {
            self.recent.pop_front();
        }
        let admitted = self.recent.len() < self.most;
        if admitted {
            self.recent.push_back(now);
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_counted_over_the_last_second() {
        let start = Moment::now();
        let mut rate = Rate::new(2);
        let table = [
            (0, true),
            (500, true),
            (999, false),
            (1000, true),
            (1400, false),
            (1500, true),
            (1999, false),
            (9000, true),
        ];
        for (at, expected) in table {
            let now = start + Duration::from_millis(at);
            assert_eq!(rate.admit(now), expected, "at {at} ms");
        }
    }

    #[test]
    fn at_most_so_many_at_once() {
        let limits = Limits::new(Some(ImdsLimits { requests_per_second: 100, concurrent: 2 }));
        let now = Moment::now();
        let first = limits.admit(now);
        let second = limits.admit(now);
        assert!(first.is_some() && second.is_some());
        assert!(limits.admit(now).is_none());
        drop(first);
        assert!(limits.admit(now).is_some());
    }

    #[test]
    fn without_limits_everything_passes() {
        let limits = Limits::new(None);
        let now = Moment::now();
        let held: Vec<_> = (0..1000).map(|_| limits.admit(now)).collect();
        assert!(held.iter().all(Option::is_some));
    }
}
