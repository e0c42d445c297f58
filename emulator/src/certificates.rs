//! The certificate authority and the server certificate that it vouches for.
//!
//! Both are made at each start and live 30 days. The authority's private key is dropped as soon as
//! the server certificate is signed, so trusting `ca.pem` trusts that one certificate and nothing
//! that could be issued later.

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};

const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
const VALID: Duration = Duration::from_hours(30 * 24);
/// Against clocks that go a little slow.
const BACKDATED: Duration = Duration::from_hours(1);

/// What TLS needs, and what clients need to trust it.
pub(crate) struct Certificates {
    pub(crate) ca_pem: String,
    server_pem: String,
    server_key_pem: String,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Certificates {
    /// An authority and a server certificate for the loopback names.
    pub(crate) fn new(now: i64) -> Result<Self, rcgen::Error> {
        let ca_key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        name(&mut params, now, "azcred emulator CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca = params.self_signed(&ca_key)?;
        let issuer = Issuer::new(params, ca_key);

        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(NAMES.map(str::to_owned))?;
        name(&mut params, now, "localhost");
        // Said out loud rather than left out: only then is there a subject key identifier, and
        // Python's strict verification wants both identifiers.
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let server = params.signed_by(&key, &issuer)?;

        Ok(Self {
            server_pem: server.pem() + &ca.pem(),
            ca_pem: ca.pem(),
            server_key_pem: key.serialize_pem(),
            chain: vec![server.der().clone(), ca.der().clone()],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        })
    }

    /// TLS 1.2 and 1.3, HTTP/1.1.
    pub(crate) fn server_config(&self) -> Result<Arc<ServerConfig>, rustls::Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), self.key.clone_key())?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// Writes `ca.pem`, `server.pem` and `server.key`; the path of the first.
    pub(crate) fn write(&self, dir: &Path) -> Result<PathBuf, (PathBuf, io::Error)> {
        fs::create_dir_all(dir).map_err(|error| (dir.to_owned(), error))?;
        let write = |name: &str, text: &str, mode| {
            let path = dir.join(name);
            write(&path, text, mode).map_err(|error| (path.clone(), error))?;
            Ok(path)
        };
        write("server.key", &self.server_key_pem, 0o600)?;
        write("server.pem", &self.server_pem, 0o644)?;
        write("ca.pem", &self.ca_pem, 0o644)
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}

fn name(params: &mut CertificateParams, now: i64, common_name: &str) {
    let now = date_time_ymd(1970, 1, 1) + Duration::from_secs(now.unsigned_abs());
    params.not_before = now - BACKDATED;
    params.not_after = now + VALID;
    params.use_authority_key_identifier_extension = true;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
}

/// Puts a new file in place of whatever has that name, so that the mode is the one asked for and
/// no link is followed.
fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _: u32 = mode;
    options.open(path)?.write_all(text.as_bytes())
}
