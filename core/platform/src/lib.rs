//! What azcred must ask of the operating system below Rust's safe surface.
//!
//! It exists so that `azcred` itself can forbid `unsafe`: every door and every way of forking goes through the one
//! handlers registered here. It holds no policy, and what its handler does in a forked child is to bump a number and to
//! close the descriptors of locks: no lock, no allocation.

#[cfg(target_os = "linux")]
mod lock;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

#[cfg(target_os = "linux")]
pub use lock::LockFile;

static GENERATION: AtomicU64 = AtomicU64::new(1);
static WATCHING: AtomicBool = AtomicBool::new(false);

/// The number of this process in its line of forks: 1 in the first process, one more in each forked child.
///
/// Whatever owns threads, sockets or locks remembers the generation it was made in, and is made anew when the
/// two differ. The first call registers the `pthread_atfork` handler, so ask once before the first thread starts.
pub fn generation() -> u64 {
    if !WATCHING.load(Ordering::Acquire) {
        // Two threads may both register it, and a child is then two generations on, which harms nobody; a flag set
        // before the handler is there would.
        watch();
        WATCHING.store(true, Ordering::Release);
    }
    GENERATION.load(Ordering::Relaxed)
}

/// Bumps the generation in a forked child; async-signal-safe, since a child of a threaded process may do no more.
#[cfg(unix)]
extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    #[cfg(target_os = "linux")]
    lock::in_child();
}

#[cfg(unix)]
extern "C" fn before_fork() {
    #[cfg(target_os = "linux")]
    lock::before_fork();
}

#[cfg(unix)]
extern "C" fn in_parent() {
    #[cfg(target_os = "linux")]
    lock::in_parent();
}

#[cfg(unix)]
fn watch() {
    #[expect(unsafe_code, reason = "registering a fork handler has no safe face in any library")]
    // SAFETY: these are plain functions without captured state that live as long as the program: the C library can't
    // be unloaded (`-z nodelete`), and neither Python nor Node unloads an extension.
    unsafe {
        // A failure is ENOMEM at start-up; the generation then stays 1, as on platforms without fork.
        libc::pthread_atfork(Some(before_fork), Some(in_parent), Some(in_child));
    }
}

#[cfg(not(unix))]
fn watch() {}

/// Whether this process runs with more rights than the user who started it: then nothing of the environment is to be
/// followed (`AT_SECURE`, `getauxval(3)`).
#[cfg(target_os = "linux")]
pub fn is_secure() -> bool {
    #[expect(unsafe_code, reason = "the auxiliary vector has no safe face in the libraries we use here")]
    // SAFETY: it takes a number and gives one.
    let secure = unsafe { libc::getauxval(libc::AT_SECURE) };
    secure != 0
}

/// Whether this process runs with more rights than the user who started it; not known on this platform.
#[cfg(not(target_os = "linux"))]
pub fn is_secure() -> bool {
    false
}

/// Whether this is the thread that the process started with, or that it was forked on.
#[cfg(target_os = "linux")]
pub fn is_first_thread() -> bool {
    #[expect(unsafe_code, reason = "the numbers of threads have no safe face in the libraries we use here")]
    // SAFETY: it takes nothing and can't fail.
    let thread = unsafe { libc::gettid() };
    u32::try_from(thread).is_ok_and(|thread| thread == std::process::id())
}

/// Whether this is the thread that the process started with; where that is not known, every thread may be.
#[cfg(not(target_os = "linux"))]
pub fn is_first_thread() -> bool {
    true
}

/// Runs `body`, which starts a thread, with all signals blocked, so that the new thread takes none of the host
/// program's. The caller's own mask is as before afterwards.
pub fn without_signals<T>(body: impl FnOnce() -> T) -> T {
    masked(Mask::All, body)
}

/// Runs `body`, which starts a process from a thread that takes no signals, with none blocked, so that the new process
/// can be told to end. The caller's own mask is as before afterwards.
pub fn with_signals<T>(body: impl FnOnce() -> T) -> T {
    masked(Mask::None, body)
}

#[derive(Clone, Copy)]
enum Mask {
    All,
    None,
}

#[cfg(unix)]
fn masked<T>(mask: Mask, body: impl FnOnce() -> T) -> T {
    let mut wanted = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    let fill: unsafe extern "C" fn(*mut libc::sigset_t) -> libc::c_int = match mask {
        Mask::All => libc::sigfillset,
        Mask::None => libc::sigemptyset,
    };
    #[expect(unsafe_code, reason = "signal masks have no safe face in any library we use")]
    // SAFETY: `wanted` is storage for a signal set, which either function fills.
    unsafe {
        fill(wanted.as_mut_ptr());
    }
    #[expect(unsafe_code, reason = "as above")]
    // SAFETY: `wanted` is filled, and `before` is storage for the mask that is written on success.
    let masked = unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, wanted.as_ptr(), before.as_mut_ptr()) } == 0;
    let result = body();
    if masked {
        #[expect(unsafe_code, reason = "as above")]
        // SAFETY: the call above succeeded, so `before` holds the mask it replaced.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut());
        }
    }
    result
}

#[cfg(not(unix))]
fn masked<T>(_: Mask, body: impl FnOnce() -> T) -> T {
    body()
}

#[cfg(test)]
mod tests {
    use super::{generation, is_first_thread};

    #[test]
    fn tests_run_on_threads_of_their_own() {
        assert_eq!(is_first_thread(), cfg!(not(target_os = "linux")));
    }

    #[test]
    fn a_process_keeps_its_generation() {
        let first = generation();
        assert_eq!(generation(), first);
    }
}
