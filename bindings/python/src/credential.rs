//! The handle that every credential class of `azcred` and `azcred.aio` extends.

use std::ops::ControlFlow;
use std::sync::Arc;

use azcred::{Cancel, Spelling};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::callable::Callable;
use crate::error::{raised, raised_for};
use crate::exit;
use crate::token::{Memo, Shape};
use crate::{request, value};

/// A source of tokens: made without I/O, safe to share between threads, good after a fork.
#[pyclass(subclass, frozen, module = "azcred")]
#[derive(Debug)]
pub struct Credential {
    core: azcred::Credential,
    memo: Memo,
    /// The program's functions among its options, for the collector.
    callables: Vec<Arc<Callable>>,
    /// A chain's members: their callables are theirs to show to the collector.
    members: Vec<Py<Credential>>,
}

/// A wait for a token that can be left.
#[pyclass(frozen, module = "azcred")]
#[derive(Debug)]
pub struct Wait(Cancel);

#[pymethods]
impl Wait {
    /// Leaves; the fetch goes on and fills the cache.
    fn cancel(&self) {
        self.0.trigger();
    }
}

#[pymethods]
impl Credential {
    /// A credential by the name of its class and a dictionary of options, or a chain of members.
    #[new]
    #[pyo3(signature = (name, options, members = None))]
    fn new(
        python: Python<'_>,
        name: &str,
        options: &Bound<'_, PyDict>,
        members: Option<Vec<Py<Credential>>>,
    ) -> PyResult<Credential> {
        let (made, callables) = if let Some(members) = &members {
            let members: Vec<_> = members.iter().map(|member| member.get().core.clone()).collect();
            (azcred::Credential::chain(&members), Vec::new())
        } else {
            let (options, callables) = value::options(options)?;
            (azcred::Credential::new(name, options, Spelling::Snake), callables)
        };
        let core = made.map_err(|error| raised(python, &error))?;
        Ok(Credential { core, memo: Memo::default(), callables, members: members.unwrap_or_default() })
    }

    #[expect(clippy::needless_pass_by_value, reason = "pyo3's protocol")]
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.members.iter().try_for_each(|member| visit.call(member))?;
        self.callables.iter().try_for_each(|callable| callable.traverse(&visit))
    }

    fn __clear__(&self) {
        self.callables.iter().for_each(|callable| callable.clear());
    }

    /// A token for the scopes, as azure-core's `AccessToken`: the pair of its text and its expiry in Unix seconds.
    ///
    /// Keywords: `claims` (the decoded JSON of a claims challenge), `tenant_id`, `enable_cae`, and azcred's own `timeout`
    /// (how long this call waits, in seconds) and `min_ttl` (how long the token must still live, in seconds).
    #[pyo3(signature = (*scopes, **options))]
    fn get_token(
        &self,
        python: Python<'_>,
        scopes: &Bound<'_, PyTuple>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        self.get(python, scopes, options, Shape::Pair)
    }

    /// A token for the scopes, as azure-core's `AccessTokenInfo`; `options` is a dictionary of `get_token`'s keywords.
    #[pyo3(signature = (*scopes, options = None))]
    fn get_token_info(
        &self,
        python: Python<'_>,
        scopes: &Bound<'_, PyTuple>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        self.get(python, scopes, options, Shape::Info)
    }

    /// Has the user sign in, and gives the record of it as JSON text.
    fn _authenticate(
        &self,
        python: Python<'_>,
        scopes: &Bound<'_, PyTuple>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<String> {
        let request = self.core.authentication(request::read(scopes, options, None)?);
        self.wait(python, &request.map_err(|error| raised(python, &error))?)?;
        let record = self.core.signed_in().map_err(|error| raised(python, &error))?;
        Ok(record.to_json())
    }

    /// The live token of the cache or None; never waits.
    fn _cached(
        &self,
        python: Python<'_>,
        info: bool,
        scopes: &Bound<'_, PyTuple>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Option<Py<PyAny>>> {
        let request = request::read(scopes, options, None)?;
        let token = self.core.cached(&request).map_err(|error| raised_for(python, &error, &request.scopes))?;
        token.map(|token| self.memo.object(python, &token, shape(info))).transpose()
    }

    /// Calls `done(token, error)` once, on azcred's own thread; exactly one of them is not None.
    fn _start(
        slf: &Bound<'_, Credential>,
        info: bool,
        scopes: &Bound<'_, PyTuple>,
        options: Option<&Bound<'_, PyDict>>,
        done: Py<PyAny>,
    ) -> PyResult<Wait> {
        let python = slf.py();
        let cancel = Cancel::new();
        let request = request::read(scopes, options, Some(cancel.clone()))?;
        let (handle, scopes) = (slf.clone().unbind(), request.scopes.clone());
        let started = slf.get().core.start(request, move |answer| {
            // No pass, no one to tell: the program is ending. pyo3 defers letting go of Python's objects.
            let Some(_pass) = exit::enter() else { return };
            Python::attach(|python| {
                let object = match &answer {
                    Ok(token) => handle.get().memo.object(python, token, shape(info)),
                    Err(error) => Err(raised_for(python, error, &scopes)),
                };
                let result = match object {
                    Ok(token) => done.call1(python, (token, python.None())),
                    Err(error) => done.call1(python, (python.None(), error)),
                };
                if let Err(error) = result {
                    error.write_unraisable(python, None);
                }
                drop((handle, done));
            });
        });
        started.map_err(|error| raised(python, &error))?;
        Ok(Wait(cancel))
    }

    /// Does nothing: tokens and connections belong to the process, not to this object. May be called any number of times.
    #[expect(clippy::unused_self, reason = "azure-core's protocol")]
    fn close(&self) {}

    fn __enter__(slf: PyRef<'_, Credential>) -> PyRef<'_, Credential> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    #[expect(clippy::unused_self, reason = "Python's protocol")]
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) {}

    fn __repr__(slf: &Bound<'_, Credential>) -> PyResult<String> {
        Ok(format!("<{}>", slf.get_type().fully_qualified_name()?))
    }
}

impl Credential {
    fn get(
        &self,
        python: Python<'_>,
        scopes: &Bound<'_, PyTuple>,
        options: Option<&Bound<'_, PyDict>>,
        shape: Shape,
    ) -> PyResult<Py<PyAny>> {
        let request = request::read(scopes, options, None)?;
        let cached = self.core.cached(&request).map_err(|error| raised_for(python, &error, &request.scopes))?;
        let token = match cached {
            Some(token) => token,
            None => self.wait(python, &request)?,
        };
        self.memo.object(python, &token, shape)
    }

    /// Waits without the interpreter lock; Ctrl-C and other signals interrupt it.
    fn wait(&self, python: Python<'_>, request: &azcred::TokenRequest) -> PyResult<azcred::AccessToken> {
        let mut signal = None;
        let (answer, pass) = python.detach(|| {
            let answer = self.core.get_token_while(request, &mut || {
                let Some(_pass) = exit::enter() else { exit::stay_out() };
                signal = Python::attach(|python| python.check_signals().err());
                if signal.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            // Held until this thread is back in Python: a daemon thread may come here while the program ends.
            let Some(pass) = exit::enter() else { exit::stay_out() };
            (answer, pass)
        });
        drop(pass);
        match (answer, signal) {
            (Ok(token), _) => Ok(token),
            (Err(_), Some(signal)) => Err(signal),
            (Err(error), None) => Err(raised_for(python, &error, &request.scopes)),
        }
    }
}

fn shape(info: bool) -> Shape {
    if info { Shape::Info } else { Shape::Pair }
}
