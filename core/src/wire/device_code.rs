//! What a device authorization endpoint answers (RFC 8628 section 3.2).

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::answer::{not_json, whole};
use super::http::Response;
use crate::token::Secret;

/// A code for a user, and how to ask for what becomes of it.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "RFC 8628's names")]
pub(crate) struct DeviceCode {
    pub(crate) device_code: Secret,
    pub(crate) user_code: String,
    pub(crate) verification_uri: String,
    /// What to tell the user.
    pub(crate) message: String,
    /// Seconds.
    pub(crate) expires_in: i64,
    /// The pause between two questions.
    pub(crate) interval: Duration,
}

#[derive(Deserialize)]
struct Raw {
    device_code: Option<Secret>,
    user_code: Option<String>,
    verification_uri: Option<String>,
    verification_url: Option<String>,
    message: Option<String>,
    expires_in: Option<Value>,
    interval: Option<Value>,
}

/// RFC 8628: where the server names none.
const INTERVAL: i64 = 5;

impl DeviceCode {
    /// Reads a 200 answer, or says what is wrong with it, in words that fit behind "the answer".
    pub(crate) fn read(response: &Response) -> Result<DeviceCode, String> {
        let raw: Raw = serde_json::from_slice(&response.body).map_err(|error| not_json(response, &error))?;
        let need = |name: &str, text: Option<String>| {
            // It goes to a terminal.
            let text = text.map(|text| text.chars().filter(|char| !char.is_control()).collect::<String>());
            text.filter(|text| !text.is_empty()).ok_or_else(|| format!("has no {name}"))
        };
        let user_code = need("user_code", raw.user_code)?;
        let verification_uri = need("verification_uri", raw.verification_uri.or(raw.verification_url))?;
        if !verification_uri.starts_with("https://") {
            return Err("has a verification_uri that is no https URL".to_owned());
        }
        let device_code = raw.device_code.filter(|code| !code.expose().is_empty()).ok_or("has no device_code")?;
        let otherwise = || format!("To sign in, open {verification_uri} in a browser and enter the code {user_code}.");
        let message = need("message", raw.message).unwrap_or_else(|_| otherwise());
        let interval = raw.interval.as_ref().and_then(whole).unwrap_or(INTERVAL).clamp(1, 60);
        Ok(DeviceCode {
            device_code,
            expires_in: raw.expires_in.as_ref().and_then(whole).filter(|life| *life > 0).unwrap_or(900),
            interval: Duration::from_secs(interval.unsigned_abs()),
            message,
            user_code,
            verification_uri,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<DeviceCode, String> {
        DeviceCode::read(&Response { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec().into() })
    }

    #[test]
    fn the_table() {
        let code = read(
            r#"{"device_code":"d","user_code":"u","verification_uri":"https://x","expires_in":"60","interval":"7","message":"m\u001b[31m"}"#,
        )
        .unwrap();
        assert_eq!((code.expires_in, code.interval.as_secs(), code.message.as_str()), (60, 7, "m[31m"));
        let code = read(r#"{"device_code":"d","user_code":"u","verification_url":"https://x","interval":-3}"#).unwrap();
        assert_eq!((code.expires_in, code.interval.as_secs()), (900, 1));
        assert_eq!(code.message, "To sign in, open https://x in a browser and enter the code u.");
        for (body, expected) in [
            ("", "is empty"),
            ("<html>", "is not JSON"),
            ("{}", "has no user_code"),
            (r#"{"user_code":"u"}"#, "has no verification_uri"),
            (r#"{"user_code":"u","verification_uri":"http://x"}"#, "has a verification_uri that is no https URL"),
            (r#"{"user_code":"u","verification_uri":"https://x"}"#, "has no device_code"),
            (r#"{"user_code":7}"#, "is JSON of an unexpected shape"),
        ] {
            assert_eq!(read(body).unwrap_err(), expected, "{body}");
        }
    }
}
