//! What a test asks the emulator about itself, and tells it to do wrong: `/_azcred/…`.
//!
//! Requests to these paths are neither logged nor counted, and no fault touches them.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    answer, clock,
    config::EXCHANGE,
    entra::devices::Decision,
    site::Site,
    token::{self, Person, Proof, Subject, Validity},
};

/// The paths below `/_azcred`.
pub(crate) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/requests", get(requests).delete(clear_requests))
        .route("/counters", get(counters))
        .route("/faults", get(faults).post(post_fault).delete(clear_faults))
        .route("/jwks", get(jwks))
        .route("/devicecode", post(decide))
        .route("/authorize", post(deny))
        .route("/federated-token", post(project))
        .route("/user-token", post(user_token))
        .route("/revoke", post(revoke))
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decided {
    user_code: String,
    action: Action,
    username: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Approve,
    Decline,
}

/// The user types a code on another device, and says yes or no.
async fn decide(State(site): State<Arc<Site>>, body: Bytes) -> Response {
    let decided: Decided = match read(&body) {
        Ok(decided) => decided,
        Err(refusal) => return refusal,
    };
    let user = match decided.username.as_deref().map(|name| site.config.user(name)) {
        Some(None) => return refuse("username", "is nobody's"),
        user => user.flatten().map(|user| user.object_id.clone()),
    };
    let decision = match decided.action {
        Action::Approve => Decision::Approved(user),
        Action::Decline => Decision::Declined,
    };
    let found = site.ledger.devices.each(|device| {
        let meant = device.user_code.eq_ignore_ascii_case(&decided.user_code);
        if meant {
            device.decision = decision.clone();
        }
        meant
    });
    if found == 0 {
        return refuse("user_code", "is of no device that waits");
    }
    answer::json(StatusCode::OK, &json!({"devices": found}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Denied {
    deny: u32,
}

/// The user will decline the next sign-ins.
async fn deny(State(site): State<Arc<Site>>, body: Bytes) -> Response {
    match read::<Denied>(&body) {
        Ok(denied) => {
            site.ledger.deny(denied.deny);
            answer::json(StatusCode::OK, &json!({"deny": denied.deny}))
        }
        Err(refusal) => refusal,
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Projected {
    lifetime: Option<i64>,
    audience: Option<String>,
}

/// The pod gets a new token.
async fn project(State(site): State<Arc<Site>>, body: Bytes) -> Response {
    let wanted: Projected = match read_or_default(&body) {
        Ok(wanted) => wanted,
        Err(refusal) => return refusal,
    };
    let lifetime = wanted.lifetime.unwrap_or_else(|| i64::from(site.config.federated_token_lifetime));
    match site.federation.project(wanted.audience.as_deref().unwrap_or(EXCHANGE), lifetime) {
        Ok(token) => {
            let file = site.federation.file().map(|file| file.to_string_lossy().into_owned());
            answer::json(StatusCode::OK, &json!({"token": token, "file": file}))
        }
        Err((path, error)) => refuse("", &format!("{} cannot be written: {error}", path.display())),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    username: String,
    client_id: String,
    audience: Option<String>,
    lifetime: Option<i64>,
}

/// A token such as a user's client sends to the service `client_id`.
async fn user_token(State(site): State<Arc<Site>>, body: Bytes) -> Response {
    let wanted: Wanted = match read(&body) {
        Ok(wanted) => wanted,
        Err(refusal) => return refusal,
    };
    let Some(user) = site.config.user(&wanted.username) else {
        return refuse("username", "is nobody's");
    };
    let lifetime = wanted.lifetime.unwrap_or_else(|| i64::from(site.config.app_lifetime));
    let now = clock::unix_seconds();
    let until = now.saturating_add(lifetime);
    let validity = Validity { from: now.min(until.saturating_sub(1)), until, left: lifetime.max(0) };
    let own = site.config.apps.iter().find(|app| app.public).map_or(&wanted.client_id, |app| &app.client_id);
    let subject = Subject {
        tenant_id: &user.tenant_id,
        client_id: own,
        object_id: &user.object_id,
        resource_id: None,
        proof: Proof::Nothing,
        person: Some(Person { username: &user.username, name: &user.name, permissions: "user_impersonation" }),
    };
    let audience = wanted.audience.unwrap_or_else(|| format!("api://{}", wanted.client_id));
    match token::mint(&site.signer, subject, &audience, &[], validity) {
        Some(access_token) => answer::json(StatusCode::OK, &json!({"access_token": access_token})),
        None => refuse("", "the token could not be signed"),
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Revoked {
    username: Option<String>,
}

/// Refresh tokens are good no longer.
async fn revoke(State(site): State<Arc<Site>>, body: Bytes) -> Response {
    let revoked: Revoked = match read_or_default(&body) {
        Ok(revoked) => revoked,
        Err(refusal) => return refusal,
    };
    let user = match revoked.username.as_deref().map(|name| site.config.user(name)) {
        Some(None) => return refuse("username", "is nobody's"),
        user => user.flatten().map(|user| user.object_id.as_str()),
    };
    let count = site.ledger.refresh_tokens.each(|one| one.revoke(user));
    answer::json(StatusCode::OK, &json!({"revoked": count}))
}

#[expect(clippy::result_large_err, reason = "an answer is what a refusal is here")]
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Response> {
    serde_json::from_slice(body).map_err(|error| refuse("", &format!("the body cannot be read: {error}")))
}

/// The same, where nothing need be said.
#[expect(clippy::result_large_err, reason = "an answer is what a refusal is here")]
fn read_or_default<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, Response> {
    if body.is_empty() { Ok(T::default()) } else { read(body) }
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
