//! The issuer of a cluster's and of a pipeline's tokens: they prove a workload to Entra, for a while.
//!
//! It has a key of its own, so that Entra's tokens prove nothing of that kind.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use axum::{extract::State, http::StatusCode, response::Response};
use serde_json::json;

use crate::{answer, certificates, clock, config::WORKLOAD, signing::Signer, site::Site, token::new_guid};

/// Where the issuer's documents are, on the TLS listener.
pub(crate) const PATH: &str = "/federation";

/// The issuer, and where the token of its one pod is projected.
#[derive(Debug)]
pub(crate) struct Federation {
    issuer: String,
    /// Made when it is first needed, which in most runs is never. `None`: it could not be.
    signer: OnceLock<Option<Signer>>,
    file: Option<PathBuf>,
}

impl Federation {
    pub(crate) fn new(https_url: &str, signer: Option<Signer>, dir: Option<&Path>) -> Self {
        let file = dir.map(|dir| dir.join("federated-token"));
        let made = OnceLock::new();
        if signer.is_some() {
            made.get_or_init(|| signer);
        }
        Self { issuer: format!("{https_url}{PATH}/"), signer: made, file }
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) fn signer(&self) -> Option<&Signer> {
        self.signer.get_or_init(|| Signer::new().ok()).as_ref()
    }

    /// The file with the pod's token.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// A token that speaks for `subject`; with a negative lifetime one that has expired.
    pub(crate) fn token(&self, subject: &str, audience: &str, lifetime: i64) -> Option<String> {
        let now = clock::unix_seconds();
        let from = now.min(now.saturating_add(lifetime).saturating_sub(1));
        self.signer()?.sign(&json!({
            "aud": [audience],
            "exp": now.saturating_add(lifetime),
            "iat": from,
            "iss": self.issuer,
            "jti": new_guid(),
            "nbf": from,
            "sub": subject,
        }))
    }

    /// Gives the pod a new token, as the kubelet does: in one step, so that nobody reads half of it.
    pub(crate) fn project(&self, audience: &str, lifetime: i64) -> Result<String, (PathBuf, io::Error)> {
        let file = self.file.clone().unwrap_or_default();
        let token = self.token(WORKLOAD, audience, lifetime);
        let token = token.ok_or_else(|| (file, io::Error::other("the token could not be signed")))?;
        if let Some(file) = &self.file {
            certificates::replace(file, token.as_bytes(), 0o600).map_err(|error| (file.clone(), error))?;
        }
        Ok(token)
    }
}

/// `GET /federation/.well-known/openid-configuration`.
pub(crate) async fn openid(State(site): State<Arc<Site>>) -> Response {
    let issuer = site.federation.issuer();
    let document = json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}openid/v1/jwks"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    });
    answer::json(StatusCode::OK, &document)
}

/// `GET /federation/openid/v1/jwks`.
pub(crate) async fn keys(State(site): State<Arc<Site>>) -> Response {
    match site.federation.signer() {
        Some(signer) => answer::json(StatusCode::OK, signer.public()),
        None => answer::error(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "There is no key"),
    }
}
