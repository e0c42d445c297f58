//! Short ways into the cache: what Python calls first, before a call's arguments are taken apart.
//!
//! Taking them apart as pyo3 does costs as much as the look that most calls end with. The methods stay as they are: they
//! are called for whatever a look does not answer, and say what is wrong with a call.
#![expect(unsafe_code, reason = "how Python passes arguments without a copy has no safe face in pyo3")]

use std::ffi::CString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{ptr, slice};

use azcred::{Error, ErrorKind};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use crate::credential::Credential;
use crate::error::raised;
use crate::request::{Asked, Wishes};
use crate::token::Shape;

/// Puts them in front of the class's methods.
pub(crate) fn install(class: &Bound<'_, PyType>) -> PyResult<()> {
    put::<Token>(class)?;
    put::<Info>(class)?;
    put::<Cached>(class)?;
    put::<CachedInfo>(class)
}

/// The methods themselves.
static METHODS: [PyOnceLock<Py<PyAny>>; 4] = [const { PyOnceLock::new() }; 4];

/// A method with a short way.
trait Method {
    /// Where it is among [`METHODS`].
    const PLACE: usize;
    const NAME: &'static str;

    /// The live token of the cache, if the call is a plain one and no renewal is due.
    fn quick(credential: &Credential, call: &Call<'_, '_>) -> Option<PyResult<Py<PyAny>>>;
}

/// The keywords of `get_token` and `get_token_info`, as Python has them in every call: compared by their place.
struct Keywords {
    claims: Py<PyString>,
    tenant_id: Py<PyString>,
    enable_cae: Py<PyString>,
    timeout: Py<PyString>,
    min_ttl: Py<PyString>,
    options: Py<PyString>,
}

impl Keywords {
    fn get(python: Python<'_>) -> &Keywords {
        static KEYWORDS: PyOnceLock<Keywords> = PyOnceLock::new();
        KEYWORDS.get_or_init(python, || {
            let intern = |text| PyString::intern(python, text).unbind();
            Keywords {
                claims: intern("claims"),
                tenant_id: intern("tenant_id"),
                enable_cae: intern("enable_cae"),
                timeout: intern("timeout"),
                min_ttl: intern("min_ttl"),
                options: intern("options"),
            }
        })
    }
}

/// What Python passes: the values of the positional arguments, then those of the named ones, all of them borrowed.
struct Call<'a, 'py> {
    python: Python<'py>,
    values: &'a [*mut ffi::PyObject],
    positional: usize,
    names: Option<&'a Bound<'py, PyTuple>>,
}

impl<'a, 'py> Call<'a, 'py> {
    fn value(&self, at: usize) -> Option<&'a Bound<'py, PyAny>> {
        let value = self.values.get(at)?;
        // SAFETY: Python passes objects, which live until the call ends.
        Some(unsafe { Bound::ref_from_ptr(self.python, value) })
    }

    /// The same, where it is more than None.
    fn wish(&self, at: usize) -> Option<&'a Bound<'py, PyAny>> {
        self.value(at).filter(|value| !value.is_none())
    }

    /// The scope, if it is the one positional argument.
    fn scope(&self) -> Option<&'a Bound<'py, PyAny>> {
        if self.positional == 1 { self.value(0) } else { None }
    }
}

struct Token;

impl Method for Token {
    const PLACE: usize = 0;
    const NAME: &'static str = "get_token";

    #[inline]
    fn quick(credential: &Credential, call: &Call<'_, '_>) -> Option<PyResult<Py<PyAny>>> {
        let scope = call.scope()?;
        let mut wishes = Wishes::default();
        if let Some(names) = call.names {
            let keywords = Keywords::get(call.python);
            for at in 0..names.len() {
                let (name, value) = (names.get_borrowed_item(at).ok()?, call.wish(1 + at));
                if name.is(&keywords.claims) {
                    wishes.claims = value;
                } else if name.is(&keywords.tenant_id) {
                    wishes.tenant_id = value;
                } else if name.is(&keywords.enable_cae) {
                    wishes.enable_cae = value;
                } else if name.is(&keywords.min_ttl) {
                    wishes.min_ttl = value;
                } else if !name.is(&keywords.timeout) {
                    return None;
                }
            }
        }
        credential.quick(call.python, scope, &wishes, Shape::Pair)
    }
}

struct Info;

impl Method for Info {
    const PLACE: usize = 1;
    const NAME: &'static str = "get_token_info";

    #[inline]
    fn quick(credential: &Credential, call: &Call<'_, '_>) -> Option<PyResult<Py<PyAny>>> {
        let scope = call.scope()?;
        if let Some(names) = call.names
            && (names.len() != 1 || !names.get_borrowed_item(0).ok()?.is(&Keywords::get(call.python).options))
        {
            return None;
        }
        with_options(credential, call.python, scope, call.wish(1))
    }
}

struct Cached;

impl Method for Cached {
    const PLACE: usize = 2;
    const NAME: &'static str = "_cached";

    #[inline]
    fn quick(credential: &Credential, call: &Call<'_, '_>) -> Option<PyResult<Py<PyAny>>> {
        if call.positional != 6 || call.names.is_some() {
            return None;
        }
        let scope = only(call)?;
        let [claims, tenant_id, enable_cae, min_ttl] = [1, 2, 3, 5].map(|at| call.wish(at));
        credential.quick(call.python, &scope, &Wishes { claims, tenant_id, enable_cae, min_ttl }, Shape::Pair)
    }
}

struct CachedInfo;

