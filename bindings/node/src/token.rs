//! An answer as JavaScript has it.

use azcred::{AccessToken, Answer};
use napi::bindgen_prelude::External;
use napi_derive::napi;

use crate::error::Failure;

/// What a caller gets: a token with the handle that names it, or an error.
#[napi(object, object_from_js = false)]
pub(crate) struct Settled {
    /// The object for the caller.
    pub token: Option<Token>,
    /// The token itself, by which the door finds out whether its object still is the newest.
    pub held: Option<External<AccessToken>>,
    /// Why there is no token.
    pub error: Option<Failure>,
}

/// `AccessToken` of `@azure/core-auth`, and where it came from.
#[expect(clippy::struct_field_names, reason = "the names are those of the interface")]
#[napi(object, object_from_js = false)]
pub(crate) struct Token {
    /// The text.
    pub token: String,
    /// When it dies, in milliseconds since 1970.
    pub expires_on_timestamp: f64,
    /// From when on a renewal is due, in milliseconds since 1970.
    pub refresh_after_timestamp: f64,
    /// `Bearer`.
    pub token_type: &'static str,
    /// Where it came from.
    pub provenance: Provenance,
}

/// Where a token came from.
#[napi(object, object_from_js = false)]
pub(crate) struct Provenance {
    /// The class name of the credential that fetched it.
    pub credential: &'static str,
    /// What that credential asked.
    pub source: &'static str,
    /// The tenant asked for.
    pub tenant_id: Option<String>,
    /// The client id of the identity.
    pub client_id: Option<String>,
    /// Which cache answered.
    pub cache_level: &'static str,
}

impl From<Answer> for Settled {
    fn from(answer: Answer) -> Settled {
        match answer {
            Ok(token) => Settled { token: Some(Token::from(&token)), held: Some(External::new(token)), error: None },
            Err(error) => Settled::from(Failure::from(&error)),
        }
    }
}

impl From<Failure> for Settled {
    fn from(failure: Failure) -> Settled {
        Settled { token: None, held: None, error: Some(failure) }
    }
}

impl From<&AccessToken> for Token {
    fn from(token: &AccessToken) -> Token {
        let provenance = token.provenance();
        Token {
            token: token.secret().to_owned(),
            expires_on_timestamp: milliseconds(token.expires_on()),
            refresh_after_timestamp: milliseconds(token.refresh_on()),
            token_type: token.token_type(),
            provenance: Provenance {
                credential: provenance.credential,
                source: provenance.source,
                tenant_id: provenance.tenant_id.clone(),
                client_id: provenance.client_id.clone(),
                cache_level: token.cache_level().name(),
            },
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "JavaScript counts milliseconds in floats; exact for 285,000 years")]
fn milliseconds(seconds: i64) -> f64 {
    seconds as f64 * 1000.0
}
