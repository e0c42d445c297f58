//! Where a blocked caller waits: a condition variable, never a runtime.

use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::cache::ticket::{Answer, Completion, Ticket, cancelled};
use crate::error::Error;
use crate::request::{Cancellable, TokenRequest};

#[derive(Debug, Default)]
struct Mailbox {
    answer: Mutex<Option<Answer>>,
    arrived: Condvar,
}

/// Called now and then while a caller waits; `Break` lets it go with `Cancelled`. Languages look for signals here.
pub(crate) type Patience<'a> = &'a mut dyn FnMut() -> ControlFlow<()>;

/// How often a waiting caller's patience is asked.
const TICK: Duration = Duration::from_millis(50);

/// Waits on the caller's own thread for what `board` puts into the queue.
pub(crate) fn wait(
    request: &TokenRequest,
    min_ttl: i64,
    mut patience: Option<Patience<'_>>,
    board: impl FnOnce(Arc<Ticket>),
) -> Answer {
    if super::is_here() {
        return Err(Error::argument(
            "get_token would block azcred's own thread: from a callback, use the asynchronous call",
        ));
    }
    let mailbox = Arc::new(Mailbox::default());
    let theirs = Arc::clone(&mailbox);
    let completion: Completion = Box::new(move |answer| {
        *theirs.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        theirs.arrived.notify_one();
    });
    let ticket = Ticket::new(min_ttl, completion);
    if let Some(cancel) = &request.cancel {
        cancel.watch(&(Arc::clone(&ticket) as Arc<dyn Cancellable>));
    }
    #[expect(clippy::disallowed_methods, reason = "a caller's deadline, not the life of a token")]
    let start = Instant::now();
    board(Arc::clone(&ticket));
    let mut held = mailbox.answer.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(answer) = held.take() {
            return answer;
        }
        let left = request.timeout.map(|timeout| timeout.saturating_sub(start.elapsed()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(super::timed_out(request.timeout.unwrap_or_default()));
        }
        if let Some(patience) = &mut patience {
            drop(held);
            if patience().is_break() {
                return Err(cancelled());
            }
            held = mailbox.answer.lock().unwrap_or_else(PoisonError::into_inner);
            if held.is_some() {
                continue;
            }
        }
        let span = match (left, &patience) {
            (Some(left), Some(_)) => left.min(TICK),
            (Some(left), None) => left,
            (None, Some(_)) => TICK,
            (None, None) => Duration::MAX,
        };
        held = mailbox.arrived.wait_timeout(held, span).unwrap_or_else(PoisonError::into_inner).0;
    }
}
