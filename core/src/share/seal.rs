//! The envelope of what the store holds: a label that anyone of this user may read, and a sealed body.
//!
//! `azcred1\n`, the label's length (4 bytes, little-endian), the label (JSON), a salt of 32 bytes, and the body (JSON) under
//! AES-256-GCM (NIST SP 800-38D). The key is used once: HKDF-SHA256 (RFC 5869) makes it of the owner's secret and the salt.
//! Everything around the body is authenticated with it: the label, the full key, the file's name, the boot.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use zeroize::Zeroizing;

use super::key::Key;

const MAGIC: &[u8; 8] = b"azcred1\n";
const SALT: usize = 32;

/// The label of an envelope, unauthenticated.
pub(super) fn label(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.strip_prefix(MAGIC)?.split_first_chunk()?;
    rest.get(..usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

/// What tells one envelope from all others.
pub(super) fn salt(bytes: &[u8]) -> Option<&[u8; SALT]> {
    let label = label(bytes)?;
    bytes.get(MAGIC.len() + 4 + label.len()..)?.first_chunk()
}

/// Puts a body into an envelope. None where the system's cryptography fails.
pub(super) fn seal(key: &Key, file: &str, boot: &str, salt: &[u8; SALT], label: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    let mut sealed = Vec::with_capacity(MAGIC.len() + 4 + label.len() + SALT + body.len() + 16);
    sealed.extend_from_slice(MAGIC);
    sealed.extend_from_slice(&u32::try_from(label.len()).ok()?.to_le_bytes());
    sealed.extend_from_slice(label);
    sealed.extend_from_slice(salt);
    let around = around(key, file, boot, &sealed);
    let mut body = Zeroizing::new(body.to_vec());
    let tag = cipher(key, salt)?.seal_in_place_separate_tag(once(), Aad::from(&*around), &mut body).ok()?;
    sealed.extend_from_slice(&body);
    sealed.extend_from_slice(tag.as_ref());
    Some(sealed)
}

/// Takes the body out. None for whatever is not as it was sealed, or was sealed by somebody else, for another name, or
/// before the host started.
pub(super) fn open(key: &Key, file: &str, boot: &str, bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let salt = salt(bytes)?;
    let (head, body) = bytes.split_at_checked(MAGIC.len() + 4 + label(bytes)?.len() + SALT)?;
    let mut body = Zeroizing::new(body.to_vec());
    let length =
        cipher(key, salt)?.open_in_place(once(), Aad::from(&*around(key, file, boot, head)), &mut body).ok()?.len();
    body.truncate(length);
    Some(body)
}

/// A key that is used once needs no other nonce.
fn once() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

fn cipher(key: &Key, salt: &[u8; SALT]) -> Option<LessSafeKey> {
    let secret = Salt::new(HKDF_SHA256, salt).extract(key.secret());
    let mut bytes = Zeroizing::new([0; 32]);
    secret.expand(&[b"azcred store v1"], HKDF_SHA256).ok()?.fill(&mut *bytes).ok()?;
    UnboundKey::new(&AES_256_GCM, &*bytes).ok().map(LessSafeKey::new)
}

fn around(key: &Key, file: &str, boot: &str, head: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut around = Zeroizing::new(Vec::with_capacity(head.len() + key.full().len() + file.len() + boot.len() + 32));
    for part in [head, key.full(), file.as_bytes(), boot.as_bytes()] {
        around.extend_from_slice(&(part.len() as u64).to_le_bytes());
        around.extend_from_slice(part);
    }
    around
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::Fingerprint;
    use crate::share::key::hex;

    fn key(owner: &str) -> Key {
        Key::new(&Fingerprint::of(owner, &[]), None, "scope", false)
    }

    #[test]
    fn any_change_is_noticed() {
        let key = key("a");
        let sealed = seal(&key, "file", "boot", &[7; SALT], b"{}", b"body").unwrap();
        assert_eq!(open(&key, "file", "boot", &sealed).unwrap().as_slice(), b"body");
        assert_eq!(label(&sealed), Some(b"{}".as_slice()));
        assert_eq!(salt(&sealed), Some(&[7; SALT]));
        for at in 0..sealed.len() {
            assert!(open(&key, "file", "boot", &sealed[..at]).is_none(), "cut at {at}");
            for bit in 0..8 {
                let mut changed = sealed.clone();
                changed[at] ^= 1 << bit;
                assert!(open(&key, "file", "boot", &changed).is_none(), "bit {bit} of {at}");
            }
        }
        assert!(open(&key, "other", "boot", &sealed).is_none());
        assert!(open(&key, "file", "later", &sealed).is_none());
        assert!(open(&super::tests::key("b"), "file", "boot", &sealed).is_none(), "another secret");
        let longer = [sealed.as_slice(), b"x"].concat();
        assert!(open(&key, "file", "boot", &longer).is_none());
    }

    /// Two versions on a host share as long as this holds.
    #[test]
    fn golden() {
        let sealed = seal(&key("a"), "file", "boot", &[7; SALT], b"{}", b"body").unwrap();
        let expected = "617a63726564310a020000007b7d0707070707070707070707070707070707070707070707070707070707070707\
            c9bc545bc4c0b6c13fa220069665a414b54099d2";
        assert_eq!(hex(&sealed), expected);
    }
}
