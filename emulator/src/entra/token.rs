//! The token endpoint: which grant is asked for, and the one that needs no user.

use std::sync::Arc;

use axum::{Extension, extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use serde_json::Value;

use super::{
    authority::Authority,
    caller::{Caller, Demand},
    codes, devices, obo, refresh_tokens,
    refusal::Refusal,
    scope::{self, BadScope},
    user,
};
use crate::{
    answer::{self, Issued},
    ask::Ask,
    clock,
    site::Site,
    token::{self, Subject, Validity},
};

#[derive(Serialize)]
struct Document {
    token_type: &'static str,
    expires_in: i64,
    ext_expires_in: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_in: Option<u32>,
    access_token: String,
}

/// `POST /{tenant}/oauth2/v2.0/token`, and `POST /adfs/oauth2/token`.
pub(crate) async fn token(State(site): State<Arc<Site>>, Extension(ask): Extension<Arc<Ask>>) -> Response {
    answer(&site, &ask).unwrap_or_else(|refusal| refusal.response(&ask))
}

/// The same behind the token proxy of a cluster, which trades nothing but federated tokens.
pub(crate) async fn proxied(State(site): State<Arc<Site>>, Extension(ask): Extension<Arc<Ask>>) -> Response {
    match ask.form.filled("client_assertion") {
        Some(_) => answer(&site, &ask).unwrap_or_else(|refusal| refusal.response(&ask)),
        None => Refusal::no_credential().response(&ask),
    }
}

/// All checks, in Entra's order: where, how, who, what.
fn answer(site: &Site, ask: &Ask) -> Result<Response, Refusal> {
    let authority = Authority::read(&site.config, ask.tenant())?;
    if let Some(repeated) = ask.form.repeated() {
        return Err(Refusal::invalid_parameter(repeated));
    }
    match required(ask, "grant_type")? {
        "client_credentials" => client_credentials(site, ask, authority),
        "authorization_code" => codes::redeem(site, ask, authority),
        "password" => user::sign_in(site, ask, authority),
        "refresh_token" => refresh_tokens::redeem(site, ask, authority),
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => obo::trade(site, ask, authority),
        "urn:ietf:params:oauth:grant-type:device_code" | "device_code" => devices::redeem(site, ask, authority),
        other => Err(Refusal::unsupported_grant(other)),
    }
}

fn client_credentials(site: &Site, ask: &Ask, authority: Authority<'_>) -> Result<Response, Refusal> {
    let scope = required(ask, "scope")?;
    let caller = Caller::identify(site, ask, authority, Demand::Always)?;
    let Authority::One(tenant) = authority else {
        return Err(Refusal::no_tenant());
    };
    let resource = scope::resource(scope).map_err(|bad| match bad {
        BadScope::Count => Refusal::scope_count(scope),
        BadScope::NotDefault(one) => Refusal::scope_not_default(one),
    })?;
    let capabilities = capabilities(ask.form.filled("claims"))?;
    let validity = Validity::new(clock::unix_seconds(), site.config.app_lifetime, ask.stale);
    let subject = Subject {
        tenant_id: &tenant.id,
        client_id: &caller.app.client_id,
        object_id: &caller.app.object_id,
        resource_id: None,
        proof: caller.proof,
        person: None,
    };
    let access_token =
        token::mint(&site.signer, subject, resource, &capabilities, validity).ok_or_else(Refusal::internal)?;
    let document = Document {
        token_type: "Bearer",
        expires_in: validity.left,
        ext_expires_in: validity.left,
        refresh_in: site.config.refresh_in.filter(|_| !ask.stale),
        access_token,
    };
    let issued = Issued(caller.app.client_id.clone());
    Ok(answer::noted(answer::json(StatusCode::OK, &document), issued))
}

/// A parameter that must be there.
pub(super) fn required<'a>(ask: &'a Ask, name: &str) -> Result<&'a str, Refusal> {
    ask.form.filled(name).ok_or_else(|| Refusal::missing(name))
}

/// The client capabilities that a claims parameter declares: `access_token.xms_cc.values`. Other
/// claims are neither checked nor granted; the request log shows them.
pub(super) fn capabilities(claims: Option<&str>) -> Result<Vec<String>, Refusal> {
    let Some(claims) = claims else {
        return Ok(Vec::new());
    };
    let claims: Value = serde_json::from_str(claims).map_err(|_| Refusal::malformed_claims())?;
    if !claims.is_object() {
        return Err(Refusal::malformed_claims());
    }
    let values = claims.pointer("/access_token/xms_cc/values").and_then(Value::as_array);
    Ok(values.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_read_from_the_claims() {
        let table = [
            (None, vec![]),
            (Some(r#"{"access_token":{"nbf":{"essential":true}}}"#), vec![]),
            (Some(r#"{"access_token":{"xms_cc":{"values":["CP1", 2]}}}"#), vec!["CP1".to_owned()]),
        ];
        for (claims, expected) in table {
            assert_eq!(capabilities(claims).unwrap(), expected, "{claims:?}");
        }
        for claims in ["{", "[]", "1"] {
            assert_eq!(capabilities(Some(claims)).unwrap_err(), Refusal::malformed_claims(), "{claims}");
        }
    }
}
