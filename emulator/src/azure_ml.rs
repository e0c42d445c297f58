//! The identity endpoint of Azure Machine Learning: App Service's older version, 2017-09-01.

use std::sync::Arc;

use axum::{Extension, extract::State, http::StatusCode, response::Response};
use serde_json::{Value, json};

use crate::{
    answer::{self, Issued},
    ask::Ask,
    clock,
    config::Moments,
    identities::{IdKind, NoIdentity, same},
    managed,
    site::Site,
};

const VERSION: &str = "2017-09-01";
const IDS: [(&str, IdKind); 4] = [
    ("clientid", IdKind::Client),
    ("client_id", IdKind::Client),
    ("object_id", IdKind::Object),
    ("msi_res_id", IdKind::Resource),
];

/// `GET /ml/token`.
pub(crate) async fn token(State(site): State<Arc<Site>>, Extension(ask): Extension<Arc<Ask>>) -> Response {
    let header = ask.headers.get("secret");
    if !header.is_some_and(|value| same(value.as_bytes(), site.config.ml_secret.as_bytes())) {
        return refuse(StatusCode::UNAUTHORIZED, "The secret header is missing or wrong.");
    }
    if ask.query.get("api-version") != Some(VERSION) {
        return refuse(StatusCode::BAD_REQUEST, "The api-version parameter must be 2017-09-01.");
    }
    let Some(resource) = ask.query.filled("resource") else {
        return refuse(StatusCode::BAD_REQUEST, "The resource parameter is required.");
    };
    // Some SDKs name the default identity by an empty client id.
    let named = ask.query.without_empty("clientid");
    let identity = match site.config.managed_identity(&named, &IDS) {
        Ok(identity) => identity,
        Err(NoIdentity::Ambiguous) => return refuse(StatusCode::BAD_REQUEST, "Only one identity may be named."),
        Err(NoIdentity::NotFound) => return refuse(StatusCode::BAD_REQUEST, "No such identity is assigned."),
    };
    let Some(grant) = managed::grant(&site, &ask, identity, resource, &ask.query) else {
        return refuse(StatusCode::INTERNAL_SERVER_ERROR, "The token could not be signed.");
    };
    let until = grant.validity.until;
    let expires_on = match site.config.ml_expires_on {
        Moments::Number => Value::from(until),
        Moments::String => until.to_string().into(),
        Moments::WindowsDate => clock::written(until, "%-m/%-d/%Y %-I:%M:%S %p +00:00").into(),
        Moments::LinuxDate => clock::written(until, "%m/%d/%Y %H:%M:%S +00:00").into(),
    };
    let document = json!({
        "access_token": grant.access_token,
        "client_id": grant.identity.client_id,
        "expires_on": expires_on,
        "resource": resource,
        "token_type": "Bearer",
    });
    let issued = Issued(grant.identity.label().to_owned());
    answer::noted(answer::json(StatusCode::OK, &document), issued)
}

fn refuse(status: StatusCode, message: &str) -> Response {
    answer::json(status, &json!({"statusCode": status.as_u16(), "message": message}))
}
