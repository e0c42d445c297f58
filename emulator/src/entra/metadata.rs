//! The documents that lead clients to the token endpoint and to the keys.
//!
//! Every OpenID document names the issuer that the tokens carry, `https://sts.windows.net/{id}/`,
//! also the version 2 one, where Entra names another: so a library that takes issuer and keys from
//! whichever document it finds verifies our tokens. MSAL accepts that issuer because its host is
//! on MSAL's list of well-known ones (Python looks only when given an `oidc_authority`).

use std::sync::Arc;

use axum::{Extension, extract::State, http::StatusCode, response::Response};
use serde_json::{Value, json};

use super::{
    authority::{Authority, tenant},
    clouds::{CLOUDS, is_known},
    refusal::Refusal,
};
use crate::{answer, ask::Ask, site::Site, token};

/// `GET /{tenant}/v2.0/.well-known/openid-configuration`.
pub(crate) async fn openid_v2(State(site): State<Arc<Site>>, Extension(ask): Extension<Arc<Ask>>) -> Response {
    openid(&ask, &site, &site.entra_url(&ask.headers), "discovery/v2.0/keys")
}

/// The same behind the token proxy of a cluster, where some clients send all they send: it leads
/// them to the authority, which they put the proxy in the place of.
pub(crate) async fn openid_proxied(State(site): State<Arc<Site>>, Extension(ask): Extension<Arc<Ask>>) -> Response {
    openid(&ask, &site, &site.https_url, "discovery/v2.0/keys")
}

/// `GET /{tenant}/.well-known/openid-configuration`; for `adfs` with ADFS's endpoints.
pub(crate) async fn openid_v1(State(site): State<Arc<Site>>, Extension(ask): Extension<Arc<Ask>>) -> Response {
    openid(&ask, &site, &site.entra_url(&ask.headers), "discovery/keys")
}

fn openid(ask: &Ask, site: &Site, url: &str, keys: &str) -> Response {
    let name = ask.tenant();
    let (base, version, issuer) = match Authority::read(&site.config, name) {
        Err(refusal) => return refusal.response(ask),
        Ok(Authority::One(tenant)) if name.eq_ignore_ascii_case("adfs") => {
            (format!("{url}/adfs"), "", token::issuer(&tenant.id))
        }
        Ok(Authority::One(tenant)) => (format!("{url}/{}", tenant.id), "/v2.0", token::issuer(&tenant.id)),
        // As in Entra's own document: the placeholder is the client's to fill.
        Ok(Authority::Any) => (format!("{url}/{name}"), "/v2.0", token::issuer("{tenantid}")),
    };
    let document = json!({
        "issuer": issuer,
        "token_endpoint": format!("{base}/oauth2{version}/token"),
        "authorization_endpoint": format!("{base}/oauth2{version}/authorize"),
        "device_authorization_endpoint": format!("{base}/oauth2{version}/devicecode"),
        "jwks_uri": format!("{base}/{keys}"),
        "grant_types_supported": [
            "authorization_code",
            "client_credentials",
            "password",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
        ],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "code_challenge_methods_supported": ["plain", "S256"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "cloud_instance_name": host(url),
        "tenant_region_scope": "EU",
    });
    answer::json(StatusCode::OK, &document)
}

/// `GET /{tenant}/discovery/v2.0/keys`, `/{tenant}/discovery/keys`: one set for all tenants.
pub(crate) async fn keys(State(site): State<Arc<Site>>, Extension(ask): Extension<Arc<Ask>>) -> Response {
    match Authority::read(&site.config, ask.tenant()) {
        Ok(_) => answer::json(StatusCode::OK, site.signer.public()),
        Err(refusal) => refusal.response(&ask),
    }
}

/// `GET /common/discovery/instance`: the authorities there are, which are this host and the clouds.
pub(crate) async fn instance(State(site): State<Arc<Site>>, Extension(ask): Extension<Arc<Ask>>) -> Response {
    let url = site.entra_url(&ask.headers);
    let here = host(&url);
    let asked = ask.query.filled("authorization_endpoint");
    let asked = asked.and_then(|url| url.strip_prefix("https://")?.split_once('/'));
    let Some((asked, path)) = asked else {
        return Refusal::invalid_parameter("authorization_endpoint").response(&ask);
    };
    // Without the ports: MSAL for Python leaves its authority's out.
    let same = |a: &str, b: &str| name_of(a).eq_ignore_ascii_case(name_of(b));
    let own = host(&site.https_url);
    let base = if same(asked, here) {
        url.clone()
    } else if same(asked, own) {
        site.https_url.clone()
    } else if is_known(asked) {
        format!("https://{asked}")
    } else {
        return Refusal::invalid_instance(asked).response(&ask);
    };
    let name = path.split('/').next().unwrap_or_default();
    let name = tenant(&site.config, name).map_or(name, |tenant| &tenant.id);
    let mut metadata = Vec::new();
    for one in [here, own] {
        // Clients differ in whether the port belongs to the name.
        let aliases = if name_of(one) == one { vec![one] } else { vec![one, name_of(one)] };
        let is_new = metadata.iter().all(|known: &Value| known["preferred_cache"] != one);
        if is_new && !is_known(one) {
            metadata.push(json!({"preferred_network": one, "preferred_cache": one, "aliases": aliases}));
        }
    }
    for cloud in &CLOUDS {
        metadata.push(json!({
            "preferred_network": cloud.hosts.first(),
            "preferred_cache": cloud.cache,
            "aliases": cloud.hosts,
        }));
    }
    let document = json!({
        "tenant_discovery_endpoint": format!("{base}/{name}/v2.0/.well-known/openid-configuration"),
        "api-version": ask.query.get("api-version").unwrap_or("1.1"),
        "metadata": metadata,
    });
    answer::json(StatusCode::OK, &document)
}

fn host(url: &str) -> &str {
    url.strip_prefix("https://").unwrap_or(url)
}

/// A host and port less the port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn a_port_is_no_part_of_the_name() {
        let table = [("a", "a"), ("a:1", "a"), ("[::1]:443", "[::1]"), ("[::1]", "[::1]"), ("", "")];
        for (host, name) in table {
            assert_eq!(name_of(host), name, "{host}");
        }
    }
}
