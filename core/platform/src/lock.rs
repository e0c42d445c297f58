//! Locks on ranges of a file that belong to one opening of it, and that a forked child does not keep.
//!
//! Open-file-description locks (`fcntl(2)`, `F_OFD_SETLK`) end with the last copy of their descriptor, and a forked child
//! has one: without the handler here a dead parent's lock would live as long as its children.

use std::os::fd::{AsRawFd as _, OwnedFd};
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use crate::generation;

/// So many files can be open for locks at once.
const MOST: usize = 1024;

/// No descriptor.
const FREE: i32 = -1;

/// The descriptors that a forked child closes.
static OPEN: [AtomicI32; MOST] = [const { AtomicI32::new(FREE) }; MOST];
/// How many threads are forking, and how often it was done.
static FORKING: AtomicU64 = AtomicU64::new(0);
static FORKS: AtomicU64 = AtomicU64::new(0);

pub(crate) fn before_fork() {
    FORKING.fetch_add(1, Ordering::SeqCst);
}

pub(crate) fn in_parent() {
    FORKS.fetch_add(1, Ordering::SeqCst);
    FORKING.fetch_sub(1, Ordering::SeqCst);
}

/// Async-signal-safe, as all that a child of a threaded process may do.
pub(crate) fn in_child() {
    FORKING.store(0, Ordering::SeqCst);
    for place in &OPEN {
        let file = place.swap(FREE, Ordering::SeqCst);
        if file != FREE {
            #[expect(unsafe_code, reason = "closing a descriptor by its number")]
            // SAFETY: the number is this process's copy of a descriptor whose owner, a `LockFile`, sees by its generation
            // that it is not to be closed again.
            unsafe {
                libc::close(file);
            }
        }
    }
}

/// A file that was opened for locks. Dropping it lets go of all of them.
#[derive(Debug)]
pub struct LockFile {
    file: Option<OwnedFd>,
    place: usize,
    generation: u64,
}

impl LockFile {
    /// Takes what `open` opens, for locks of this process alone.
    ///
    /// # Errors
    /// What `open` says; `WouldBlock` where too many are open, or the process forks without a pause.
    pub fn open(mut open: impl FnMut() -> std::io::Result<OwnedFd>) -> std::io::Result<LockFile> {
        const TRIES: usize = 1000;
        let generation = generation();
        for _ in 0..TRIES {
            let forks = FORKS.load(Ordering::SeqCst);
            if FORKING.load(Ordering::SeqCst) == 0 {
                let opened = LockFile::of(open()?, generation)?;
                // A child that was forked meanwhile may have a copy that it does not know.
                if FORKING.load(Ordering::SeqCst) == 0 && FORKS.load(Ordering::SeqCst) == forks {
                    return Ok(opened);
                }
            }
            std::thread::yield_now();
        }
        Err(std::io::ErrorKind::WouldBlock.into())
    }

    fn of(file: OwnedFd, generation: u64) -> std::io::Result<LockFile> {
        let number = file.as_raw_fd();
        let take = |place: &AtomicI32| place.compare_exchange(FREE, number, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        let Some(place) = OPEN.iter().position(take) else { return Err(std::io::ErrorKind::WouldBlock.into()) };
        Ok(LockFile { file: Some(file), place, generation })
    }

    /// Takes the lock of one place in the file, unless another opening has it; tells whether it did.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn try_lock(&self, at: i64) -> std::io::Result<bool> {
        match self.set(libc::F_WRLCK, at, 1) {
            Ok(()) => Ok(true),
            Err(error) if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EACCES)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Lets go of the lock of one place in the file.
    pub fn unlock(&self, at: i64) {
        // Nothing is known to fail here; closing the file does the same.
        drop(self.set(libc::F_UNLCK, at, 1));
    }

    fn set(&self, kind: libc::c_int, start: i64, length: i64) -> std::io::Result<()> {
        match &self.file {
            Some(file) if self.generation == generation() => set(file, kind, start, length),
            _ => Err(std::io::Error::other("a lock of the parent process")),
        }
    }
}

/// Sets a range's lock. A length of 0 is all that follows.
fn set(file: &OwnedFd, kind: libc::c_int, start: i64, length: i64) -> std::io::Result<()> {
    let kind = libc::c_short::try_from(kind).map_err(std::io::Error::other)?;
    let whence = libc::c_short::try_from(libc::SEEK_SET).map_err(std::io::Error::other)?;
    let range = libc::flock { l_type: kind, l_whence: whence, l_start: start, l_len: length, l_pid: 0 };
    #[expect(unsafe_code, reason = "these locks have no safe face in the libraries we use here")]
    // SAFETY: the descriptor is open, and `range` is a whole `struct flock` that is only read.
    let done = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const range) };
    if done == -1 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        let Some(file) = self.file.take() else { return };
        if self.generation != generation() {
            // The handler closed it; the number may be another file's by now.
            #[expect(clippy::mem_forget, reason = "the descriptor is not ours to close")]
            std::mem::forget(file);
            return;
        }
        // Before it is taken off the list: a child that is forked from now on may keep a copy, but no lock.
        drop(set(&file, libc::F_UNLCK, 0, 0));
        if let Some(place) = OPEN.get(self.place) {
            place.store(FREE, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_opening_at_a_time_has_the_lock_of_a_place() {
        let path = std::env::temp_dir().join(format!("azcred-locks-{}", std::process::id()));
        let open = || {
            let mut options = std::fs::OpenOptions::new();
            Ok(OwnedFd::from(options.create(true).truncate(false).write(true).open(&path)?))
        };
        let (one, other) = (LockFile::open(open).unwrap(), LockFile::open(open).unwrap());
        assert!(one.try_lock(7).unwrap() && one.try_lock(7).unwrap() && !other.try_lock(7).unwrap());
        assert!(other.try_lock(8).unwrap());
        one.unlock(7);
        assert!(other.try_lock(7).unwrap() && !one.try_lock(7).unwrap());
        drop(other);
        assert!(one.try_lock(7).unwrap() && one.try_lock(8).unwrap());
        std::fs::remove_file(&path).unwrap();
    }
}
