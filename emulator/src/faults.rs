//! Faults on demand: what a test wants to go wrong, and how often.
//!
//! Each request takes the oldest fault that fits its endpoint; a fault that was taken as often as
//! it was meant to be is gone. So faults posted one after the other make a script. A request that
//! IMDS's limits refuse takes none.

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use crate::endpoint::Endpoint;

const LONGEST_LATENCY_MS: u64 = 120_000;
const MOST_FAULTS: usize = 1000;

/// What is done to a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Answer; with the fault's own status and body when it has them.
    #[default]
    Respond,
    /// Close the connection without an answer.
    Close,
    /// Promise the whole body, send half of it, close.
    Truncate,
    /// Say nothing until the faults are cleared.
    Hang,
    /// Answer normally, but the token is one that has expired.
    ExpiredToken,
    /// Answer with one of Arc's challenges, but a wrong one.
    Arc(Trick),
}

/// What is wrong with Arc's challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trick {
    /// The file is there, in another folder.
    RealmOutside,
    /// The file is there, but is no `.key`.
    WrongExtension,
    /// The file is there and longer than 4096 bytes.
    LargeFile,
    /// The header names no file.
    NoRealm,
    /// The file is a link to one in another folder.
    Symlink,
    /// There are two headers, the second one for a file elsewhere.
    TwoHeaders,
}

impl Mode {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "respond" => Self::Respond,
            "close" => Self::Close,
            "truncate" => Self::Truncate,
            "hang" => Self::Hang,
            "expired_token" => Self::ExpiredToken,
            "arc_realm_outside" => Self::Arc(Trick::RealmOutside),
            "arc_wrong_extension" => Self::Arc(Trick::WrongExtension),
            "arc_large_file" => Self::Arc(Trick::LargeFile),
            "arc_no_realm" => Self::Arc(Trick::NoRealm),
            "arc_symlink" => Self::Arc(Trick::Symlink),
            "arc_two_headers" => Self::Arc(Trick::TwoHeaders),
            _ => return None,
        })
    }
}

/// The answer that a fault gives in place of the endpoint's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Canned {
    pub(crate) status: StatusCode,
    /// `None` for the emulator's own words.
    pub(crate) body: Option<String>,
    pub(crate) headers: HeaderMap,
}

/// One fault.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    /// `None` for every endpoint.
    endpoint: Option<Endpoint>,
    count: Option<u64>,
    pub(crate) latency: Duration,
    pub(crate) mode: Mode,
    pub(crate) canned: Option<Canned>,
}

/// Why a fault was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadFault {
    pub(crate) field: String,
    pub(crate) reason: String,
}

impl BadFault {
    fn new(field: &str, reason: impl Into<String>) -> Self {
        Self { field: field.to_owned(), reason: reason.into() }
    }
}

fn bad<T>(field: &str, reason: impl Into<String>) -> Result<T, BadFault> {
    Err(BadFault::new(field, reason))
}

impl Fault {
    /// The fault that a JSON document describes.
    pub(crate) fn read(document: &Value) -> Result<Self, BadFault> {
        const KNOWN: [&str; 8] =
            ["endpoint", "latency_ms", "status", "body", "content_type", "headers", "count", "mode"];
        let Some(fields) = document.as_object() else {
            return bad("", "the body must be a JSON object");
        };
        if let Some(name) = fields.keys().find(|name| !KNOWN.contains(&name.as_str())) {
            return bad(name, format!("is unknown; known are {}", KNOWN.join(", ")));
        }
        let endpoint = match text(fields, "endpoint")? {
            None => return bad("endpoint", "is missing; * stands for all"),
            Some("*") => None,
            Some(name) => Some(Endpoint::from_name(name).ok_or_else(|| {
                let names = Endpoint::ALL.map(Endpoint::name).join(", ");
                BadFault::new("endpoint", format!("must be * or one of {names}"))
            })?),
        };
        let mode = match text(fields, "mode")? {
            None => Mode::default(),
            Some(name) => Mode::from_name(name).ok_or_else(|| {
                const NAMES: &str = "must be one of respond, close, truncate, hang, expired_token, arc_realm_outside, \
                                     arc_wrong_extension, arc_large_file, arc_no_realm, arc_symlink, arc_two_headers";
                BadFault::new("mode", NAMES)
            })?,
        };
        let latency = number(fields, "latency_ms", 0, LONGEST_LATENCY_MS)?.unwrap_or_default();
        let count = number(fields, "count", 1, u64::MAX)?;
        let canned = canned(fields)?;
        if matches!(mode, Mode::Arc(_)) && endpoint != Some(Endpoint::Arc) {
            return bad("mode", "goes with the endpoint arc only");
        }
        if canned.is_some() && !matches!(mode, Mode::Respond | Mode::Truncate) {
            return bad("mode", "goes with status and body only when it answers");
        }
        Ok(Self { endpoint, count, latency: Duration::from_millis(latency), mode, canned })
    }
}

