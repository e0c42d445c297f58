//! `azcred_error`: why nothing came back.

use std::ffi::{CString, c_char};
use std::ptr;

use azcred::{Error, ErrorKind};

/// What happened, as an answer to "what should I do now?". Numbers are never reused.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum azcred_status {
    /// The only success.
    AZCRED_OK = 0,
    /// This credential could not try here; a chain goes on.
    AZCRED_UNAVAILABLE = 10,
    /// Tried and refused; it will not mend by itself.
    AZCRED_FAILED = 20,
    /// Tried, and no answer after the retries allowed; try again later.
    AZCRED_TRANSIENT = 30,
    /// A setting (option, environment variable, file) is wrong.
    AZCRED_INVALID_CONFIGURATION = 40,
    /// The call is wrong (NULL, scope, tenant, claims).
    AZCRED_INVALID_ARGUMENT = 50,
    /// The caller left before the answer came.
    AZCRED_CANCELLED = 60,
    /// The caller's deadline passed before the answer came.
    AZCRED_TIMED_OUT = 70,
    /// A bug in azcred was contained; please report it.
    AZCRED_INTERNAL = 90,
}

impl azcred_status {
    pub(crate) fn of(kind: ErrorKind) -> azcred_status {
        match kind {
            ErrorKind::Unavailable => azcred_status::AZCRED_UNAVAILABLE,
            ErrorKind::Failed => azcred_status::AZCRED_FAILED,
            ErrorKind::Transient => azcred_status::AZCRED_TRANSIENT,
            ErrorKind::InvalidConfiguration => azcred_status::AZCRED_INVALID_CONFIGURATION,
            ErrorKind::InvalidArgument => azcred_status::AZCRED_INVALID_ARGUMENT,
            ErrorKind::Cancelled => azcred_status::AZCRED_CANCELLED,
            ErrorKind::TimedOut => azcred_status::AZCRED_TIMED_OUT,
            ErrorKind::Internal => azcred_status::AZCRED_INTERNAL,
        }
    }
}

/// Why a call failed. Its texts are safe to log: they hold no secret.
///
/// `azcred_error_status`, `azcred_error_message`, `azcred_error_code`, `azcred_error_correlation_id`,
/// `azcred_error_claims`, `azcred_error_http_status`, `azcred_error_retry_after_ms`, `azcred_error_attempts_len`,
/// `azcred_error_attempt_credential`, `azcred_error_attempt_status`, `azcred_error_attempt_message`,
/// `azcred_error_free`.
pub struct azcred_error {
    error: Error,
    message: CString,
    code: Option<CString>,
    correlation_id: Option<CString>,
    claims: Option<CString>,
    attempts: Vec<(CString, azcred_status, CString)>,
}

impl azcred_error {
    pub(crate) fn boxed(error: Error) -> Box<azcred_error> {
        let attempts = error
            .attempts()
            .iter()
            .map(|attempt| {
                let status = azcred_status::of(attempt.error.kind());
                (text(attempt.credential), status, text(attempt.error.message()))
            })
            .collect();
        Box::new(azcred_error {
            message: text(error.message()),
            code: error.code().map(text),
            correlation_id: error.correlation_id().map(text),
            claims: error.claims().map(text),
            attempts,
            error,
        })
    }
}

/// A text for C. Messages hold no NUL; one that does is cut there.
pub(crate) fn text(text: &str) -> CString {
    CString::new(text).unwrap_or_else(|error| {
        let mut bytes = error.into_vec();
        bytes.truncate(bytes.iter().position(|byte| *byte == 0).unwrap_or(0));
        CString::new(bytes).unwrap_or_default()
    })
}

fn pointer(text: Option<&CString>) -> *const c_char {
    text.map_or(ptr::null(), |text| text.as_ptr())
}

/// What happened. NULL gives `AZCRED_OK`, as "no error".
///
/// Borrows `error`. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_error_status(error: Option<&azcred_error>) -> azcred_status {
    error.map_or(azcred_status::AZCRED_OK, |error| azcred_status::of(error.error.kind()))
}

/// The whole sentence, UTF-8; a chain's report has a line per member.
///
/// Borrows `error`; the text lives as long as it. NULL gives NULL. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_error_message(error: Option<&azcred_error>) -> *const c_char {
    pointer(error.map(|error| &error.message))
}

/// The provider's error code, such as "invalid_client"; NULL if there is none. "authentication_required" is azcred's own:
/// the user has to sign in, by `azcred_credential_authenticate`.
///
/// Borrows `error`; the text lives as long as it. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_error_code(error: Option<&azcred_error>) -> *const c_char {
    pointer(error.and_then(|error| error.code.as_ref()))
}

/// The id under which the provider logged the request; NULL if there is none.
///
/// Borrows `error`; the text lives as long as it. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_error_correlation_id(error: Option<&azcred_error>) -> *const c_char {
    pointer(error.and_then(|error| error.correlation_id.as_ref()))
}

/// The claims that a new sign-in of the user must meet, as a JSON object: for the `claims` of a request, or for an API's
/// caller; NULL if there are none.
///
/// Borrows `error`; the text lives as long as it. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_error_claims(error: Option<&azcred_error>) -> *const c_char {
    pointer(error.and_then(|error| error.claims.as_ref()))
}

/// The HTTP status of the answer that led to the error; 0 if there was no answer.
///
/// Borrows `error`. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_error_http_status(error: Option<&azcred_error>) -> u16 {
    error.and_then(|error| error.error.http_status()).unwrap_or(0)
}

/// How long the provider asked us to wait, in milliseconds; -1 if it did not say.
///
/// Borrows `error`. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_error_retry_after_ms(error: Option<&azcred_error>) -> i64 {
    let delay = error.and_then(|error| error.error.retry_after());
    delay.map_or(-1, |delay| i64::try_from(delay.as_millis()).unwrap_or(i64::MAX))
}

/// How many members of a chain were asked; 0 outside chains.
///
/// Borrows `error`. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_error_attempts_len(error: Option<&azcred_error>) -> usize {
    error.map_or(0, |error| error.attempts.len())
}

/// The name of the member at `index`, such as "ManagedIdentityCredential"; NULL beyond the last.
///
/// Borrows `error`; the text lives as long as it. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_error_attempt_credential(error: Option<&azcred_error>, index: usize) -> *const c_char {
    pointer(error.and_then(|error| error.attempts.get(index)).map(|(credential, _, _)| credential))
}

/// What the member at `index` answered; `AZCRED_OK` beyond the last.
///
/// Borrows `error`. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_error_attempt_status(error: Option<&azcred_error>, index: usize) -> azcred_status {
    let attempt = error.and_then(|error| error.attempts.get(index));
    attempt.map_or(azcred_status::AZCRED_OK, |(_, status, _)| *status)
}

/// The sentence of the member at `index`; NULL beyond the last.
///
/// Borrows `error`; the text lives as long as it. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_error_attempt_message(error: Option<&azcred_error>, index: usize) -> *const c_char {
    pointer(error.and_then(|error| error.attempts.get(index)).map(|(_, _, message)| message))
}

/// Frees an error.
///
/// Consumes `error`; NULL does nothing. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_error_free(error: Option<Box<azcred_error>>) {
    drop(error);
}
