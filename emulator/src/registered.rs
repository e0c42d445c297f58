//! The certificates that an application may sign with: by thumbprint, or by subject and issuer.

use std::fmt;

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

use crate::jwt::PublicKey;

/// A certificate registered with an application, and the authorities that may issue its successors.
#[derive(Clone)]
pub(crate) struct Registered {
    leaf: Vec<u8>,
    issuers: Vec<Vec<u8>>,
    key: PublicKey,
}

impl Registered {
    /// A PEM text: the certificate, then, if successors with the same subject are to be accepted,
    /// the authorities that issue them.
    pub(crate) fn from_pem(text: &str) -> Result<Self, String> {
        let mut ders = Vec::new();
        for der in CertificateDer::pem_slice_iter(text.as_bytes()) {
            ders.push(der.map_err(|error| error.to_string())?.to_vec());
        }
        Self::from_chain(ders)
    }

    /// The same from DER, leaf first.
    pub(crate) fn from_chain(ders: Vec<Vec<u8>>) -> Result<Self, String> {
        let mut ders = ders.into_iter();
        let leaf = ders.next().ok_or("has no certificate")?;
        let key = key(&leaf).ok_or("is no certificate with an RSA key")?;
        Ok(Self { leaf, issuers: ders.collect(), key })
    }

    pub(crate) fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Whether `thumbprint` is the SHA-1 or SHA-256 of this certificate.
    pub(crate) fn is_called(&self, thumbprint: &[u8]) -> bool {
        sha1(&self.leaf) == thumbprint || sha256(&self.leaf) == thumbprint
    }

    /// Whether `kid` is the SHA-1 of this certificate in hexadecimal digits.
    pub(crate) fn answers_to(&self, kid: &str) -> bool {
        kid.eq_ignore_ascii_case(&thumbprint(&self.leaf))
    }

    /// Whether `leaf` is this very certificate.
    pub(crate) fn is(&self, leaf: &[u8]) -> bool {
        self.leaf == leaf
    }

    /// Whether `leaf` has this certificate's subject, one of its issuers signed it, and it is in its time.
    pub(crate) fn is_succeeded_by(&self, leaf: &[u8]) -> bool {
        let (Some(own), Some(new)) = (parse(&self.leaf), parse(leaf)) else {
            return false;
        };
        own.subject().as_raw() == new.subject().as_raw()
            && new.validity().is_valid()
            && self.issuers.iter().filter_map(|der| parse(der)).any(|issuer| {
                issuer.subject().as_raw() == new.issuer().as_raw()
                    && new.verify_signature(Some(issuer.public_key())).is_ok()
            })
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registered({})", thumbprint(&self.leaf))
    }
}

/// The RSA key that a certificate is about.
pub(crate) fn key(der: &[u8]) -> Option<PublicKey> {
    let certificate = parse(der)?;
    let info = certificate.public_key();
    matches!(info.parsed(), Ok(x509_parser::public_key::PublicKey::RSA(_)))
        .then(|| PublicKey::Der(info.subject_public_key.data.to_vec()))
}

/// SHA-1 in upper-case hexadecimal digits, as Azure writes it.
pub(crate) fn thumbprint(der: &[u8]) -> String {
    hex(&sha1(der))
}

/// Upper-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02X}"))
}

pub(crate) fn sha1(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec()
}

pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    X509Certificate::from_der(der).ok().map(|(_, certificate)| certificate)
}
