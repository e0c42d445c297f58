//! The real reading of a file that somebody else named: nothing leads it elsewhere, and nothing holds it up.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "this test makes files of its own")]

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use azcred::World;

const CANARY: &str = "canary";

/// A folder that goes when the test does.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("azcred-{}-{name}", std::process::id()));
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, content: &str, mode: u32) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::set_permissions(&self.0, Permissions::from_mode(0o755)).unwrap();
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn read(folder: &Path, name: &str) -> Result<String, ErrorKind> {
    let content = World::real().files.read_guarded(folder, name, 16);
    content.map(|content| String::from_utf8(content.to_vec()).unwrap()).map_err(|error| {
        assert!(!error.to_string().contains(CANARY), "{error}");
        error.kind()
    })
}

#[test]
fn a_plain_file_is_read_up_to_its_limit() {
    let folder = Folder::new("plain");
    for (name, size) in [("empty.key", 0), ("full.key", 16)] {
        folder.write(name, &"x".repeat(size), 0o440);
        assert_eq!(read(&folder.0, name).unwrap().len(), size);
    }
    folder.write("large.key", &"x".repeat(17), 0o440);
    assert_eq!(read(&folder.0, "large.key"), Err(ErrorKind::FileTooLarge));
    assert_eq!(read(&folder.0, "absent.key"), Err(ErrorKind::NotFound));
    assert_eq!(read(&folder.0.join("absent"), "a.key"), Err(ErrorKind::NotFound));
    // A folder that may not be listed, but searched, as the agent's may be.
    fs::set_permissions(&folder.0, Permissions::from_mode(0o711)).unwrap();
    assert!(read(&folder.0, "full.key").is_ok());
}

#[test]
fn whatever_leads_elsewhere_is_refused() {
    let elsewhere = Folder::new("elsewhere");
    let secret = elsewhere.write("secret", CANARY, 0o600);
    elsewhere.write("real.key", CANARY, 0o600);
    let folder = Folder::new("links");
    symlink(&secret, folder.0.join("absolute.key")).unwrap();
    symlink("own.key", folder.0.join("own-link.key")).unwrap();
    symlink("loop.key", folder.0.join("loop.key")).unwrap();
    symlink("/dev/zero", folder.0.join("zero.key")).unwrap();
    folder.write("own.key", CANARY, 0o600);
    fs::hard_link(&secret, folder.0.join("hard.key")).unwrap();
    folder.write("open.key", CANARY, 0o666);
    fs::create_dir(folder.0.join("folder.key")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, folder.0.join("pipe.key"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
        .unwrap();
    let _listener = UnixListener::bind(folder.0.join("socket.key")).unwrap();
    for name in [
        "absolute.key",
        "own-link.key",
        "loop.key",
        "zero.key",
        "hard.key",
        "open.key",
        "folder.key",
        "pipe.key",
        "socket.key",
        "",
        ".",
        "..",
        "../elsewhere/secret",
        "folder.key/a",
        "/etc/passwd",
        "own.key\0",
    ] {
        assert!(read(&folder.0, name).is_err(), "{name}");
    }
    // The folder itself may be no link either, and its links are not followed within.
    let parent = Folder::new("parent");
    symlink(&elsewhere.0, parent.0.join("tokens")).unwrap();
    assert!(read(&parent.0.join("tokens"), "real.key").is_err());
    // Who can write to the folder can put anything there.
    fs::set_permissions(&elsewhere.0, Permissions::from_mode(0o757)).unwrap();
    assert_eq!(read(&elsewhere.0, "real.key"), Err(ErrorKind::InvalidInput));
}

#[test]
fn a_file_that_is_swapped_all_the_time_is_never_another() {
    let elsewhere = Folder::new("target");
    let secret = elsewhere.write("secret", CANARY, 0o600);
    let folder = Folder::new("swapped");
    let own = folder.0.join("a.key");
    let end = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !end.load(std::sync::atomic::Ordering::SeqCst) {
                let next = folder.write("next", "own", 0o600);
                fs::rename(next, &own).unwrap();
                symlink(&secret, folder.0.join("link")).unwrap();
                fs::rename(folder.0.join("link"), &own).unwrap();
            }
        });
        let seen: Vec<_> = (0..5_000).filter_map(|_| read(&folder.0, "a.key").ok()).collect();
        end.store(true, std::sync::atomic::Ordering::SeqCst);
        assert!(!seen.is_empty(), "the file was never there");
        assert!(seen.iter().all(|content| content == "own"));
    });
}
