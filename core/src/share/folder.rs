//! The store's folder: memory-backed, this user's, closed to all others; and files in it that are replaced whole.
//!
//! Everything is checked on what was opened, by descriptor. The folder is opened anew for each look: it may vanish or be
//! replaced at any time. A child that is forked in the middle of a fetch keeps a descriptor of it, and no lock.

use std::io::{Error, ErrorKind, Read as _, Result, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use azcred_platform::LockFile;
use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, Stat, Timespec, Timestamps, fstat, fstatfs, futimens, mkdir, mkdirat, open,
    openat, renameat, unlinkat,
};
use rustix::process::geteuid;
use zeroize::Zeroizing;

use super::key::hex;

/// The format of what is in it.
const FORMAT: &str = "v1";

/// The file whose ranges are the locks. Never removed: its lock would be another one than a new file's.
const LOCKS: &str = "locks";

/// The largest file that is read.
const LARGEST: u64 = 256 * 1024;

/// How old an unfinished file is when its writer must be gone, in seconds.
const UNFINISHED: i64 = 60;

/// `TMPFS_MAGIC` and `RAMFS_MAGIC` of `statfs(2)`.
const MEMORY: [rustix::fs::FsWord; 2] = [0x0102_1994, 0x8584_58f6];

/// What everybody but the owner may do.
const OTHERS: rustix::fs::RawMode = 0o077;

const SHUT: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC);

/// The locks of one flight.
pub(super) type Locks = LockFile;

/// The folder, open.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    file: OwnedFd,
    boot: String,
}

impl Folder {
    /// The folder that the setting means, made if it is not there; or why there is none, as a sentence.
    pub(super) fn open(setting: Option<&str>) -> std::result::Result<Folder, String> {
        if azcred_platform::is_secure() {
            return Err("this program runs with more rights than its user has (AT_SECURE)".to_owned());
        }
        let path = place(setting)?;
        let shown = |path: &Path| crate::request::shown(&path.to_string_lossy());
        let failed = |path: &Path, error: Error| format!("{}: {error}", shown(path));
        make(mkdir(&path, Mode::RWXU)).map_err(|error| failed(&path, error))?;
        let outer = open(&path, OFlags::RDONLY | OFlags::DIRECTORY | SHUT, Mode::empty());
        let outer =
            outer.map_err(|error| failed(&path, followed(error))).and_then(|outer| check(outer, &shown(&path)))?;
        let inner = path.join(FORMAT);
        make(mkdirat(&outer, FORMAT, Mode::RWXU)).map_err(|error| failed(&inner, error))?;
        let file = openat(&outer, FORMAT, OFlags::RDONLY | OFlags::DIRECTORY | SHUT, Mode::empty());
        let file =
            file.map_err(|error| failed(&inner, followed(error))).and_then(|file| check(file, &shown(&inner)))?;
        let boot = boot().map_err(|error| format!("the host does not say when it started: {error}"))?;
        Ok(Folder { path: inner, file, boot })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What tells this start of the host from others.
    pub(super) fn boot(&self) -> &str {
        &self.boot
    }

    /// The content of a file of this user's alone; nothing where it is anything else.
    pub(super) fn read(&self, name: &str) -> Option<Zeroizing<Vec<u8>>> {
        let file = openat(&self.file, name, OFlags::RDONLY | OFlags::NONBLOCK | SHUT, Mode::empty()).ok()?;
        let stat = fstat(&file).ok()?;
        let size = u64::try_from(stat.st_size).ok().filter(|size| *size <= LARGEST && is_ours(&stat))?;
        let mut content = Zeroizing::new(Vec::with_capacity(usize::try_from(size).ok()? + 1));
        std::fs::File::from(file).take(LARGEST + 1).read_to_end(&mut content).ok()?;
        Some(content)
    }

    /// Puts a file in the place of the one of this name. `until` (Unix seconds) is when it may be swept away.
    pub(super) fn write(&self, name: &str, content: &[u8], until: i64) -> Result<()> {
        let mark = crate::random::bytes().map_err(Error::other)?;
        let unfinished = format!(".{name}.{}", hex(mark.get(..8).unwrap_or_default()));
        let written = self.fill(&unfinished, content, until);
        let done = written.and_then(|()| Ok(renameat(&self.file, &unfinished, &self.file, name)?));
        if done.is_err() {
            self.remove(&unfinished);
        }
        done
    }

    fn fill(&self, name: &str, content: &[u8], until: i64) -> Result<()> {
        let how = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | SHUT;
        let file = openat(&self.file, name, how, Mode::RUSR | Mode::WUSR)?;
        let mut file = std::fs::File::from(file);
        file.write_all(content)?;
        let until = Timespec { tv_sec: until, tv_nsec: 0 };
        Ok(futimens(&file, &Timestamps { last_access: until, last_modification: until })?)
    }

    /// The file of locks, opened for one flight.
    pub(super) fn locks(&self) -> Result<Locks> {
        LockFile::open(|| {
            let how = OFlags::RDWR | OFlags::CREATE | OFlags::NONBLOCK | SHUT;
            let file = openat(&self.file, LOCKS, how, Mode::RUSR | Mode::WUSR)?;
            if is_ours(&fstat(&file)?) {
                Ok(file)
            } else {
                Err(Error::new(ErrorKind::InvalidInput, "the file of locks is not ours"))
            }
        })
    }

    /// The names of all entries.
    pub(super) fn names(&self) -> Vec<String> {
        let all = self.all();
        all.into_iter().filter(|name| name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit())).collect()
    }

