//! The instance metadata service's token endpoint, as a virtual machine sees it.
//!
//! It hands out a token anew each time, unlike the real one, which repeats itself for hours: a
//! test wants to see whether its client asked.

use std::sync::Arc;

use axum::{Extension, extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use serde_json::json;

use crate::{
    answer::{self, Issued, Probe, Throttled},
    ask::Ask,
    clock,
    identities::{IdKind, NoIdentity},
    site::Site,
    token::{self, Proof, Subject, Validity},
};

const VERSIONS: [&str; 3] = ["2021-02-01", "2019-08-01", "2018-02-01"];
const IDS: [(&str, IdKind); 4] = [
    ("client_id", IdKind::Client),
    ("object_id", IdKind::Object),
    ("msi_res_id", IdKind::Resource),
    ("mi_res_id", IdKind::Resource),
];

/// The numbers are strings: so the real one has them.
#[derive(Serialize)]
struct Document<'a> {
    access_token: String,
    client_id: &'a str,
    expires_in: String,
    expires_on: String,
    ext_expires_in: String,
    not_before: String,
    resource: &'a str,
    token_type: &'static str,
}

/// `GET /metadata/identity/oauth2/token`.
pub(crate) async fn token(State(site): State<Arc<Site>>, Extension(ask): Extension<Arc<Ask>>) -> Response {
    if ask.headers.contains_key("x-forwarded-for") {
        return refuse("Requests that were forwarded are not answered");
    }
    if !ask.header("metadata").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return answer::noted(refuse("Required metadata header not specified"), Probe);
    }
    match ask.query.get("api-version") {
        Some(version) if VERSIONS.contains(&version) => {}
        _ => {
            return answer::json(
                StatusCode::BAD_REQUEST,
                &json!({
                    "error": "invalid_request",
                    "error_description": "The api-version is missing or not supported",
                    "newest-versions": VERSIONS,
                }),
            );
        }
    }
    let Some(resource) = ask.query.filled("resource") else {
        return refuse("Required query variable 'resource' is missing");
    };
    let identity = match site.config.managed_identity(&ask.query, &IDS) {
        Ok(identity) => identity,
        Err(NoIdentity::Ambiguous) => return refuse("Only one identity may be named"),
        Err(NoIdentity::NotFound) => return refuse("Identity not found"),
    };
    let Some(tenant) = site.config.home() else {
        return refuse("Identity not found");
    };
    let lifetime = site.config.managed_identity_lifetime;
    let validity = Validity::new(clock::unix_seconds(), lifetime, ask.stale);
    let subject = Subject {
        tenant_id: &tenant.id,
        client_id: &identity.client_id,
        object_id: &identity.object_id,
        resource_id: identity.resource_id.as_deref(),
        proof: Proof::Certificate,
    };
    let Some(access_token) = token::mint(&site.signer, subject, resource, &[], validity) else {
        return answer::error(StatusCode::INTERNAL_SERVER_ERROR, "unknown", "The token could not be signed");
    };
    let document = Document {
        access_token,
        client_id: &identity.client_id,
        expires_in: validity.left.to_string(),
        expires_on: validity.until.to_string(),
        ext_expires_in: validity.left.to_string(),
        not_before: validity.from.to_string(),
        resource,
        token_type: "Bearer",
    };
    let issued = Issued(identity.label().to_owned());
    answer::noted(answer::json(StatusCode::OK, &document), issued)
}

/// The answer beyond the limits; without `Retry-After`, as the real one sends none.
pub(crate) fn throttled() -> Response {
    let response = answer::error(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_requests",
        "Too many requests: IMDS answers 20 a second and 5 at once, or as configured",
    );
    answer::noted(response, Throttled)
}

fn refuse(description: &str) -> Response {
    answer::error(StatusCode::BAD_REQUEST, "invalid_request", description)
}
