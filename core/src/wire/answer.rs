//! What a token endpoint answers, in all the forms seen in the wild.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use super::http::Response;
use super::moment;
use super::retry::retry_after;
use crate::cache::judge::SKEW;
use crate::error::{Error, ErrorKind};
use crate::request::shown;
use crate::token::Secret;

/// No token lives longer; what claims to is a number in the wrong unit.
const LONGEST_LIFE: i64 = 366 * 24 * 3600;

/// A token as a server gave it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) text: Secret,
    /// Unix seconds.
    pub(crate) expires_on: i64,
    /// Seconds.
    pub(crate) refresh_in: Option<i64>,
    /// The identity that was used, where the server says so.
    pub(crate) client_id: Option<String>,
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow)]
    access_token: Option<Cow<'a, str>>,
    expires_on: Option<Value>,
    expires_in: Option<Value>,
    refresh_in: Option<Value>,
    client_id: Option<String>,
}

/// Reads a token out of a 200 answer to a request that was sent at `asked` and answered by `answered` (Unix seconds), or
/// says why there is none, in words that fit behind "the answer" and hold nothing of the token.
pub(crate) fn read(response: &Response, asked: i64, answered: i64) -> Result<Answer, String> {
    let raw: Raw<'_> = serde_json::from_slice(&response.body).map_err(|error| not_json(response, &error))?;
    let text = match raw.access_token {
        Some(text) if !text.is_empty() => Secret::new(text),
        _ => return Err("has no access_token".to_owned()),
    };
    if !text.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("holds an access_token with characters that no token has".to_owned());
    }
    let expires_on = expiry(raw.expires_on.as_ref(), raw.expires_in.as_ref(), asked)?;
    let expires_on = expires_on.by_our_clock(ahead(response, asked, answered), asked)?;
    let refresh_in = raw.refresh_in.as_ref().and_then(whole).filter(|seconds| *seconds > 0);
    Ok(Answer { text, expires_on, refresh_in, client_id: raw.client_id.filter(|id| !id.is_empty()) })
}

/// What an answer says of the user, beside the token.
#[derive(Debug, Default)]
pub(crate) struct UserAnswer {
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) id_token: Option<Secret>,
    /// base64url of JSON: the user's object id and home tenant.
    pub(crate) client_info: Option<String>,
}

#[derive(Deserialize)]
struct RawUser<'a> {
    #[serde(borrow)]
    refresh_token: Option<Cow<'a, str>>,
    #[serde(borrow)]
    id_token: Option<Cow<'a, str>>,
    client_info: Option<String>,
}

/// Reads what an answer says of the user; what is not there, or not text, is none.
pub(crate) fn user(response: &Response) -> UserAnswer {
    let Ok(raw) = serde_json::from_slice::<RawUser<'_>>(&response.body) else { return UserAnswer::default() };
    let secret = |text: Option<Cow<'_, str>>| text.filter(|text| !text.is_empty()).map(Secret::new);
    UserAnswer {
        refresh_token: secret(raw.refresh_token),
        id_token: secret(raw.id_token),
        client_info: raw.client_info,
    }
}

/// Refuses a token that is dead, that dies before it can be used, or whose expiry is a number in another unit; the error
/// fits behind "the answer".
pub(crate) fn check_life(expires_on: i64, now: i64) -> Result<(), String> {
    let life = expires_on.saturating_sub(now);
    if life <= 0 {
        Err(format!("holds a token that expired {} s ago", now.saturating_sub(expires_on)))
    } else if life <= SKEW {
        Err(format!("holds a token that lives {life} s, which is too short to be used"))
    } else if life > LONGEST_LIFE {
        Err(format!("holds a token that lives until {expires_on} (Unix seconds), more than a year"))
    } else {
        Ok(())
    }
}

/// When a token dies.
#[derive(Clone, Copy)]
enum Expiry {
    /// By the server's clock.
    Theirs(i64),
    /// By ours.
    Ours(i64),
}

