//! What each credential asks and makes of the answers, in a world of its own.
#![expect(clippy::unwrap_used, clippy::unnecessary_wraps, reason = "the tables' own helpers")]

use azcred::fake::{Fake, answer};
use azcred::http::{HttpError, HttpFault, Response};
use azcred::{Credential, Error, ErrorKind, Output, ProcessError, Spelling, TokenRequest, Value};

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
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[], "AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET missing (set: none of them)"),
        (&APPLICATION[..1], "AZURE_CLIENT_ID, AZURE_CLIENT_SECRET missing (set: AZURE_TENANT_ID)"),
        (&APPLICATION[..2], "AZURE_CLIENT_SECRET missing (set: AZURE_TENANT_ID, AZURE_CLIENT_ID)"),
        (&APPLICATION[1..], "AZURE_TENANT_ID missing (set: AZURE_CLIENT_ID, AZURE_CLIENT_SECRET)"),
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
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[("AZURE_TENANT_ID", "a/b"), APPLICATION[1], APPLICATION[2]], "AZURE_TENANT_ID: malformed tenant 'a/b'"),
        (
            &[APPLICATION[0], APPLICATION[1], APPLICATION[2], ("AZURE_AUTHORITY_HOST", "http://x")],
            "AZURE_AUTHORITY_HOST: expected a host",
        ),
        (&[APPLICATION[0], APPLICATION[1], ("AZURE_CLIENT_CERTIFICATE_PATH", "/x")], "AZURE_CLIENT_CERTIFICATE_PATH"),
        (&[APPLICATION[1], ("AZURE_USERNAME", "u"), ("AZURE_PASSWORD", "p")], "AZURE_USERNAME"),
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
fn the_azure_cli_gets_an_argument_vector() {
    let options =
        [("tenant_id", Value::text("t")), ("subscription", Value::text("my sub")), ("process_timeout", Value::Int(7))];
    let (credential, fake) = credential("AzureCliCredential", &options, &[("PATH", ".:relative::/opt/bin:/usr/bin")]);
    fake.write("/usr/bin/az", "");
    fake.write("./az", "");
    fake.write("relative/az", "");
    fake.program(|_| {
        Ok(Output {
            code: Some(0),
            stdout: br#"{"accessToken":"tok","expires_on":1700003600,"tenant":"t"}"#.to_vec().into(),
            stderr: Vec::new(),
        })
    });
    let token = ask(&credential.unwrap()).unwrap();
    assert_eq!(token.provenance().source, "azure_cli");
    let ran = fake.ran();
    let [command] = ran.as_slice() else { panic!("{ran:?}") };
    assert_eq!(command.program.to_str(), Some("/usr/bin/az"), "absolute entries of PATH only");
    assert_eq!(
        command.arguments,
        [
            "account",
            "get-access-token",
            "--output",
            "json",
            "--resource",
            "https://storage.azure.com",
            "--tenant",
            "t",
            "--subscription",
            "my sub"
        ]
    );
    assert_eq!(command.timeout.as_secs(), 7);
}

/// A program.
type Run = Box<dyn Fn() -> Result<Output, ProcessError> + Send + Sync>;

