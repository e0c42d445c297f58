//! The documents that lead clients to the token endpoint and to the keys.
//!
//! Every OpenID document names the issuer that the tokens carry, `https://sts.windows.net/{id}/`,
//! also the version 2 one, where Entra names another: so a library that takes issuer and keys from
//! whichever document it finds verifies our tokens. MSAL accepts that issuer because its host is
//! on MSAL's list of well-known ones (Python looks only when given an `oidc_authority`).

use std::sync::Arc;

use axum::{Extension, extract::State, http::StatusCode, response::Response};
use serde_json::json;

use super::{refusal::Refusal, tenant};
use crate::{answer, ask::Ask, identities::Tenant, site::Site, token};

/// Names that have keys without being tenants.
const TENANTLESS: [&str; 3] = ["common", "organizations", "consumers"];

/// `GET /{tenant}/v2.0/.well-known/openid-configuration`.
pub(crate) async fn openid_v2(State(site): State<Arc<Site>>, Extension(ask): Extension<Arc<Ask>>) -> Response {
    match tenant(&site.config, ask.tenant()) {
        Some(tenant) => openid(&site, &ask, tenant, "discovery/v2.0/keys"),
        None => Refusal::tenant_not_found(ask.tenant()).response(&ask),
    }
}

/// `GET /{tenant}/.well-known/openid-configuration`; for `adfs` with ADFS's token endpoint.
pub(crate) async fn openid_v1(State(site): State<Arc<Site>>, Extension(ask): Extension<Arc<Ask>>) -> Response {
    match tenant(&site.config, ask.tenant()) {
        Some(tenant) => openid(&site, &ask, tenant, "discovery/keys"),
        None => Refusal::tenant_not_found(ask.tenant()).response(&ask),
    }
}

fn openid(site: &Site, ask: &Ask, tenant: &Tenant, keys: &str) -> Response {
    let url = site.entra_url(&ask.headers);
    let (base, version) = if ask.tenant().eq_ignore_ascii_case("adfs") {
        (format!("{url}/adfs"), "")
    } else {
        (format!("{url}/{}", tenant.id), "/v2.0")
    };
    let document = json!({
        "issuer": token::issuer(&tenant.id),
        "token_endpoint": format!("{base}/oauth2{version}/token"),
        // Required of the document; nobody answers there.
        "authorization_endpoint": format!("{base}/oauth2{version}/authorize"),
        "jwks_uri": format!("{base}/{keys}"),
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "cloud_instance_name": host(&url),
        "tenant_region_scope": "EU",
    });
    answer::json(StatusCode::OK, &document)
}

/// `GET /{tenant}/discovery/v2.0/keys`, `/{tenant}/discovery/keys`: one set for all tenants.
pub(crate) async fn keys(State(site): State<Arc<Site>>, Extension(ask): Extension<Arc<Ask>>) -> Response {
    let name = ask.tenant();
    let known = TENANTLESS.iter().any(|one| one.eq_ignore_ascii_case(name)) || tenant(&site.config, name).is_some();
    if !known {
        return Refusal::tenant_not_found(name).response(&ask);
    }
    answer::json(StatusCode::OK, site.signer.public())
}

/// `GET /common/discovery/instance`: this host and port are an authority, known by these names.
pub(crate) async fn instance(State(site): State<Arc<Site>>, Extension(ask): Extension<Arc<Ask>>) -> Response {
    let url = site.entra_url(&ask.headers);
    let here = host(&url);
    let asked = ask.query.filled("authorization_endpoint");
    let asked = asked.and_then(|url| url.strip_prefix("https://")?.split_once('/'));
    let name = match asked {
        // Without the ports: MSAL for Python leaves its authority's out.
        Some((host, _)) if !name_of(host).eq_ignore_ascii_case(name_of(here)) => {
            return Refusal::invalid_instance(host).response(&ask);
        }
        Some((_, path)) => path.split('/').next().unwrap_or_default(),
        None => return Refusal::invalid_parameter("authorization_endpoint").response(&ask),
    };
    // `common` and its like have no document of their own here.
    let tenant = tenant(&site.config, name).or(site.config.home());
    let tenant = tenant.map_or(name, |tenant| &tenant.id);
    // Clients differ in whether the port belongs to the name.
    let aliases = if name_of(here) == here { vec![here] } else { vec![here, name_of(here)] };
    let document = json!({
        "tenant_discovery_endpoint": format!("{url}/{tenant}/v2.0/.well-known/openid-configuration"),
        "api-version": "1.1",
        "metadata": [{
            "preferred_network": here,
            "preferred_cache": here,
            "aliases": aliases,
        }],
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
