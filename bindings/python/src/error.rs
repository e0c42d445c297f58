//! azcred's errors become Python's exceptions, whose classes `azcred._errors` makes when the first is raised.

use azcred::Error;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

/// The exception of an error that no request led to.
pub(crate) fn raised(python: Python<'_>, error: &Error) -> PyErr {
    raised_for(python, error, &[])
}

/// The exception of an error that a request for these scopes led to.
pub(crate) fn raised_for(python: Python<'_>, error: &Error, scopes: &[String]) -> PyErr {
    match exception(python, error, scopes) {
        Ok(exception) => PyErr::from_value(exception),
        // An installation without its Python half, or no memory: say that instead.
        Err(trouble) => trouble,
    }
}

fn exception<'py>(python: Python<'py>, error: &Error, scopes: &[String]) -> PyResult<Bound<'py, PyAny>> {
    let attempts = PyList::empty(python);
    for attempt in error.attempts() {
        attempts.append((attempt.credential, exception(python, &attempt.error, scopes)?))?;
    }
    let fields = PyDict::new(python);
    fields.set_item("code", error.code())?;
    fields.set_item("correlation_id", error.correlation_id())?;
    fields.set_item("claims", error.claims())?;
    fields.set_item("scopes", PyTuple::new(python, scopes)?)?;
    fields.set_item("status_code", error.http_status())?;
    fields.set_item("retry_after", error.retry_after().map(|delay| delay.as_secs_f64()))?;
    fields.set_item("attempts", attempts)?;
    let make = python.import("azcred._errors")?.getattr("make")?;
    make.call1((error.kind().name(), error.message(), fields))
}
