//! What each credential asks and makes of the answers, in a world of its own.
#![expect(clippy::unwrap_used, clippy::unnecessary_wraps, reason = "the tables' own helpers")]

use azcred::fake::{Fake, answer};
use azcred::http::{HttpError, HttpFault, Response};
use azcred::{Credential, Error, ErrorKind, Spelling, TokenRequest, Value};

const SCOPE: &str = "https://storage.azure.com/.default";
const TOKEN: &str = r#"{"access_token":"tok","expires_on":"1700086400","expires_in":"86400","client_id":"cid"}"#;

/// A credential in a fake world with this environment.
fn credential(name: &str, options: &[(&str, Value)], env: &[(&str, &str)]) -> (Result<Credential, Error>, Fake) {
    let (world, fake) = Fake::world();
    for (name, value) in env {
        fake.set(name, value);
    }
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    (Credential::in_world(world, name, options, Spelling::Snake), fake)
}

fn ask(credential: &Credential) -> Result<azcred::AccessToken, Error> {
    credential.get_token(&TokenRequest::scope(SCOPE))
}

const APP_SERVICE: [(&str, &str); 2] =
    [("IDENTITY_ENDPOINT", "http://127.0.0.1:1/msi/token"), ("IDENTITY_HEADER", "canary")];

const APPLICATION: [(&str, &str); 3] =
    [("AZURE_TENANT_ID", "t.example"), ("AZURE_CLIENT_ID", "cid"), ("AZURE_CLIENT_SECRET", "canary")];

#[test]
fn app_service_is_asked_as_its_documentation_says() {
    let (credential, fake) = credential("ManagedIdentityCredential", &[("client_id", Value::text("me"))], &APP_SERVICE);
    fake.answer(200, TOKEN);
    let token = ask(&credential.unwrap()).unwrap();
    assert_eq!(
        fake.sent(),
        [
            "GET http://127.0.0.1:1/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fstorage.azure.com&client_id=me"
        ]
    );
    assert_eq!((token.secret(), token.expires_on()), ("tok", 1_700_086_400));
    assert_eq!((token.provenance().source, token.provenance().client_id.as_deref()), ("app_service", Some("me")));
}

#[test]
fn imds_is_the_answer_when_nothing_else_is_named() {
    let (credential, fake) =
        credential("ManagedIdentityCredential", &[], &[("IDENTITY_ENDPOINT", ""), ("MSI_ENDPOINT", "")]);
    fake.answer(200, TOKEN);
    ask(&credential.unwrap()).unwrap();
    assert_eq!(
        fake.sent(),
        [
            "GET http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fstorage.azure.com"
        ],
        "asked for by name, so without a probe"
    );
}

#[test]
fn the_form_of_a_client_secret() {
    let (credential, fake) = credential("EnvironmentCredential", &[], &APPLICATION);
    fake.answer(200, r#"{"access_token":"tok","expires_in":3599}"#);
    let token = ask(&credential.unwrap()).unwrap();
    assert_eq!(
        fake.sent(),
        ["POST https://login.microsoftonline.com/t.example/oauth2/v2.0/token \
          grant_type=client_credentials&client_id=cid&client_secret=canary&scope=https%3A%2F%2Fstorage.azure.com%2F.default"]
    );
    assert_eq!(token.expires_on(), 1_700_003_599);
    assert_eq!(token.provenance().credential, "EnvironmentCredential");
    assert_eq!(token.provenance().tenant_id.as_deref(), Some("t.example"));
}

#[test]
fn only_entra_tells_callers_who_handle_claims_challenges_apart() {
    let both = |credential: &Credential| {
        ask(credential).unwrap();
        credential.get_token(&TokenRequest { enable_cae: true, ..TokenRequest::scope(SCOPE) }).unwrap();
    };
    for (name, env, requests) in [
        ("DefaultAzureCredential", APP_SERVICE.as_slice(), 1),
        ("ManagedIdentityCredential", APP_SERVICE.as_slice(), 1),
        ("DefaultAzureCredential", APPLICATION.as_slice(), 2),
        ("EnvironmentCredential", APPLICATION.as_slice(), 2),
    ] {
        let (credential, fake) = credential(name, &[], env);
        fake.answer(200, TOKEN);
        both(&credential.unwrap());
        assert_eq!(fake.sent().len(), requests, "{name}");
        assert_eq!(fake.sent().iter().filter(|sent| sent.contains("CP1")).count(), requests - 1);
    }
}

#[test]
fn an_incomplete_environment_names_what_is_missing() {
    let cases: [(&[(&str, &str)], &str); 6] = [
        (&[], "AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET missing (set: none of them)"),
        (&APPLICATION[..1], "AZURE_CLIENT_ID, AZURE_CLIENT_SECRET missing (set: AZURE_TENANT_ID)"),
        (&APPLICATION[..2], "AZURE_CLIENT_SECRET missing (set: AZURE_TENANT_ID, AZURE_CLIENT_ID)"),
        (&APPLICATION[1..], "AZURE_TENANT_ID missing (set: AZURE_CLIENT_ID, AZURE_CLIENT_SECRET)"),
        (
            &[APPLICATION[1], ("AZURE_CLIENT_CERTIFICATE_PATH", "/x")],
            "AZURE_TENANT_ID missing (set: AZURE_CLIENT_ID, AZURE_CLIENT_CERTIFICATE_PATH)",
        ),
        (&[("AZURE_USERNAME", "u")], "AZURE_CLIENT_ID, AZURE_PASSWORD missing (set: AZURE_USERNAME)"),
    ];
    for (env, expected) in cases {
        let (credential, _) = credential("EnvironmentCredential", &[], env);
        let error = ask(&credential.unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.message().ends_with(expected), "{error}");
    }
}

#[test]
fn what_is_there_and_unusable_is_an_error_at_once() {
    let cases: [(&[(&str, &str)], &str); 3] = [
        (&[("AZURE_TENANT_ID", "a/b"), APPLICATION[1], APPLICATION[2]], "AZURE_TENANT_ID: malformed tenant 'a/b'"),
        (
            &[APPLICATION[0], APPLICATION[1], APPLICATION[2], ("AZURE_AUTHORITY_HOST", "http://x")],
            "AZURE_AUTHORITY_HOST: expected a host",
        ),
        (
            &[APPLICATION[0], APPLICATION[1], ("AZURE_CLIENT_CERTIFICATE_PATH", "/x")],
            "AZURE_CLIENT_CERTIFICATE_PATH: /x can't be read",
        ),
    ];
    for (env, expected) in cases {
        let (credential, _) = credential("EnvironmentCredential", &[], env);
        let error = credential.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfiguration);
        assert!(error.message().contains(expected), "{error}");
    }
}

