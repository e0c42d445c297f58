//! The Node door: free functions over handles, called by `js/index.js` and by nobody else.
//!
//! It turns JavaScript values into azcred's and back. It decides nothing: no default, no cache, no retry. Errors cross
//! as data and become `Error` objects in `js/errors.js`, so that their stacks show the caller. All classes are written
//! in JavaScript, since a native method costs more than the look into the cache behind it.

mod callable;
mod credential;
mod error;
mod lease;
mod record;
mod request;
mod token;
mod value;

use zeroizing_alloc::ZeroAlloc;

/// Wipes freed memory: HTTP and TLS libraries leave copies of secrets behind otherwise.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<std::alloc::System> = ZeroAlloc(std::alloc::System);
