//! An error that stands for a few seconds, so that a caller's loop does not hammer the provider, and no longer than its
//! cause is known to last.

use super::judge::{ClaimsHash, Demand};
use crate::error::{Error, ErrorKind};
use crate::moment::Moment;
use crate::world::World;
use crate::world::witness::Looked;

/// How long an error stands at most, in seconds.
const STANDS: i64 = 5;

/// An error, and until when it is the answer.
#[derive(Debug)]
pub(crate) struct Failure {
    error: Error,
    claims: Option<ClaimsHash>,
    /// Seconds since the host started.
    until: i64,
    /// The variables and files that were looked at; the error is forgotten when one of them changes.
    looked: Looked,
}

impl Failure {
    /// The failure to remember, if it is one that asking again at once would not mend.
    pub(crate) fn of(error: &Error, demand: &Demand, looked: Looked, now: Moment) -> Option<Failure> {
        let stands = match error.kind() {
            ErrorKind::Unavailable | ErrorKind::Failed | ErrorKind::InvalidConfiguration => STANDS,
            // The server said when to come back; not even it may lock a caller out for longer than our own errors do.
            ErrorKind::Transient => i64::try_from(error.retry_after()?.as_secs()).unwrap_or(STANDS).min(STANDS),
            ErrorKind::InvalidArgument | ErrorKind::Cancelled | ErrorKind::TimedOut | ErrorKind::Internal => {
                return None;
            }
        };
        let until = now.boot.saturating_add(stands);
        (stands > 0).then(|| Failure { error: error.clone(), claims: demand.claims, until, looked })
    }

    pub(crate) fn error(&self) -> &Error {
        &self.error
    }

    /// Whether it is the answer to this demand, as far as the clock knows.
    pub(crate) fn stands(&self, demand: &Demand, now: Moment) -> bool {
        now.boot < self.until && self.claims == demand.claims
    }

    /// Whether what was looked at is as it was.
    pub(crate) fn is_unchanged(&self, world: &World) -> bool {
        self.looked.is_unchanged(world)
    }
}
