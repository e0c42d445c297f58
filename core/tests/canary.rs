//! No log line, at any level, holds what was sent in confidence or what came back.
#![expect(clippy::unwrap_used, reason = "the tables' own helpers")]

use std::fmt::{Debug, Write as _};
use std::sync::Mutex;

use azcred::fake::{Fake, answer};
use azcred::http::Response;
use azcred::{Credential, Spelling, TokenRequest};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

static LOG: Mutex<String> = Mutex::new(String::new());

/// Keeps everything that is said.
struct Everything;

struct Words;

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        writeln!(LOG.lock().unwrap(), "{field}={value:?}").unwrap();
    }
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        attributes.record(&mut Words);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Words);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Words);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn secrets_of_managed_identities_are_never_said() {
    const CANARY: &str = "canary-7f3a";
    const ENDPOINT: (&str, &str) = ("IDENTITY_ENDPOINT", "http://127.0.0.1:1/");
    const HEADER: (&str, &str) = ("IDENTITY_HEADER", CANARY);
    let thumbprint = "00".repeat(20);
    let hosts: [&[(&str, &str)]; 4] = [
        &[("IDENTITY_ENDPOINT", "https://h/"), HEADER, ("IDENTITY_SERVER_THUMBPRINT", &thumbprint)],
        &[ENDPOINT, HEADER],
        &[("MSI_ENDPOINT", "http://127.0.0.1:1/"), ("MSI_SECRET", CANARY)],
        &[ENDPOINT, ("IMDS_ENDPOINT", "x")],
    ];
    let long = format!("{{\"message\":\"{}{CANARY}\"}}", "x".repeat(592));
    let answers: [(u16, &str); 9] = [
        (200, &format!(r#"{{"access_token":"{CANARY}","expires_in":3600}}"#)),
        (200, &format!(r#"{{"access_token":"{CANARY}","expires_in":1}}"#)),
        (200, &format!(r#"{{"access_token":"t","expires_on":"{CANARY}"}}"#)),
        (200, CANARY),
        (400, &format!(r#"{{"error":"{CANARY}","error_description":"{CANARY}","correlation_id":"{CANARY}"}}"#)),
        (401, &format!(r#"{{"error":{{"code":"{CANARY}","message":"{CANARY}","correlationId":"{CANARY}"}}}}"#)),
        (500, &format!(r#"{{"statusCode":500,"message":"{CANARY}"}}"#)),
        (503, &format!("<html>{CANARY}</html>")),
        (403, &long),
    ];
    tracing::subscriber::set_global_default(Everything).unwrap();
    for host in hosts {
        for (status, body) in answers {
            let (world, fake) = Fake::world();
            for (name, value) in host {
                fake.set(name, value);
            }
            fake.write("/var/opt/azcmagent/tokens/1.key", CANARY);
            let reply = body.to_owned();
            fake.serve(move |request| {
                if request.url.contains("2020-06-01") && request.headers.len() == 1 {
                    let challenge = "Basic realm=/var/opt/azcmagent/tokens/1.key".to_owned();
                    return Ok(Response {
                        headers: vec![("www-authenticate".into(), challenge)],
                        ..answer(401, CANARY)
                    });
                }
                let kind = ("content-type".to_owned(), format!("text/{CANARY}"));
                let debug = format!("{request:?}");
                assert!(!debug.contains(CANARY), "{debug}");
                Ok(Response { headers: vec![kind], ..answer(status, &reply) })
            });
            let credential =
                Credential::in_world(world, "ManagedIdentityCredential", Vec::new(), Spelling::Snake).unwrap();
            let outcome = credential.get_token(&TokenRequest::scope("https://x/.default"));
            for text in [format!("{credential:?}"), format!("{outcome:?}")] {
                assert!(!text.contains("canary"), "{status} {body:?}: {text}");
            }
        }
    }
    let said = LOG.lock().unwrap();
    assert!(said.contains("asking again") && said.contains("has trouble"), "the log was listened to: {said}");
    assert!(!said.contains("canary"), "{said}");
}
