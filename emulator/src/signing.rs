//! The keys that sign tokens, and the sets of public keys that verify them.
//!
//! A key is made at each start and kept in memory only: no token of one run is good in another.

use std::fmt;

use jsonwebtoken::{
    Algorithm, EncodingKey, Header, encode,
    jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash},
};
use rsa::{RsaPrivateKey, pkcs1::EncodeRsaPrivateKey, rand_core::OsRng, traits::PublicKeyParts};
use serde::Serialize;

use crate::jwt::PublicKey;

const BITS: usize = 2048;

/// An RSA key with the name that JWT headers call it by.
pub(crate) struct Signer {
    key: EncodingKey,
    header: Header,
    public: JwkSet,
    verifying: PublicKey,
}

impl Signer {
    /// A new key; takes a moment of computing.
    pub(crate) fn new() -> Result<Self, String> {
        let key = new_key()?;
        let verifying = PublicKey::Numbers { n: key.n().to_bytes_be(), e: key.e().to_bytes_be() };
        let der = key.to_pkcs1_der().map_err(|error| error.to_string())?;
        let key = EncodingKey::from_rsa_der(der.as_bytes());
        let mut public = Jwk::from_encoding_key(&key, Algorithm::RS256).map_err(|error| error.to_string())?;
        let kid = public.thumbprint(ThumbprintHash::SHA256);
        public.common.key_id = Some(kid.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(kid);
        Ok(Self { key, header, public: JwkSet { keys: vec![public] }, verifying })
    }

    /// A JWT of those claims.
    pub(crate) fn sign(&self, claims: &impl Serialize) -> Option<String> {
        encode(&self.header, claims, &self.key).ok()
    }

    pub(crate) fn public(&self) -> &JwkSet {
        &self.public
    }

    /// What verifies this key's signatures.
    pub(crate) fn key(&self) -> &PublicKey {
        &self.verifying
    }

    /// The name of the key in JWT headers.
    pub(crate) fn kid(&self) -> &str {
        self.header.kid.as_deref().unwrap_or_default()
    }
}

/// A new RSA key; takes a moment of computing.
pub(crate) fn new_key() -> Result<RsaPrivateKey, String> {
    RsaPrivateKey::new(&mut OsRng, BITS).map_err(|error| error.to_string())
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("kid", &self.header.kid).finish_non_exhaustive()
    }
}
