//! The certificate authorities and the server certificates that they vouch for.
//!
//! All are made at each start and live 30 days. An authority's private key is dropped as soon as
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
    server::ResolvesServerCertUsingSni,
    sign::CertifiedKey,
};

use crate::registered::thumbprint;

const OWN_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
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
    /// An authority of that name, and its certificate for a server: under the names of loopback
    /// and `more`.
    pub(crate) fn new<'a>(
        now: i64,
        authority_name: &str,
        more: impl Iterator<Item = &'a str>,
    ) -> Result<Self, rcgen::Error> {
        let (issuer, ca) = authority(now, authority_name)?;
        let key = KeyPair::generate()?;
        let names: Vec<_> = OWN_NAMES.into_iter().chain(more).map(str::to_owned).collect();
        let params = server(now, "localhost", names)?;
        let server = params.signed_by(&key, &issuer)?;
        Ok(Self {
            server_pem: server.pem() + &ca.pem(),
            ca_pem: ca.pem(),
            server_key_pem: key.serialize_pem(),
            chain: vec![server.der().clone(), ca.der().clone()],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        })
    }

    /// A server certificate that nobody vouches for, under a name that is no address's.
    pub(crate) fn alone(now: i64, common_name: &str) -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let certificate = server(now, common_name, vec![common_name.to_owned()])?.self_signed(&key)?;
        Ok(Self {
            server_pem: certificate.pem(),
            ca_pem: certificate.pem(),
            server_key_pem: key.serialize_pem(),
            chain: vec![certificate.der().clone()],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        })
    }

    /// SHA-1 of the server certificate.
    pub(crate) fn thumbprint(&self) -> String {
        self.chain.first().map(|der| thumbprint(der)).unwrap_or_default()
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

    /// The same for clients that ask for `name`; others are turned away.
    pub(crate) fn server_config_for(&self, name: &str) -> Result<Arc<ServerConfig>, rustls::Error> {
        let provider = ring::default_provider();
        let key = CertifiedKey::from_der(self.chain.clone(), self.key.clone_key(), &provider)?;
        let mut resolver = ResolvesServerCertUsingSni::new();
        resolver.add(name, key)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(resolver));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// Writes `ca.pem`, `server.pem` and `server.key`; the path of the first.
    pub(crate) fn write(&self, dir: &Path) -> Result<PathBuf, (PathBuf, io::Error)> {
        fs::create_dir_all(dir).map_err(|error| (dir.to_owned(), error))?;
        put(dir, "server.key", self.server_key_pem.as_bytes(), 0o600)?;
        put(dir, "server.pem", self.server_pem.as_bytes(), 0o644)?;
        put(dir, "ca.pem", self.ca_pem.as_bytes(), 0o644)
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}

/// A new authority, and its certificate.
pub(crate) fn authority(
    now: i64,
    common_name: &str,
) -> Result<(Issuer<'static, KeyPair>, rcgen::Certificate), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    name(&mut params, now, common_name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = params.self_signed(&key)?;
    Ok((Issuer::new(params, key), certificate))
}

fn server(now: i64, common_name: &str, names: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    name(&mut params, now, common_name);
    // Said out loud rather than left out: only then is there a subject key identifier, and
    // Python's strict verification wants both identifiers.
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

/// Whose certificate it is, and from when until when it is good.
pub(crate) fn name(params: &mut CertificateParams, now: i64, common_name: &str) {
    let now = date_time_ymd(1970, 1, 1) + Duration::from_secs(now.unsigned_abs());
    params.not_before = now - BACKDATED;
    params.not_after = now + VALID;
    params.use_authority_key_identifier_extension = true;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
}

/// Puts a file of that name into the folder; its path.
pub(crate) fn put(dir: &Path, name: &str, bytes: &[u8], mode: u32) -> Result<PathBuf, (PathBuf, io::Error)> {
    let path = dir.join(name);
    replace(&path, bytes, mode).map_err(|error| (path.clone(), error))?;
    Ok(path)
}

/// Puts a new file in place of whatever has that name, in one step, so that the mode is the one
/// asked for, no link is followed, and nobody reads half of it.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = Path::new(&new);
    match fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _: u32 = mode;
    options.open(new)?.write_all(bytes)?;
    fs::rename(new, path)
}
