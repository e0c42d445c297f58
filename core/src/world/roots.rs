//! Which certificate authorities are trusted.
//!
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` replace the system's roots, as in OpenSSL; `REQUESTS_CA_BUNDLE`,
//! `CURL_CA_BUNDLE` and `NODE_EXTRA_CA_CERTS` add to them, so that a host prepared for one language serves all.
//! Where the system has none, Mozilla's bundled ones are used. A credential may have roots of its own instead of all of
//! these.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::{Env, Files};
use crate::request::shown;

const REPLACING_FILE: &str = "SSL_CERT_FILE";
const REPLACING_FOLDER: &str = "SSL_CERT_DIR";
const ADDING: [&str; 3] = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"];
const MAX_BUNDLE: u64 = 16 << 20;

/// The certificates of a PEM file, or of all files of a folder, and no others; or a sentence that names the path.
pub(super) fn bundle(files: &dyn Files, path: &Path) -> Result<RootCertStore, String> {
    if path.is_dir() { of_folder(path) } else { of_file(files, path) }
}

/// A regular file of bounded size: this is read on the one thread that serves all credentials.
fn of_file(files: &dyn Files, path: &Path) -> Result<RootCertStore, String> {
    let text = files.read(path, MAX_BUNDLE).map_err(|error| format!("can't read '{}': {error}", name(path)))?;
    store(path, CertificateDer::pem_slice_iter(&text).filter_map(Result::ok))
}

/// The regular files of a folder, also behind links, as `openssl rehash` makes them.
fn of_folder(path: &Path) -> Result<RootCertStore, String> {
    store(path, rustls_native_certs::load_certs_from_paths(None, Some(path)).certs)
}

fn store(path: &Path, found: impl IntoIterator<Item = CertificateDer<'static>>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let (_, unusable) = roots.add_parsable_certificates(found);
    if roots.is_empty() {
        return Err(format!("expected PEM certificates in '{}', found none", name(path)));
    }
    if unusable > 0 {
        tracing::warn!(path = %path.display(), unusable, "certificates that can't be read are not trusted");
    }
    Ok(roots)
}

fn name(path: &Path) -> String {
    shown(&path.to_string_lossy())
}

/// The roots that replace the system's, where variables name some. Whoever restricts the roots must not get others
/// instead, so none at all is an error that names the variables.
fn replacing(env: &dyn Env, files: &dyn Files) -> Result<Option<RootCertStore>, String> {
    let file = env.get(REPLACING_FILE).map(|path| (REPLACING_FILE, of_file(files, Path::new(&path))));
    let folder = env.get(REPLACING_FOLDER).map(|path| (REPLACING_FOLDER, of_folder(Path::new(&path))));
    let mut roots = RootCertStore::empty();
    let mut wrong = Vec::new();
    for (variable, found) in [file, folder].into_iter().flatten() {
        match found {
            Ok(found) => roots.roots.extend(found.roots),
            Err(sentence) => wrong.push(format!("{variable}: {sentence}")),
        }
    }
    match (roots.is_empty(), wrong.is_empty()) {
        (true, true) => Ok(None),
        (true, false) => Err(wrong.join("; ")),
        (false, is_well) => {
            if !is_well {
                tracing::warn!("{}; only the other variable's certificates are trusted", wrong.join("; "));
            }
            Ok(Some(roots))
        }
    }
}

/// The system's, else Mozilla's.
fn system() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    }
    roots
}

/// All trusted roots, or a sentence that names the setting which could not be read.
pub(super) fn load(env: &dyn Env, files: &dyn Files) -> Result<RootCertStore, String> {
    let mut roots = replacing(env, files)?.unwrap_or_else(system);
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
