//! What a system says when it has run out of something. It says nothing about whoever was to be asked, and may mend.

use std::io::{Error, ErrorKind};

/// Whether descriptors, processes, threads, memory or buffers have run out, in this process or on this host.
#[cfg(unix)]
pub(crate) fn is_shortage(error: &Error) -> bool {
    use rustix::io::Errno;
    let known = Errno::from_io_error(error);
    known.is_some_and(|known| [Errno::MFILE, Errno::NFILE, Errno::AGAIN, Errno::NOMEM, Errno::NOBUFS].contains(&known))
        || error.kind() == ErrorKind::OutOfMemory
}

/// Whether memory has run out.
#[cfg(not(unix))]
pub(crate) fn is_shortage(error: &Error) -> bool {
    error.kind() == ErrorKind::OutOfMemory
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn a_shortage_is_told_from_an_absence() {
        for (errno, expected) in [
            (Errno::MFILE, true),
            (Errno::NFILE, true),
            (Errno::AGAIN, true),
            (Errno::NOMEM, true),
            (Errno::NOBUFS, true),
            (Errno::NOENT, false),
            (Errno::ACCESS, false),
            (Errno::CONNREFUSED, false),
            (Errno::NETUNREACH, false),
            (Errno::ADDRNOTAVAIL, false),
        ] {
            assert_eq!(is_shortage(&Error::from(errno)), expected, "{errno:?}");
        }
        assert!(is_shortage(&ErrorKind::OutOfMemory.into()) && !is_shortage(&ErrorKind::NotFound.into()));
    }
}
