//! Reading a file whose name somebody else gave, without being led elsewhere.
//!
//! What is checked is what was opened, by descriptor: a path that is looked at first and opened later may be another
//! file by then.

use std::collections::VecDeque;
use std::io::{Error, ErrorKind, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, open, openat};
use zeroize::Zeroizing;

pub(super) fn read(folder: &Path, name: &str, limit: u64) -> std::io::Result<Zeroizing<Vec<u8>>> {
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
        return Err(wrong("not the name of a file"));
    }
    let shut = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = open(folder, shut | OFlags::DIRECTORY | SEARCH, Mode::empty())?;
    if fstat(&folder)?.st_mode & EVERYBODY_WRITES != 0 {
        return Err(wrong("everybody may write to its folder"));
    }
    // A pipe without a writer would hold up whoever opens it.
    let file = openat(&folder, name, shut | OFlags::NONBLOCK | OFlags::NOCTTY, Mode::empty())?;
    check(&fstat(&file)?, limit)?;
    content(file, limit)
}

/// Where a path leads, if nobody but root and this user can change that: each folder on the way, each link, and the file.
pub(super) fn trusted(path: &Path) -> std::io::Result<PathBuf> {
    const MOST_LINKS: usize = 40;
    let mut at = PathBuf::from("/");
    check_owned(&at, &rustix::fs::lstat(&at)?)?;
    let mut left: VecDeque<PathBuf> = parts(path).collect();
    let mut links = 0;
    while let Some(part) = left.pop_front() {
        if part == Path::new("/") {
            at = part;
            continue;
        }
        if part == Path::new("..") {
            at.pop();
            continue;
        }
        let next = at.join(part);
        let stat = rustix::fs::lstat(&next)?;
        check_owned(&next, &stat)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
            at = next;
            continue;
        }
        links += 1;
        if links > MOST_LINKS {
            return Err(rustix::io::Errno::LOOP.into());
        }
        let target = rustix::fs::readlink(&next, Vec::new())?;
        let target = PathBuf::from(std::ffi::OsString::from_vec(target.into_bytes()));
        parts(&target).rev().for_each(|part| left.push_front(part));
    }
    Ok(at)
}

fn parts(path: &Path) -> impl DoubleEndedIterator<Item = PathBuf> {
    let plain = path.components().filter(|part| *part != std::path::Component::CurDir);
    plain.map(|part| PathBuf::from(part.as_os_str()))
}

fn check_owned(path: &Path, stat: &Stat) -> std::io::Result<()> {
    let us = rustix::process::geteuid().as_raw();
    let refused = |what: String| Err(Error::new(ErrorKind::PermissionDenied, format!("{}: {what}", path.display())));
    if stat.st_uid != us && stat.st_uid != 0 {
        return refused(format!("it belongs to user {}, expected root or user {us}", stat.st_uid));
    }
    let kind = FileType::from_raw_mode(stat.st_mode);
    // In a folder such as /tmp, what belongs to somebody stays where it is. A link's own mode says nothing.
    let is_sticky = kind == FileType::Directory && stat.st_mode & STICKY != 0;
    if stat.st_mode & OTHERS_WRITE != 0 && !is_sticky && kind != FileType::Symlink {
        let mode = stat.st_mode & 0o7777;
        return refused(format!("others may write to it (mode {mode:o}), expected root and user {us} alone"));
    }
    Ok(())
}

const OTHERS_WRITE: rustix::fs::RawMode = 0o022;
const STICKY: rustix::fs::RawMode = 0o1000;

/// Who may not list a folder may still open what it can name in it.
#[cfg(target_os = "linux")]
const SEARCH: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const SEARCH: OFlags = OFlags::empty();

const EVERYBODY_WRITES: rustix::fs::RawMode = 0o002;

fn check(stat: &Stat, limit: u64) -> std::io::Result<()> {
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        Err(wrong("not a regular file"))
    } else if stat.st_nlink > 1 {
        Err(wrong("it has other names too"))
    } else if stat.st_mode & EVERYBODY_WRITES != 0 {
        Err(wrong("everybody may write to it"))
    } else if u64::try_from(stat.st_size).is_ok_and(|size| size <= limit) {
        Ok(())
    } else {
        Err(too_large(limit))
    }
}

/// The whole content. It may have grown since it was measured.
fn content(file: OwnedFd, limit: u64) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let room = usize::try_from(limit).unwrap_or(0).saturating_add(1);
    let mut content = Zeroizing::new(Vec::with_capacity(room));
    std::fs::File::from(file).take(limit.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 > limit { Err(too_large(limit)) } else { Ok(content) }
}

fn wrong(what: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, what)
}

fn too_large(limit: u64) -> Error {
    Error::new(ErrorKind::FileTooLarge, format!("larger than {limit} bytes"))
}
