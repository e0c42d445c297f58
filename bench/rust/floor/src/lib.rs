//! What a cached `get_token` can't do without, as a function for C: the length of the scope, its hash, a look into a
//! snapshot of the map, the coarse clock, and a reference to the token that only this thread's callers count.
//!
//! It is the yardstick for azcred's C door, and deliberately no cache: nothing here renews, checks arguments or reports.

use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::{CStr, c_char};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwap;

/// How many handles a token has; threads share them round robin.
const STRIPES: usize = 8;

/// A token that is counted on a cache line of its own.
#[repr(align(128))]
pub struct Handle {
    secret: Arc<str>,
}

struct Entry {
    handles: [Arc<Handle>; STRIPES],
    expires_on: i64,
}

/// The map from scopes to tokens.
pub struct Cache(ArcSwap<HashMap<Box<[u8]>, Entry>>);

thread_local! {
    static STRIPE: Cell<usize> = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Cell::new(NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES)
    };
}

fn now() -> i64 {
    let mut moment = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one timespec to where we point.
    unsafe { libc::clock_gettime(libc::CLOCK_REALTIME_COARSE, &raw mut moment) };
    moment.tv_sec
}

/// Gives a cache with one token, of an hour's life, for `scope`.
///
/// # Safety
///
/// `scope` is a NUL-terminated text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn floor_new(scope: *const c_char) -> *mut Cache {
    // SAFETY: as the caller promises.
    let scope = unsafe { CStr::from_ptr(scope) }.to_bytes();
    let secret: Arc<str> = "a".repeat(1500).into();
    let handles = std::array::from_fn(|_| Arc::new(Handle { secret: Arc::clone(&secret) }));
    let entry = Entry { handles, expires_on: now() + 3600 };
    let map = HashMap::from([(scope.to_vec().into_boxed_slice(), entry)]);
    Box::into_raw(Box::new(Cache(ArcSwap::from_pointee(map))))
}

/// Gives the token for `scope`, NULL if there is none that lives: for `floor_free`.
///
/// # Safety
///
/// `cache` came from `floor_new`; `scope` is a NUL-terminated text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn floor_get(cache: *const Cache, scope: *const c_char) -> *const Handle {
    // SAFETY: as the caller promises.
    let (cache, scope) = unsafe { (&*cache, CStr::from_ptr(scope)) };
    let map = cache.0.load();
    match map.get(scope.to_bytes()) {
        Some(entry) if entry.expires_on > now() => Arc::into_raw(Arc::clone(&entry.handles[STRIPE.get()])),
        _ => std::ptr::null(),
    }
}

/// The length of the token's text.
///
/// # Safety
///
/// `token` came from `floor_get`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn floor_len(token: *const Handle) -> usize {
    // SAFETY: as the caller promises.
    unsafe { &*token }.secret.len()
}

/// Frees a token.
///
/// # Safety
///
/// `token` came from `floor_get`, and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn floor_free(token: *const Handle) {
    // SAFETY: as the caller promises.
    drop(unsafe { Arc::from_raw(token) });
}
