//! A certificate with its RSA private key: what an application signs its assertions with.
//!
//! The key's bytes are wiped when the file is read, except for two copies that belong to libraries: ring's, which lives
//! as long as the [`Certificate`], and those that p12-keystore makes of what it decrypts. Dates, chains of trust and uses
//! are not checked: that is for Entra ID, which knows what is registered.

mod bundle;
mod pbes1;
mod pem;
mod private_key;
#[cfg(test)]
mod tests;

use std::fmt;

use ring::digest::{self, Digest, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding};
use x509_parser::certificate::X509Certificate;

use crate::token::Secret;
use bundle::Bundle;

/// The most that a file may hold, in bytes.
pub(crate) const LARGEST: usize = 1 << 20;

/// How to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// RSASSA-PSS with SHA-256 and a salt of 32 bytes.
    Ps256,
    /// RSASSA-PKCS1-v1.5 with SHA-256.
    Rs256,
}

/// A private key, the certificate that belongs to it, and the certificates that came with it.
pub(crate) struct Certificate {
    key: KeyPair,
    leaf: Vec<u8>,
    others: Vec<Vec<u8>>,
    identity: String,
}

impl Certificate {
    /// Reads PEM or PKCS#12. The error is a sentence that fits behind the option's name.
    pub(crate) fn parse(data: &[u8], password: Option<&Secret>) -> Result<Certificate, String> {
        if data.len() > LARGEST {
            return Err(format!("expected a certificate file of at most {LARGEST} bytes, got {}", data.len()));
        }
        let bundle = Bundle::read(data, password)?;
        let [key] = bundle.keys.as_slice() else {
            return Err(format!("expected one private key, got {}", bundle.keys.len()));
        };
        let pair = key.pair()?;
        let mut parsed = Vec::with_capacity(bundle.certificates.len());
        for (at, der) in bundle.certificates.iter().enumerate() {
            match x509_parser::parse_x509_certificate(der) {
                Ok(([], certificate)) => parsed.push((der, certificate)),
                _ => return Err(format!("certificate {} can't be read; is the file damaged?", at + 1)),
            }
        }
        let public = pair.public().as_ref();
        let own =
            |(_, certificate): &(_, X509Certificate<'_>)| certificate.public_key().subject_public_key.data == public;
        let Some(at) = parsed.iter().position(own) else {
            return Err(match parsed.len() {
                1 => "the certificate does not belong to the private key".to_owned(),
                count => format!("none of the {count} certificates belongs to the private key"),
            });
        };
        let leaf = parsed.remove(at);
        Ok(Certificate {
            identity: identity(key.der(), leaf.0),
            key: pair,
            leaf: leaf.0.clone(),
            others: ordered(&leaf.1, parsed),
        })
    }

    /// Signs a message. It takes a millisecond or two of computing.
    pub(crate) fn sign(&self, message: &[u8], algorithm: Algorithm) -> Result<Vec<u8>, String> {
        let encoding: &'static dyn RsaEncoding = match algorithm {
            Algorithm::Ps256 => &RSA_PSS_SHA256,
            Algorithm::Rs256 => &RSA_PKCS1_SHA256,
        };
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(encoding, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| "the private key can't sign, or the system has no randomness".to_owned())?;
        Ok(signature)
    }

    /// SHA-256 of the certificate.
    pub(crate) fn thumbprint_sha256(&self) -> Digest {
        digest::digest(&SHA256, &self.leaf)
    }

    /// SHA-1 of the certificate: a name for it, not a protection.
    pub(crate) fn thumbprint_sha1(&self) -> Digest {
        digest::digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.leaf)
    }

    /// All certificates as DER: the key's own, its issuer, and so on; those that don't link up come last.
    pub(crate) fn chain(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(&self.leaf).chain(&self.others).map(Vec::as_slice)
    }

    /// What tells this key and certificate from others, for fingerprints: who lacks the key can't name it.
    pub(crate) fn identity(&self) -> &str {
        &self.identity
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thumbprint = hex(self.thumbprint_sha1().as_ref());
        f.debug_struct("Certificate").field("thumbprint", &thumbprint).finish_non_exhaustive()
    }
}

/// The issuer of `leaf`, the issuer's issuer, and so on by their names; then the rest in its order.
fn ordered(leaf: &X509Certificate<'_>, mut rest: Vec<(&Vec<u8>, X509Certificate<'_>)>) -> Vec<Vec<u8>> {
    let mut ordered = Vec::with_capacity(rest.len());
    let mut wanted = leaf.issuer().as_raw().to_vec();
    while let Some(at) = rest.iter().position(|(_, one)| one.subject().as_raw() == wanted) {
        let (der, issuer) = rest.remove(at);
        wanted = issuer.issuer().as_raw().to_vec();
        ordered.push(der.clone());
    }
    ordered.extend(rest.into_iter().map(|(der, _)| der.clone()));
    ordered
}

fn identity(key: &[u8], leaf: &[u8]) -> String {
    let mut context = digest::Context::new(&SHA256);
    // Both are DER, which says where it ends.
    context.update(key);
    context.update(leaf);
    hex(context.finish().as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}
