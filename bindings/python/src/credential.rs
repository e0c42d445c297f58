//! The handle that every credential class of `azcred` and `azcred.aio` extends.

use std::ops::ControlFlow;
use std::sync::Arc;

use azcred::{Cancel, Spelling, Statistics};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::callable::Callable;
use crate::delivery::{self, Delivery};
use crate::error::{raised, raised_for};
use crate::exit;
use crate::request::{Asked, Wishes, peek, wrong};
use crate::token::{Shape, object};
use crate::value;

/// A source of tokens: made without I/O, safe to share between threads, good after a fork.
#[pyclass(subclass, frozen, module = "azcred")]
#[derive(Debug)]
pub struct Credential {
    core: azcred::Credential,
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
        Ok(Credential { core, callables, members: members.unwrap_or_default() })
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
    // Each keyword by itself: for a function that takes any, Python makes a dictionary at each call.
    #[pyo3(
        signature = (scope = None, /, *scopes, claims = None, tenant_id = None, enable_cae = None, timeout = None, min_ttl = None),
        text_signature = "($self, *scopes, claims=None, tenant_id=None, enable_cae=False, timeout=None, min_ttl=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "the keywords of the method")]
    fn get_token<'py>(
        &self,
        python: Python<'py>,
        scope: Option<&Bound<'py, PyAny>>,
        scopes: &Bound<'py, PyTuple>,
        claims: Option<&Bound<'py, PyAny>>,
        tenant_id: Option<&Bound<'py, PyAny>>,
        enable_cae: Option<&Bound<'py, PyAny>>,
        timeout: Option<&Bound<'py, PyAny>>,
        min_ttl: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let wishes = Wishes { claims, tenant_id, enable_cae, min_ttl };
        if let Some(found) = self.quick(python, scope, scopes, &wishes, Shape::Pair) {
            return found;
        }
        self.get(python, &asked(scope, scopes, &wishes, timeout), Shape::Pair)
    }

    /// A token for the scopes, as azure-core's `AccessTokenInfo`; `options` is a dictionary of `get_token`'s keywords.
    #[pyo3(signature = (scope = None, /, *scopes, options = None), text_signature = "($self, *scopes, options=None)")]
    fn get_token_info(
        &self,
        python: Python<'_>,
        scope: Option<&Bound<'_, PyAny>>,
        scopes: &Bound<'_, PyTuple>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        if options.is_none_or(PyDictMethods::is_empty)
            && let Some(found) = self.quick(python, scope, scopes, &Wishes::default(), Shape::Info)
        {
            return found;
        }
        self.get(python, &Asked::new(scope.cloned(), scopes).with(options)?, Shape::Info)
    }

    /// Tell that a resource refused this token though it looks alive (HTTP 401): the next call asks for another one.
    ///
    /// Takes the token's text, or the object that `get_token` or `get_token_info` gave. Gives whether another one will be
    /// asked for: not for a token that is not the newest, nor twice for the same one, nor sooner than 30 s after the one before.
    fn reject(&self, token: &Bound<'_, PyAny>) -> PyResult<bool> {
        let text = if token.is_instance_of::<PyString>() { token.clone() } else { token.getattr("token")? };
        let Ok(text) = text.cast::<PyString>() else {
            return Err(wrong(token.py(), "token", "a token or its text", token));
        };
        Ok(self.core.reject(text.to_str()?))
    }

    /// What happened so far for this credential's identity in this process, by all credentials that share it.
    ///
    /// A dictionary: `hits` (calls that took a live token out of the cache), `misses` (those that found none), `waiters`
    /// (of the misses, those that waited for a flight which another call had started), `flights` (times that the source was
    /// asked), `upstream_requests` (HTTP requests sent and programs run by these), `failures` (flights without a token).
    fn statistics<'py>(&self, python: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let Statistics { hits, misses, waiters, flights, upstream_requests, failures } = self.core.statistics();
        let counters = PyDict::new(python);
        counters.set_item("hits", hits)?;
        counters.set_item("misses", misses)?;
        counters.set_item("waiters", waiters)?;
        counters.set_item("flights", flights)?;
        counters.set_item("upstream_requests", upstream_requests)?;
        counters.set_item("failures", failures)?;
        Ok(counters)
    }

    /// Has the user sign in, and gives the record of it as JSON text.
    fn _authenticate(
        &self,
        python: Python<'_>,
        scopes: &Bound<'_, PyTuple>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<String> {
        let asked = Asked::new(None, scopes).with(options)?;
        let request = self.core.authentication(asked.request(None)?);
        self.wait(python, &request.map_err(|error| raised(python, &error))?)?;
        let record = self.core.signed_in().map_err(|error| raised(python, &error))?;
        Ok(record.to_json())
    }

    /// The live token of the cache or None; never waits. Takes what `get_token` takes, without names.
    #[expect(clippy::too_many_arguments, reason = "the keywords of the method")]
    fn _cached<'py>(
        &self,
        python: Python<'py>,
        scopes: &Bound<'py, PyTuple>,
        claims: Option<&Bound<'py, PyAny>>,
        tenant_id: Option<&Bound<'py, PyAny>>,
        enable_cae: Option<&Bound<'py, PyAny>>,
        timeout: Option<&Bound<'py, PyAny>>,
        min_ttl: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Py<PyAny>>> {
        let wishes = Wishes { claims, tenant_id, enable_cae, min_ttl };
        if let Some(found) = self.only(python, scopes, &wishes, Shape::Pair) {
            return found.map(Some);
        }
        let (first, rest) = parted(scopes);
        self.find(python, &asked(first.as_ref(), &rest, &wishes, timeout), Shape::Pair)
    }

    /// The same for `get_token_info`.
    fn _cached_info(
        &self,
        python: Python<'_>,
        scopes: &Bound<'_, PyTuple>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Option<Py<PyAny>>> {
        if options.is_none_or(PyDictMethods::is_empty)
            && let Some(found) = self.only(python, scopes, &Wishes::default(), Shape::Info)
        {
            return found.map(Some);
        }
        let (first, rest) = parted(scopes);
        let asked = Asked::new(first, &rest).with(options)?;
        self.find(python, &asked, Shape::Info)
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
        let asked = Asked::new(None, scopes).with(options)?;
        let request = asked.request(Some(cancel.clone()))?;
        let (handle, scopes) = (slf.clone().unbind(), request.scopes.clone());
        let started = slf.get().core.start(request, move |answer| {
            delivery::send(Delivery { answer, shape: shape(info), scopes, done, handle });
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
    /// The live token for one scope, if nothing is to be done about it and nothing is wrong with the arguments.
    #[inline]
    fn quick(
        &self,
        python: Python<'_>,
        scope: Option<&Bound<'_, PyAny>>,
        others: &Bound<'_, PyTuple>,
        wishes: &Wishes<'_, '_>,
        shape: Shape,
    ) -> Option<PyResult<Py<PyAny>>> {
        if !others.is_empty() {
            return None;
        }
        peek(&self.core, scope?, wishes, |token| object(python, token, shape))
    }

    /// [`Credential::quick`] for a tuple of scopes.
    #[inline]
    fn only(
        &self,
        python: Python<'_>,
        scopes: &Bound<'_, PyTuple>,
        wishes: &Wishes<'_, '_>,
        shape: Shape,
    ) -> Option<PyResult<Py<PyAny>>> {
        if scopes.len() != 1 {
            return None;
        }
        let scope = scopes.get_borrowed_item(0).ok()?;
        peek(&self.core, &scope, wishes, |token| object(python, token, shape))
    }

    fn get(&self, python: Python<'_>, asked: &Asked<'_, '_>, shape: Shape) -> PyResult<Py<PyAny>> {
        match self.find(python, asked, shape)? {
            Some(token) => Ok(token),
            None => object(python, &self.wait(python, &asked.request(None)?)?, shape),
        }
    }

    /// The live token of the cache; starts the renewal that is due.
    #[inline]
    fn find(&self, python: Python<'_>, asked: &Asked<'_, '_>, shape: Shape) -> PyResult<Option<Py<PyAny>>> {
        if let Some(token) = asked.peek(&self.core, |token| object(python, token, shape)) {
            return token.map(Some);
        }
        let request = asked.request(None)?;
        let cached = self.core.cached(&request).map_err(|error| raised_for(python, &error, &request.scopes))?;
        cached.map(|token| object(python, &token, shape)).transpose()
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

/// The arguments of a call that is not answered at once.
fn asked<'a, 'py>(
    scope: Option<&Bound<'py, PyAny>>,
    scopes: &'a Bound<'py, PyTuple>,
    wishes: &Wishes<'_, 'py>,
    timeout: Option<&Bound<'py, PyAny>>,
) -> Asked<'a, 'py> {
    Asked {
        claims: wishes.claims.cloned(),
        tenant_id: wishes.tenant_id.cloned(),
        enable_cae: wishes.enable_cae.cloned(),
        timeout: timeout.cloned(),
        min_ttl: wishes.min_ttl.cloned(),
        ..Asked::new(scope.cloned(), scopes)
    }
}

/// The first scope and the others.
fn parted<'py>(scopes: &Bound<'py, PyTuple>) -> (Option<Bound<'py, PyAny>>, Bound<'py, PyTuple>) {
    let rest = if scopes.len() > 1 { scopes.get_slice(1, scopes.len()) } else { PyTuple::empty(scopes.py()) };
    (scopes.get_item(0).ok(), rest)
}

fn shape(info: bool) -> Shape {
    if info { Shape::Info } else { Shape::Pair }
}
