//! Python values become option values.

use std::sync::Arc;

use azcred::Value;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMemoryView, PyString, PyTuple};

use crate::callable::Callable;

/// Options nest twice at most; what goes deeper may be a circle.
const DEEPEST: u8 = 3;

/// The entries of a dictionary of options, and the callables among them.
pub(crate) type Given = (Vec<(String, Value)>, Vec<Arc<Callable>>);

/// Reads a dictionary of options.
pub(crate) fn options(given: &Bound<'_, PyDict>) -> PyResult<Given> {
    let mut callables = Vec::new();
    let mut entries = Vec::with_capacity(given.len());
    for (name, value) in given {
        let name: String = name.extract()?;
        let read = if name == "authentication_record" && value.hasattr("serialize")? {
            read(&value.call_method0("serialize")?, 1)?
        } else {
            read(&value, 1)?
        };
        if matches!(read, Value::Other(_)) && value.is_callable() {
            let callable = Callable::new(&name, value.unbind());
            entries.push((name, Value::Function(callable.function())));
            callables.push(callable);
        } else {
            entries.push((name, read));
        }
    }
    Ok((entries, callables))
}

fn entries(given: &Bound<'_, PyDict>, depth: u8) -> PyResult<Vec<(String, Value)>> {
    given.iter().map(|(name, value)| Ok((name.extract()?, read(&value, depth + 1)?))).collect()
}

fn list<'py>(items: impl Iterator<Item = Bound<'py, PyAny>>, depth: u8) -> PyResult<Value> {
    items.map(|item| read(&item, depth + 1)).collect::<PyResult<_>>().map(Value::List)
}

fn read(given: &Bound<'_, PyAny>, depth: u8) -> PyResult<Value> {
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
    let holds_others = given.is_instance_of::<PyList>() || given.is_instance_of::<PyTuple>();
    if depth == DEEPEST && (holds_others || given.is_instance_of::<PyDict>()) {
        return Ok(Value::Other("a deeply nested object".to_owned()));
    }
    if let Ok(given) = given.cast::<PyList>() {
        return list(given.iter(), depth);
    }
    if let Ok(given) = given.cast::<PyTuple>() {
        return list(given.iter(), depth);
    }
    if let Ok(map) = given.cast::<PyDict>() {
        return entries(map, depth).map(Value::Map);
    }
    if given.is_instance_of::<PyBytes>() {
        return Ok(Value::Bytes(given.extract::<Vec<u8>>()?.into()));
    }
    if given.is_instance_of::<PyByteArray>() || given.is_instance_of::<PyMemoryView>() {
        let bytes = given.py().get_type::<PyBytes>().call1((given,))?;
        return Ok(Value::Bytes(bytes.extract::<Vec<u8>>()?.into()));
    }
    // A path, such as pathlib's.
    if given.hasattr("__fspath__")?
        && let Ok(path) = given.call_method0("__fspath__")?.extract::<String>()
    {
        return Ok(Value::text(path));
    }
    Ok(Value::Other(format!("an object of type {}", given.get_type().name()?)))
}

/// The dictionary that a credential can be made of again. What azcred noted and did not use is not in it.
pub(crate) fn given<'py>(
    python: Python<'py>,
    options: &[(String, Value)],
    callables: &[Arc<Callable>],
) -> PyResult<Bound<'py, PyDict>> {
    let given = PyDict::new(python);
    for (name, value) in options {
        match value {
            Value::Function(_) => {
                let callable = callables.iter().find(|callable| callable.name() == name);
                given.set_item(name, callable.and_then(|callable| callable.object.get(python)))?;
            }
            Value::Other(_) => {}
            value => given.set_item(name, object(python, value)?)?,
        }
    }
    Ok(given)
}

fn object<'py>(python: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null | Value::Function(_) | Value::Other(_) => python.None().into_bound(python),
        Value::Bool(value) => PyBool::new(python, *value).to_owned().into_any(),
        Value::Int(value) => value.into_pyobject(python)?.into_any(),
        Value::Float(value) => PyFloat::new(python, *value).into_any(),
        Value::Text(text) => PyString::new(python, text.expose()).into_any(),
        Value::Bytes(bytes) => PyBytes::new(python, bytes).into_any(),
        Value::List(items) => {
            let items: Vec<_> = items.iter().map(|item| object(python, item)).collect::<PyResult<_>>()?;
            PyList::new(python, items)?.into_any()
        }
        Value::Map(entries) => {
            let map = PyDict::new(python);
            for (name, value) in entries {
                map.set_item(name, object(python, value)?)?;
            }
            map.into_any()
        }
    })
}
