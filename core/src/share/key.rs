//! Which entry of the store is meant: what its file is called, what it is sealed with, and where its locks are.

use ring::{digest, hmac};
use zeroize::Zeroizing;

use crate::fingerprint::Fingerprint;

/// The name of an entry. Made of an identity's fingerprint, so that who lacks the identity's secret can't make it.
pub(crate) struct Key {
    owner: Fingerprint,
    /// Owner, tenant, scopes and CAE flag, each with its length.
    full: Zeroizing<Vec<u8>>,
    name: String,
    lock: i64,
}

/// How many places in the file of locks one key has.
const PLACES: i64 = 256;

impl Key {
    pub(crate) fn new(owner: &Fingerprint, tenant: Option<&str>, scopes: &str, cae: bool) -> Key {
        let mut full = Zeroizing::new(Vec::with_capacity(128));
        let (has_tenant, cae) = ([u8::from(tenant.is_some())], [u8::from(cae)]);
        for part in
            [owner.bytes().as_slice(), &has_tenant, tenant.unwrap_or_default().as_bytes(), scopes.as_bytes(), &cae]
        {
            full.extend_from_slice(&(part.len() as u64).to_le_bytes());
            full.extend_from_slice(part);
        }
        let named = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, owner.bytes()), &full);
        let name = hex(named.as_ref().get(..16).unwrap_or_default());
        // Of the name: whoever may lock is whoever may open.
        let lock = digest::digest(&digest::SHA256, name.as_bytes());
        let lock = lock.as_ref().first_chunk().map_or(0, |first| i64::from_le_bytes(*first));
        Key { owner: *owner, full, name, lock: (lock & (i64::MAX >> 8)) * PLACES }
    }

    /// The file.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whose it is.
    pub(super) fn owner(&self) -> &Fingerprint {
        &self.owner
    }

    /// The secret that its seal is made of.
    pub(super) fn secret(&self) -> &[u8; 32] {
        self.owner.bytes()
    }

    /// Everything that it is made of.
    pub(super) fn full(&self) -> &[u8] {
        &self.full
    }

    /// The place of a rung: who asks upstream after so many stalled.
    pub(super) fn rung(&self, rung: u8) -> i64 {
        self.lock + i64::from(rung.min(254))
    }

    /// The place of whoever replaces the entry.
    pub(super) fn commit(&self) -> i64 {
        self.lock + PLACES - 1
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(nibble.into(), 16).unwrap_or('0'));
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_makes_another_key() {
        let (one, other) = (Fingerprint::of("a", &[]), Fingerprint::of("b", &[]));
        let all = [
            Key::new(&one, None, "x", false),
            Key::new(&one, None, "x", true),
            Key::new(&one, Some(""), "x", false),
            Key::new(&one, Some("x"), "", false),
            Key::new(&one, None, "x y", false),
            Key::new(&other, None, "x", false),
        ];
        for (at, key) in all.iter().enumerate() {
            assert_eq!(all.iter().filter(|other| other.name() == key.name()).count(), 1, "{at}");
            assert_eq!(all.iter().filter(|other| other.full() == key.full()).count(), 1, "{at}");
            assert!(key.rung(0) >= 0 && key.rung(255) < key.commit() && key.commit() - key.rung(0) == 255);
        }
    }

    /// Two versions on a host share as long as this holds.
    #[test]
    fn golden() {
        let owner = Fingerprint::of("ManagedIdentityCredential", &["imds", "http://169.254.169.254", "system", ""]);
        let key = Key::new(&owner, None, "https://storage.azure.com/.default", false);
        assert_eq!(hex(owner.bytes()), "5b38929b6e4353bc308a338f4041cd876b5f50d56dc0d88ca93ec9750d10ee45");
        assert_eq!(key.name(), "7a7dec4a376f540cf3b1eeaaeeec3749");
        assert_eq!(key.rung(0), 2_276_148_634_131_653_888);
    }
}