    fn all(&self) -> Vec<String> {
        let Ok(folder) = Dir::read_from(&self.file) else { return Vec::new() };
        folder.filter_map(|entry| Some(entry.ok()?.file_name().to_str().ok()?.to_owned())).collect()
    }

    /// Removes a file; it may never have been there, or somebody else was faster.
    fn remove(&self, name: &str) {
        if let Err(error) = unlinkat(&self.file, name, AtFlags::empty()) {
            tracing::trace!("{}/{name}: {error}", self.path.display());
        }
    }

    /// Removes what nobody needs any more: what died, and what was never finished.
    pub(super) fn sweep(&self, now: i64) {
        for name in self.all().iter().filter(|name| *name != LOCKS && *name != "." && *name != "..") {
            let Ok(stat) = rustix::fs::statat(&self.file, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
            let unfinished = name.starts_with('.') && stat.st_ctime < now.saturating_sub(UNFINISHED);
            if unfinished || (!name.starts_with('.') && stat.st_mtime < now) {
                self.remove(name);
            }
        }
    }
}

/// Where the setting says, else where this host has a place for it. All processes of a user must come to the same one.
fn place(setting: Option<&str>) -> std::result::Result<PathBuf, String> {
    let uid = geteuid().as_raw();
    match setting {
        Some("off") => return Err("AZCRED_SHARING is off".to_owned()),
        Some(path) if path.starts_with('/') => return Ok(PathBuf::from(path)),
        Some(other) => {
            let other = crate::request::shown(other);
            return Err(format!("AZCRED_SHARING: expected off or an absolute path, got '{other}'"));
        }
        None => {}
    }
    let of_session = PathBuf::from(format!("/run/user/{uid}"));
    let of_package = PathBuf::from(format!("/run/azcred/{uid}"));
    Ok(if of_session.is_dir() {
        of_session.join("azcred")
    } else if of_package.is_dir() {
        of_package
    } else {
        PathBuf::from(format!("/dev/shm/azcred-{uid}"))
    })
}

/// A folder that is there already is as good as one that was made.
fn make(made: rustix::io::Result<()>) -> Result<()> {
    match made {
        Err(rustix::io::Errno::EXIST) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// `open` says of a link at the end of a path that there are too many of them, or that it is no folder.
fn followed(error: rustix::io::Errno) -> Error {
    match error {
        rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR => {
            Error::new(ErrorKind::InvalidInput, "expected a folder, and no link to one")
        }
        error => error.into(),
    }
}

/// The folder, if it is of this user, closed to others, and in memory.
fn check(folder: OwnedFd, shown: &str) -> std::result::Result<OwnedFd, String> {
    let failed = |error: rustix::io::Errno| format!("{shown}: {error}");
    let stat = fstat(&folder).map_err(failed)?;
    let us = geteuid().as_raw();
    if stat.st_uid != us {
        return Err(format!("{shown}: it belongs to user {}, expected {us}", stat.st_uid));
    }
    if stat.st_mode & 0o777 != 0o700 {
        return Err(format!("{shown}: its mode is {:o}, expected 700", stat.st_mode & 0o777));
    }
    let system = fstatfs(&folder).map_err(failed)?.f_type;
    if !MEMORY.contains(&system) {
        return Err(format!("{shown}: it is not memory-backed (tmpfs), and tokens are written to no disk"));
    }
    Ok(folder)
}

/// A regular file of one name that only this user may touch.
fn is_ours(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
        && stat.st_nlink == 1
        && stat.st_uid == geteuid().as_raw()
        && stat.st_mode & OTHERS == 0
}

fn boot() -> Result<String> {
    let file = open("/proc/sys/kernel/random/boot_id", OFlags::RDONLY | SHUT, Mode::empty())?;
    let mut text = String::new();
    std::fs::File::from(file).take(64).read_to_string(&mut text)?;
    Ok(text.trim().to_owned())
}

/// The network that a metadata address leads into: containers of one user may have several.
pub(super) fn network() -> String {
    let link = rustix::fs::readlink("/proc/self/ns/net", Vec::new());
    link.ok().and_then(|link| link.into_string().ok()).unwrap_or_default()
}
