//! One caller who waits for a token: settled once, by whoever comes first.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::driver;
use crate::error::{Error, ErrorKind};
use crate::request::Cancellable;
use crate::token::AccessToken;

/// What a caller gets.
pub type Answer = Result<AccessToken, Error>;

/// Where a caller's answer goes: called exactly once, on the driver's thread.
pub(crate) type Completion = Box<dyn FnOnce(Answer) + Send>;

/// A place in the queue of a flight. The flight, the caller's deadline and its cancellation race for it.
pub(crate) struct Ticket {
    min_ttl: i64,
    generation: u64,
    completion: Mutex<Option<Completion>>,
}

impl Ticket {
    pub(crate) fn new(min_ttl: i64, completion: Completion) -> Arc<Ticket> {
        Arc::new(Ticket {
            min_ttl,
            generation: azcred_platform::generation(),
            completion: Mutex::new(Some(completion)),
        })
    }

    /// The life that its caller wants the token to have, in seconds.
    pub(crate) fn min_ttl(&self) -> i64 {
        self.min_ttl
    }

    /// Whether this process made it: a forked child must tell its parent's callers nothing.
    pub(crate) fn is_ours(&self) -> bool {
        self.generation == azcred_platform::generation()
    }

    /// Whether its caller has an answer.
    pub(crate) fn is_settled(&self) -> bool {
        self.completion.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Gives the caller its answer, unless it has one.
    pub(crate) fn settle(&self, answer: Answer) {
        if !self.is_ours() {
            return;
        }
        let completion = self.completion.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(completion) = completion {
            completion(answer);
        }
    }
}

impl Cancellable for Ticket {
    fn cancel(self: Arc<Self>) {
        if !self.is_ours() {
            return;
        }
        // The trigger may be pulled on any thread; completions are called on the driver's.
        let ticket = Arc::clone(&self);
        let left = move || ticket.settle(Err(cancelled()));
        if driver::spawn(async move { left() }).is_err() {
            self.settle(Err(cancelled()));
        }
    }
}

pub(crate) fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "the caller cancelled its wait for a token")
}

impl Drop for Ticket {
    fn drop(&mut self) {
        // Every way through the cache settles; a ticket lost on the way must not leave its caller waiting.
        self.settle(Err(Error::new(ErrorKind::Internal, "a wait for a token was dropped; please report this")));
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket")
    }
}
