//! Which certificate authorities are trusted.
//!
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` replace the system's roots, as in OpenSSL; `REQUESTS_CA_BUNDLE`,
//! `CURL_CA_BUNDLE` and `NODE_EXTRA_CA_CERTS` add to them, so that a host prepared for one language serves all.
//! Where the system has none, Mozilla's bundled ones are used.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::{Env, Files};

const ADDING: [&str; 3] = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"];
const MAX_BUNDLE: u64 = 16 << 20;

/// All trusted roots, or a sentence that names the setting which could not be read.
pub(super) fn load(env: &dyn Env, files: &dyn Files) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    if env.get("SSL_CERT_FILE").is_some() && found.certs.is_empty() {
        return Err("SSL_CERT_FILE: expected a file of PEM certificates, found none".to_owned());
    }
    roots.add_parsable_certificates(found.certs);
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
