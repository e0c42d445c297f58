//! Which azcred this is.

use std::ffi::{CStr, c_char};

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => c"",
};

/// The version of the library that is loaded, such as "0.1.0"; `AZCRED_VERSION` is that of this header.
///
/// Gives text that lives as long as the program. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_version() -> *const c_char {
    VERSION.as_ptr()
}
