//! Reading a file whose name somebody else gave, on Windows: as on Unix, without links; who may write is left to the
//! folder's access list.

use std::fs::OpenOptions;
use std::io::{Error, ErrorKind, Read as _};
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

/// `FILE_FLAG_OPEN_REPARSE_POINT`: a link is opened itself, and is then no regular file.
const NO_LINK: u32 = 0x0020_0000;

pub(super) fn read(folder: &Path, name: &str, limit: u64) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let wrong = |what: &str| Error::new(ErrorKind::InvalidInput, what);
    let too_large = || Error::new(ErrorKind::FileTooLarge, format!("larger than {limit} bytes"));
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\\', ':', '\0']) {
        return Err(wrong("not the name of a file"));
    }
    let file = OpenOptions::new().read(true).custom_flags(NO_LINK).open(folder.join(name))?;
    let metadata = file.metadata()?;
    if !metadata.file_type().is_file() {
        return Err(wrong("not a regular file"));
    }
    if metadata.len() > limit {
        return Err(too_large());
    }
    let mut content = Zeroizing::new(Vec::with_capacity(usize::try_from(limit).unwrap_or(0).saturating_add(1)));
    file.take(limit.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 > limit { Err(too_large()) } else { Ok(content) }
}

/// Not known on this platform: what a path leads to is what its folders' owners put there.
pub(super) fn trusted(path: &Path) -> std::io::Result<std::path::PathBuf> {
    Ok(path.to_owned())
}