fn canned(fields: &Map<String, Value>) -> Result<Option<Canned>, BadFault> {
    let status = number(fields, "status", 200, 599)?;
    let body = text(fields, "body")?;
    let content_type = text(fields, "content_type")?;
    let given = match fields.get("headers") {
        None | Some(Value::Null) => None,
        Some(Value::Object(headers)) => Some(headers),
        Some(_) => return bad("headers", "must be an object of strings"),
    };
    if status.is_none() && body.is_none() {
        return match (content_type, given) {
            (None, None) => Ok(None),
            (Some(_), _) => bad("content_type", "needs a status or a body to go with"),
            (None, Some(_)) => bad("headers", "needs a status or a body to go with"),
        };
    }
    let status = status.and_then(|status| u16::try_from(status).ok());
    let Ok(status) = StatusCode::from_u16(status.unwrap_or(200)) else {
        return bad("status", "must be 200 to 599");
    };
    let mut headers = HeaderMap::new();
    for (name, value) in given.into_iter().flatten() {
        let field = format!("headers.{name}");
        let Some(value) = value.as_str() else {
            return bad(&field, "must be a string");
        };
        let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) else {
            return bad(&field, "is no legal header");
        };
        if ["content-length", "transfer-encoding", "connection", "upgrade"].contains(&name.as_str()) {
            return bad(&field, "is the server's own to set");
        }
        headers.insert(name, value);
    }
    if let Some(content_type) = content_type {
        let Ok(value) = HeaderValue::from_str(content_type) else {
            return bad("content_type", "is no legal header value");
        };
        headers.insert("content-type", value);
    }
    Ok(Some(Canned { status, body: body.map(str::to_owned), headers }))
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, BadFault> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => bad(name, "must be a string"),
    }
}

fn number(fields: &Map<String, Value>, name: &str, least: u64, most: u64) -> Result<Option<u64>, BadFault> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64() {
            Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ if most == u64::MAX => bad(name, format!("must be a whole number from {least}")),
            _ => bad(name, format!("must be a whole number, {least} to {most}")),
        },
    }
}

