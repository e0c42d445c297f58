//! What came in and what went out: the latest requests, and counts of all of them.
//!
//! A record is made when a request arrives and completed when its answer leaves, so a request
//! that never gets one is on the list too. Secrets are struck out before a record exists. Old
//! records make room for new ones; the counts keep everything until they are cleared.

use std::collections::{BTreeMap, VecDeque};

use parking_lot::Mutex;
use serde::Serialize;
use serde_json::Value;

use crate::{
    ask::Ask,
    endpoint::{Endpoint, Listener},
    jwt::Jwt,
};

const MOST_RECORDS: usize = 10_000;
const MOST_PAIRS: usize = 64;
/// Of one record's query, headers or form, in bytes; what is longer is cut.
const LONGEST_PART: usize = 16 << 10;
const STRUCK: &str = "***";

/// Names of headers and parameters whose values are never kept.
const SECRETS: [&str; 18] = [
    "access_token",
    "assertion",
    "authorization",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "cookie",
    "device_code",
    "id_token",
    "id_token_hint",
    "password",
    "proxy-authorization",
    "refresh_token",
    "secret",
    "user_assertion",
    "x-functions-key",
    "x-identity-header",
];

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Token,
    Error,
    Probe,
    Other,
}

/// One request on the list. The status is 0 while, and if, no answer went out.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Record {
    seq: u64,
    time_ms: i64,
    listener: Listener,
    endpoint: Endpoint,
    method: String,
    /// As the caller's `Host` header has it.
    host: Option<String>,
    /// As its TLS handshake had it.
    #[serde(skip_serializing_if = "Option::is_none")]
    sni: Option<String>,
    path: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    form: BTreeMap<String, String>,
    /// The client assertion less its signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    assertion: Option<Value>,
    status: u16,
    outcome: Outcome,
}

/// What became of a request.
#[derive(Clone, Debug)]
pub(crate) struct Ending {
    pub(crate) status: u16,
    pub(crate) outcome: Outcome,
    pub(crate) throttled: bool,
    /// Who got a token.
    pub(crate) client: Option<String>,
}

/// A request's place on the list, from its arrival to its end.
#[derive(Debug)]
#[must_use = "the log waits for the ending"]
pub(crate) struct Entry {
    seq: u64,
    endpoint: Endpoint,
}

/// Counts of one endpoint; a request that is in none of the four got something else than a token.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Tally {
    requests: u64,
    tokens: u64,
    errors: u64,
    probes: u64,
    throttled: u64,
}

/// Counts since the start or the last clearing.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Counters {
    total: u64,
    tokens_issued: u64,
    by_endpoint: BTreeMap<Endpoint, Tally>,
    by_client: BTreeMap<String, u64>,
}

/// The request log.
#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    next: u64,
    /// Entries before this one were cleared: their endings count nowhere.
    first_counted: u64,
    records: VecDeque<Record>,
    counters: Counters,
}

impl Log {
    /// Puts a request on the list.
    pub(crate) fn arrive(&self, time_ms: i64, listener: Listener, endpoint: Endpoint, ask: &Ask) -> Entry {
        let headers = ask.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.as_str(), value)
        });
        let mut record = Record {
            seq: 0,
            time_ms,
            listener,
            endpoint,
            method: ask.method.clone(),
            host: ask.host().map(str::to_owned),
            sni: ask.sni.clone(),
            path: ask.path.clone(),
            query: keep(ask.query.iter()),
            headers: keep(headers),
            form: keep(ask.form.iter()),
            assertion: ask.form.filled("client_assertion").and_then(assertion),
            status: 0,
            outcome: Outcome::Other,
        };
        let mut book = self.0.lock();
        let seq = book.next;
        book.next += 1;
        record.seq = seq;
        if book.records.len() == MOST_RECORDS {
            book.records.pop_front();
        }
        book.records.push_back(record);
        book.counters.total += 1;
        let tally = book.counters.by_endpoint.entry(endpoint).or_default();
        tally.requests += 1;
        Entry { seq, endpoint }
    }

    /// Completes the record of a request.
    pub(crate) fn finish(&self, entry: &Entry, ending: Ending) {
        let mut book = self.0.lock();
        let oldest = book.records.front().map_or(book.next, |record| record.seq);
        if let Some(at) = entry.seq.checked_sub(oldest)
            && let Ok(at) = usize::try_from(at)
            && let Some(record) = book.records.get_mut(at)
        {
            record.status = ending.status;
            record.outcome = ending.outcome;
        }
        if entry.seq < book.first_counted {
            return;
        }
        let counters = &mut book.counters;
        let tally = counters.by_endpoint.entry(entry.endpoint).or_default();
        match ending.outcome {
            Outcome::Error if ending.throttled => tally.throttled += 1,
            Outcome::Error => tally.errors += 1,
            Outcome::Probe => tally.probes += 1,
            Outcome::Token => {
                tally.tokens += 1;
                counters.tokens_issued += 1;
            }
            Outcome::Other => {}
        }
        if let Some(client) = ending.client {
            *counters.by_client.entry(client).or_default() += 1;
        }
    }

    /// Forgets all records and counts; sequence numbers go on.
    pub(crate) fn clear(&self) -> usize {
        let mut book = self.0.lock();
        let cleared = book.records.len();
        book.first_counted = book.next;
        book.records.clear();
        book.counters = Counters::default();
        cleared
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.0.lock().records.iter().cloned().collect()
    }

    pub(crate) fn counters(&self) -> Counters {
        self.0.lock().counters.clone()
    }
}

