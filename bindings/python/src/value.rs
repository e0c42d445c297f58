//! Python values become option values.

use azcred::Value;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

/// The entries of a dictionary of options.
pub(crate) fn options(given: &Bound<'_, PyDict>) -> PyResult<Vec<(String, Value)>> {
    given.iter().map(|(name, value)| Ok((name.extract()?, read(&value)?))).collect()
}

fn read(given: &Bound<'_, PyAny>) -> PyResult<Value> {
    if given.is_none() {
        return Ok(Value::Null);
    }
    if given.is_instance_of::<PyString>() {
        return Ok(Value::text(given.extract::<String>()?));
    }
    // Before int, which bool is one of.
    if given.is_instance_of::<PyBool>() {
        return Ok(Value::Bool(given.extract()?));
    }
    if given.is_instance_of::<PyInt>() {
        return Ok(given
            .extract()
            .map_or_else(|_| Value::Other("a whole number beyond 64 bits".to_owned()), Value::Int));
    }
    if given.is_instance_of::<PyFloat>() {
        return Ok(Value::Float(given.extract()?));
    }
    if let Ok(list) = given.cast::<PyList>() {
        return list.iter().map(|item| read(&item)).collect::<PyResult<_>>().map(Value::List);
    }
    if let Ok(tuple) = given.cast::<PyTuple>() {
        return tuple.iter().map(|item| read(&item)).collect::<PyResult<_>>().map(Value::List);
    }
    if let Ok(entries) = given.cast::<PyDict>() {
        return options(entries).map(Value::Map);
    }
    Ok(Value::Other(format!("an object of type {}", given.get_type().name()?)))
}
