//! The system's clock.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{Boxed, Clock};

#[derive(Debug)]
pub(super) struct RealClock;

impl Clock for RealClock {
    fn now(&self) -> i64 {
        jiff::Timestamp::now().as_second()
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
