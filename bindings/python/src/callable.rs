//! Functions of the program's, as options: called on a thread of their own, with a pass of the exit gate.

use std::sync::Arc;

use azcred::{Function, Reply, Secret, Told};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::exit;
use crate::held::Held;

/// A callable. The credential's object and core share it, so that Python's collector finds a circle through both.
#[derive(Debug)]
pub(crate) struct Callable {
    /// The option it was given for.
    name: String,
    pub(crate) object: Held,
}

impl Callable {
    /// A callable that was given for the option `name`.
    pub(crate) fn new(name: &str, object: Py<PyAny>) -> Arc<Callable> {
        Arc::new(Callable { name: name.to_owned(), object: Held::new(object) })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it shows a code rather than gives an assertion.
    fn prompts(&self) -> bool {
        self.name == "prompt_callback"
    }

    /// What core calls.
    pub(crate) fn function(self: &Arc<Callable>) -> Function {
        let callable = Arc::clone(self);
        Function::blocking(move |told| {
            // Held while the program's code runs: its end waits for it, as it does for an executor's threads.
            let Some(_pass) = exit::enter() else { return Err("the program is ending".to_owned()) };
            Python::attach(|python| callable.call(python, &told))
        })
    }

    fn call(&self, python: Python<'_>, told: &Told) -> Reply {
        let Some(object) = self.object.get(python) else { return Err("its credential is gone".to_owned()) };
        let answer = if self.prompts() { prompt(&object, told) } else { object.call0() };
        match answer {
            Ok(answer) if self.prompts() => shown(&answer),
            Ok(answer) => text(&answer),
            Err(error) => Err(sentence(python, &error)),
        }
    }
}

/// Shows a code as azure-identity does: the address, the code, and until when it is good.
fn prompt<'py>(object: &Bound<'py, PyAny>, told: &Told) -> PyResult<Bound<'py, PyAny>> {
    let of = |name: &str| told.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| text.as_str());
    let datetime = object.py().import("datetime")?;
    let utc = datetime.getattr("timezone")?.getattr("utc")?;
    let expires_on: i64 = of("expires_on").parse().unwrap_or(0);
    let expires_on = datetime.getattr("datetime")?.call_method1("fromtimestamp", (expires_on, utc))?;
    object.call1((of("verification_uri"), of("user_code"), expires_on))
}

/// What a prompt gives is of no use, unless nothing was shown yet.
fn shown(answer: &Bound<'_, PyAny>) -> Reply {
    if !answer.hasattr("__await__").unwrap_or(false) {
        return Ok(None);
    }
    // Otherwise Python warns of a coroutine that nobody awaited; what has no `close` needs none.
    drop(answer.call_method0("close"));
    Err("it is a coroutine function, expected an ordinary one".to_owned())
}

fn text(answer: &Bound<'_, PyAny>) -> Reply {
    if answer.is_none() {
        return Ok(None);
    }
    let text = match answer.cast::<PyBytes>() {
        Ok(bytes) => std::str::from_utf8(bytes.as_bytes()).ok().map(Secret::new),
        Err(_) if answer.is_instance_of::<PyString>() => answer.extract().ok().map(|text: String| Secret::new(text)),
        Err(_) => {
            let name = answer.get_type().name().map_or_else(|_| "unknown".to_owned(), |name| name.to_string());
            return Err(format!("it gave an object of type {name}, expected text"));
        }
    };
    text.map(Some).ok_or_else(|| "it gave text that is not Unicode".to_owned())
}

/// An exception in one line: its class and its text.
pub(crate) fn sentence(python: Python<'_>, error: &PyErr) -> String {
    let name = error.get_type(python).name().map_or_else(|_| "Exception".to_owned(), |name| name.to_string());
    let text = error.value(python).str().map_or_else(|_| String::new(), |text| text.to_string_lossy().into_owned());
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() { name } else { format!("{name}: {text}") }
}
