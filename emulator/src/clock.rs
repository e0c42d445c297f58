//! What time it is, and waiting for it.
//!
//! The one place of this crate that asks the system: everything else is handed the time, so that
//! limits and lifetimes can be tested without waiting for them.

use std::time::{Duration, UNIX_EPOCH};

/// A point of the clock that never goes back.
pub(crate) type Moment = tokio::time::Instant;

/// Milliseconds since 1970; 0 on a machine whose clock is set before that.
#[expect(clippy::disallowed_methods, reason = "the emulator's one look at the wall clock")]
pub(crate) fn unix_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Seconds since 1970.
pub(crate) fn unix_seconds() -> i64 {
    unix_ms() / 1000
}

/// Now, for measuring spans.
pub(crate) fn moment() -> Moment {
    Moment::now()
}

/// Waits for `span`.
#[expect(clippy::disallowed_methods, reason = "the emulator's one way of waiting")]
pub(crate) async fn pause(span: Duration) {
    tokio::time::sleep(span).await;
}

/// `2025-04-04 21:10:04Z`, as Entra writes a moment in its error documents.
pub(crate) fn entra_timestamp(unix_seconds: i64) -> String {
    written(unix_seconds, "%Y-%m-%d %H:%M:%SZ")
}

/// A moment in the pattern's form.
pub(crate) fn written(unix_seconds: i64, pattern: &str) -> String {
    jiff::Timestamp::from_second(unix_seconds).unwrap_or_default().strftime(pattern).to_string()
}

#[cfg(test)]
mod tests {
    use super::{entra_timestamp, written};

    #[test]
    fn dates_have_the_forms_of_the_two_workers() {
        const MOMENT: i64 = 1_579_152_252;
        assert_eq!(written(MOMENT, "%-m/%-d/%Y %-I:%M:%S %p +00:00"), "1/16/2020 5:24:12 AM +00:00");
        assert_eq!(written(MOMENT, "%m/%d/%Y %H:%M:%S +00:00"), "01/16/2020 05:24:12 +00:00");
    }

    #[test]
    fn timestamps_have_a_blank_and_a_z() {
        assert_eq!(entra_timestamp(1_743_801_004), "2025-04-04 21:10:04Z");
        assert_eq!(entra_timestamp(i64::MAX), "1970-01-01 00:00:00Z");
    }
}
