//! One RSA private key, out of the encodings that files hold.

use pkcs8::ObjectIdentifier;
use pkcs8::der::asn1::UintRef;
use pkcs8::der::{Reader as _, SliceReader};
use pkcs8::pkcs5::{self, EncryptionScheme, pbes2::Kdf};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use ring::rsa::KeyPair;
use zeroize::Zeroizing;

use super::pbes1;
use crate::token::Secret;

/// What Entra ID takes and ring signs with, in bits.
const SIZES: std::ops::RangeInclusive<usize> = 2048..=4096;
/// The most that deriving a key from a password may cost, so that a damaged file can't hold the process up.
const MOST_ROUNDS: u32 = 1_000_000;
const MOST_MEMORY: u64 = 256 << 20;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const OTHERS: [(ObjectIdentifier, &str); 5] = [
    (ObjectIdentifier::new_unwrap("1.2.840.10045.2.1"), "an EC key"),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10"), "a key for RSASSA-PSS alone"),
    (ObjectIdentifier::new_unwrap("1.3.101.112"), "an Ed25519 key"),
    (ObjectIdentifier::new_unwrap("1.3.101.113"), "an Ed448 key"),
    (ObjectIdentifier::new_unwrap("1.2.840.10040.4.1"), "a DSA key"),
];

pub(super) const WRONG_PASSWORD: &str = "can't be decrypted: the password is wrong, or the file is damaged";

/// The key as `RSAPrivateKey` of PKCS#1, which is what all encodings have inside.
#[derive(PartialEq)]
pub(super) struct PrivateKey(Zeroizing<Vec<u8>>);

impl PrivateKey {
    /// From PKCS#1, `RSA PRIVATE KEY`.
    pub(super) fn from_pkcs1(der: &[u8]) -> PrivateKey {
        PrivateKey(Zeroizing::new(der.to_vec()))
    }

    /// From PKCS#8, `PRIVATE KEY`.
    pub(super) fn from_pkcs8(der: &[u8]) -> Result<PrivateKey, String> {
        let info = PrivateKeyInfoRef::try_from(der).map_err(|_| damaged())?;
        match info.algorithm.oid {
            RSA => Ok(PrivateKey::from_pkcs1(info.private_key.as_bytes())),
            oid => {
                let known = OTHERS.iter().find(|(other, _)| *other == oid);
                Err(not_rsa(known.map_or("a key of another kind", |(_, name)| name)))
            }
        }
    }

    /// From PKCS#8, `ENCRYPTED PRIVATE KEY`.
    pub(super) fn from_encrypted(der: &[u8], password: Option<&Secret>) -> Result<PrivateKey, String> {
        let costly = || "the private key's encryption takes more rounds or memory than azcred spends on it".to_owned();
        let password = || password.ok_or("the private key is encrypted: expected a password, got none");
        if let Some(rounds) = pbes1::rounds(der) {
            return if rounds > MOST_ROUNDS { Err(costly()) } else { pbes1::decrypt(der, password()?) };
        }
        let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| unreadable_scheme())?;
        let EncryptionScheme::Pbes2(scheme) = &info.encryption_algorithm else {
            return Err(unreadable_scheme());
        };
        if !is_affordable(&scheme.kdf) {
            return Err(costly());
        }
        let password = password()?;
        let wrong = || format!("the private key {WRONG_PASSWORD}");
        let mut bytes = Zeroizing::new(info.encrypted_data.as_bytes().to_vec());
        let plain = scheme.decrypt_in_place(password.expose(), &mut bytes).map_err(|error| match error {
            pkcs5::Error::DecryptFailed => wrong(),
            _ => unreadable_scheme(),
        })?;
        // One wrong password in 256 gives bytes that end as padding does.
        PrivateKeyInfoRef::try_from(plain).map_err(|_| wrong())?;
        PrivateKey::from_pkcs8(plain)
    }

    /// The key to sign with. It is ring's: ring keeps the numbers in memory of its own, which it does not wipe.
    pub(super) fn pair(&self) -> Result<KeyPair, String> {
        let (bits, exponent_fits) = self.measure().ok_or_else(damaged)?;
        if !SIZES.contains(&bits) {
            let (least, most) = (SIZES.start(), SIZES.end());
            return Err(format!("expected an RSA key of {least} to {most} bits, got one of {bits}"));
        }
        if !exponent_fits {
            return Err("expected an RSA key with the public exponent 65537, got one with a smaller".to_owned());
        }
        KeyPair::from_der(&self.0).map_err(|refused| format!("the RSA key is not a good one: {refused}"))
    }

    /// The key's bytes, for a hash over them.
    pub(super) fn der(&self) -> &[u8] {
        &self.0
    }

    /// How many bits the modulus has, and whether the exponent is at least 65537.
    fn measure(&self) -> Option<(usize, bool)> {
        let numbers = |reader: &mut SliceReader<'_>| -> pkcs8::der::Result<(usize, bool)> {
            reader.sequence(|reader| {
                reader.decode::<UintRef<'_>>()?;
                let modulus = reader.decode::<UintRef<'_>>()?.as_bytes();
                let exponent = reader.decode::<UintRef<'_>>()?.as_bytes();
                reader.drain(reader.remaining_len())?;
                let zeros = modulus.first().map_or(0, |first| first.leading_zeros() as usize);
                Ok((modulus.len() * 8 - zeros, exponent.len() >= 3))
            })
        };
        numbers(&mut SliceReader::new(&self.0).ok()?).ok()
    }
}

/// The sentence about a key that is no RSA key; `got` names it with its article.
pub(super) fn not_rsa(got: &str) -> String {
    format!("expected an RSA key, got {got}")
}

/// Whether these bytes are some private key by themselves, encrypted or not.
pub(super) fn is_lone(der: &[u8]) -> bool {
    PrivateKeyInfoRef::try_from(der).is_ok()
        || EncryptedPrivateKeyInfoRef::try_from(der).is_ok()
        || PrivateKey::from_pkcs1(der).measure().is_some()
}

fn is_affordable(kdf: &Kdf) -> bool {
    match kdf {
        Kdf::Pbkdf2(cost) => cost.iteration_count <= MOST_ROUNDS,
        Kdf::Scrypt(cost) => 128_u64
            .checked_mul(cost.cost_parameter)
            .and_then(|memory| memory.checked_mul(cost.block_size.into()))
            .and_then(|memory| memory.checked_mul(cost.parallelization.into()))
            .is_some_and(|memory| memory <= MOST_MEMORY),
        _ => false,
    }
}

fn damaged() -> String {
    "the private key can't be read; is the file damaged?".to_owned()
}

fn unreadable_scheme() -> String {
    "the private key is encrypted in a way that azcred does not read: convert it with 'openssl pkcs8 -topk8'".to_owned()
}
