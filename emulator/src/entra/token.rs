//! The token endpoint: client credentials with a secret.

use std::sync::Arc;

use axum::{Extension, extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use serde_json::Value;

use super::{
    refusal::Refusal,
    scope::{self, BadScope},
    tenant,
};
use crate::{
    answer::{self, Issued},
    ask::Ask,
    clock,
    config::Config,
    identities::{App, Tenant},
    site::Site,
    token::{self, Proof, Subject, Validity},
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

/// What was found to be granted.
#[derive(Debug)]
struct Grant<'a> {
    tenant: &'a Tenant,
    app: &'a App,
    resource: &'a str,
    capabilities: Vec<String>,
}

/// `POST /{tenant}/oauth2/v2.0/token`, and `POST /adfs/oauth2/token`.
pub(crate) async fn token(State(site): State<Arc<Site>>, Extension(ask): Extension<Arc<Ask>>) -> Response {
    answer(&site, &ask).unwrap_or_else(|refusal| refusal.response(&ask))
}

fn answer(site: &Site, ask: &Ask) -> Result<Response, Refusal> {
    let grant = grant(&site.config, ask.tenant(), ask)?;
    let lifetime = site.config.app_lifetime;
    let validity = Validity::new(clock::unix_seconds(), lifetime, ask.stale);
    let subject = Subject {
        tenant_id: &grant.tenant.id,
        client_id: &grant.app.client_id,
        object_id: &grant.app.object_id,
        resource_id: None,
        proof: Proof::Secret,
    };
    let access_token = token::mint(&site.signer, subject, grant.resource, &grant.capabilities, validity)
        .ok_or_else(Refusal::internal)?;
    let document = Document {
        token_type: "Bearer",
        expires_in: validity.left,
        ext_expires_in: validity.left,
        refresh_in: site.config.refresh_in.filter(|_| !ask.stale),
        access_token,
    };
    let issued = Issued(grant.app.client_id.clone());
    Ok(answer::noted(answer::json(StatusCode::OK, &document), issued))
}

/// All checks, in Entra's order: where, how, who, what.
fn grant<'a>(config: &'a Config, name: &str, ask: &'a Ask) -> Result<Grant<'a>, Refusal> {
    let tenant = tenant(config, name).ok_or_else(|| Refusal::tenant_not_found(name))?;
    if let Some(repeated) = ask.form.repeated() {
        return Err(Refusal::invalid_parameter(repeated));
    }
    match required(ask, "grant_type")? {
        "client_credentials" => {}
        other => return Err(Refusal::unsupported_grant(other)),
    }
    let basic = ask.basic();
    let (basic_id, basic_secret) = match &basic {
        Some((id, secret)) => (Some(id.as_str()), Some(secret.as_str())),
        None => (None, None),
    };
    let client_id = ask.form.filled("client_id").or(basic_id).ok_or_else(|| Refusal::missing("client_id"))?;
    let scope = required(ask, "scope")?;
    let app = config.app(tenant, client_id).ok_or_else(|| Refusal::app_not_found(client_id, name))?;
    let secret = ask.form.filled("client_secret").or(basic_secret);
    let Some(secret) = secret else {
        return Err(match ask.form.filled("client_assertion") {
            Some(_) => Refusal::assertion_not_registered(),
            None => Refusal::no_credential(),
        });
    };
    // A header that names another client than the form proves nothing about the latter.
    let disputed = basic_id.is_some_and(|id| !id.eq_ignore_ascii_case(client_id));
    if disputed || !app.knows(secret) {
        return Err(Refusal::wrong_secret(client_id));
    }
    let resource = scope::resource(scope).map_err(|bad| match bad {
        BadScope::Count => Refusal::scope_count(scope),
        BadScope::NotDefault(one) => Refusal::scope_not_default(one),
    })?;
    Ok(Grant { tenant, app, resource, capabilities: capabilities(ask.form.filled("claims"))? })
}

fn required<'a>(ask: &'a Ask, name: &str) -> Result<&'a str, Refusal> {
    ask.form.filled(name).ok_or_else(|| Refusal::missing(name))
}

/// The client capabilities that a claims parameter declares: `access_token.xms_cc.values`. Other
/// claims are neither checked nor granted; the request log shows them.
fn capabilities(claims: Option<&str>) -> Result<Vec<String>, Refusal> {
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
    use axum::http::Request;
    use base64::{Engine, engine::general_purpose::STANDARD};

    use super::*;

    const ID: &str = "22222222-2222-2222-2222-222222222222";
    const GOOD: &str = "grant_type=client_credentials&client_secret=emulator-client-secret\
                        &client_id=22222222-2222-2222-2222-222222222222\
                        &scope=https%3A%2F%2Fa%2F.default";

    fn ask(basic: Option<&str>, body: &str) -> Ask {
        let mut request = Request::builder().header("content-type", "application/x-www-form-urlencoded");
        if let Some(basic) = basic {
            request = request.header("authorization", format!("Basic {}", STANDARD.encode(basic)));
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        Ask::read(&parts, body.as_bytes())
    }

    #[test]
    fn each_check_has_its_code() {
        let config = Config::default();
        let without = |name: &str| {
            let kept = GOOD.split('&').filter(|pair| !pair.starts_with(name));
            kept.collect::<Vec<_>>().join("&")
        };
        let with = |name: &str, value: &str| format!("{}&{name}={value}", without(name));
        let table = [
            ("contoso.example", GOOD.to_owned(), 0),
            ("ADFS", GOOD.to_owned(), 0),
            ("nowhere", GOOD.to_owned(), 90_002),
            ("adfs", String::new(), 900_144),
            ("adfs", without("grant_type"), 900_144),
            ("adfs", with("grant_type", "password"), 70_003),
            ("adfs", without("client_id"), 900_144),
            ("adfs", without("scope"), 900_144),
            ("adfs", with("client_id", "nobody"), 700_016),
            ("adfs", without("client_secret"), 7_000_216),
            ("adfs", without("client_secret") + "&client_assertion=x", 700_027),
            ("adfs", with("client_secret", "wrong"), 7_000_215),
            ("adfs", with("scope", "a/.default+b/.default"), 70_011),
            ("adfs", with("scope", "User.Read"), 1_002_012),
            ("adfs", with("claims", "{"), 9_000_410),
            ("adfs", with("claims", "[]"), 9_000_410),
            ("adfs", format!("{GOOD}&scope=twice"), 90_100),
        ];
        for (tenant, body, code) in table {
            let ask = ask(None, &body);
            let found = grant(&config, tenant, &ask).map_or_else(|r| r.code(), |_| 0);
            assert_eq!(found, code, "{tenant} {body}");
        }
    }

    #[test]
    fn a_basic_header_is_as_good_as_the_form() {
        let config = Config::default();
        let body = "grant_type=client_credentials&scope=r/.default";
        let code = |basic: &str, body: &str| {
            let ask = ask(Some(basic), body);
            grant(&config, "contoso.example", &ask).map_or_else(|r| r.code(), |_| 0)
        };
        assert_eq!(code(&format!("{ID}:emulator-client-secret"), body), 0);
        assert_eq!(code(&format!("{ID}:wrong"), body), 7_000_215);
        assert_eq!(code("nobody:emulator-client-secret", body), 700_016);
        assert_eq!(code("nobody:emulator-client-secret", GOOD), 7_000_215);
    }

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
    }
}
