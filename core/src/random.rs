//! Randomness from the system.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::token::Secret;

/// A random GUID (RFC 9562 version 4), for `client-request-id`.
pub(crate) fn guid() -> String {
    let mut bytes = [0_u8; 16];
    if SystemRandom::new().fill(&mut bytes).is_err() {
        tracing::debug!("the system has no randomness; this request's id is all zeros");
    }
    let mut number = u128::from_be_bytes(bytes);
    number = number & !(0xf << 76) | 0x4 << 76;
    number = number & !(0x3 << 62) | 0x2 << 62;
    let hex = format!("{number:032x}");
    let mut guid = String::with_capacity(36);
    for (at, digit) in hex.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            guid.push('-');
        }
        guid.push(digit);
    }
    guid
}

/// A text that this process gives nobody else, whatever the system's randomness is worth: tells apart what looks the same.
pub(crate) fn unique() -> String {
    static GIVEN: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}", guid(), GIVEN.fetch_add(1, Ordering::Relaxed))
}

/// 32 random bytes, or the sentence that says why there are none.
pub(crate) fn bytes() -> Result<[u8; 32], String> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| "the system has no randomness".to_owned())?;
    Ok(bytes)
}

/// A number from 0 to 1; a half where the system has no randomness.
pub(crate) fn chance() -> f64 {
    let number = bytes().ok().and_then(|bytes| bytes.first_chunk().map(|two| u16::from_le_bytes(*two)));
    number.map_or(0.5, |number| f64::from(number) / f64::from(u16::MAX))
}

/// A random text that nobody guesses.
pub(crate) fn text() -> Result<Secret, String> {
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes()?)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_guid_has_its_form() {
        let guid = super::guid();
        assert_eq!(guid.len(), 36);
        assert_eq!(guid.chars().nth(14), Some('4'));
        assert!(matches!(guid.chars().nth(19), Some('8' | '9' | 'a' | 'b')));
        assert_ne!(guid, super::guid());
        assert_ne!(super::unique().rsplit('-').next(), super::unique().rsplit('-').next());
    }
}
