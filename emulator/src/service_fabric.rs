//! Service Fabric's identity endpoint, behind a certificate that nobody but its thumbprint vouches for.

use std::sync::Arc;

use axum::{Extension, extract::State, http::StatusCode, response::Response};
use serde_json::json;

use crate::{
    answer::{self, Issued},
    ask::Ask,
    identities::same,
    managed,
    site::Site,
    token::new_guid,
};

const VERSION: &str = "2019-07-01-preview";
/// The identity is the application's; a request has no say in it.
const CHOICES: [&str; 5] = ["client_id", "clientid", "object_id", "principal_id", "mi_res_id"];

/// `GET /metadata/identity/oauth2/token` of Service Fabric's own listener.
pub(crate) async fn token(State(site): State<Arc<Site>>, Extension(ask): Extension<Arc<Ask>>) -> Response {
    match ask.headers.get("secret") {
        None => {
            return refuse(
                StatusCode::BAD_REQUEST,
                "SecretHeaderNotFound",
                "Secret is not found in the request headers.",
            );
        }
        Some(value) if same(value.as_bytes(), site.config.service_fabric_header.as_bytes()) => {}
        Some(_) => return refuse(StatusCode::UNAUTHORIZED, "SecretHeaderInvalid", "The secret is not the right one."),
    }
    if ask.query.get("api-version") != Some(VERSION) {
        return refuse(StatusCode::BAD_REQUEST, "InvalidApiVersion", "The api-version must be 2019-07-01-preview.");
    }
    let Some(resource) = ask.query.filled("resource") else {
        return refuse(StatusCode::BAD_REQUEST, "ArgumentNullOrEmpty", "The parameter 'resource' is missing.");
    };
    let chosen = CHOICES.iter().any(|name| ask.query.get(name).is_some());
    let Some(identity) = site.config.system_assigned.as_ref().filter(|_| !chosen) else {
        return refuse(StatusCode::NOT_FOUND, "ManagedIdentityNotFound", "The managed identity is not found.");
    };
    let Some(grant) = managed::grant(&site, &ask, identity, resource, &ask.query) else {
        return refuse(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "The token could not be signed.");
    };
    let document = json!({
        "access_token": grant.access_token,
        "expires_on": grant.validity.until,
        "resource": resource,
        "token_type": "Bearer",
    });
    let issued = Issued(grant.identity.label().to_owned());
    answer::noted(answer::json(StatusCode::OK, &document), issued)
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    answer::json(status, &json!({"error": {"code": code, "message": message, "correlationId": new_guid()}}))
}
