//! Whoever takes the port of Azure Arc's agent, and the real folder behind it: no content but a key's reaches the wire.
#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "files of its own")]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use azcred::fake::Fake;
use azcred::{Credential, Error, ErrorKind, Files, Spelling, Stamp, TokenRequest, World};

use crate::folder::Folder;
use crate::servers::serve;

const KEYS: &str = "/var/opt/azcmagent/tokens";
const CANARY: &str = "canary-of-a-file";

/// The real reading of files, with the agent's folder elsewhere.
#[derive(Debug)]
struct Moved {
    keys: PathBuf,
    real: Arc<dyn Files>,
}

impl Files for Moved {
    fn read(&self, path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
        self.real.read(path, limit)
    }

    fn read_guarded(&self, folder: &Path, name: &str, limit: u64) -> std::io::Result<zeroize::Zeroizing<Vec<u8>>> {
        assert_eq!(folder, Path::new(KEYS));
        self.real.read_guarded(&self.keys, name, limit)
    }

    fn read_trusted(&self, path: &Path, limit: u64) -> std::io::Result<zeroize::Zeroizing<Vec<u8>>> {
        self.real.read_trusted(path, limit)
    }

    fn exists(&self, path: &Path) -> bool {
        self.real.exists(path)
    }

    fn is_executable(&self, path: &Path) -> bool {
        self.real.is_executable(path)
    }

    fn stamp(&self, path: &Path) -> Option<Stamp> {
        self.real.stamp(path)
    }
}

/// Asks an agent that names `realm`; what it heard, and the error that its refusals end with.
fn ask(keys: &Path, realm: &str) -> (Vec<String>, Error) {
    let challenge = format!(
        "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic realm={realm}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    let (address, heard) = serve(None, &challenge);
    let (mut world, fake) = Fake::world();
    let real = World::real();
    world.http = real.http;
    world.files = Arc::new(Moved { keys: keys.to_owned(), real: real.files });
    fake.set("IDENTITY_ENDPOINT", &format!("http://{address}/metadata/identity/oauth2/token"));
    fake.set("IMDS_ENDPOINT", &format!("http://{address}"));
    let credential = Credential::in_world(world, "ManagedIdentityCredential", Vec::new(), Spelling::Snake).unwrap();
    let request = TokenRequest { timeout: Some(Duration::from_secs(20)), ..TokenRequest::scope("https://x/.default") };
    let error = credential.get_token(&request).unwrap_err();
    let heard = heard.lock().unwrap().clone();
    (heard, error)
}

#[test]
fn only_a_key_of_its_own_reaches_the_agent() {
    let (folder, elsewhere) = (Folder::new("arc-keys"), Folder::new("arc-elsewhere"));
    let put = |folder: &Folder, name: &str, content: &str, mode: u32| {
        let path = folder.0.join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    };
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o750)).unwrap();
    put(&folder, "own.key", "the-key", 0o440);
    let secret = put(&elsewhere, "secret.key", CANARY, 0o600);
    symlink(&secret, folder.0.join("link.key")).unwrap();
    symlink("/etc/passwd", folder.0.join("passwd.key")).unwrap();
    symlink(&elsewhere.0, folder.0.join("folder")).unwrap();
    fs::hard_link(&secret, folder.0.join("hard.key")).unwrap();
    put(&folder, "large.key", &format!("{CANARY}{}", "x".repeat(4096)), 0o440);
    put(&folder, "open.key", CANARY, 0o666);
    put(&folder, "lines.key", &format!("{CANARY}\nx-evil: 1"), 0o440);
    put(&folder, "secret.txt", CANARY, 0o440);
    let pipe = folder.0.join("pipe.key");
    rustix::fs::mknodat(rustix::fs::CWD, pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();

    let (heard, _) = ask(&folder.0, &format!("{KEYS}/own.key"));
    assert!(heard.len() == 2 && heard[1].contains("authorization: Basic the-key\r\n"), "{heard:?}");

    let names = ["link", "passwd", "hard", "large", "open", "lines", "pipe", "absent", "folder/secret", ".."];
    let mut realms: Vec<String> = names.iter().map(|name| format!("{KEYS}/{name}.key")).collect();
    realms.extend(["secret.txt", "", ".", "../../../../etc/passwd"].map(|name| format!("{KEYS}/{name}")));
    for path in [&secret, &folder.0.join("own.key")] {
        realms.extend([path.display().to_string(), format!("{KEYS}/../../../..{}", path.display())]);
        realms.push(format!("\"{}\"", path.display()));
        realms.push(format!("{KEYS}/own.key, Basic realm={}", path.display()));
    }
    for realm in realms {
        let (heard, error) = ask(&folder.0, &realm);
        assert_eq!(error.kind(), ErrorKind::Failed, "{realm}: {error}");
        assert!(!format!("{error:?}").contains(CANARY), "{realm}: {error:?}");
        assert_eq!(heard.len(), 1, "{realm}: asked once, and told nothing");
        assert!(!heard[0].contains("authorization"), "{realm}: {heard:?}");
    }
    // Where everybody may put files, none is a key.
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(ask(&folder.0, &format!("{KEYS}/own.key")).0.len(), 1);
}
