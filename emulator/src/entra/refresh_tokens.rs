//! Refresh tokens: for one user and one client, whatever the resource.
//!
//! Each use hands out a new one and leaves the old one good, as Entra does.

use axum::response::Response;

use super::{
    authority::Authority,
    caller::{Caller, Demand},
    delegation::{self, Delegation},
    refusal::Refusal,
    scope::Delegated,
    token::required,
};
use crate::{ask::Ask, clock, site::Site, token::new_secret};

/// What a refresh token stands for.
#[derive(Clone, Debug)]
pub(crate) struct Refresh {
    client_id: String,
    object_id: String,
    scopes: Delegated,
    issued: i64,
    revoked: bool,
}

impl Refresh {
    pub(super) fn new(client_id: &str, object_id: &str, scopes: Delegated, issued: i64) -> Self {
        Self { client_id: client_id.to_owned(), object_id: object_id.to_owned(), scopes, issued, revoked: false }
    }

    /// The text that stands for it from now on.
    pub(super) fn hand_out(self, site: &Site, now: i64) -> String {
        let text = format!("1.{}", new_secret());
        // Kept twice as long as it is good, to tell an expired one from an unknown one.
        let forget_at = now + 2 * i64::from(site.config.refresh_token_lifetime);
        site.ledger.refresh_tokens.put(text.clone(), self, now, forget_at);
        text
    }

    /// Takes it back if it is that user's; every user's without one. Whether it was good until now.
    pub(crate) fn revoke(&mut self, object_id: Option<&str>) -> bool {
        let meant = object_id.is_none_or(|id| id == self.object_id) && !self.revoked;
        self.revoked |= meant;
        meant
    }
}

/// `grant_type=refresh_token`.
pub(super) fn redeem(site: &Site, ask: &Ask, authority: Authority<'_>) -> Result<Response, Refusal> {
    let text = required(ask, "refresh_token")?;
    let caller = Caller::identify(site, ask, authority, Demand::OfItsKind)?;
    let unknown = || Refusal::bad_grant("refresh_token");
    let refresh = site.ledger.refresh_tokens.with(text, |one| one.clone()).ok_or_else(unknown)?;
    if !refresh.client_id.eq_ignore_ascii_case(&caller.app.client_id) {
        return Err(unknown());
    }
    if refresh.revoked {
        return Err(Refusal::refresh_token_revoked());
    }
    let lifetime = site.config.refresh_token_lifetime;
    if refresh.issued + i64::from(lifetime) <= clock::unix_seconds() {
        return Err(Refusal::refresh_token_expired(refresh.issued, lifetime));
    }
    let user = site.config.user_by_object_id(&refresh.object_id).ok_or_else(unknown)?;
    let scopes = delegation::scopes(ask.form.get("scope").unwrap_or_default())?.after(&refresh.scopes);
    Delegation { caller, user, scopes, nonce: None }.answer(site, ask)
}
