//! Authorization codes: good once, for one client, one address and whoever knows the verifier.

use axum::response::Response;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    authority::Authority,
    caller::{Caller, Demand},
    delegation::{self, Delegation},
    refusal::Refusal,
    scope::Delegated,
    token::required,
};
use crate::{ask::Ask, clock, identities::same, registered::sha256, site::Site, token::new_secret};

/// What a code stands for.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) object_id: String,
    pub(super) scopes: Delegated,
    pub(super) nonce: Option<String>,
    pub(super) challenge: Option<Challenge>,
    pub(super) expires: i64,
    pub(super) redeemed: bool,
}

/// What the verifier has to match.
#[derive(Clone, Debug)]
pub(super) enum Challenge {
    Plain(String),
    Sha256(String),
}

impl Challenge {
    fn is_met_by(&self, verifier: &str) -> bool {
        match self {
            Self::Plain(text) => same(text.as_bytes(), verifier.as_bytes()),
            Self::Sha256(text) => {
                let digest = URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()));
                same(text.trim_end_matches('=').as_bytes(), digest.as_bytes())
            }
        }
    }
}

impl Code {
    /// The text that stands for it from now on.
    pub(super) fn hand_out(self, site: &Site, now: i64) -> String {
        let text = format!("1.{}", new_secret());
        // Kept longer than it is good, to tell an expired one from an unknown one.
        let forget_at = self.expires + 3600;
        site.ledger.codes.put(text.clone(), self, now, forget_at);
        text
    }
}

/// `grant_type=authorization_code`.
pub(super) fn redeem(site: &Site, ask: &Ask, authority: Authority<'_>) -> Result<Response, Refusal> {
    let text = required(ask, "code")?;
    let address = required(ask, "redirect_uri")?;
    let caller = Caller::identify(site, ask, authority, Demand::OfItsKind)?;
    let unknown = || Refusal::bad_grant("code");
    let code = site.ledger.codes.with(text, |one| one.clone()).ok_or_else(unknown)?;
    if !code.client_id.eq_ignore_ascii_case(&caller.app.client_id) {
        return Err(unknown());
    }
    if code.redeemed {
        return Err(Refusal::code_redeemed());
    }
    if code.expires <= clock::unix_seconds() {
        return Err(Refusal::code_expired());
    }
    if code.redirect_uri != address {
        return Err(Refusal::other_reply_address());
    }
    let verifier = ask.form.get("code_verifier");
    match (&code.challenge, verifier) {
        (None, None) => {}
        (Some(challenge), Some(verifier)) if challenge.is_met_by(verifier) => {}
        _ => return Err(Refusal::wrong_verifier()),
    }
    let user = site.config.user_by_object_id(&code.object_id).ok_or_else(unknown)?;
    let scopes = delegation::scopes(ask.form.get("scope").unwrap_or_default())?.after(&code.scopes);
    // Of two who come at once, one is told that he is late.
    if site.ledger.codes.with(text, |one| std::mem::replace(&mut one.redeemed, true)) != Some(false) {
        return Err(Refusal::code_redeemed());
    }
    Delegation { caller, user, scopes, nonce: code.nonce.as_deref() }.answer(site, ask)
}

#[cfg(test)]
mod tests {
    use super::Challenge;

    #[test]
    fn the_verifier_of_the_standard_meets_its_challenge() {
        const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = Challenge::Sha256("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned());
        assert!(challenge.is_met_by(VERIFIER) && !challenge.is_met_by("other"));
        let plain = Challenge::Plain("abc".to_owned());
        assert!(plain.is_met_by("abc") && !plain.is_met_by("abcd"));
    }
}
