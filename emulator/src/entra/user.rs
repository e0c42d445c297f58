//! Users with a password: the grant for it, and what kind of account a name has.

use std::sync::Arc;

use axum::{Extension, extract::State, http::StatusCode, response::Response};
use serde_json::json;

use super::{
    authority::Authority,
    caller::{Caller, Demand},
    delegation::{self, Delegation},
    refusal::Refusal,
    token::required,
};
use crate::{answer, ask::Ask, identities::same, site::Site};

/// `grant_type=password`.
pub(super) fn sign_in(site: &Site, ask: &Ask, authority: Authority<'_>) -> Result<Response, Refusal> {
    let username = required(ask, "username")?;
    let password = required(ask, "password")?;
    let scopes = delegation::scopes(required(ask, "scope")?)?;
    let caller = Caller::identify(site, ask, authority, Demand::OfItsKind)?;
    let user = site.config.user(username).filter(|user| authority.admits(user));
    let user = user.ok_or_else(|| Refusal::unknown_user(ask.tenant()))?;
    if !same(user.password.as_bytes(), password.as_bytes()) {
        return Err(Refusal::wrong_password());
    }
    if user.mfa {
        return Err(Refusal::mfa_required());
    }
    Delegation { caller, user, scopes, nonce: None }.answer(site, ask)
}

/// `GET /common/userrealm/{user}`: accounts of the tenants' domains are managed here.
pub(crate) async fn realm(State(site): State<Arc<Site>>, Extension(ask): Extension<Arc<Ask>>) -> Response {
    let name = ask.path.rsplit('/').next().unwrap_or_default().replace("%40", "@");
    let domain = name.rsplit_once('@').map_or("", |(_, domain)| domain);
    let url = site.entra_url(&ask.headers);
    let document = if site.config.tenant(domain).is_some() {
        json!({
            "ver": "1.0",
            "account_type": "Managed",
            "domain_name": domain,
            "cloud_instance_name": url.strip_prefix("https://"),
            "cloud_audience_urn": "urn:federation:MicrosoftOnline",
        })
    } else {
        json!({"ver": "1.0", "account_type": "Unknown"})
    };
    answer::json(StatusCode::OK, &document)
}
