//! Who a token speaks for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::Grant;

/// A tenant and an object in it.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(super) struct Subject {
    pub(super) tid: String,
    pub(super) oid: String,
}

impl Subject {
    /// Reads a token's claims without checking them: they are compared, not trusted.
    pub(super) fn of(grant: &Grant) -> Option<Subject> {
        let claims = grant.text.expose().split('.').nth(1)?;
        let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&claims).ok()
    }
}
