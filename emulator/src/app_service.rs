//! The identity endpoint of App Service, Functions and Container Apps, version 2019-08-01.
//!
//! Its answer is what all seven SDKs can read: `expires_on` a string of digits, no `expires_in`,
//! and compact, because the ODBC driver looks for `"access_token":` as text.

use std::sync::Arc;

use axum::{Extension, extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use serde_json::json;

use crate::{
    answer::{self, Issued},
    ask::Ask,
    clock,
    identities::{IdKind, NoIdentity, same},
    site::Site,
    token::{self, Proof, Subject, Validity},
};

const VERSION: &str = "2019-08-01";
const IDS: [(&str, IdKind); 5] = [
    ("client_id", IdKind::Client),
    ("object_id", IdKind::Object),
    ("principal_id", IdKind::Object),
    ("mi_res_id", IdKind::Resource),
    ("msi_res_id", IdKind::Resource),
];
const NOT_FOUND: &str = "No User Assigned or Delegated Managed Identity found for specified \
                         ClientId/ResourceId/PrincipalId.";

#[derive(Serialize)]
struct Document<'a> {
    access_token: String,
    expires_on: String,
    resource: &'a str,
    token_type: &'static str,
    client_id: &'a str,
}

/// `GET /msi/token`.
pub(crate) async fn token(State(site): State<Arc<Site>>, Extension(ask): Extension<Arc<Ask>>) -> Response {
    let header = ask.headers.get("x-identity-header");
    if !header.is_some_and(|value| same(value.as_bytes(), site.config.identity_header.as_bytes())) {
        return refuse(StatusCode::UNAUTHORIZED, "The X-IDENTITY-HEADER header is missing or wrong.");
    }
    if ask.query.get("api-version") != Some(VERSION) {
        return refuse(StatusCode::BAD_REQUEST, "The api-version parameter must be 2019-08-01.");
    }
    let Some(resource) = ask.query.filled("resource") else {
        return refuse(StatusCode::BAD_REQUEST, "The resource parameter is required.");
    };
    let identity = match site.config.managed_identity(&ask.query, &IDS) {
        Ok(identity) => identity,
        Err(NoIdentity::Ambiguous) => {
            return refuse(StatusCode::BAD_REQUEST, "Only one identity may be named.");
        }
        Err(NoIdentity::NotFound) => return refuse(StatusCode::BAD_REQUEST, NOT_FOUND),
    };
    let Some(tenant) = site.config.home() else {
        return refuse(StatusCode::BAD_REQUEST, NOT_FOUND);
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
        return refuse(StatusCode::INTERNAL_SERVER_ERROR, "The token could not be signed.");
    };
    let document = Document {
        access_token,
        expires_on: validity.until.to_string(),
        resource,
        token_type: "Bearer",
        client_id: &identity.client_id,
    };
    let issued = Issued(identity.label().to_owned());
    answer::noted(answer::json(StatusCode::OK, &document), issued)
}

fn refuse(status: StatusCode, message: &str) -> Response {
    answer::json(status, &json!({"statusCode": status.as_u16(), "message": message}))
}
