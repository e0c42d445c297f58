//! What Python passes to `get_token` becomes a look into the cache or a request.

use std::time::Duration;

use azcred::{AccessToken, Cancel, Credential, Error, ErrorKind, Peek, TokenRequest};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::error::raised;

/// What a caller passed, as it is.
pub(crate) struct Asked<'a, 'py> {
    pub(crate) scopes: &'a Bound<'py, PyTuple>,
    pub(crate) claims: Option<Bound<'py, PyAny>>,
    pub(crate) tenant_id: Option<Bound<'py, PyAny>>,
    pub(crate) enable_cae: Option<Bound<'py, PyAny>>,
    pub(crate) timeout: Option<Bound<'py, PyAny>>,
    pub(crate) min_ttl: Option<Bound<'py, PyAny>>,
}

impl<'a, 'py> Asked<'a, 'py> {
    /// These scopes, without further wishes.
    pub(crate) fn new(scopes: &'a Bound<'py, PyTuple>) -> Asked<'a, 'py> {
        Asked { scopes, claims: None, tenant_id: None, enable_cae: None, timeout: None, min_ttl: None }
    }

    /// The same with the wishes of a dictionary. What azure-core passes and azcred has no use for is ignored.
    pub(crate) fn with(mut self, options: Option<&Bound<'py, PyDict>>) -> PyResult<Asked<'a, 'py>> {
        for (name, value) in options.filter(|options| !options.is_empty()).into_iter().flatten() {
            if value.is_none() {
                continue;
            }
            match name.cast::<PyString>()?.to_str()? {
                "tenant_id" => self.tenant_id = Some(value),
                "claims" => self.claims = Some(value),
                "enable_cae" => self.enable_cae = Some(value),
                "timeout" => self.timeout = Some(value),
                "min_ttl" => self.min_ttl = Some(value),
                _ => {}
            }
        }
        Ok(self)
    }

    /// What a look needs to know of it.
    pub(crate) fn wishes(&self) -> Wishes<'_, 'py> {
        let Asked { claims, tenant_id, enable_cae, min_ttl, .. } = self;
        Wishes {
            claims: claims.as_ref(),
            tenant_id: tenant_id.as_ref(),
            enable_cae: enable_cae.as_ref(),
            min_ttl: min_ttl.as_ref(),
        }
    }

    /// The request, or what is wrong with it.
    pub(crate) fn request(&self, cancel: Option<Cancel>) -> PyResult<TokenRequest> {
        let mut request = TokenRequest { cancel, ..TokenRequest::default() };
        for scope in self.scopes {
            let Ok(text) = scope.cast::<PyString>() else {
                return Err(wrong(scope.py(), "scopes", "texts", &scope));
            };
            let text = text.extract().map_err(|_| wrong(scope.py(), "scopes", "texts of Unicode", &scope))?;
            request.scopes.push(text);
        }
        request.tenant_id = extract("tenant_id", "a text", self.tenant_id.as_ref())?;
        request.claims = extract("claims", "a text", self.claims.as_ref())?;
        if let Some(flag) = &self.enable_cae {
            request.enable_cae = flag.is_truthy()?;
        }
        if let Some(value) = &self.timeout {
            let span = extract::<f64>("timeout", "a number of seconds", Some(value))?;
            let span = span.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            let negative = || wrong(value.py(), "timeout", "a number of seconds from 0 on", value);
            request.timeout = Some(span.ok_or_else(negative)?);
        }
        request.min_ttl = extract("min_ttl", "a whole number of seconds", self.min_ttl.as_ref())?.unwrap_or(0);
        Ok(request)
    }
}

/// What a look needs to know beside the scope.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wishes<'a, 'py> {
    pub(crate) claims: Option<&'a Bound<'py, PyAny>>,
    pub(crate) tenant_id: Option<&'a Bound<'py, PyAny>>,
    pub(crate) enable_cae: Option<&'a Bound<'py, PyAny>>,
    pub(crate) min_ttl: Option<&'a Bound<'py, PyAny>>,
}

/// The live token of the cache whose renewal is not due, if nothing is wrong with the arguments: what is,
/// [`Asked::request`] says.
#[inline]
pub(crate) fn peek<R>(
    credential: &Credential,
    scope: &Bound<'_, PyAny>,
    wishes: &Wishes<'_, '_>,
    look: impl FnOnce(&AccessToken) -> R,
) -> Option<R> {
    if wishes.claims.is_some() {
        return None;
    }
    let scope = text(scope)?;
    let tenant_id = match wishes.tenant_id {
        Some(tenant) => Some(text(tenant)?),
        None => None,
    };
    let enable_cae = match wishes.enable_cae {
        Some(flag) => flag.is_truthy().ok()?,
        None => false,
    };
    let min_ttl = match wishes.min_ttl {
        Some(seconds) => seconds.extract().ok()?,
        None => 0,
    };
    credential.peek_at(&Peek { scopes: &[scope], tenant_id, enable_cae, min_ttl }, look)
}

fn text<'a>(value: &'a Bound<'_, PyAny>) -> Option<&'a str> {
    value.cast::<PyString>().ok()?.to_str().ok()
}

fn extract<'py, T: FromPyObjectOwned<'py>>(
    name: &str,
    expected: &str,
    value: Option<&Bound<'py, PyAny>>,
) -> PyResult<Option<T>> {
    let read = value.map(|value| value.extract().map_err(|_| wrong(value.py(), name, expected, value)));
    read.transpose()
}

pub(crate) fn wrong(python: Python<'_>, name: &str, expected: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let given = value.get_type().name().map_or_else(|_| "an object".to_owned(), |name| name.to_string());
    raised(python, &Error::new(ErrorKind::InvalidArgument, format!("{name}: expected {expected}, got {given}")))
}
