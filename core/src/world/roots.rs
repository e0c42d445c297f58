//! Which certificate authorities are trusted.
//!
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` replace the system's roots, as in OpenSSL; `REQUESTS_CA_BUNDLE`,
//! `CURL_CA_BUNDLE` and `NODE_EXTRA_CA_CERTS` add to them, so that a host prepared for one language serves all.
//! Where the system has none, Mozilla's bundled ones are used. A credential may have roots of its own instead of all of
//! these.

use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::{Env, Files};

const REPLACING: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];
const ADDING: [&str; 3] = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"];
const MAX_BUNDLE: u64 = 16 << 20;

/// The certificates of a PEM file, or of all files of a folder, and no others; or a sentence that names the path.
pub(super) fn bundle(files: &dyn Files, path: &Path) -> Result<RootCertStore, String> {
    let found = if path.is_dir() {
        rustls_native_certs::load_certs_from_paths(None, Some(path)).certs
    } else {
        let text = files.read(path, MAX_BUNDLE).map_err(|error| format!("can't read '{}': {error}", path.display()))?;
        CertificateDer::pem_slice_iter(&text).filter_map(Result::ok).collect()
    };
    let mut roots = RootCertStore::empty();
    let (_, unusable) = roots.add_parsable_certificates(found);
    if roots.is_empty() {
        return Err(format!("expected PEM certificates in '{}', found none", path.display()));
    }
    if unusable > 0 {
        tracing::warn!(path = %path.display(), unusable, "certificates that can't be read are not trusted");
    }
    Ok(roots)
}

/// All trusted roots, or a sentence that names the setting which could not be read.
pub(super) fn load(env: &dyn Env, files: &dyn Files) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let [file, folder] = REPLACING.map(|name| env.get(name).map(PathBuf::from));
    let named = file.is_some() || folder.is_some();
    let mut unread = None;
    if let Some(file) = &file {
        // A regular file of bounded length, as `bundle` reads them: this is azcred's one thread.
        match files.read(file, MAX_BUNDLE) {
            Ok(text) => {
                roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&text).filter_map(Result::ok));
            }
            Err(error) => unread = Some(format!("can't read '{}': {error}", file.display())),
        }
    }
    if let Some(folder) = &folder {
        roots.add_parsable_certificates(rustls_native_certs::load_certs_from_paths(None, Some(folder)).certs);
    }
    if !named {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if roots.is_empty() && named {
        // Whoever restricts the roots must not get others instead.
        let variables = REPLACING.into_iter().filter(|name| env.get(name).is_some()).collect::<Vec<_>>().join(", ");
        let what = unread.unwrap_or_else(|| "expected PEM certificates, found none".to_owned());
        return Err(format!("{variables}: {what}"));
    }
    if roots.is_empty() {
        roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    }
    for name in ADDING {
        let Some(path) = env.get(name) else { continue };
        // A folder of hashed certificates (which requests takes) has no place in NODE_EXTRA_CA_CERTS; all add nothing.
        let Ok(text) = files.read(Path::new(&path), MAX_BUNDLE) else {
            tracing::warn!(variable = name, "its file can't be read, so it adds no certificate authority");
            continue;
        };
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&text).filter_map(Result::ok));
    }
    Ok(roots)
}
