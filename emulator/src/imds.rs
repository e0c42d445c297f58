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
    identities::{IdKind, NoIdentity},
    managed::{self, Grant},
    site::Site,
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
    access_token: &'a str,
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
    if !managed::has_metadata_header(&ask) {
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
    match managed::grant(&site, &ask, identity, resource, &ask.query) {
        Some(grant) => answer(&grant, resource),
        None => answer::error(StatusCode::INTERNAL_SERVER_ERROR, "unknown", "The token could not be signed"),
    }
}

/// The answer of IMDS, and of those who answer alike.
pub(crate) fn answer(grant: &Grant<'_>, resource: &str) -> Response {
    let validity = grant.validity;
    let document = Document {
        access_token: &grant.access_token,
        client_id: &grant.identity.client_id,
        expires_in: validity.left.to_string(),
        expires_on: validity.until.to_string(),
        ext_expires_in: validity.left.to_string(),
        not_before: validity.from.to_string(),
        resource,
        token_type: "Bearer",
    };
    let issued = Issued(grant.identity.label().to_owned());
    answer::noted(answer::json(StatusCode::OK, &document), issued)
}

/// `GET /metadata/instance/compute`: what SDKs look for a region in.
pub(crate) async fn compute(State(site): State<Arc<Site>>, Extension(ask): Extension<Arc<Ask>>) -> Response {
    const VERSIONS: [&str; 3] = ["2021-02-01", "2021-01-01", "2020-06-01"];
    if !managed::has_metadata_header(&ask) {
        return answer::noted(refuse("Required metadata header not specified"), Probe);
    }
    if !ask.query.get("api-version").is_some_and(|version| VERSIONS.contains(&version)) {
        return answer::json(
            StatusCode::BAD_REQUEST,
            &json!({
                "error": "Bad request. api-version was not specified in the request, or is not supported",
                "newest-versions": VERSIONS,
            }),
        );
    }
    let document = json!({
        "azEnvironment": "AzurePublicCloud",
        "location": site.config.region,
        "name": "emulator",
        "osType": "Linux",
        "resourceGroupName": "emulator",
        "subscriptionId": "55555555-5555-5555-5555-555555555555",
        "vmId": "88888888-8888-8888-8888-888888888888",
    });
    answer::json(StatusCode::OK, &document)
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
