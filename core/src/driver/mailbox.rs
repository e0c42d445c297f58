//! Where a blocked caller waits: a condition variable, never a runtime.

use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::cache::ticket::{Answer, Completion, Ticket, cancelled};
use crate::error::Error;
use crate::generation::abandon;
use crate::request::{Cancellable, TokenRequest};

#[derive(Debug, Default)]
struct Mailbox {
    answer: Mutex<Option<Answer>>,
    arrived: Condvar,
}

/// Called now and then while a caller waits; `Break` lets it go with `Cancelled`. Languages look for signals here.
pub(crate) type Patience<'a> = &'a mut dyn FnMut() -> ControlFlow<()>;

/// How often a waiting caller's patience is asked on the process's first thread.
const TICK: Duration = Duration::from_millis(50);

/// How often a waiting caller looks whether it was forked meanwhile, and is asked on other threads.
const FORK_TICK: Duration = Duration::from_secs(1);

/// Waits on the caller's own thread for what `board` puts into the queue.
pub(crate) fn wait(
    request: &TokenRequest,
    min_ttl: i64,
    mut patience: Option<Patience<'_>>,
    board: impl Fn(Arc<Ticket>),
) -> Answer {
    if super::is_here() {
        return Err(Error::argument(
            "this call would block azcred's own thread: from a callback, use the asynchronous one",
        ));
    }
    #[expect(clippy::disallowed_methods, reason = "a caller's deadline, not the life of a token")]
    let start = Instant::now();
    loop {
        let wait = Wait { mailbox: Arc::default(), start, generation: azcred_platform::generation() };
        let ticket = wait.ticket(request, min_ttl);
        board(Arc::clone(&ticket));
        if let Some(answer) = wait.answer(request, &mut patience) {
            return answer;
        }
        // A signal handler forked while this thread waited, and this is the child: its parent's flight won't land here.
        abandon((wait, ticket));
    }
}

/// One queueing of a caller.
struct Wait {
    mailbox: Arc<Mailbox>,
    start: Instant,
    generation: u64,
}

impl Wait {
    fn ticket(&self, request: &TokenRequest, min_ttl: i64) -> Arc<Ticket> {
        let mailbox = Arc::clone(&self.mailbox);
        let completion: Completion = Box::new(move |answer| {
            *mailbox.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
            mailbox.arrived.notify_one();
        });
        let ticket = Ticket::new(min_ttl, completion);
        if let Some(cancel) = &request.cancel {
            cancel.watch(&(Arc::clone(&ticket) as Arc<dyn Cancellable>));
        }
        ticket
    }

    /// What comes, or `None` where the wait must start anew.
    fn answer(&self, request: &TokenRequest, patience: &mut Option<Patience<'_>>) -> Option<Answer> {
        // Signals are handled on a program's first thread; another one looks less often, in case it is somebody's first.
        let tick = if patience.is_some() && azcred_platform::is_first_thread() { TICK } else { FORK_TICK };
        loop {
            if azcred_platform::generation() != self.generation {
                return None;
            }
            let left = request.timeout.map(|timeout| timeout.saturating_sub(self.start.elapsed()));
            let held = self.mailbox.answer.lock().unwrap_or_else(PoisonError::into_inner);
            let span = left.map_or(tick, |left| left.min(tick));
            let waiting = |answer: &mut Option<Answer>| answer.is_none();
            let waited = self.mailbox.arrived.wait_timeout_while(held, span, waiting);
            let mut held = waited.unwrap_or_else(PoisonError::into_inner).0;
            if let Some(answer) = held.take() {
                return Some(answer);
            }
            drop(held);
            if self.is_late(request) {
                return Some(Err(super::timed_out(request.timeout.unwrap_or_default())));
            }
            if let Some(patience) = patience
                && patience().is_break()
            {
                return Some(Err(cancelled()));
            }
        }
    }

    fn is_late(&self, request: &TokenRequest) -> bool {
        request.timeout.is_some_and(|timeout| self.start.elapsed() >= timeout)
    }
}
