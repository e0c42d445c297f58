//! azcred for Python: the native half. Policy and defaults are core's; the classes users see are in `python/azcred`.
#![expect(unnameable_types, reason = "what pyo3 exports is named by Python")]

mod callable;
mod credential;
mod delivery;
mod error;
mod exit;
mod foreign;
mod held;
mod log;
mod made;
mod request;
mod shortcut;
mod token;
mod value;

use pyo3::prelude::*;

/// Freed memory is wiped: HTTP buffers hold copies of secrets that no type of ours can reach.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// The native half of azcred; import `azcred` instead.
#[pymodule]
mod _azcred {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::credential::{Credential, Wait};

    /// Called by `atexit`: afterwards no thread of azcred's enters Python.
    #[pyfunction]
    fn _close(python: Python<'_>) -> PyResult<()> {
        super::exit::close(python)?;
        super::log::hand_over(python)
    }

    /// Gives the logger what waits for it, on an event loop's thread.
    #[pyfunction]
    fn _log(python: Python<'_>) -> PyResult<()> {
        super::log::hand_over(python)
    }

    /// The parts of an authentication record: authority, client id, home account id, tenant id, username.
    #[pyfunction]
    fn _record(python: Python<'_>, text: &str) -> PyResult<(String, String, String, String, String)> {
        let wrong = |sentence| azcred::Error::new(azcred::ErrorKind::InvalidArgument, sentence);
        let record = azcred::AuthenticationRecord::from_json(text).map_err(wrong);
        let record = record.map_err(|error| super::error::raised(python, &error))?;
        Ok((record.authority, record.client_id, record.home_account_id, record.tenant_id, record.username))
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::shortcut::install(&module.py().get_type::<Credential>())?;
        module.py().import("atexit")?.call_method1("register", (module.getattr("_close")?,))?;
        Ok(())
    }

    #[pymodule_export]
    const VERSION: &str = azcred::VERSION;
}
