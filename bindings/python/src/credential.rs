//! The handle that every credential class of `azcred` and `azcred.aio` extends.

use std::ops::ControlFlow;
use std::sync::OnceLock;

use azcred::{Cancel, Error, ErrorKind, Statistics};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::delivery::{self, Delivery};
use crate::error::{raised, raised_for};
use crate::made::Made;
use crate::request::{Asked, Wishes, peek, wrong};
use crate::token::{Shape, object};
use crate::{exit, log};

/// A source of tokens: made without I/O, safe to share between threads, good after a fork.
#[pyclass(subclass, frozen, module = "azcred")]
pub struct Credential {
    /// Empty until `__init__` of its class ran, as Python's objects are, so that classes that extend it may have arguments
    /// of their own. It is made before it is put here, so that nobody waits for it.
    made: OnceLock<Made>,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential")
    }
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
    /// An empty handle; the arguments are for `__init__` of its class.
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Credential {
        Credential { made: OnceLock::new() }
    }

    /// Becomes the credential of this class name, dictionary of options and further ones. The dictionary is the callee's.
    #[pyo3(signature = (name, options, /, **arguments))]
    fn _make(
        slf: &Bound<'_, Credential>,
        name: &str,
        options: &Bound<'_, PyDict>,
        arguments: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        if let Some(arguments) = arguments {
            options.update(arguments.as_mapping())?;
        }
        put(slf, || Made::of_options(slf.py(), name, options))
    }

    /// Becomes a chain of these members: credentials of azcred, and the objects for which `foreign` says true.
    #[expect(clippy::needless_pass_by_value, reason = "pyo3's protocol")]
    fn _chain(
        slf: &Bound<'_, Credential>,
        members: &Bound<'_, PyTuple>,
        foreign: Vec<bool>,
        asynchronous: bool,
    ) -> PyResult<()> {
        put(slf, || Made::of_members(members, &foreign, asynchronous))
    }

    /// A chain's members: those that it was made of, else objects of the classes in `classes` for those it has.
    fn _members<'py>(slf: &Bound<'py, Credential>, classes: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyTuple>> {
        let python = slf.py();
        Credential::made(slf)?.members(python, |member| {
            let class = classes.get_item(member.name())?.unwrap_or_else(|| python.get_type::<Credential>().into_any());
            let object = class.call_method1("__new__", (&class,))?;
            put(object.cast::<Credential>()?, || Ok(Made::of_core(member)))?;
            Ok(object)
        })
    }

    /// Another handle of the same credential, with the attributes of this one.
    fn __copy__<'py>(slf: &Bound<'py, Credential>) -> PyResult<Bound<'py, PyAny>> {
        copied(slf, Ok)
    }

    /// The same; what a credential is made of does not change, so that it is not copied.
    fn __deepcopy__<'py>(slf: &Bound<'py, Credential>, memo: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let deepcopy = slf.py().import("copy")?.getattr("deepcopy")?;
        copied(slf, |attributes| deepcopy.call1((attributes, memo)))
    }

    /// For pickle: its class and what it was made of, its secrets included. Tokens and sign-ins stay behind.
    fn __reduce__<'py>(slf: &Bound<'py, Credential>) -> PyResult<Bound<'py, PyTuple>> {
        let python = slf.py();
        let (name, options, members) = Credential::made(slf)?.recipe(python)?;
        let again = python.import("copyreg")?.getattr("__newobj__")?;
        let state = (name, options, members, attributes(slf)?);
        (again, (slf.get_type(),), state).into_pyobject(python)
    }

    /// For pickle: becomes what `__reduce__` described.
    fn __setstate__(slf: &Bound<'_, Credential>, state: &Bound<'_, PyTuple>) -> PyResult<()> {
        type State<'py> = (String, Bound<'py, PyDict>, Option<Bound<'py, PyTuple>>, Option<Bound<'py, PyDict>>);
        let (name, options, members, attributes): State<'_> = state.extract()?;
        match members {
            Some(members) => drop(slf.call_method1("_set_members", members)?),
            None => Credential::_make(slf, &name, &options, None)?,
        }
        match attributes {
            Some(attributes) => slf.getattr("__dict__")?.call_method1("update", (attributes,)).map(drop),
            None => Ok(()),
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "pyo3's protocol")]
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.made.get().map_or(Ok(()), |made| made.traverse(&visit))
    }

    fn __clear__(&self) {
        if let Some(made) = self.made.get() {
            made.clear();
        }
    }

    /// A token for the scopes, as azure-core's `AccessToken`: the pair of its text and its expiry in Unix seconds.
    ///
    /// Keywords: `claims` (the decoded JSON of a claims challenge), `tenant_id`, `enable_cae`, and azcred's own `timeout`
    /// (how long this call waits, in seconds) and `min_ttl` (how long the token must still live, in seconds).
    #[pyo3(
        signature = (*scopes, claims = None, tenant_id = None, enable_cae = None, timeout = None, min_ttl = None),
        text_signature = "($self, *scopes, claims=None, tenant_id=None, enable_cae=False, timeout=None, min_ttl=None)"
    )]
    fn get_token<'py>(
        slf: &Bound<'py, Credential>,
        scopes: &Bound<'py, PyTuple>,
        claims: Option<Bound<'py, PyAny>>,
        tenant_id: Option<Bound<'py, PyAny>>,
        enable_cae: Option<Bound<'py, PyAny>>,
        timeout: Option<Bound<'py, PyAny>>,
        min_ttl: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let asked = Asked { scopes, claims, tenant_id, enable_cae, timeout, min_ttl };
        Credential::made(slf)?.get(slf.py(), &asked, Shape::Pair)
    }

    /// A token for the scopes, as azure-core's `AccessTokenInfo`; `options` is a dictionary of `get_token`'s keywords.
    #[pyo3(signature = (*scopes, options = None))]
    fn get_token_info<'py>(
        slf: &Bound<'py, Credential>,
        scopes: &Bound<'py, PyTuple>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        Credential::made(slf)?.get(slf.py(), &Asked::new(scopes).with(options)?, Shape::Info)
    }

    /// Tell that a resource refused this token though it looks alive (HTTP 401): the next call asks for another one.
    ///
    /// Takes the token's text, or the object that `get_token` or `get_token_info` gave. Gives whether another one will be
    /// asked for: not for a token that is not the newest, nor twice for the same one, nor sooner than 30 s after the one before.
    fn reject(slf: &Bound<'_, Credential>, token: &Bound<'_, PyAny>) -> PyResult<bool> {
        let text = if token.is_instance_of::<PyString>() { token.clone() } else { token.getattr("token")? };
        let Ok(text) = text.cast::<PyString>() else {
            return Err(wrong(token.py(), "token", "a token or its text", token));
        };
        Ok(Credential::made(slf)?.core.reject(text.to_str()?))
    }

    /// What happened so far for this credential's identity in this process, by all credentials that share it.
    ///
    /// A dictionary: `hits` (calls that took a live token out of the cache), `misses` (those that found none), `waiters`
    /// (of the misses, those that waited for a flight which another call had started), `flights` (times that the source was
    /// asked), `upstream_requests` (HTTP requests sent and programs run by these), `failures` (flights without a token).
    fn statistics<'py>(slf: &Bound<'py, Credential>) -> PyResult<Bound<'py, PyDict>> {
        let Statistics { hits, misses, waiters, flights, upstream_requests, failures } =
            Credential::made(slf)?.core.statistics();
        let counters = PyDict::new(slf.py());
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
        slf: &Bound<'_, Credential>,
        scopes: &Bound<'_, PyTuple>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<String> {
        let (python, made) = (slf.py(), Credential::made(slf)?);
        let asked = Asked::new(scopes).with(options)?;
        let request = made.core.authentication(asked.request(None)?);
        log::listen(python)?;
        made.wait(python, &request.map_err(|error| raised(python, &error))?)?;
        let record = made.core.signed_in().map_err(|error| raised(python, &error))?;
        Ok(record.to_json())
    }

    /// The live token of the cache or None; never waits. Takes what `get_token` takes, without names.
    fn _cached<'py>(
        slf: &Bound<'py, Credential>,
        scopes: &Bound<'py, PyTuple>,
        claims: Option<Bound<'py, PyAny>>,
        tenant_id: Option<Bound<'py, PyAny>>,
        enable_cae: Option<Bound<'py, PyAny>>,
        timeout: Option<Bound<'py, PyAny>>,
        min_ttl: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Py<PyAny>>> {
        let asked = Asked { scopes, claims, tenant_id, enable_cae, timeout, min_ttl };
        Credential::made(slf)?.find(slf.py(), &asked, Shape::Pair)
    }

    /// The same for `get_token_info`.
    fn _cached_info<'py>(
        slf: &Bound<'py, Credential>,
        scopes: &Bound<'py, PyTuple>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Option<Py<PyAny>>> {
        let asked = Asked::new(scopes).with(options)?;
        Credential::made(slf)?.find(slf.py(), &asked, Shape::Info)
    }

    /// Calls `done(token, error)` once, on azcred's own thread; exactly one of them is not None. `events` is the loop that
    /// waits.
    fn _start(
        slf: &Bound<'_, Credential>,
        info: bool,
        scopes: &Bound<'_, PyTuple>,
        options: Option<&Bound<'_, PyDict>>,
        events: &Bound<'_, PyAny>,
        done: Py<PyAny>,
    ) -> PyResult<Wait> {
        let (python, made) = (slf.py(), Credential::made(slf)?);
        log::listen(python)?;
        made.on(events);
        let cancel = Cancel::new();
        let asked = Asked::new(scopes).with(options)?;
        let request = asked.request(Some(cancel.clone()))?;
        if exit::is_closed() {
            // In a hook that runs at the end of the program: nothing comes from azcred's thread any more, so this one waits.
            let given = made.wait(python, &request).and_then(|token| object(python, &token, shape(info)));
            match given {
                Ok(token) => done.call1(python, (token, python.None()))?,
                Err(error) => done.call1(python, (python.None(), error))?,
            };
            return Ok(Wait(cancel));
        }
        let (handle, scopes) = (slf.clone().unbind(), request.scopes.clone());
        let started = made.core.start(request, move |answer| {
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
    /// The live token for a scope, if nothing is to be done about it and nothing is wrong with the arguments.
    #[inline]
    pub(crate) fn quick(
        &self,
        python: Python<'_>,
        scope: &Bound<'_, PyAny>,
        wishes: &Wishes<'_, '_>,
        shape: Shape,
    ) -> Option<PyResult<Py<PyAny>>> {
        peek(&self.made.get()?.core, scope, wishes, |token| object(python, token, shape))
    }

    /// What it is; an error for an object whose class did not make it.
    pub(crate) fn made<'a>(slf: &'a Bound<'_, Credential>) -> PyResult<&'a Made> {
        slf.get().made.get().ok_or_else(|| {
            let name = slf.get_type().name().map_or_else(|_| "a credential".to_owned(), |name| name.to_string());
            let sentence = format!("{name}: its __init__ did not call that of the class it extends");
            raised(slf.py(), &Error::new(ErrorKind::InvalidConfiguration, sentence))
        })
    }
}

impl Made {
    fn get(&self, python: Python<'_>, asked: &Asked<'_, '_>, shape: Shape) -> PyResult<Py<PyAny>> {
        match self.find(python, asked, shape)? {
            Some(token) => Ok(token),
            None => object(python, &self.wait(python, &asked.request(None)?)?, shape),
        }
    }

    /// The live token of the cache; starts the renewal that is due.
    fn find(&self, python: Python<'_>, asked: &Asked<'_, '_>, shape: Shape) -> PyResult<Option<Py<PyAny>>> {
        log::listen(python)?;
        let request = asked.request(None)?;
        let cached = self.core.cached(&request).map_err(|error| raised_for(python, &error, &request.scopes))?;
        log::hand_over(python)?;
        cached.map(|token| object(python, &token, shape)).transpose()
    }

    /// Waits without the interpreter lock; Ctrl-C and other signals interrupt it.
    fn wait(&self, python: Python<'_>, request: &azcred::TokenRequest) -> PyResult<azcred::AccessToken> {
        let mut signal = None;
        let (answer, pass) = python.detach(|| {
            let answer = self.core.get_token_while(request, &mut || {
                let Some(_pass) = exit::enter() else { exit::stay_out() };
                signal = Python::attach(|python| python.check_signals().and_then(|()| log::hand_over(python)).err());
                if signal.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            // Held until this thread is back in Python: a daemon thread may come here while the program ends.
            let Some(pass) = exit::enter() else { exit::stay_out() };
            (answer, pass)
        });
        drop(pass);
        log::hand_over(python)?;
        match (answer, signal) {
            (Ok(token), _) => Ok(token),
            (Err(_), Some(signal)) => Err(signal),
            (Err(error), None) => Err(raised_for(python, &error, &request.scopes)),
        }
    }
}

/// Puts into an object what `build` gives, once.
fn put(slf: &Bound<'_, Credential>, build: impl FnOnce() -> PyResult<Made>) -> PyResult<()> {
    let python = slf.py();
    azcred::log_as_the_environment_says();
    log::listen(python)?;
    let made = build();
    log::hand_over(python)?;
    slf.get().made.set(made?).map_err(|_| {
        let sentence = format!("{}: it was made already", Credential::made(slf).map_or("", |made| made.core.name()));
        raised(python, &Error::new(ErrorKind::InvalidConfiguration, sentence))
    })
}

/// The attributes that a class of the program's gave the object.
fn attributes<'py>(slf: &Bound<'py, Credential>) -> PyResult<Option<Bound<'py, PyDict>>> {
    let Some(attributes) = slf.getattr_opt("__dict__")? else { return Ok(None) };
    Ok(Some(attributes.cast_into::<PyDict>()?).filter(|attributes| !attributes.is_empty()))
}

fn copied<'py>(
    slf: &Bound<'py, Credential>,
    copy: impl FnOnce(Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let class = slf.get_type();
    let other = class.call_method1("__new__", (&class,))?;
    put(other.cast::<Credential>()?, || Ok(Credential::made(slf)?.again(slf)))?;
    if let Some(attributes) = attributes(slf)? {
        other.getattr("__dict__")?.call_method1("update", (copy(attributes.into_any())?,))?;
    }
    Ok(other)
}

fn shape(info: bool) -> Shape {
    if info { Shape::Info } else { Shape::Pair }
}
