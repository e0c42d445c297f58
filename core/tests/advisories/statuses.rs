//! Every status and fault of every endpoint: an error, and nothing sent to anybody else.

use azcred::ErrorKind;
use azcred::http::{HttpError, HttpFault};

use crate::stage::{Asker, askers, says};

const ELSEWHERE: &str = "https://thief.example/token";

fn refused(asker: &Asker, what: &str, reply: impl Fn() -> azcred::fake::Answer + Send + Sync + 'static) {
    let (answer, fake) = asker.ask(reply);
    let Err(error) = answer else { panic!("{}: {what}: a token", asker.title) };
    let kinds = [ErrorKind::Transient, ErrorKind::Failed, ErrorKind::Unavailable, ErrorKind::InvalidConfiguration];
    assert!(kinds.contains(&error.kind()), "{}: {what}: {error:?}", asker.title);
    assert!(!fake.sent().iter().any(|sent| sent.contains("thief")), "{}: {what}: {:?}", asker.title, fake.sent());
    // The longest is a device code's life.
    assert!(fake.now() - 1_700_000_000 < 1000, "{}: {what}: {} s", asker.title, fake.now() - 1_700_000_000);
    assert!(fake.sent().len() < 1000, "{}: {what}: asked {} times", asker.title, fake.sent().len());
}

#[test]
fn every_status_is_an_error() {
    let deep = "[".repeat(10_000);
    let long = format!(r#"{{"error":"e","error_description":"{}canary"}}"#, "x".repeat(595));
    let bodies = [
        "",
        "<html>canary</html>",
        r#"{"access_token":"songbird","expires_in":3600}"#,
        r#"{"error":"e","error_description":"AADSTS1: canary\u001b[31m\u0000 is\r\nwrong","correlation_id":"canary"}"#,
        r#"{"error":{"code":"canary","message":"canary","correlationId":"canary"}}"#,
        r#"{"error":7,"error_description":[],"correlation_id":{}}"#,
        r#"{"statusCode":"canary","message":"canary"}"#,
        r#"{"error":"canary"#,
        deep.as_str(),
        long.as_str(),
    ];
    let headers = [
        ("location", ELSEWHERE),
        ("retry-after", "1"),
        ("www-authenticate", "Basic realm=/etc/shadow"),
        ("x-vss-e2eid", "canary"),
    ];
    for asker in askers() {
        for status in [
            201, 204, 206, 300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 407, 408, 410, 418, 429, 451,
            500, 501, 502, 503, 504, 599, 999,
        ] {
            for body in bodies {
                refused(&asker, &format!("{status} {body:.80}"), says(status, &headers, body.as_bytes()));
            }
        }
    }
}

#[test]
fn every_fault_is_an_error() {
    for asker in askers() {
        for fault in [
            HttpFault::Connect,
            HttpFault::Tls,
            HttpFault::Timeout,
            HttpFault::Broken,
            HttpFault::TooLarge,
            HttpFault::Refused,
        ] {
            let fault = HttpError { fault, message: "it broke".into() };
            refused(&asker, &format!("{fault:?}"), move || Err(fault.clone()));
        }
    }
}

#[test]
fn a_retry_that_is_asked_for_later_than_anybody_waits_is_no_retry() {
    for asker in askers() {
        for pause in ["99999999999999999999", "1e300", "-1", "Fri, 31 Dec 9999 23:59:59 GMT", "canary"] {
            refused(&asker, pause, says(503, &[("retry-after", pause)], b""));
        }
    }
}
