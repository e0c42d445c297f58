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
    identities::{IdKind, NoIdentity, same},
    managed,
    site::Site,
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
    let Some(grant) = managed::grant(&site, &ask, identity, resource, &ask.query) else {
        return refuse(StatusCode::INTERNAL_SERVER_ERROR, "The token could not be signed.");
    };
    let document = Document {
        access_token: grant.access_token,
        expires_on: grant.validity.until.to_string(),
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
