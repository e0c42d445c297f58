//! On behalf of: a service trades the token that a user's client sent it for one of its own.

use axum::response::Response;

use super::{
    authority::Authority,
    caller::{Caller, Demand},
    delegation::{self, Delegation},
    refusal::Refusal,
    token::required,
};
use crate::{
    ask::Ask,
    clock,
    jwt::Jwt,
    site::Site,
    token::{Proof, issuer},
};

/// `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer`.
pub(super) fn trade(site: &Site, ask: &Ask, authority: Authority<'_>) -> Result<Response, Refusal> {
    match required(ask, "requested_token_use")? {
        "on_behalf_of" => {}
        _ => return Err(Refusal::invalid_parameter("requested_token_use")),
    }
    let text = required(ask, "assertion")?;
    let scopes = delegation::scopes(required(ask, "scope")?)?;
    let caller = Caller::identify(site, ask, authority, Demand::OfItsKind)?;
    // A service that keeps no secret cannot be told from its impostors.
    if matches!(caller.proof, Proof::Nothing) {
        return Err(Refusal::secret_required());
    }
    let jwt = Jwt::read(text).ok_or_else(Refusal::malformed_jwt)?;
    let genuine = jwt.is_signed_by(site.signer.key())
        && jwt.claim("tid").is_some_and(|tenant| jwt.claim("iss") == Some(&issuer(tenant)));
    if !genuine {
        return Err(Refusal::assertion_signature());
    }
    if !jwt.is_for(|audience| caller.app.is_called(audience)) {
        return Err(Refusal::assertion_audience(&jwt.audience(), &caller.app.client_id));
    }
    let now = clock::unix_seconds();
    #[expect(clippy::cast_precision_loss, reason = "seconds of our time fit")]
    let ended = jwt.moment("exp").is_none_or(|until| until <= now as f64);
    if ended {
        return Err(Refusal::assertion_expired());
    }
    let user = jwt.claim("scp").and(jwt.claim("oid")).and_then(|id| site.config.user_by_object_id(id));
    let user = user.ok_or_else(Refusal::assertion_without_user)?;
    if user.mfa {
        return Err(Refusal::mfa_required());
    }
    Delegation { caller, user, scopes, nonce: None }.answer(site, ask)
}