impl Expiry {
    /// The moment by our clock, where the server's is so many seconds `ahead`. Either may be wrong, so what is earlier
    /// counts, unless a token that was just given would be dead then.
    fn by_our_clock(self, ahead: i64, asked: i64) -> Result<i64, String> {
        let (seconds, corrected) = match self {
            Expiry::Theirs(seconds) => (seconds, seconds.saturating_sub(ahead)),
            Expiry::Ours(seconds) => (seconds, seconds),
        };
        match (check_life(seconds, asked), check_life(corrected, asked)) {
            (Ok(()), Ok(())) => Ok(seconds.min(corrected)),
            (Ok(()), Err(_)) => Ok(seconds),
            (Err(_), Ok(())) => Ok(corrected),
            (Err(what), Err(_)) => Err(what),
        }
    }
}

/// How many seconds the server's clock is ahead of ours, by the `Date` of its answer (RFC 9110 section 6.6.1): what is
/// between question and answer, or rounded, is no difference.
fn ahead(response: &Response, asked: i64, answered: i64) -> i64 {
    let Some(date) = response.header("date").and_then(moment::http_date) else { return 0 };
    if date < asked.saturating_sub(1) {
        date.saturating_sub(asked)
    } else if date > answered.saturating_add(1) {
        date.saturating_sub(answered)
    } else {
        0
    }
}

/// `expires_on` where it can be read, else `expires_in` from the moment of asking.
fn expiry(on: Option<&Value>, within: Option<&Value>, asked: i64) -> Result<Expiry, String> {
    let given = |value: &&Value| !value.is_null() && value.as_str() != Some("");
    let on = on.filter(given);
    if let Some(moment) = on.and_then(instant) {
        return Ok(Expiry::Theirs(moment));
    }
    let within = within.filter(given);
    if let Some(seconds) = within.and_then(whole) {
        return Ok(Expiry::Ours(asked.saturating_add(seconds)));
    }
    match (on, within) {
        (None, None) => Err("has neither expires_on nor expires_in".to_owned()),
        (Some(value), _) => Err(format!("has an unreadable expires_on: {}", shown(&value.to_string()))),
        (None, Some(value)) => Err(format!("has an unreadable expires_in: {}", shown(&value.to_string()))),
    }
}

fn instant(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => moment::any(text),
        value => whole(value),
    }
}

/// A whole number, as a number or as text; fractions are cut.
pub(super) fn whole(value: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "bounded in the same line")]
    let cut = |float: f64| (float.is_finite() && float.abs() < 1e15).then_some(float as i64);
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(cut)),
        Value::String(text) => text.trim().parse::<i64>().ok().or_else(|| text.trim().parse().ok().and_then(cut)),
        _ => None,
    }
}

pub(super) fn not_json(response: &Response, error: &serde_json::Error) -> String {
    if response.body.iter().all(u8::is_ascii_whitespace) {
        return "is empty".to_owned();
    }
    // serde_json's own words may quote the body, which may hold a token.
    let what = match error.classify() {
        serde_json::error::Category::Eof => "ends in the middle of its JSON",
        serde_json::error::Category::Data => "is JSON of an unexpected shape",
        _ => "is not JSON",
    };
    match response.header("content-type") {
        Some(kind) => format!("{what} (content-type {})", shown(kind)),
        None => what.to_owned(),
    }
}

/// What an error answer says, in words that are safe to log.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Refusal {
    /// The error code: `invalid_client`.
    pub(crate) code: Option<String>,
    /// The first line of its description.
    pub(crate) text: Option<String>,
    /// The id under which the server logged it.
    pub(crate) correlation_id: Option<String>,
    /// The claims that a new sign-in of the user must meet, as JSON.
    pub(crate) claims: Option<String>,
}

impl Refusal {
    /// Reads an error answer: OAuth's form, the identity endpoints' and their nested one; anything else is empty.
    pub(crate) fn read(response: &Response, secrets: &[&Secret]) -> Refusal {
        let Ok(document) = serde_json::from_slice::<Value>(&response.body) else { return Refusal::default() };
        let error = document.get("error");
        let nested = error.filter(|error| error.is_object()).unwrap_or(&document);
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(|text| line(text, secrets));
        Refusal {
            code: text(error.filter(|error| error.is_string())).or_else(|| text(nested.get("code"))),
            text: text(document.get("error_description"))
                .or_else(|| text(nested.get("message")))
                .or_else(|| text(nested.get("Message"))),
            correlation_id: text(document.get("correlation_id")).or_else(|| text(nested.get("correlationId"))),
            claims: document.get("claims").and_then(Value::as_str).filter(|text| is_object(text)).map(str::to_owned),
        }
    }

