//! Why there is no token, as data.

use azcred::Error;
use napi_derive::napi;

/// An error on its way to `js/errors.js`.
#[napi(object, object_from_js = false)]
pub(crate) struct Failure {
    /// The name of its kind, such as `UNAVAILABLE`.
    pub kind: &'static str,
    /// The whole sentence.
    pub message: String,
    /// The provider's error code.
    pub provider_code: Option<String>,
    /// The id under which the provider logged the request.
    pub correlation_id: Option<String>,
    /// The claims that a new sign-in must meet.
    pub claims: Option<String>,
    /// The status of the HTTP answer behind it.
    pub status_code: Option<u16>,
    /// How long the provider asked us to wait, in milliseconds.
    pub retry_after_in_ms: Option<f64>,
    /// What each member of a chain answered.
    pub attempts: Vec<Attempt>,
}

/// What one member of a chain answered.
#[napi(object, object_from_js = false)]
pub(crate) struct Attempt {
    /// The member's class name.
    pub credential: &'static str,
    /// What it answered.
    pub error: Failure,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Failure {
        let attempts = error.attempts().iter();
        Failure {
            kind: error.kind().name(),
            message: error.message().to_owned(),
            provider_code: error.code().map(str::to_owned),
            correlation_id: error.correlation_id().map(str::to_owned),
            claims: error.claims().map(str::to_owned),
            status_code: error.http_status(),
            retry_after_in_ms: error.retry_after().map(|span| span.as_secs_f64() * 1000.0),
            attempts: attempts.map(Attempt::from).collect(),
        }
    }
}

impl From<&azcred::Attempt> for Attempt {
    fn from(attempt: &azcred::Attempt) -> Attempt {
        Attempt { credential: attempt.credential, error: Failure::from(&attempt.error) }
    }
}

/// Why a call ends early: azcred says no, or the caller's own code threw while its values were read.
pub(crate) enum Stop {
    Refused(Error),
    Thrown(napi::Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Refused(error)
    }
}

impl From<napi::Error> for Stop {
    fn from(error: napi::Error) -> Stop {
        Stop::Thrown(error)
    }
}

impl Stop {
    /// What was refused, as data; what was thrown goes on as it is.
    pub(crate) fn refusal(self) -> napi::Result<Failure> {
        match self {
            Stop::Refused(error) => Ok(Failure::from(&error)),
            Stop::Thrown(error) => Err(error),
        }
    }
}