impl Method for CachedInfo {
    const PLACE: usize = 3;
    const NAME: &'static str = "_cached_info";

    #[inline]
    fn quick(credential: &Credential, call: &Call<'_, '_>) -> Option<PyResult<Py<PyAny>>> {
        if call.positional != 2 || call.names.is_some() {
            return None;
        }
        let scope = only(call)?;
        with_options(credential, call.python, &scope, call.wish(1))
    }
}

/// The scope, if it is the only one of the tuple that comes first.
fn only<'a, 'py>(call: &Call<'a, 'py>) -> Option<Borrowed<'a, 'py, PyAny>> {
    let scopes = call.value(0)?.cast::<PyTuple>().ok()?;
    if scopes.len() == 1 { scopes.get_borrowed_item(0).ok() } else { None }
}

fn with_options(
    credential: &Credential,
    python: Python<'_>,
    scope: &Bound<'_, PyAny>,
    options: Option<&Bound<'_, PyAny>>,
) -> Option<PyResult<Py<PyAny>>> {
    let options = match options {
        Some(options) => Some(options.cast::<PyDict>().ok()?),
        None => None,
    };
    let number = options.map_or(0, PyDictMethods::len);
    if number == 0 {
        return credential.quick(python, scope, &Wishes::default(), Shape::Info);
    }
    // What azure-core wishes where a client answers claims challenges: found by one look.
    let flag = options.filter(|_| number == 1).map(|options| options.get_item(&Keywords::get(python).enable_cae));
    if let Some(flag) = flag.transpose().ok()?.flatten() {
        let enable_cae = Some(&flag).filter(|flag| !flag.is_none());
        return credential.quick(python, scope, &Wishes { enable_cae, ..Wishes::default() }, Shape::Info);
    }
    let none = PyTuple::empty(python);
    let asked = Asked::new(&none).with(options).ok()?;
    credential.quick(python, scope, &asked.wishes(), Shape::Info)
}

/// What Python calls.
unsafe extern "C" fn enter<M: Method>(
    credential: *mut ffi::PyObject,
    values: *const *mut ffi::PyObject,
    positional: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: Python calls methods on threads that hold its lock.
    let python = unsafe { Python::assume_attached() };
    // Nothing may unwind into Python.
    let answer = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: Python passes objects, which live until the call ends.
        let object = unsafe { Bound::ref_from_ptr(python, &credential) };
        // SAFETY: as above, where there is one.
        let names = (!names.is_null()).then(|| unsafe { Bound::ref_from_ptr(python, &names) });
        // SAFETY: names come as a tuple.
        let names = names.map(|names| unsafe { names.cast_unchecked::<PyTuple>() });
        let positional = usize::try_from(positional).unwrap_or_default();
        let number = positional + names.map_or(0, PyTupleMethods::len);
        let values = if number == 0 {
            &[]
        } else {
            // SAFETY: there is a value for each position and name.
            unsafe { slice::from_raw_parts(values, number) }
        };
        // SAFETY: a method's descriptor calls it for objects of its class only.
        let credential = unsafe { object.cast_unchecked::<Credential>() };
        let call = Call { python, values, positional, names };
        M::quick(credential.get(), &call).unwrap_or_else(|| whole::<M>(object, &call))
    }));
    let answer = answer.unwrap_or_else(|_| {
        let sentence = "a bug in azcred was contained; please report it";
        Err(raised(python, &Error::new(ErrorKind::Internal, sentence)))
    });
    match answer {
        Ok(token) => token.into_ptr(),
        Err(error) => {
            error.restore(python);
            ptr::null_mut()
        }
    }
}

/// Calls the method itself.
#[cold]
fn whole<M: Method>(object: &Bound<'_, PyAny>, call: &Call<'_, '_>) -> PyResult<Py<PyAny>> {
    let python = call.python;
    let positional = (0..call.positional).filter_map(|at| call.value(at));
    let positional = PyTuple::new(python, [object].into_iter().chain(positional).collect::<Vec<_>>())?;
    let named = PyDict::new(python);
    for (at, name) in call.names.into_iter().flatten().enumerate() {
        named.set_item(name, call.value(call.positional + at))?;
    }
    let Some(method) = METHODS[M::PLACE].get(python) else {
        return Err(raised(python, &Error::new(ErrorKind::Internal, format!("{} is not there yet", M::NAME))));
    };
    method.call(python, positional, Some(&named))
}

fn put<M: Method>(class: &Bound<'_, PyType>) -> PyResult<()> {
    let python = class.py();
    let method = class.getattr(M::NAME)?;
    let signature: String = method.getattr("__text_signature__")?.extract()?;
    let words: Option<String> = method.getattr("__doc__")?.extract()?;
    let words = CString::new(format!("{}{signature}\n--\n\n{}", M::NAME, words.unwrap_or_default()))?;
    // Python has pointers to all of it for as long as the class is there, and that is for good.
    let definition = Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: CString::new(M::NAME)?.into_raw(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: enter::<M> },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: words.into_raw(),
    }));
    // SAFETY: the class is one, and the definition stays.
    let descriptor = unsafe { ffi::PyDescr_NewMethod(class.as_type_ptr(), definition) };
    // SAFETY: it gives a new reference, or NULL and an exception.
    let descriptor = unsafe { Bound::from_owned_ptr_or_err(python, descriptor) }?;
    // A class is there once; what is in place already is as good.
    drop(METHODS[M::PLACE].set(python, method.unbind()));
    class.setattr(M::NAME, descriptor)
}
