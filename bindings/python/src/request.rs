//! What Python passes to `get_token` becomes a request.

use std::time::Duration;

use azcred::{Cancel, Error, ErrorKind, TokenRequest};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::error::raised;

/// Reads scopes and keywords. Keywords that azure-core passes and azcred has no use for are ignored, as azure-identity
/// does; those it has must have their type.
pub(crate) fn read(
    scopes: &Bound<'_, PyTuple>,
    options: Option<&Bound<'_, PyDict>>,
    cancel: Option<Cancel>,
) -> PyResult<TokenRequest> {
    let mut request = TokenRequest { cancel, ..TokenRequest::default() };
    for scope in scopes.iter() {
        let Ok(text) = scope.cast::<PyString>() else {
            return Err(wrong(scope.py(), "scopes", "texts", &scope));
        };
        let text = text.extract().map_err(|_| wrong(scope.py(), "scopes", "texts of Unicode", &scope))?;
        request.scopes.push(text);
    }
    for (name, value) in options.into_iter().flatten() {
        if value.is_none() {
            continue;
        }
        let name: String = name.extract()?;
        match name.as_str() {
            "tenant_id" => request.tenant_id = Some(extract(&name, "a text", &value)?),
            "claims" => request.claims = Some(extract(&name, "a text", &value)?),
            "enable_cae" => request.enable_cae = value.is_truthy()?,
            "timeout" => {
                let seconds: f64 = extract(&name, "a number of seconds", &value)?;
                let span = Duration::try_from_secs_f64(seconds);
                request.timeout =
                    Some(span.map_err(|_| wrong(value.py(), &name, "a number of seconds from 0 on", &value))?);
            }
            "min_ttl" => request.min_ttl = extract(&name, "a whole number of seconds", &value)?,
            _ => {}
        }
    }
    Ok(request)
}

fn extract<'py, T: FromPyObjectOwned<'py>>(name: &str, expected: &str, value: &Bound<'py, PyAny>) -> PyResult<T> {
    value.extract().map_err(|_| wrong(value.py(), name, expected, value))
}

fn wrong(python: Python<'_>, name: &str, expected: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let given = value.get_type().name().map_or_else(|_| "an object".to_owned(), |name| name.to_string());
    raised(python, &Error::new(ErrorKind::InvalidArgument, format!("{name}: expected {expected}, got {given}")))
}
