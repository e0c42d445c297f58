//! A Python object that Rust holds for core, where Python's collector can see and take it.

use std::sync::{Mutex, PoisonError};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

/// An object, or none: before there is one, and once the collector took it.
#[derive(Debug, Default)]
pub(crate) struct Held(Mutex<Option<Py<PyAny>>>);

impl Held {
    pub(crate) fn new(object: Py<PyAny>) -> Held {
        Held(Mutex::new(Some(object)))
    }

    pub(crate) fn get<'py>(&self, python: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().map(|object| object.bind(python).clone())
    }

    pub(crate) fn set(&self, object: Option<Py<PyAny>>) {
        let before = std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), object);
        // Outside the lock, since it may run Python code.
        drop(before);
    }

    /// For the collector: the one reference that this holds.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Never waits: a reference that is not shown only lives on.
        self.0.try_lock().map_or(Ok(()), |object| visit.call(&*object))
    }
}
