//! The system's clocks.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use self::system::{boot, moment, wall};
use super::{Boxed, Clock};
use crate::moment::Moment;

#[derive(Debug)]
pub(super) struct RealClock;

impl Clock for RealClock {
    fn now(&self) -> i64 {
        wall()
    }

    fn boot(&self) -> i64 {
        boot()
    }

    #[inline]
    fn moment(&self) -> Moment {
        moment()
    }

    fn sleep(&self, span: Duration) -> Boxed<'static, ()> {
        #[expect(clippy::disallowed_methods, reason = "this is the clock")]
        Box::pin(tokio::time::sleep(span))
    }

    fn local(&self, text: &str) -> Option<i64> {
        let civil: DateTime = text.parse().ok()?;
        // An hour that daylight saving repeats counts as the earlier one, which can only renew too soon.
        let zoned = civil.to_zoned(TimeZone::system()).ok()?;
        Some(zoned.timestamp().as_second())
    }
}

/// Linux has coarse clocks that are read in a few nanoseconds, but none that counts a suspension. A suspension moves the
/// wall clock against the monotonic one, and so does whoever sets it: only then is the slower clock asked again.
#[cfg(target_os = "linux")]
mod system {
    use std::sync::atomic::{AtomicI64, Ordering};

    use rustix::time::{ClockId, Timespec, clock_gettime};

    use crate::moment::Moment;

    /// The coarse clocks tick every 1 to 10 ms, and slewing moves them against each other by 0.5 ms a second.
    const TOLERANCE: i64 = 500;

    /// The wall clock less the monotonic one, in milliseconds, when [`ASLEEP`] was found out.
    static APART: AtomicI64 = AtomicI64::new(i64::MIN);

    /// How many milliseconds the host slept since it started.
    static ASLEEP: AtomicI64 = AtomicI64::new(0);

    fn milliseconds(time: Timespec) -> i64 {
        time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }

    pub(super) fn wall() -> i64 {
        clock_gettime(ClockId::RealtimeCoarse).tv_sec
    }

    pub(super) fn boot() -> i64 {
        moment().boot
    }

    #[inline]
    pub(super) fn moment() -> Moment {
        let wall = clock_gettime(ClockId::RealtimeCoarse);
        let awake = milliseconds(clock_gettime(ClockId::MonotonicCoarse));
        let apart = milliseconds(wall).saturating_sub(awake);
        if apart.saturating_sub(APART.load(Ordering::Acquire)).saturating_abs() > TOLERANCE {
            find_out(apart);
        }
        Moment { wall: wall.tv_sec, boot: (awake + ASLEEP.load(Ordering::Relaxed)) / 1000 }
    }

    #[cold]
    fn find_out(apart: i64) {
        let awake = milliseconds(clock_gettime(ClockId::Monotonic));
        let asleep = milliseconds(clock_gettime(ClockId::Boottime)).saturating_sub(awake);
        ASLEEP.store(asleep, Ordering::Relaxed);
        APART.store(apart, Ordering::Release);
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_quick_clock_says_what_the_slow_one_says() {
            for _ in 0..1000 {
                let (before, quick, after) =
                    (clock_gettime(ClockId::Boottime), moment(), clock_gettime(ClockId::Boottime));
                assert!((before.tv_sec - 1..=after.tv_sec).contains(&quick.boot), "{before:?} {quick:?} {after:?}");
                assert!((quick.wall - jiff::Timestamp::now().as_second()).abs() <= 1);
            }
        }
    }
}

/// Elsewhere the monotonic clocks that count a suspension are quick enough, or there is only one.
#[cfg(not(target_os = "linux"))]
mod system {
    use crate::moment::Moment;

    pub(super) fn wall() -> i64 {
        jiff::Timestamp::now().as_second()
    }

    /// macOS counts a suspension in its monotonic clock.
    #[cfg(unix)]
    pub(super) fn boot() -> i64 {
        i64::try_from(rustix::time::clock_gettime(rustix::time::ClockId::Monotonic).tv_sec).unwrap_or(i64::MAX)
    }

    /// Windows counts a suspension in its performance counter.
    #[cfg(not(unix))]
    pub(super) fn boot() -> i64 {
        static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        #[expect(clippy::disallowed_methods, reason = "this is the clock")]
        let start = *START.get_or_init(std::time::Instant::now);
        i64::try_from(start.elapsed().as_secs()).unwrap_or(i64::MAX)
    }

    pub(super) fn moment() -> Moment {
        Moment { wall: wall(), boot: boot() }
    }
}
