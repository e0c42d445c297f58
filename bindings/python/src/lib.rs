//! azcred for Python: the native half. Policy and defaults are core's; the classes users see are in `python/azcred`.
#![expect(unnameable_types, reason = "what pyo3 exports is named by Python")]

mod credential;
mod error;
mod exit;
mod request;
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
    fn _close(python: Python<'_>) {
        python.detach(super::exit::close);
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.py().import("atexit")?.call_method1("register", (module.getattr("_close")?,))?;
        Ok(())
    }

    #[pymodule_export]
    const VERSION: &str = azcred::VERSION;
}
