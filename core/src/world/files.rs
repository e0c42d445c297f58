//! Files, read only.

use std::io::Read as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::{Files, Stamp, guarded};

#[derive(Debug)]
pub(super) struct RealFiles;

/// Opens a regular file; what is none (a pipe that nobody writes to) would make the reader wait for ever.
fn open(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    let file = options.open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "it is not a regular file"))
}

impl Files for RealFiles {
    fn read(&self, path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
        let file = open(path)?;
        let mut content = Vec::new();
        file.take(limit + 1).read_to_end(&mut content)?;
        if content.len() as u64 > limit {
            return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, format!("larger than {limit} bytes")));
        }
        Ok(content)
    }

    fn read_guarded(&self, folder: &Path, name: &str, limit: u64) -> std::io::Result<Zeroizing<Vec<u8>>> {
        guarded::read(folder, name, limit)
    }

    fn read_trusted(&self, path: &Path, limit: u64) -> std::io::Result<Zeroizing<Vec<u8>>> {
        self.read(&guarded::trusted(path)?, limit).map(Zeroizing::new)
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    #[cfg(unix)]
    fn stamp(&self, path: &Path) -> Option<Stamp> {
        use std::os::unix::fs::MetadataExt as _;

        #[expect(clippy::disallowed_methods, reason = "these are the files")]
        let metadata = std::fs::metadata(path).ok()?;
        // Not the time of the last write, which is the writer's to choose.
        let changed = i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec());
        let file = metadata.dev().rotate_left(32) ^ metadata.ino();
        Some(Stamp { file, len: metadata.len(), changed, mode: metadata.mode() })
    }

    #[cfg(not(unix))]
    fn stamp(&self, path: &Path) -> Option<Stamp> {
        #[expect(clippy::disallowed_methods, reason = "these are the files")]
        let metadata = std::fs::metadata(path).ok()?;
        let since = metadata.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        let changed = i128::try_from(since.as_nanos()).unwrap_or(0);
        Some(Stamp { file: 0, len: metadata.len(), changed, mode: 0 })
    }

    #[cfg(unix)]
    fn is_executable(&self, path: &Path) -> bool {
        #[expect(clippy::disallowed_methods, reason = "these are the files")]
        let regular = std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
        regular && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
    }

    #[cfg(not(unix))]
    fn is_executable(&self, path: &Path) -> bool {
        #[expect(clippy::disallowed_methods, reason = "these are the files")]
        std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file())
    }
}
