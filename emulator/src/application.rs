//! The certificate that an application signs its assertions with, in the forms that SDKs read.

use std::{
    io,
    path::{Path, PathBuf},
};

use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use rcgen::{CertificateParams, IsCa, KeyPair, KeyUsagePurpose};
use rsa::pkcs8::EncodePrivateKey;
use rustls::pki_types::PrivatePkcs8KeyDer;

use crate::{
    certificates::{authority, name, put},
    registered::Registered,
    signing::new_key,
};

/// Of the PKCS#12 file.
pub(crate) const PASSWORD: &str = "emulator-pfx-password";

/// A key, a certificate for it, and another one for the same subject by the same authority.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) registered: Registered,
    pem: String,
    successor_pem: String,
    pfx: Vec<u8>,
}

/// Where they are.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub(crate) pem: PathBuf,
    pub(crate) successor: PathBuf,
    pub(crate) pfx: PathBuf,
}

impl Application {
    /// A new one; takes a moment of computing.
    pub(crate) fn new(now: i64) -> Result<Self, String> {
        Self::make(now).map_err(|error| error.to_string())
    }

    fn make(now: i64) -> Result<Self, Box<dyn std::error::Error>> {
        let der = new_key()?.to_pkcs8_der()?;
        let key = KeyPair::try_from(&PrivatePkcs8KeyDer::from(der.as_bytes()))?;
        let (issuer, ca) = authority(now, "azcred emulator application CA")?;
        let mut params = CertificateParams::new(Vec::new())?;
        name(&mut params, now, "emulator-application");
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let leaf = params.signed_by(&key, &issuer)?;
        // rcgen derives serial numbers from keys: without one of its own it would be the same.
        params.serial_number = Some(vec![2].into());
        let successor = params.signed_by(&key, &issuer)?;

        let chain = [leaf.der(), ca.der()];
        let certificates = chain.map(|der| Certificate::from_der(der));
        let certificates = certificates.into_iter().collect::<Result<Vec<_>, _>>()?;
        let chained = PrivateKeyChain::new("1", PrivateKey::from_der(der.as_bytes())?, certificates);
        let mut store = KeyStore::new();
        store.add_entry("emulator", KeyStoreEntry::PrivateKeyChain(chained));
        let pem = |leaf: &rcgen::Certificate| key.serialize_pem() + &leaf.pem() + &ca.pem();
        Ok(Self {
            registered: Registered::from_chain(chain.map(|der| der.to_vec()).to_vec())?,
            pem: pem(&leaf),
            successor_pem: pem(&successor),
            pfx: store.writer(PASSWORD).write()?,
        })
    }

    /// Writes `application.pem`, `application-successor.pem` and `application.pfx`.
    pub(crate) fn write(&self, dir: &Path) -> Result<Files, (PathBuf, io::Error)> {
        Ok(Files {
            pem: put(dir, "application.pem", self.pem.as_bytes(), 0o600)?,
            successor: put(dir, "application-successor.pem", self.successor_pem.as_bytes(), 0o600)?,
            pfx: put(dir, "application.pfx", &self.pfx, 0o600)?,
        })
    }
}
