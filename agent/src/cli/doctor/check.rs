//! One source of tokens, asked once.

use std::time::Instant;

use azcred::{AccessToken, Credential, TokenRequest};
use serde_json::json;

use super::remedy;

/// What came of it.
pub(super) struct Check {
    /// Its class name.
    pub(super) credential: String,
    pub(super) outcome: Outcome,
    /// How long it took, in milliseconds.
    pub(super) took: u128,
}

pub(super) enum Outcome {
    Token(AccessToken),
    /// The kind of error, and its sentence.
    Error(&'static str, String),
    /// Why it was not asked.
    Skipped(&'static str),
}

impl Check {
    /// Asks as a chain does, which looks first whether anybody is there.
    pub(super) fn of(credential: &Credential, request: &TokenRequest) -> Check {
        let name = credential.name().to_owned();
        if credential.authentication(TokenRequest::default()).is_ok() {
            let outcome = Outcome::Skipped("a user signs in to it: it is not asked here");
            return Check { credential: name, outcome, took: 0 };
        }
        #[expect(clippy::disallowed_methods, reason = "a program's own stopwatch")]
        let begun = Instant::now();
        let chain = Credential::chain(std::slice::from_ref(credential));
        let answer = chain.and_then(|chain| chain.get_token(request));
        let outcome = match answer {
            Ok(token) => Outcome::Token(token),
            Err(error) => {
                let own = error.attempts().first().map_or(&error, |attempt| &attempt.error);
                Outcome::Error(own.kind().name(), own.message().to_owned())
            }
        };
        Check { credential: name, outcome, took: begun.elapsed().as_millis() }
    }

    /// One that could not be asked.
    pub(super) fn wrong(sentence: &str) -> Check {
        let outcome = Outcome::Error("INVALID_CONFIGURATION", sentence.to_owned());
        Check { credential: "HostCredential".to_owned(), outcome, took: 0 }
    }

    pub(super) fn gave_a_token(&self) -> bool {
        matches!(self.outcome, Outcome::Token(_))
    }

    pub(super) fn json(&self) -> serde_json::Value {
        let mut object = match &self.outcome {
            Outcome::Token(token) => {
                let provenance = token.provenance();
                json!({
                    "outcome": "TOKEN",
                    "credential": provenance.credential,
                    "source": provenance.source,
                    "tenant_id": provenance.tenant_id,
                    "client_id": provenance.client_id,
                    "expires_on": token.expires_on(),
                    "cache_level": token.cache_level().name(),
                })
            }
            Outcome::Error(kind, sentence) => json!({
                "outcome": kind,
                "credential": self.credential,
                "message": sentence,
                "next": remedy::of(sentence),
            }),
            Outcome::Skipped(why) => json!({ "outcome": "SKIPPED", "credential": self.credential, "message": why }),
        };
        object["took_ms"] = json!(u64::try_from(self.took).unwrap_or(u64::MAX));
        object
    }
}