/// The pairs as the list keeps them: the values of one name joined, secrets struck out, and no
/// more than fits.
fn keep<'a, V: AsRef<str>>(pairs: impl Iterator<Item = (&'a str, V)>) -> BTreeMap<String, String> {
    let mut room = LONGEST_PART;
    let mut kept: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in pairs.take(MOST_PAIRS) {
        let value = if is_secret(name) { STRUCK } else { value.as_ref() };
        let name = cut(name, &mut room);
        let value = cut(value, &mut room);
        match kept.get_mut(name) {
            Some(known) => {
                known.push_str(", ");
                known.push_str(value);
            }
            None => {
                kept.insert(name.to_owned(), value.to_owned());
            }
        }
    }
    kept
}

/// Header and claims of a client assertion; they say who signed what, and are no secret.
fn assertion(text: &str) -> Option<Value> {
    (text.len() <= LONGEST_PART).then(|| Jwt::read(text))?.map(|jwt| jwt.unsigned())
}

fn is_secret(name: &str) -> bool {
    SECRETS.iter().any(|secret| secret.eq_ignore_ascii_case(name))
}

/// As much of `text` as there is room for, which it takes.
fn cut<'a>(text: &'a str, room: &mut usize) -> &'a str {
    let end = text.floor_char_boundary(*room);
    *room -= end;
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn ask(body: &str) -> Ask {
        let request = Request::builder()
            .method("POST")
            .uri("/x?resource=r&secret=in-the-query")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("X-IDENTITY-HEADER", "in-a-header")
            .header("Authorization", "Basic in-a-header")
            .header("x-twice", "1")
            .header("x-twice", "2");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        Ask::read(&parts, body.as_bytes())
    }

    fn ending(outcome: Outcome, client: Option<&str>) -> Ending {
        Ending { status: 200, outcome, throttled: false, client: client.map(str::to_owned) }
    }

    fn arrive(log: &Log) -> Entry {
        log.arrive(1, Listener::Http, Endpoint::Imds, &ask(""))
    }

    #[test]
    fn secrets_are_struck_out() {
        const BODY: &str = "client_secret=in-1&client_assertion=in-2&Password=in-3&assertion=in-4\
                            &refresh_token=in-5&code=in-6&client_id=kept&claims=%7B%7D";
        let log = Log::default();
        let entry = log.arrive(1, Listener::Https, Endpoint::EntraToken, &ask(BODY));
        log.finish(&entry, ending(Outcome::Token, Some("kept")));
        let text = serde_json::to_string(&log.records()).unwrap();
        assert!(!text.contains("in-"), "{text}");
        let record = &serde_json::to_value(log.records()).unwrap()[0];
        assert_eq!(record["form"]["client_secret"], "***");
        assert_eq!(record["form"]["client_id"], "kept");
        assert_eq!(record["form"]["claims"], "{}");
        assert_eq!(record["headers"]["x-identity-header"], "***");
        assert_eq!(record["headers"]["x-twice"], "1, 2");
        assert_eq!(record["query"]["resource"], "r");
        assert_eq!(record["listener"], "https");
        assert_eq!(record["endpoint"], "entra_token");
        assert_eq!(record["outcome"], "token");
    }

    #[test]
    fn a_record_is_there_before_its_answer() {
        let log = Log::default();
        let entry = arrive(&log);
        let record = serde_json::to_value(&log.records()[0]).unwrap();
        assert_eq!((&record["status"], &record["outcome"]), (&0.into(), &"other".into()));
        log.finish(&entry, ending(Outcome::Probe, None));
        assert_eq!(log.records()[0].status, 200);
    }

    #[test]
    fn counts_outlive_records_and_clearing_forgets_both() {
        let log = Log::default();
        let first = arrive(&log);
        for _ in 0..MOST_RECORDS {
            let entry = arrive(&log);
            log.finish(&entry, ending(Outcome::Token, Some("system")));
        }
        log.finish(&first, ending(Outcome::Error, None));
        let records = log.records();
        assert_eq!(records.len(), MOST_RECORDS);
        assert_eq!(records[0].seq, 1);
        let counters = serde_json::to_value(log.counters()).unwrap();
        assert_eq!(counters["total"], 10_001);
        assert_eq!(counters["by_endpoint"]["imds"]["errors"], 1);
        assert_eq!(counters["by_client"]["system"], 10_000);

        let late = arrive(&log);
        log.clear();
        log.finish(&late, ending(Outcome::Token, Some("system")));
        assert!(log.records().is_empty());
        let counters = serde_json::to_value(log.counters()).unwrap();
        assert_eq!(counters["tokens_issued"], 0);
        assert_eq!(arrive(&log).seq, 10_002);
    }

    #[test]
    fn a_client_assertion_is_listed_without_its_signature() {
        let log = Log::default();
        let _entry = log.arrive(1, Listener::Https, Endpoint::EntraToken, &ask("client_assertion=e30.eyJhIjoxfQ.c2ln"));
        let record = serde_json::to_value(&log.records()[0]).unwrap();
        assert_eq!(record["assertion"], serde_json::json!({"header": {}, "claims": {"a": 1}}));
        assert!(!record.to_string().contains("c2ln"));
        assert_eq!(record["form"]["client_assertion"], "***");
    }

    #[test]
    fn long_values_are_cut_at_a_character() {
        let long = "ü".repeat(LONGEST_PART);
        let kept = keep([("a", long.as_str()), ("b", "rest")].into_iter());
        assert_eq!(kept["a"].len(), LONGEST_PART - 2);
        assert!(kept.values().map(String::len).sum::<usize>() < LONGEST_PART);
    }
}
