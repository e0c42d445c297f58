//! A private key in PKCS#8, encrypted as PKCS#12 files once were: with SHA-1 and Triple DES or RC2.
//!
//! The reader of PKCS#12 knows those ways and shows them to nobody, so the key is given to it in a file made around it.

use p12_keystore::Pkcs12Archive;
use pkcs8::ObjectIdentifier;
use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::{self, Decode as _, Reader as _, SliceReader};
use pkcs8::spki::AlgorithmIdentifierRef;

use super::private_key::{PrivateKey, WRONG_PASSWORD};
use crate::token::Secret;

/// With a key of 168 bits of Triple DES, and of 40 bits of RC2.
const SCHEMES: [ObjectIdentifier; 2] =
    [ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.3"), ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.6")];

/// `id-data` and `pkcs8ShroudedKeyBag` of RFC 7292, as DER.
const DATA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const SHROUDED: &[u8] = &[0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x02];

const SEQUENCE: u8 = 0x30;
const OCTETS: u8 = 0x04;
const EXPLICIT: u8 = 0xa0;

/// How many rounds the key of an `EncryptedPrivateKeyInfo` takes, if it is encrypted in one of these ways.
pub(super) fn rounds(der: &[u8]) -> Option<u32> {
    let mut reader = SliceReader::new(der).ok()?;
    let scheme = reader.sequence(|reader| -> der::Result<_> {
        let scheme = AlgorithmIdentifierRef::decode(reader)?;
        <&OctetStringRef>::decode(reader)?;
        Ok(scheme)
    });
    let scheme = scheme.ok().filter(|scheme| SCHEMES.contains(&scheme.oid))?;
    let rounds = scheme.parameters?.sequence(|reader| -> der::Result<u32> {
        <&OctetStringRef>::decode(reader)?;
        u32::decode(reader)
    });
    rounds.ok()
}

/// The key of an `EncryptedPrivateKeyInfo` for which [`rounds`] gives some.
pub(super) fn decrypt(der: &[u8], password: &Secret) -> Result<PrivateKey, String> {
    let wrong = || format!("the private key {WRONG_PASSWORD}");
    let archive = Pkcs12Archive::from_pkcs12(&file(der), password.expose()).map_err(|_| wrong())?;
    let key = archive.keys.first().ok_or_else(wrong)?;
    PrivateKey::from_pkcs8(key.key.as_der())
}

/// A PKCS#12 file with this key and nothing else.
fn file(key: &[u8]) -> Vec<u8> {
    let bag = of(SEQUENCE, &[SHROUDED, &of(EXPLICIT, &[key])]);
    let content = |inner: &[u8]| of(SEQUENCE, &[DATA, &of(EXPLICIT, &[&of(OCTETS, &[inner])])]);
    let contents = content(&of(SEQUENCE, &[&bag]));
    let version = [0x02, 0x01, 0x03];
    of(SEQUENCE, &[&version, &content(&of(SEQUENCE, &[&contents]))])
}

/// A value of DER.
fn of(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len().to_be_bytes();
    let bytes = length.iter().skip_while(|byte| **byte == 0);
    let mut value = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => value.push(short),
        _ => {
            value.push(0x80 | u8::try_from(bytes.clone().count()).unwrap_or(0));
            value.extend(bytes);
        }
    }
    value.extend(content);
    value
}
