//! Tokens become the objects of `azcred._token`, the same object for the same token.

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

/// Both objects of a token. They are kept with it, so that a token is converted once: which token is right, core decides
/// on every call.
struct Converted {
    pair: Py<PyAny>,
    info: Py<PyAny>,
}

/// The object of a token.
#[inline]
pub(crate) fn object(python: Python<'_>, token: &AccessToken, shape: Shape) -> PyResult<Py<PyAny>> {
    let Some(converted) = token.converted(|| convert(python, token))? else {
        // Another door of azcred's in this process made something else of it; each library has a core of its own.
        return Ok(pick(python, &convert(python, token)?, shape));
    };
    Ok(pick(python, converted, shape))
}

fn pick(python: Python<'_>, converted: &Converted, shape: Shape) -> Py<PyAny> {
    match shape {
        Shape::Pair => converted.pair.clone_ref(python),
        Shape::Info => converted.info.clone_ref(python),
    }
}

fn convert(python: Python<'_>, token: &AccessToken) -> PyResult<Converted> {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = MAKE.get_or_try_init(python, || python.import("azcred._token")?.getattr("make").map(Bound::unbind))?;
    let provenance = token.provenance();
    let origin = PyDict::new(python);
    origin.set_item("credential", provenance.credential)?;
    origin.set_item("source", provenance.source)?;
    origin.set_item("tenant_id", provenance.tenant_id.as_deref())?;
    origin.set_item("client_id", provenance.client_id.as_deref())?;
    origin.set_item("cache_level", token.cache_level().name())?;
    let both = make.bind(python).call1((token.secret(), token.expires_on(), token.refresh_on(), origin))?;
    let (pair, info) = both.extract()?;
    Ok(Converted { pair, info })
}
