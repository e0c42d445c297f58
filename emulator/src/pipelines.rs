//! Azure Pipelines: a job trades its access token for one that proves a service connection.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    answer::{self, Issued},
    ask::Ask,
    config::{EXCHANGE, PIPELINE},
    identities::same,
    site::Site,
    token::new_guid,
};

/// Seconds that such a token lives.
const LIFETIME: i64 = 600;

/// `POST /pipelines/oidctoken`.
pub(crate) async fn token(State(site): State<Arc<Site>>, Extension(ask): Extension<Arc<Ask>>) -> Response {
    let mut response = answer(&site, &ask);
    for name in ["x-vss-e2eid", "x-msedge-ref"] {
        if let Ok(id) = HeaderValue::from_str(&new_guid()) {
            response.headers_mut().insert(HeaderName::from_static(name), id);
        }
    }
    response
}

fn answer(site: &Site, ask: &Ask) -> Response {
    let known = &site.config.pipelines;
    let token = ask.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if !same(token.as_bytes(), known.token.as_bytes()) {
        let suppressed =
            ask.header("x-tfs-fedauthredirect").is_some_and(|value| value.eq_ignore_ascii_case("suppress"));
        if !suppressed {
            let page = HeaderValue::from_static("https://spsprodweu1.vssps.visualstudio.com/_signin");
            return (StatusCode::FOUND, [(header::LOCATION, page)]).into_response();
        }
        return refuse(StatusCode::UNAUTHORIZED, "TF400813: The user is not authorized to access this resource.");
    }
    if !ask.query.get("api-version").is_some_and(|version| version.starts_with("7.1")) {
        return refuse(StatusCode::BAD_REQUEST, "The api-version must be 7.1.");
    }
    let connection = ask.query.get("serviceConnectionId").unwrap_or_default();
    if !connection.eq_ignore_ascii_case(&known.service_connection_id) {
        return refuse(StatusCode::NOT_FOUND, "The service connection was not found or is not authorized for use.");
    }
    match site.federation.token(PIPELINE, EXCHANGE, LIFETIME) {
        Some(token) => {
            let issued = Issued("pipeline".to_owned());
            answer::noted(answer::json(StatusCode::OK, &json!({"oidcToken": token})), issued)
        }
        None => refuse(StatusCode::INTERNAL_SERVER_ERROR, "The token could not be signed."),
    }
}

fn refuse(status: StatusCode, message: &str) -> Response {
    answer::json(status, &json!({"$id": "1", "message": message, "errorCode": 0}))
}
