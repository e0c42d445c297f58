//! Why nothing came back: one error type, with a kind that says what the caller should do.
//!
//! Everything but the kind is a field. Messages are safe to log: they hold the provider's codes and its correlation
//! id, never a response body, an assertion, a header or a secret.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What happened, as an answer to "what should I do now?". The numbers are those of the C interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum ErrorKind {
    /// This credential could not try here; a chain goes on.
    Unavailable = 10,
    /// The credential tried and was refused; it will not mend by itself.
    Failed = 20,
    /// The credential tried and got no answer, after the retries allowed; try again later.
    Transient = 30,
    /// A setting (option, environment variable, file) is wrong.
    InvalidConfiguration = 40,
    /// The call is wrong (scope, tenant, claims).
    InvalidArgument = 50,
    /// The caller left before the answer came.
    Cancelled = 60,
    /// The caller's deadline passed before the answer came.
    TimedOut = 70,
    /// A bug in azcred was contained; please report it.
    Internal = 90,
}

impl ErrorKind {
    /// The kind's name at every door: `UNAVAILABLE`, `FAILED`, …
    pub fn name(self) -> &'static str {
        match self {
            ErrorKind::Unavailable => "UNAVAILABLE",
            ErrorKind::Failed => "FAILED",
            ErrorKind::Transient => "TRANSIENT",
            ErrorKind::InvalidConfiguration => "INVALID_CONFIGURATION",
            ErrorKind::InvalidArgument => "INVALID_ARGUMENT",
            ErrorKind::Cancelled => "CANCELLED",
            ErrorKind::TimedOut => "TIMED_OUT",
            ErrorKind::Internal => "INTERNAL",
        }
    }
}

/// What one member of a chain answered.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The member's class name, such as `ManagedIdentityCredential`.
    pub credential: &'static str,
    /// What it answered.
    pub error: Error,
}

/// Why nothing came back. Cheap to clone, one word wide.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    code: Option<String>,
    correlation_id: Option<String>,
    claims: Option<String>,
    http_status: Option<u16>,
    retry_after: Option<Duration>,
    attempts: Vec<Attempt>,
    /// Whether it says something about this process, and nothing about the source.
    is_own: bool,
}

impl Error {
    /// An error of `kind` with a sentence that is safe to log.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error(Arc::new(Inner {
            kind,
            message: message.into(),
            code: None,
            correlation_id: None,
            claims: None,
            http_status: None,
            retry_after: None,
            attempts: Vec::new(),
            is_own: false,
        }))
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Unavailable, message)
    }

    pub(crate) fn failed(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Failed, message)
    }

    pub(crate) fn transient(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Transient, message)
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::InvalidConfiguration, message)
    }

    pub(crate) fn argument(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::InvalidArgument, message)
    }

    /// What the caller should do.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The whole sentence, a chain's report included. Safe to log.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The provider's error code, such as `invalid_client` or `invalid_request`.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The id under which the provider logged the request.
    pub fn correlation_id(&self) -> Option<&str> {
        self.0.correlation_id.as_deref()
    }

    /// The claims that a new sign-in of the user must meet, as a JSON object: what an API that asks on behalf of a user
    /// sends back to its caller, and a program passes to `authenticate`.
    pub fn claims(&self) -> Option<&str> {
        self.0.claims.as_deref()
    }

    /// The status of the answer that led to this error.
    pub fn http_status(&self) -> Option<u16> {
        self.0.http_status
    }

    /// How long the provider asked us to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What each member of a chain answered, first to last; empty outside chains.
    pub fn attempts(&self) -> &[Attempt] {
        &self.0.attempts
    }

    /// Whether other processes might not have it: this one has run out of something.
    pub(crate) fn is_own(&self) -> bool {
        self.0.is_own
    }

    /// An error of this process alone.
    pub(crate) fn own(self) -> Error {
        self.edit(|inner| inner.is_own = true)
    }

    pub(crate) fn with_code(self, code: Option<String>) -> Error {
        self.edit(|inner| inner.code = code)
    }

    pub(crate) fn with_correlation_id(self, id: Option<String>) -> Error {
        self.edit(|inner| inner.correlation_id = id)
    }

    pub(crate) fn with_claims(self, claims: Option<String>) -> Error {
        self.edit(|inner| inner.claims = claims)
    }

    pub(crate) fn with_http_status(self, status: u16) -> Error {
        self.edit(|inner| inner.http_status = Some(status))
    }

    pub(crate) fn with_retry_after(self, delay: Option<Duration>) -> Error {
        self.edit(|inner| inner.retry_after = delay)
    }

    pub(crate) fn with_attempts(self, attempts: Vec<Attempt>) -> Error {
        self.edit(|inner| inner.attempts = attempts)
    }

    pub(crate) fn with_message(self, message: String) -> Error {
        self.edit(|inner| inner.message = message)
    }

    pub(crate) fn with_kind(self, kind: ErrorKind) -> Error {
        self.edit(|inner| inner.kind = kind)
    }

    fn edit(mut self, change: impl FnOnce(&mut Inner)) -> Error {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_word_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
    }
}