    /// The error of this answer: what the caller should do and read, and all that the server said for machines.
    pub(crate) fn error(self, kind: ErrorKind, message: String, response: &Response, now: i64) -> Error {
        Error::new(kind, message)
            .with_code(self.code)
            .with_correlation_id(self.correlation_id)
            .with_claims(self.claims)
            .with_http_status(response.status)
            .with_retry_after(retry_after(response, now))
    }

    /// One sentence: status, code and text, as far as the server gave them.
    pub(crate) fn sentence(&self, status: u16) -> String {
        let mut sentence = format!("HTTP {status}");
        if let Some(code) = &self.code {
            sentence.push_str(", ");
            sentence.push_str(code);
        }
        if let Some(text) = &self.text {
            sentence.push_str(": ");
            sentence.push_str(text);
        }
        if let Some(id) = &self.correlation_id {
            sentence.push_str(" (correlation id ");
            sentence.push_str(id);
            sentence.push(')');
        }
        sentence
    }
}

/// Whether a text is a JSON object of a size that claims have.
fn is_object(text: &str) -> bool {
    text.len() <= 16 * 1024 && serde_json::from_str::<serde_json::Map<String, Value>>(text).is_ok()
}

/// The first line of a server's text, bounded, without control characters and without what we sent in confidence.
pub(crate) fn line(text: &str, secrets: &[&Secret]) -> String {
    const LONGEST: usize = 600;
    let first = text.lines().next().unwrap_or_default();
    let line: String = first.chars().filter(|char| !char.is_control()).collect();
    // Before it is cut, which could leave the first half of a secret.
    scrubbed(line, secrets).chars().take(LONGEST).collect()
}

/// A text without what we sent in confidence.
pub(crate) fn scrubbed(mut text: String, secrets: &[&Secret]) -> String {
    // A secret this short would take the words of the sentence along, and is none that a server makes.
    const SHORTEST: usize = 4;
    for secret in secrets.iter().filter(|secret| secret.expose().len() >= SHORTEST) {
        text = text.replace(secret.expose(), "***");
    }
    text
}

