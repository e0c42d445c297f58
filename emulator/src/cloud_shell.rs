//! The identity endpoint of Cloud Shell: a form, no version, no choice of identity.

use std::sync::Arc;

use axum::{Extension, extract::State, http::StatusCode, response::Response};
use serde_json::json;

use crate::{answer, ask::Ask, imds, managed, site::Site};

/// `POST /cloud-shell/token`.
pub(crate) async fn token(State(site): State<Arc<Site>>, Extension(ask): Extension<Arc<Ask>>) -> Response {
    if !managed::has_metadata_header(&ask) {
        return refuse("invalid_request", "Required metadata header not specified");
    }
    let Some(resource) = ask.form.filled("resource") else {
        return refuse("invalid_request", "Required parameter 'resource' is missing");
    };
    if ask.form.iter().any(|(name, _)| !["resource", "xms_cc"].contains(&name)) {
        return refuse("invalid_request", "Cloud Shell has no identities to choose from");
    }
    let Some(identity) = &site.config.system_assigned else {
        return refuse("identity_not_found", "There is no identity here");
    };
    match managed::grant(&site, &ask, identity, resource, &ask.form) {
        Some(grant) => imds::answer(&grant, resource),
        None => refuse("unknown", "The token could not be signed"),
    }
}

fn refuse(code: &str, message: &str) -> Response {
    answer::json(StatusCode::BAD_REQUEST, &json!({"error": {"code": code, "message": message}}))
}
