//! Entra's error documents: an OAuth error, an AADSTS code, and the ids that support asks for.

use std::sync::Arc;

use axum::{Extension, http::StatusCode, response::Response};
use serde::Serialize;

use crate::{answer, ask::Ask, clock, token::new_guid};

/// Why a request to Entra fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: StatusCode,
    error: &'static str,
    code: u32,
    sentence: String,
    suberror: Option<&'static str>,
    claims: Option<&'static str>,
}

#[derive(Serialize)]
struct Document<'a> {
    error: &'static str,
    error_description: String,
    error_codes: [u32; 1],
    timestamp: &'a str,
    trace_id: &'a str,
    correlation_id: &'a str,
    error_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    suberror: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<&'static str>,
}

/// The answer of an endpoint for forms to another method.
pub(crate) async fn post_only(Extension(ask): Extension<Arc<Ask>>) -> Response {
    let sentence = format!("The endpoint only accepts POST requests. Received a {} request.", shown(&ask.method));
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "invalid_request", 900_561, sentence).response(&ask)
}

impl Refusal {
    fn new(status: StatusCode, error: &'static str, code: u32, sentence: String) -> Self {
        Self { status, error, code, sentence, suberror: None, claims: None }
    }

    /// The usual kind: 400.
    pub(super) fn bad_request(error: &'static str, code: u32, sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, code, sentence.into())
    }

    /// The client could not show who it is: 401.
    pub(super) fn invalid_client(code: u32, sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", code, sentence.into())
    }

    pub(super) fn with_suberror(self, suberror: &'static str) -> Self {
        Self { suberror: Some(suberror), ..self }
    }

    /// With a challenge that a client is to send along when it asks the user again.
    pub(super) fn with_claims(self, claims: &'static str) -> Self {
        Self { claims: Some(claims), ..self }
    }

    pub(super) fn error(&self) -> &'static str {
        self.error
    }

    /// `AADSTS…: …`, without the ids.
    pub(super) fn summary(&self) -> String {
        format!("AADSTS{}: {}", self.code, self.sentence)
    }

    pub(crate) fn tenant_not_found(name: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            90_002,
            format!(
                "Tenant '{}' not found. Check to make sure you have the correct tenant ID and are \
                 signing into the correct cloud.",
                shown(name)
            ),
        )
    }

    pub(crate) fn app_not_found(client_id: &str, tenant: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "unauthorized_client",
            700_016,
            format!(
                "Application with identifier '{}' was not found in the directory '{}'. This can \
                 happen if the application has not been installed by the administrator of the \
                 tenant or consented to by any user in the tenant.",
                shown(client_id),
                shown(tenant)
            ),
        )
    }

    pub(crate) fn wrong_secret(client_id: &str) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            7_000_215,
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is \
                 the client secret value, not the client secret ID, for a secret added to app \
                 '{}'.",
                shown(client_id)
            ),
        )
    }

    pub(crate) fn no_credential() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            7_000_216,
            "'client_assertion', 'client_secret' or 'request' is required for the \
             'client_credentials' grant type."
                .to_owned(),
        )
    }

    pub(crate) fn missing(parameter: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            900_144,
            format!("The request body must contain the following parameter: '{parameter}'."),
        )
    }

    pub(crate) fn invalid_parameter(name: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            90_100,
            format!("{} parameter is empty or not valid.", shown(name)),
        )
    }

    pub(crate) fn unsupported_grant(grant: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            70_003,
            format!("The app requested an unsupported grant type '{}'.", shown(grant)),
        )
    }

    pub(crate) fn scope_count(scope: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_scope",
            70_011,
            format!(
                "The provided request must include a 'scope' input parameter. The provided value \
                 for the input parameter 'scope' is not valid. The scope {} is not valid.",
                shown(scope)
            ),
        )
    }

    pub(crate) fn scope_not_default(scope: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_scope",
            1_002_012,
            format!(
                "The provided value for scope {} is not valid. Client credential flows must have \
                 a scope value with /.default suffixed to the resource identifier (application \
                 ID URI).",
                shown(scope)
            ),
        )
    }

    /// The value is not repeated: claims may say something about a user.
    pub(crate) fn malformed_claims() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            9_000_410,
            "Malformed JSON. The 'claims' parameter must be a JSON object.".to_owned(),
        )
    }

    pub(crate) fn invalid_instance(host: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_instance",
            50_049,
            format!("Unknown or invalid instance '{}'.", shown(host)),
        )
    }

    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "server_error",
            90_099,
            "The token could not be signed.".to_owned(),
        )
    }

    /// The error document, with the caller's correlation id where it sent one.
    pub(crate) fn response(&self, ask: &Ask) -> Response {
        let timestamp = clock::entra_timestamp(clock::unix_seconds());
        let trace_id = new_guid();
        let correlation_id = ask.correlation_id().map_or_else(new_guid, str::to_owned);
        let document = Document {
            error: self.error,
            error_description: format!(
                "{}\r\nTrace ID: {trace_id}\r\nCorrelation ID: {correlation_id}\r\nTimestamp: {timestamp}",
                self.summary()
            ),
            error_codes: [self.code],
            timestamp: &timestamp,
            trace_id: &trace_id,
            correlation_id: &correlation_id,
            error_uri: format!("https://login.microsoftonline.com/error?code={}", self.code),
            suberror: self.suberror,
            claims: self.claims,
        };
        answer::json(self.status, &document)
    }
}

/// As much of a caller's text as an error message repeats.
pub(super) fn shown(text: &str) -> &str {
    const MOST: usize = 200;
    text.get(..text.floor_char_boundary(MOST)).unwrap_or_default()
}