#[test]
fn every_failure_of_the_azure_cli() {
    use ErrorKind::{Failed, InvalidArgument, Transient, Unavailable};
    let output = |code, stdout: &str, stderr: &str| {
        Ok(Output { code: Some(code), stdout: stdout.as_bytes().to_vec().into(), stderr: stderr.as_bytes().to_vec() })
    };
    let env = [("PATH", "/usr/bin"), ("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")];
    let cases: Vec<(&str, Run, &str, ErrorKind, ErrorKind)> = vec![
        (
            "not signed in",
            Box::new(move || output(1, "", "ERROR: Please run 'az login' to setup account.")),
            "run 'az login'",
            Unavailable,
            Unavailable,
        ),
        (
            "refused by Entra ID",
            Box::new(move || output(1, "", "ERROR: AADSTS700082: expired. Run az login")),
            "AADSTS700082",
            Failed,
            Unavailable,
        ),
        (
            "any other failure",
            Box::new(move || output(3, "", "\n boom \n")),
            "(exit code 3): boom",
            Failed,
            Unavailable,
        ),
        ("not runnable", Box::new(move || output(127, "", "")), "exit code 127", Unavailable, Unavailable),
        ("it hangs", Box::new(|| Err(ProcessError::TimedOut)), "within 10 s", Transient, Unavailable),
        ("it floods", Box::new(|| Err(ProcessError::TooMuchOutput)), "larger", Transient, Unavailable),
        (
            "it vanished",
            Box::new(|| Err(ProcessError::Start(std::io::ErrorKind::NotFound.into()))),
            "could not be started",
            Unavailable,
            Unavailable,
        ),
        (
            "an exit code beside a token",
            Box::new(move || {
                output(1, r#"{"accessToken":"tok","expires_on":1700003600}"#, "WARNING: old\nERROR: boom")
            }),
            "(exit code 1): ERROR: boom",
            Failed,
            Unavailable,
        ),
        (
            "milliseconds for seconds",
            Box::new(move || output(0, r#"{"accessToken":"canary","expires_on":1700003600000}"#, "")),
            "more than a year",
            Transient,
            Unavailable,
        ),
        ("noise", Box::new(move || output(0, "canary", "canary")), "is not JSON", Transient, Unavailable),
        ("no token", Box::new(move || output(0, "{}", "")), "has no accessToken", Transient, Unavailable),
    ];
    for (title, run, words, alone, in_default) in cases {
        let run = std::sync::Arc::new(run);
        for (name, kind) in [("AzureCliCredential", alone), ("DefaultAzureCredential", in_default)] {
            let (credential, fake) = credential(name, &[], &env);
            fake.write("/usr/bin/az", "");
            let run = std::sync::Arc::clone(&run);
            fake.program(move |_| run());
            let error = ask(&credential.unwrap()).unwrap_err();
            assert_eq!(error.kind(), kind, "{title}, {name}: {error}");
            assert!(error.message().contains(words), "{title}: {error}");
            assert!(!error.message().contains("canary"), "{title}: {error}");
        }
    }
    let (credential, fake) = credential("AzureCliCredential", &[], &env);
    let credential = credential.unwrap();
    assert!(ask(&credential).unwrap_err().message().contains("not found on PATH"));
    let error = credential.get_token(&TokenRequest::scope("https://x;rm")).unwrap_err();
    assert_eq!(error.kind(), InvalidArgument);
    let claims = TokenRequest { claims: Some("{}".into()), ..TokenRequest::scope(SCOPE) };
    assert!(credential.get_token(&claims).unwrap_err().message().contains("az login --claims-challenge e30="));
    assert!(fake.ran().is_empty());
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
fn another_login_is_another_identity() {
    let (world, fake) = Fake::world();
    fake.set("PATH", "/usr/bin");
    fake.write("/usr/bin/az", "");
    fake.program(|_| {
        let stdout = br#"{"accessToken":"tok","expires_on":1700003600}"#.to_vec().into();
        Ok(Output { code: Some(0), stdout, stderr: Vec::new() })
    });
    for profile in ["/one", "/two", "/two"] {
        fake.set("AZURE_CONFIG_DIR", profile);
        let credential = Credential::in_world(world.clone(), "AzureCliCredential", Vec::new(), Spelling::Snake);
        ask(&credential.unwrap()).unwrap();
    }
    assert_eq!(fake.ran().len(), 2);
}

#[test]
fn text_that_is_not_unicode_does_not_count_as_unset() {
    let env = [APPLICATION[0], APPLICATION[1], ("AZURE_CLIENT_SECRET", "a\u{fffd}b")];
    let error = credential("DefaultAzureCredential", &[], &env).0.unwrap_err();
    assert_eq!(error.message(), "EnvironmentCredential: AZURE_CLIENT_SECRET: expected UTF-8 text");
}