/// One answer → what it is by name, and what it is in a chain. `None` is a token.
type Case = (&'static str, Result<Response, HttpError>, Option<ErrorKind>, Option<ErrorKind>);

fn broken(fault: HttpFault) -> Result<Response, HttpError> {
    Err(HttpError { fault, message: "it broke".into() })
}

fn told(status: u16, body: &str) -> Result<Response, HttpError> {
    Ok(answer(status, body))
}

fn judge(name: &str, env: &[(&str, &str)], cases: Vec<Case>) {
    for (title, reply, alone, chained) in cases {
        for (place, expected) in [("alone", alone), ("chained", chained)] {
            let (world, fake) = Fake::world();
            for (name, value) in env {
                fake.set(name, value);
            }
            let (status, body, fault) = match &reply {
                Ok(response) => (response.status, response.body.to_vec(), None),
                Err(error) => (0, Vec::new(), Some(error.clone())),
            };
            fake.serve(move |_| match &fault {
                Some(fault) => Err(fault.clone()),
                None => Ok(Response { status, headers: Vec::new(), body: body.clone().into() }),
            });
            let credential = Credential::in_world(world, name, Vec::new(), Spelling::Snake).unwrap();
            let credential = if place == "alone" { credential } else { Credential::chain(&[credential]).unwrap() };
            let kind = ask(&credential).err().map(|error| {
                assert!(!error.message().contains("canary"), "{title} {place}: {error}");
                error.kind()
            });
            assert_eq!(kind, expected, "{name}: {title}, {place}");
        }
    }
}

#[test]
fn every_answer_of_imds() {
    use ErrorKind::{Failed, Transient, Unavailable};
    let env = [("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1")];
    let identity = r#"{"error":"invalid_request","error_description":"Identity not found"}"#;
    judge(
        "ManagedIdentityCredential",
        &env,
        vec![
            ("a token", told(200, TOKEN), None, None),
            ("nobody home", broken(HttpFault::Connect), Some(Unavailable), Some(Unavailable)),
            ("no descriptors", broken(HttpFault::Exhausted), Some(Transient), Some(Transient)),
            ("silence", broken(HttpFault::Timeout), Some(Unavailable), Some(Unavailable)),
            ("a cut body", broken(HttpFault::Broken), Some(Transient), Some(Unavailable)),
            ("a gigabyte", broken(HttpFault::TooLarge), Some(Transient), Some(Unavailable)),
            (
                "a bad resource",
                told(400, r#"{"error":"invalid_resource","error_description":"AADSTS500011: no"}"#),
                Some(Failed),
                Some(Failed),
            ),
            ("identity not found", told(400, identity), Some(Unavailable), Some(Unavailable)),
            ("a container runtime's proxy", told(403, "the host is unreachable"), Some(Unavailable), Some(Unavailable)),
            ("refused", told(403, r#"{"error":"forbidden"}"#), Some(Failed), Some(Failed)),
            ("throttled", told(429, ""), Some(Transient), Some(Transient)),
            ("updating", told(410, ""), Some(Transient), Some(Transient)),
            ("not yet there", told(404, ""), Some(Transient), Some(Transient)),
            ("trouble", told(500, "<html>canary</html>"), Some(Transient), Some(Transient)),
            ("a captive portal", told(200, "<html>canary</html>"), Some(Transient), Some(Unavailable)),
            ("truncated", told(200, r#"{"access_token":"canary"#), Some(Transient), Some(Unavailable)),
            ("expired", told(200, r#"{"access_token":"canary","expires_on":"1"}"#), Some(Transient), Some(Unavailable)),
            ("dying", told(200, r#"{"access_token":"canary","expires_in":"20"}"#), Some(Transient), Some(Unavailable)),
        ],
    );
}

#[test]
fn every_answer_of_app_service() {
    use ErrorKind::{Failed, Transient, Unavailable};
    judge(
        "ManagedIdentityCredential",
        &APP_SERVICE,
        vec![
            ("a token", told(200, TOKEN), None, None),
            (
                "nobody home, though the environment says so",
                broken(HttpFault::Connect),
                Some(Transient),
                Some(Transient),
            ),
            ("a wrong header", told(401, r#"{"statusCode":401,"message":"not canary"}"#), Some(Failed), Some(Failed)),
            ("no such identity", told(400, r#"{"statusCode":400,"message":"none"}"#), Some(Failed), Some(Failed)),
            ("trouble", told(500, r#"{"statusCode":500,"message":"oh"}"#), Some(Transient), Some(Transient)),
            ("a redirect", told(302, ""), Some(Failed), Some(Failed)),
            ("garbage", told(200, "canary"), Some(Transient), Some(Unavailable)),
        ],
    );
}

#[test]
fn every_answer_of_entra() {
    use ErrorKind::{Failed, Transient, Unavailable};
    let refused =
        r#"{"error":"invalid_client","error_description":"AADSTS7000215: canary is wrong","correlation_id":"c"}"#;
    judge(
        "EnvironmentCredential",
        &APPLICATION,
        vec![
            ("a token", told(200, TOKEN), None, None),
            ("refused", told(401, refused), Some(Failed), Some(Failed)),
            ("no answer", broken(HttpFault::Connect), Some(Transient), Some(Transient)),
            ("an untrusted certificate", broken(HttpFault::Tls), Some(Failed), Some(Failed)),
            ("throttled", told(429, ""), Some(Transient), Some(Transient)),
            ("a gateway", told(503, "<html>"), Some(Transient), Some(Transient)),
            ("a proxy's page", told(407, "<html>"), Some(Transient), Some(Transient)),
            ("a redirect", told(302, ""), Some(Failed), Some(Failed)),
            ("garbage", told(200, "<html>"), Some(Transient), Some(Unavailable)),
        ],
    );
    let (credential, fake) = credential("EnvironmentCredential", &[], &APPLICATION);
    fake.answer(401, refused);
    let error = ask(&credential.unwrap()).unwrap_err();
    assert_eq!(
        error.message(),
        "EnvironmentCredential: login.microsoftonline.com refused: HTTP 401, invalid_client: AADSTS7000215: *** is wrong \
         (correlation id c)"
    );
    assert_eq!(
        (error.code(), error.correlation_id(), error.http_status()),
        (Some("invalid_client"), Some("c"), Some(401))
    );
}

#[test]
fn trouble_is_retried_as_the_source_asks() {
    let (credential, fake) = credential("ManagedIdentityCredential", &[], &[]);
    let fake_server = fake.clone();
    fake.serve(move |_| match fake_server.sent().len() {
        1 => told(410, ""),
        2 => told(503, ""),
        _ => told(200, TOKEN),
    });
    ask(&credential.unwrap()).unwrap();
    assert_eq!(fake.slept().iter().map(std::time::Duration::as_millis).collect::<Vec<_>>(), [5000, 1600]);
}

#[test]
fn who_may_less_does_not_find_the_tokens_of_who_may_more() {
    let (world, fake) = Fake::world();
    for (name, value) in APPLICATION {
        fake.set(name, value);
    }
    fake.answer(200, TOKEN);
    let of = |options: Vec<(String, Value)>| {
        Credential::in_world(world.clone(), "DefaultAzureCredential", options, Spelling::Snake).unwrap()
    };
    let all = vec![("additionally_allowed_tenants".to_owned(), Value::List(vec![Value::text("*")]))];
    let other = TokenRequest { tenant_id: Some("other.example".into()), ..TokenRequest::scope(SCOPE) };
    assert!(of(all).get_token(&other).is_ok());
    assert_eq!(of(vec![]).get_token(&other).unwrap_err().kind(), ErrorKind::Failed);
}

#[test]
fn text_that_is_not_unicode_does_not_count_as_unset() {
    let env = [APPLICATION[0], APPLICATION[1], ("AZURE_CLIENT_SECRET", "a\u{fffd}b")];
    let error = credential("DefaultAzureCredential", &[], &env).0.unwrap_err();
    assert_eq!(error.message(), "EnvironmentCredential: AZURE_CLIENT_SECRET: expected UTF-8 text");
}
