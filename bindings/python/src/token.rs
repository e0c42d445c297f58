//! Tokens become the objects of `azcred._token`, the same object for the same token.

use std::sync::Mutex;

use azcred::AccessToken;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

/// Which of azure-core's two token types a caller wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `AccessToken`, the pair of `get_token`.
    Pair,
    /// `AccessTokenInfo`, the object of `get_token_info`.
    Info,
}

/// The Python objects of the token that was converted last. It only saves the conversion: which token is right, core
/// decides on every call.
#[derive(Debug, Default)]
pub(crate) struct Memo(Mutex<Option<Kept>>);

#[derive(Debug)]
struct Kept {
    token: AccessToken,
    pair: Py<PyAny>,
    info: Py<PyAny>,
}

impl Memo {
    /// The object of a token.
    pub(crate) fn object(&self, python: Python<'_>, token: &AccessToken, shape: Shape) -> PyResult<Py<PyAny>> {
        // A lock that another thread holds just now, or held when this process was forked, is not waited for.
        let held = self.0.try_lock().ok();
        let pick = |pair: &Py<PyAny>, info: &Py<PyAny>| match shape {
            Shape::Pair => pair.clone_ref(python),
            Shape::Info => info.clone_ref(python),
        };
        if let Some(kept) = held.as_ref().and_then(|held| held.as_ref())
            && kept.token.is_same(token)
        {
            return Ok(pick(&kept.pair, &kept.info));
        }
        drop(held);
        let (pair, info) = convert(python, token)?;
        let object = pick(&pair, &info);
        let previous = match self.0.try_lock() {
            Ok(mut held) => held.replace(Kept { token: token.clone(), pair, info }),
            Err(_) => None,
        };
        // Outside the lock, since dropping Python objects may run Python code.
        drop(previous);
        Ok(object)
    }
}

fn convert(python: Python<'_>, token: &AccessToken) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = MAKE.get_or_try_init(python, || python.import("azcred._token")?.getattr("make").map(Bound::unbind))?;
    let provenance = token.provenance();
    let origin = PyDict::new(python);
    origin.set_item("credential", provenance.credential)?;
    origin.set_item("source", provenance.source)?;
    origin.set_item("tenant_id", provenance.tenant_id.as_deref())?;
    origin.set_item("client_id", provenance.client_id.as_deref())?;
    origin.set_item("cache_level", token.cache_level().name())?;
    make.bind(python).call1((token.secret(), token.expires_on(), token.refresh_on(), origin))?.extract()
}