/// The faults in force.
#[derive(Debug)]
pub(crate) struct Faults {
    queue: Mutex<Queue>,
    /// Counts the clearings, for those that wait for one.
    cleared: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Queue {
    last_id: u64,
    standing: Vec<Standing>,
}

#[derive(Debug)]
struct Standing {
    id: u64,
    fault: Arc<Fault>,
    document: Value,
    taken: u64,
}

/// A fault that a request has to suffer.
#[derive(Debug)]
pub(crate) struct Strike {
    pub(crate) fault: Arc<Fault>,
    cleared: watch::Receiver<u64>,
}

impl Strike {
    /// Waits until the faults are cleared.
    pub(crate) async fn cleared(&mut self) {
        // The sender lives as long as the emulator's site, which the waiting request holds too.
        if self.cleared.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Faults {
    pub(crate) fn new() -> Self {
        Self { queue: Mutex::default(), cleared: watch::Sender::new(0) }
    }

    /// Adds the fault that `document` describes, behind the others; its id.
    pub(crate) fn post(&self, document: Value) -> Result<u64, BadFault> {
        let fault = Arc::new(Fault::read(&document)?);
        let mut queue = self.queue.lock();
        if queue.standing.len() == MOST_FAULTS {
            return bad("", format!("{MOST_FAULTS} faults are enough; clear them"));
        }
        queue.last_id += 1;
        let id = queue.last_id;
        queue.standing.push(Standing { id, fault, document, taken: 0 });
        Ok(id)
    }

    /// The oldest fault for that endpoint, taken once.
    pub(crate) fn take(&self, endpoint: Endpoint) -> Option<Strike> {
        let mut queue = self.queue.lock();
        let at = queue.standing.iter().position(|one| one.fault.endpoint.is_none_or(|wanted| wanted == endpoint))?;
        let one = queue.standing.get_mut(at)?;
        one.taken += 1;
        let fault = Arc::clone(&one.fault);
        if fault.count.is_some_and(|count| one.taken >= count) {
            queue.standing.remove(at);
        }
        Some(Strike { fault, cleared: self.cleared.subscribe() })
    }

    /// Drops all faults and lets go of the requests that hang by one.
    pub(crate) fn clear(&self) -> usize {
        let mut queue = self.queue.lock();
        let cleared = std::mem::take(&mut queue.standing).len();
        self.cleared.send_modify(|count| *count += 1);
        cleared
    }

    /// The faults as they were posted, each with its id and how often it was taken.
    pub(crate) fn list(&self) -> Value {
        let queue = self.queue.lock();
        let faults = queue.standing.iter().map(|one| {
            let mut document = one.document.clone();
            if let Some(fields) = document.as_object_mut() {
                fields.insert("id".to_owned(), one.id.into());
                fields.insert("taken".to_owned(), one.taken.into());
            }
            document
        });
        json!({"faults": faults.collect::<Vec<_>>()})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_field() {
        let table = [
            (json!([]), ""),
            (json!({}), "endpoint"),
            (json!({"endpoint": "nowhere"}), "endpoint"),
            (json!({"endpoint": "imds", "mode": "arc_symlink"}), "mode"),
            (json!({"endpoint": 1}), "endpoint"),
            (json!({"endpoint": "*", "latency": 1}), "latency"),
            (json!({"endpoint": "*", "latency_ms": -1}), "latency_ms"),
            (json!({"endpoint": "*", "latency_ms": 120_001}), "latency_ms"),
            (json!({"endpoint": "*", "status": 100}), "status"),
            (json!({"endpoint": "*", "status": "500"}), "status"),
            (json!({"endpoint": "*", "status": 65_736}), "status"),
            (json!({"endpoint": "*", "count": 0}), "count"),
            (json!({"endpoint": "*", "mode": "explode"}), "mode"),
            (json!({"endpoint": "*", "mode": "hang", "status": 500}), "mode"),
            (json!({"endpoint": "*", "body": {}}), "body"),
            (json!({"endpoint": "*", "headers": {"a": "b"}}), "headers"),
            (json!({"endpoint": "*", "content_type": "x"}), "content_type"),
            (json!({"endpoint": "*", "body": "", "content_type": "\n"}), "content_type"),
            (json!({"endpoint": "*", "status": 500, "headers": []}), "headers"),
            (json!({"endpoint": "*", "status": 500, "headers": {"a": 1}}), "headers.a"),
            (json!({"endpoint": "*", "status": 500, "headers": {"a b": "1"}}), "headers.a b"),
            (json!({"endpoint": "*", "status": 500, "headers": {"Content-Length": "1"}}), "headers.Content-Length"),
        ];
        for (document, field) in table {
            let error = Fault::read(&document).unwrap_err();
            assert_eq!(error.field, field, "{document}: {}", error.reason);
        }
    }

    #[test]
    fn a_status_or_a_body_makes_a_canned_answer() {
        let read = |document| Fault::read(&document).unwrap();
        assert!(read(json!({"endpoint": "imds", "latency_ms": 5})).canned.is_none());
        let canned = read(json!({"endpoint": "*", "body": "<html>"})).canned.unwrap();
        assert_eq!(canned.status, StatusCode::OK);
        let fault = read(json!({
            "endpoint": "*", "status": 429, "content_type": "text/plain",
            "headers": {"Retry-After": "1"}, "count": null,
        }));
        let canned = fault.canned.unwrap();
        assert_eq!(canned.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(canned.headers["retry-after"], "1");
        assert_eq!(canned.headers["content-type"], "text/plain");
        assert_eq!(canned.body, None);
    }

    #[test]
    fn faults_are_taken_in_the_order_of_posting() {
        let faults = Faults::new();
        for document in [
            json!({"endpoint": "imds", "status": 500, "count": 2}),
            json!({"endpoint": "*", "status": 410, "count": 1}),
            json!({"endpoint": "imds", "status": 404}),
        ] {
            faults.post(document).unwrap();
        }
        let take = |endpoint| {
            let strike = faults.take(endpoint)?;
            strike.fault.canned.as_ref().map(|c| c.status.as_u16())
        };
        assert_eq!(take(Endpoint::Imds), Some(500));
        assert_eq!(take(Endpoint::EntraToken), Some(410));
        assert_eq!(take(Endpoint::EntraToken), None);
        assert_eq!(take(Endpoint::Imds), Some(500));
        assert_eq!(take(Endpoint::Imds), Some(404));
        assert_eq!(take(Endpoint::Imds), Some(404));
        assert_eq!(faults.list()["faults"][0]["taken"], 2);
        assert_eq!(faults.list()["faults"][0]["id"], 3);
        assert_eq!(faults.clear(), 1);
        assert!(faults.take(Endpoint::Imds).is_none());
    }

    #[tokio::test]
    async fn clearing_lets_go() {
        let faults = Faults::new();
        faults.post(json!({"endpoint": "*", "mode": "hang", "count": 1})).unwrap();
        let mut strike = faults.take(Endpoint::Imds).unwrap();
        faults.clear();
        strike.cleared().await;
    }
}
