//! What a credential's object is once it was made: core's credential, and what of Python's it holds.

use std::sync::{Arc, OnceLock};

use azcred::{Credential as Core, Spelling, Value};
use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::callable::Callable;
use crate::credential::Credential;
use crate::error::raised;
use crate::foreign::Foreign;
use crate::value;

pub(crate) struct Made {
    pub(crate) core: Core,
    origin: Origin,
    /// The program's functions among them.
    callables: Vec<Arc<Callable>>,
    /// A chain's members as the program sees them. Not a lock that waits: both ends of it hold the interpreter's.
    members: OnceLock<Py<PyTuple>>,
    /// A chain's foreign members.
    foreign: Vec<Arc<Foreign>>,
    /// Those, and those of its members.
    asked: Vec<Arc<Foreign>>,
    /// Whose copy it is. The collector counts references, and each may be shown to it once: functions and foreign members
    /// are the first object's to show, which lives as long as its copies.
    first: Option<Py<Credential>>,
}

/// What it was made of, to make it again in another process.
#[derive(Clone)]
enum Origin {
    /// Options: core's values, since those are wiped when it goes.
    Options(Vec<(String, Value)>),
    Members,
    /// It is a part of a chain that core made.
    Part,
}

/// A class name, a dictionary of options, a chain's members.
pub(crate) type Recipe<'py> = (&'static str, Bound<'py, PyDict>, Option<Bound<'py, PyTuple>>);

impl Made {
    pub(crate) fn of_core(core: Core) -> Made {
        Made {
            core,
            origin: Origin::Part,
            callables: Vec::new(),
            members: OnceLock::new(),
            foreign: Vec::new(),
            asked: Vec::new(),
            first: None,
        }
    }

    pub(crate) fn of_options(python: Python<'_>, name: &str, options: &Bound<'_, PyDict>) -> PyResult<Made> {
        let (options, callables) = value::options(options)?;
        let core = Core::new(name, options.clone(), Spelling::Snake).map_err(|error| raised(python, &error))?;
        Ok(Made { origin: Origin::Options(options), callables, ..Made::of_core(core) })
    }

    /// A chain of members, those of azcred's and those that are `foreign`.
    pub(crate) fn of_members(members: &Bound<'_, PyTuple>, foreign: &[bool], asynchronous: bool) -> PyResult<Made> {
        let python = members.py();
        let (mut cores, mut foreigners, mut asked) = (Vec::new(), Vec::new(), Vec::new());
        for (member, is_foreign) in members.iter().zip(foreign) {
            if *is_foreign {
                let member = Foreign::new(&member)?;
                cores.push(member.core(asynchronous));
                asked.push(Arc::clone(&member));
                foreigners.push(member);
            } else {
                let member = Credential::made(member.cast::<Credential>()?)?;
                cores.push(member.core.clone());
                asked.extend(member.asked.iter().cloned());
            }
        }
        let core = Core::chain(&cores).map_err(|error| raised(python, &error))?;
        let members = OnceLock::from(members.clone().unbind());
        Ok(Made { members, origin: Origin::Members, foreign: foreigners, asked, ..Made::of_core(core) })
    }

    /// A chain's members: those it was made of, else what `make` makes of core's.
    pub(crate) fn members<'py>(
        &self,
        python: Python<'py>,
        make: impl Fn(Core) -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        if let Some(members) = self.members.get() {
            return Ok(members.bind(python).clone());
        }
        let members: Vec<_> = self.core.members().into_iter().map(make).collect::<PyResult<_>>()?;
        let members = PyTuple::new(python, members)?;
        // Another thread may have been here meanwhile: then its objects are the ones.
        Ok(self.members.get_or_init(|| members.unbind()).bind(python).clone())
    }

    /// What it can be made of again.
    pub(crate) fn recipe<'py>(&self, python: Python<'py>) -> PyResult<Recipe<'py>> {
        let (options, members) = match &self.origin {
            Origin::Options(options) => (value::given(python, options, &self.callables)?, None),
            Origin::Members => (PyDict::new(python), self.members.get().map(|members| members.bind(python).clone())),
            Origin::Part => {
                return Err(PyTypeError::new_err("cannot pickle a member of a default chain; pickle the chain"));
            }
        };
        Ok((self.core.name(), options, members))
    }

    /// The same credential for a copy of the object that has it.
    pub(crate) fn again(&self, of: &Bound<'_, Credential>) -> Made {
        let python = of.py();
        let members = self.members.get().map(|members| OnceLock::from(members.clone_ref(python)));
        let first = self.first.as_ref().map_or_else(|| of.clone().unbind(), |first| first.clone_ref(python));
        Made {
            core: self.core.clone(),
            origin: self.origin.clone(),
            callables: self.callables.clone(),
            members: members.unwrap_or_default(),
            foreign: self.foreign.clone(),
            asked: self.asked.clone(),
            first: Some(first),
        }
    }

    /// Tells the foreign members which event loop asks.
    pub(crate) fn on(&self, events: &Bound<'_, PyAny>) {
        self.asked.iter().for_each(|foreign| foreign.on(events));
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(self.members.get())?;
        if let Some(first) = &self.first {
            return visit.call(first);
        }
        self.callables.iter().try_for_each(|callable| callable.object.traverse(visit))?;
        self.foreign.iter().try_for_each(|foreign| foreign.traverse(visit))
    }

    pub(crate) fn clear(&self) {
        if self.first.is_some() {
            return;
        }
        self.callables.iter().for_each(|callable| callable.object.set(None));
        self.foreign.iter().for_each(|foreign| foreign.clear());
    }
}
