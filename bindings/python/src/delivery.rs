//! Answers on their way into Python, all that land together in one go.
//!
//! A flight has many waiters at times. Taking the interpreter lock for each of them would have azcred's thread and the event
//! loop's wait for each other a thousand times over.

use std::cell::RefCell;

use azcred::Answer;
use pyo3::prelude::*;

use crate::credential::Credential;
use crate::error::raised_for;
use crate::exit;
use crate::token::{Shape, object};

thread_local! {
    /// What waits for its turn. All of it is put in and taken out on azcred's own thread, of which a forked child has
    /// another.
    static OUTBOX: RefCell<Vec<Delivery>> = const { RefCell::new(Vec::new()) };
}

/// An answer, and who gets it.
pub(crate) struct Delivery {
    pub(crate) answer: Answer,
    pub(crate) shape: Shape,
    pub(crate) scopes: Vec<String>,
    pub(crate) done: Py<PyAny>,
    /// Kept until then, so that what it holds is there as long as somebody waits.
    pub(crate) handle: Py<Credential>,
}

/// Sends an answer on its way.
pub(crate) fn send(delivery: Delivery) {
    let first = OUTBOX.with_borrow_mut(|outbox| {
        outbox.push(delivery);
        outbox.len() == 1
    });
    // After what azcred's thread is at, which may be the next waiter of the same flight.
    if first && azcred::later(deliver).is_err() {
        deliver();
    }
}

fn deliver() {
    let deliveries = OUTBOX.with_borrow_mut(std::mem::take);
    // No pass, no one to tell: the program is ending. pyo3 defers letting go of Python's objects.
    let Some(_pass) = exit::enter() else { return };
    Python::attach(|python| deliveries.into_iter().for_each(|delivery| delivery.hand_over(python)));
}

impl Delivery {
    fn hand_over(self, python: Python<'_>) {
        let Delivery { answer, shape, scopes, done, handle } = self;
        let given = match &answer {
            Ok(token) => object(python, token, shape),
            Err(error) => Err(raised_for(python, error, &scopes)),
        };
        let result = match given {
            Ok(token) => done.call1(python, (token, python.None())),
            Err(error) => done.call1(python, (python.None(), error)),
        };
        if let Err(error) = result {
            error.write_unraisable(python, None);
        }
        drop(handle);
    }
}