/// The text of the first of these fields that an answer has: what a server says it went by.
pub(crate) fn echo(response: &Response, names: &[&str]) -> Option<String> {
    let document = serde_json::from_slice::<Value>(&response.body).ok()?;
    let text = |name: &&str| document.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    names.iter().find_map(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn response(body: &str) -> Response {
        Response { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec().into() }
    }

    #[test]
    fn every_form_of_expiry() {
        let cases = [
            (r#""expires_on":"1700003600""#, NOW + 3600),
            (r#""expires_on":1700003600"#, NOW + 3600),
            (r#""expires_on":1700003600.9"#, NOW + 3600),
            (r#""expires_in":"3599""#, NOW + 3599),
            (r#""expires_in":3599"#, NOW + 3599),
            (r#""expires_in":3599.0"#, NOW + 3599),
            (r#""expires_in":60,"expires_on":"1700003600""#, NOW + 3600),
            (r#""expires_in":60,"expires_on":"""#, NOW + 60),
            (r#""expires_in":60,"expires_on":null"#, NOW + 60),
            (r#""expires_in":60,"expires_on":"whenever""#, NOW + 60),
            (r#""expires_on":"2023-11-14T23:13:20Z""#, NOW + 3600),
            (r#""expires_on":"11/14/2023 23:13:20 +00:00""#, NOW + 3600),
            (r#""expires_on":"11/14/2023 11:13:20 PM +00:00""#, NOW + 3600),
        ];
        for (times, expected) in cases {
            let body = format!(r#"{{"access_token":"t",{times}}}"#);
            assert_eq!(read(&response(&body), NOW, NOW).unwrap().expires_on, expected, "{times}");
        }
    }

    #[test]
    fn clocks_that_differ() {
        const HOUR: i64 = 3600;
        // How far the server's clock is ahead, what its answer says, and when the token dies by ours.
        let (on, within) =
            (|ahead| format!(r#""expires_on":{}"#, NOW + ahead + HOUR), r#""expires_in":3600"#.to_owned());
        let cases = [
            (0, on(0), NOW + HOUR),
            (30, on(0), NOW + HOUR),
            (HOUR, on(HOUR), NOW + HOUR),
            (-HOUR / 2, on(-HOUR / 2), NOW + HOUR / 2),
            (-2 * HOUR, on(-2 * HOUR), NOW + HOUR),
            (86_400, on(86_400), NOW + HOUR),
            (HOUR, within.clone(), NOW + HOUR),
            (-86_400, within, NOW + HOUR),
            (-40 * 366 * 86_400, on(0), NOW + HOUR),
        ];
        for (ahead, times, expected) in cases {
            let date = jiff::Timestamp::from_second(NOW + 30 + ahead).unwrap();
            let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            let body = format!(r#"{{"access_token":"t",{times}}}"#);
            let response = Response { headers: vec![("date".to_owned(), date)], ..response(&body) };
            let read = read(&response, NOW, NOW + 60).unwrap().expires_on;
            // The answer was 30 s and more under way, nobody knows when.
            let room = if times.contains("expires_on") { 30 } else { 0 };
            assert!((expected - room..=expected + room).contains(&read), "{ahead}, {times}: {}", read - NOW);
        }
    }

    #[test]
    fn what_is_no_token_is_said_without_quoting_it() {
        let cases = [
            ("", "is empty"),
            ("<html>canary</html>", "is not JSON"),
            (r#"{"access_token":"canary"#, "ends in the middle of its JSON"),
            ("[]", "is JSON of an unexpected shape"),
            (r#"{"access_token":{"canary":1}}"#, "is JSON of an unexpected shape"),
            ("{}", "has no access_token"),
            (r#"{"access_token":"","expires_in":9}"#, "has no access_token"),
            (r#"{"access_token":"canary"}"#, "has neither expires_on nor expires_in"),
            (r#"{"access_token":"canary","expires_on":[1]}"#, "has an unreadable expires_on: [1]"),
            (r#"{"access_token":"canary","expires_in":"soon"}"#, "has an unreadable expires_in: \\\"soon\\\""),
            (r#"{"access_token":"canary","expires_in":-7}"#, "holds a token that expired 7 s ago"),
            (r#"{"access_token":"canary","expires_in":0}"#, "holds a token that expired 0 s ago"),
            (
                r#"{"access_token":"canary","expires_in":30}"#,
                "holds a token that lives 30 s, which is too short to be used",
            ),
            (r#"{"access_token":"canary","expires_on":"1"}"#, "holds a token that expired 1699999999 s ago"),
            (
                r#"{"access_token":"canary","expires_on":1700003600000}"#,
                "holds a token that lives until 1700003600000 (Unix seconds), more than a year",
            ),
            (r#"{"access_token":"canary","expires_in":1e300}"#, "has an unreadable expires_in: 1e+300"),
            (
                r#"{"access_token":"can\u0000ary","expires_in":9}"#,
                "holds an access_token with characters that no token has",
            ),
        ];
        for (body, expected) in cases {
            let said = read(&response(body), NOW, NOW).unwrap_err();
            assert_eq!(said, expected, "{body}");
            assert!(!said.contains("canary"));
        }
    }

    #[test]
    fn refusals_of_every_shape() {
        let secret = Secret::new("hunter2");
        let cases = [
            (
                r#"{"error":"invalid_client","error_description":"AADSTS7000215: wrong hunter2.\r\nTrace ID: x","correlation_id":"c1"}"#,
                "HTTP 401, invalid_client: AADSTS7000215: wrong ***. (correlation id c1)",
            ),
            (r#"{"statusCode":500,"message":"no identity"}"#, "HTTP 401: no identity"),
            (
                r#"{"error":{"code":"ManagedIdentityNotFound","message":"none","correlationId":"c2"}}"#,
                "HTTP 401, ManagedIdentityNotFound: none (correlation id c2)",
            ),
            ("<html>", "HTTP 401"),
            (r#"{"error":7}"#, "HTTP 401"),
        ];
        for (body, expected) in cases {
            assert_eq!(Refusal::read(&response(body), &[&secret]).sentence(401), expected);
        }
    }
}
