//! Members of a chain that are not azcred's: any object with `get_token_info` or `get_token`.
//!
//! One of a chain for threads is called on a thread of its own. One of a chain for asyncio is asked on the event loop
//! that asked the chain last: its connections belong to that loop, and it may ask azcred again there.

use std::sync::{Arc, Mutex, PoisonError};

use azcred::{Error, ErrorKind, ForeignAnswer, ForeignToken, Pending, Secret, TokenRequest};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::exit;
use crate::held::Held;

/// A foreign member. The chain's object and core share it, so that Python's collector finds a circle through both.
#[derive(Debug)]
pub(crate) struct Foreign {
    /// Its class name.
    name: String,
    object: Held,
    /// The loop that it is asked on; none yet, or none at all in a chain for threads.
    events: Held,
}

impl Foreign {
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> PyResult<Arc<Foreign>> {
        let name = object.get_type().name()?.to_string();
        let object = Held::new(object.clone().unbind());
        Ok(Arc::new(Foreign { name, object, events: Held::default() }))
    }

    /// What core asks: on a thread, or on an event loop.
    pub(crate) fn core(self: &Arc<Foreign>, asynchronous: bool) -> azcred::Credential {
        let foreign = Arc::clone(self);
        if asynchronous {
            return azcred::Credential::foreign_deferred(&self.name, move |request, pending| {
                let Some(_pass) = exit::enter() else { return };
                Python::attach(|python| foreign.start(python, &request, pending));
            });
        }
        azcred::Credential::foreign(&self.name, move |request| {
            // Held while the program's code runs: its end waits for it, as it does for an executor's threads.
            let Some(_pass) = exit::enter() else {
                return Err(Error::new(ErrorKind::Transient, format!("{}: the program is ending", foreign.name)));
            };
            Python::attach(|python| foreign.ask(python, &request))
        })
    }

    /// Notes the loop that asks.
    pub(crate) fn on(&self, events: &Bound<'_, PyAny>) {
        self.events.set(Some(events.clone().unbind()));
    }

    fn ask(&self, python: Python<'_>, request: &TokenRequest) -> ForeignAnswer {
        let asked = || {
            let member = self.member(python)?;
            let ask = python.import("azcred._foreign")?.getattr("ask")?;
            read(&ask.call1((member, PyTuple::new(python, &request.scopes)?, options(python, request)?))?)
        };
        asked().map_err(|error| self.failure(python, &error))
    }

    fn start(&self, python: Python<'_>, request: &TokenRequest, pending: Pending<ForeignAnswer>) {
        let answer = Bound::new(python, Answer { name: self.name.clone(), pending: Mutex::new(Some(pending)) });
        let Ok(answer) = answer else { return };
        let started = || {
            let member = self.member(python)?;
            let events = self.events.get(python).unwrap_or_else(|| python.None().into_bound(python));
            let start = python.import("azcred._foreign")?.getattr("start")?;
            let (scopes, options) = (PyTuple::new(python, &request.scopes)?, options(python, request)?);
            start.call1((events, member, scopes, options, &answer)).map(drop)
        };
        if let Err(error) = started() {
            answer.get().give(Err(self.failure(python, &error)));
        }
    }

    fn member<'py>(&self, python: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let gone = || pyo3::exceptions::PyReferenceError::new_err("its chain is gone");
        self.object.get(python).ok_or_else(gone)
    }

    fn failure(&self, python: Python<'_>, error: &PyErr) -> Error {
        failure(python, &self.name, error)
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.object.traverse(visit)?;
        self.events.traverse(visit)
    }

    pub(crate) fn clear(&self) {
        self.object.set(None);
        self.events.set(None);
    }
}

/// Where a member asked on a loop puts its answer.
#[pyclass(frozen, module = "azcred")]
struct Answer {
    name: String,
    pending: Mutex<Option<Pending<ForeignAnswer>>>,
}

#[pymethods]
impl Answer {
    /// The token as `_foreign.read` gives it, or the exception.
    fn __call__(&self, python: Python<'_>, token: &Bound<'_, PyAny>, error: Option<&Bound<'_, PyAny>>) {
        let answer = match error {
            Some(error) => Err(PyErr::from_value(error.clone())),
            None => read(token),
        };
        self.give(answer.map_err(|error| failure(python, &self.name, &error)));
    }
}

impl Answer {
    fn give(&self, answer: ForeignAnswer) {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(pending) = pending {
            pending.give(answer);
        }
    }
}

/// What the request wishes beyond scopes, as azure-core's `TokenRequestOptions`. What nobody wished is left out: many a
/// credential knows fewer keywords than azure-core's protocol has.
fn options<'py>(python: Python<'py>, request: &TokenRequest) -> PyResult<Bound<'py, PyDict>> {
    let options = PyDict::new(python);
    for (name, text) in [("claims", &request.claims), ("tenant_id", &request.tenant_id)] {
        if let Some(text) = text {
            options.set_item(name, text)?;
        }
    }
    if request.enable_cae {
        options.set_item("enable_cae", true)?;
    }
    Ok(options)
}

fn read(token: &Bound<'_, PyAny>) -> PyResult<ForeignToken> {
    let (text, expires_on, refresh_on): (String, i64, Option<i64>) = token.extract()?;
    Ok(ForeignToken { text: Secret::new(text), expires_on, refresh_on })
}

/// An exception of a member's: what it is for a chain, and what it says.
fn failure(python: Python<'_>, name: &str, error: &PyErr) -> Error {
    let judged = || -> PyResult<(String, String)> {
        python.import("azcred._foreign")?.getattr("judge")?.call1((error.value(python),))?.extract()
    };
    let (kind, sentence) = judged().unwrap_or_else(|_| ("FAILED".to_owned(), "it can't say what is wrong".to_owned()));
    let kinds =
        [ErrorKind::Unavailable, ErrorKind::Transient, ErrorKind::InvalidConfiguration, ErrorKind::InvalidArgument];
    let kind = kinds.into_iter().find(|known| known.name() == kind).unwrap_or(ErrorKind::Failed);
    Error::new(kind, format!("{name}: {sentence}"))
}
