//! No log line, at any level, holds what was sent in confidence or what came back.
#![expect(clippy::unwrap_used, reason = "the tables' own helpers")]

use std::fmt::{Debug, Write as _};
use std::sync::Mutex;

use azcred::fake::{Fake, answer};
use azcred::http::Response;
use azcred::{Credential, Function, Spelling, TokenRequest, Value};
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

/// From now on everything that is said is kept; both tests look at all of it.
fn listen() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Everything).unwrap());
}

const CANARY: &str = "canary-7f3a";

#[test]
fn secrets_of_managed_identities_are_never_said() {
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
    listen();
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

#[test]
fn secrets_of_applications_and_users_are_never_said() {
    let key = include_str!("fixtures/certificates/leaf.key");
    let pem = format!("{key}{}", include_str!("fixtures/certificates/leaf.crt"));
    // A piece of the key's middle.
    let piece: String = key.lines().nth(9).unwrap().chars().skip(8).take(24).collect();
    let application = [("tenant_id", "t"), ("client_id", "c")];
    let with = |more: &[(&str, &str)]| {
        let all = application.iter().chain(more);
        all.map(|(name, value)| ((*name).to_owned(), Value::text(*value))).collect::<Vec<_>>()
    };
    let mut certificate = with(&[]);
    certificate.push(("certificate_data".to_owned(), Value::Bytes(pem.into_bytes().into())));
    let mut function = with(&[]);
    let says = Function::blocking(|_| Ok(Some(azcred::Secret::new(CANARY))));
    function.push(("func".to_owned(), Value::Function(says)));
    let credentials = [
        ("ClientSecretCredential", with(&[("client_secret", CANARY)])),
        ("CertificateCredential", certificate),
        ("ClientAssertionCredential", function),
        ("WorkloadIdentityCredential", with(&[("token_file_path", "/token")])),
        ("AzurePipelinesCredential", with(&[("service_connection_id", "sc"), ("system_access_token", CANARY)])),
        ("OnBehalfOfCredential", with(&[("client_secret", CANARY), ("user_assertion", CANARY)])),
        ("AuthorizationCodeCredential", with(&[("authorization_code", CANARY), ("redirect_uri", "http://localhost")])),
        ("UsernamePasswordCredential", with(&[("username", "u"), ("password", CANARY)])),
        ("DeviceCodeCredential", Vec::new()),
        ("AzureCliCredential", Vec::new()),
    ];
    let given = format!(r#""access_token":"{CANARY}","refresh_token":"{CANARY}","id_token":"{CANARY}""#);
    let answers: [(u16, &str); 6] = [
        (200, &format!(r#"{{{given},"expires_in":3600}}"#)),
        (200, &format!(r#"{{{given},"expires_in":1}}"#)),
        (200, &given),
        (400, &format!(r#"{{"error":"invalid_grant","error_description":"AADSTS1: {CANARY}"}}"#)),
        (401, &format!(r#"{{"error":"{CANARY}","error_description":"{CANARY}","correlation_id":"{CANARY}"}}"#)),
        (503, &format!("<html>{CANARY}</html>")),
    ];
    listen();
    for (name, options) in credentials {
        for (status, body) in answers {
            let (world, fake) = Fake::world();
            fake.set("SYSTEM_OIDCREQUESTURI", "https://dev.example/oidc");
            fake.set("PATH", "/bin");
            fake.write("/bin/az", "");
            fake.write("/token", CANARY);
            let (body, printed) = (body.to_owned(), format!(r#"{{"accessToken":"{CANARY}","expires_on":1700003600}}"#));
            fake.program(move |_| {
                let stdout = printed.as_bytes().to_vec().into();
                Ok(azcred::Output { code: Some(i32::from(status != 200)), stdout, stderr: Vec::new() })
            });
            fake.serve(move |request| {
                let debug = format!("{request:?}");
                assert!(!debug.contains(CANARY), "{debug}");
                if request.url.ends_with("/devicecode") {
                    let code =
                        format!(r#"{{"device_code":"{CANARY}","user_code":"u","verification_uri":"https://x"}}"#);
                    return Ok(answer(200, &code));
                }
                if request.url.starts_with("https://dev.example/") {
                    return Ok(answer(200, &format!(r#"{{"oidcToken":"{CANARY}"}}"#)));
                }
                // A server may repeat what proves the application; a certificate's assertion holds no canary.
                let form = request.body.as_ref().map_or("", |body| body.expose());
                let assertion = form.split("client_assertion=ey").nth(1).and_then(|rest| rest.split('&').next());
                let body = assertion.map_or(body.clone(), |rest| body.replace(CANARY, &format!("ey{rest}")));
                Ok(answer(status, &body))
            });
            let made = Credential::in_world(world, name, options.clone(), Spelling::Snake).unwrap();
            let outcomes =
                ["https://x/.default", "https://y/.default"].map(|scope| made.get_token(&TokenRequest::scope(scope)));
            for text in [format!("{made:?}"), format!("{outcomes:?}")] {
                let silent = ["canary", "eyJ", &piece].iter().all(|words| !text.contains(words));
                assert!(silent, "{name}, {status}: {text}");
            }
        }
    }
    let said = LOG.lock().unwrap();
    assert!(["canary", "eyJ", &piece].iter().all(|words| !said.contains(words)), "{said}");
}
