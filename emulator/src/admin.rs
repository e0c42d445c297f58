//! What a test asks the emulator about itself, and tells it to do wrong: `/_azcred/…`.
//!
//! Requests to these paths are neither logged nor counted, and no fault touches them.

use std::sync::Arc;

use axum::{Router, body::Bytes, extract::State, http::StatusCode, response::Response, routing::get};
use serde_json::{Value, json};

use crate::{answer, site::Site};

/// The paths below `/_azcred`.
pub(crate) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/requests", get(requests).delete(clear_requests))
        .route("/counters", get(counters))
        .route("/faults", get(faults).post(post_fault).delete(clear_faults))
        .route("/jwks", get(jwks))
}

async fn requests(State(site): State<Arc<Site>>) -> Response {
    answer::json(StatusCode::OK, &json!({"requests": site.log.records()}))
}

async fn clear_requests(State(site): State<Arc<Site>>) -> Response {
    answer::json(StatusCode::OK, &json!({"cleared": site.log.clear()}))
}

async fn counters(State(site): State<Arc<Site>>) -> Response {
    answer::json(StatusCode::OK, &site.log.counters())
}

async fn faults(State(site): State<Arc<Site>>) -> Response {
    answer::json(StatusCode::OK, &site.faults.list())
}

async fn post_fault(State(site): State<Arc<Site>>, body: Bytes) -> Response {
    let posted = match serde_json::from_slice::<Value>(&body) {
        Ok(document) => site.faults.post(document),
        Err(error) => return refuse("", &format!("the body is no JSON: {error}")),
    };
    match posted {
        Ok(id) => answer::json(StatusCode::CREATED, &json!({"id": id})),
        Err(bad) => refuse(&bad.field, &bad.reason),
    }
}

async fn clear_faults(State(site): State<Arc<Site>>) -> Response {
    answer::json(StatusCode::OK, &json!({"cleared": site.faults.clear()}))
}

async fn jwks(State(site): State<Arc<Site>>) -> Response {
    answer::json(StatusCode::OK, site.signer.public())
}

fn refuse(field: &str, reason: &str) -> Response {
    let description = format!("{field} {reason}");
    answer::json(
        StatusCode::BAD_REQUEST,
        &json!({
            "error": "bad_request",
            "error_description": description.trim_start(),
            "field": field,
        }),
    )
}
