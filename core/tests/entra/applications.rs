//! Applications that ask for themselves.

use azcred::ErrorKind;
use azcred::fake::answer;

use super::*;

const APPLICATION: [(&str, &str); 2] = [("tenant_id", "t.example"), ("client_id", "cid")];
const ASSERTION: &str =
    "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=";

fn application(more: &[(&'static str, Value)]) -> Vec<(&'static str, Value)> {
    let mut options: Vec<(&str, Value)> = APPLICATION.iter().map(|(name, value)| (*name, text(value))).collect();
    options.extend(more.iter().cloned());
    options
}

#[test]
fn an_assertion_is_made_for_each_request() {
    let options = application(&[("func", says(Ok(Some("a.b.c"))))]);
    let (made, fake) = credential("ClientAssertionCredential", &options, &[]);
    fake.answer(200, TOKEN);
    let made = made.unwrap();
    ask(&made).unwrap();
    ask(&made).unwrap();
    assert_eq!(
        bodies(&fake),
        [format!(
            "grant_type=client_credentials&client_id=cid&{ASSERTION}a.b.c&scope=https%3A%2F%2Fstorage.azure.com%2F.default"
        )]
    );
}

#[test]
fn a_function_that_gives_nothing_fails_with_its_words() {
    for (reply, expected) in [
        (Ok(None), "the function that makes the assertion gave no text: expected a JWT"),
        (Ok(Some(" ")), "the function that makes the assertion gave no text: expected a JWT"),
        (Err("ValueError: no\nluck"), "the function that makes the assertion failed: ValueError: no\\nluck"),
    ] {
        let (made, fake) = credential("ClientAssertionCredential", &application(&[("func", says(reply))]), &[]);
        let error = ask(&made.unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Failed);
        assert_eq!(error.message(), format!("ClientAssertionCredential: {expected}"));
        assert!(fake.sent().is_empty());
    }
    let panics = Value::Function(Function::blocking(|_| panic!("oh")));
    let (made, _) = credential("ClientAssertionCredential", &application(&[("func", panics)]), &[]);
    assert!(ask(&made.unwrap()).unwrap_err().message().ends_with("failed: it ended without an answer"));
}

#[test]
fn two_functions_are_two_identities() {
    let (world, fake) = Fake::world();
    fake.answer(200, TOKEN);
    for _ in 0..2 {
        let options = application(&[("func", says(Ok(Some("a.b.c"))))]);
        let options = options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let made = Credential::in_world(world.clone(), "ClientAssertionCredential", options, Spelling::Snake);
        ask(&made.unwrap()).unwrap();
    }
    assert_eq!(fake.sent().len(), 2, "nobody knows whose assertions another function makes");
}

const WORKLOAD: [(&str, &str); 3] =
    [("AZURE_TENANT_ID", "t.example"), ("AZURE_CLIENT_ID", "cid"), ("AZURE_FEDERATED_TOKEN_FILE", "/token")];

#[test]
fn a_workload_reads_its_file_for_each_exchange() {
    let (made, fake) = credential("WorkloadIdentityCredential", &[], &WORKLOAD);
    let made = made.unwrap();
    fake.answer(200, TOKEN);
    fake.write("/token", " first\n");
    ask(&made).unwrap();
    fake.write("/token", "second");
    ask_for(&made, "https://vault.azure.net/.default").unwrap();
    let sent = bodies(&fake);
    assert!(sent[0].contains(&format!("{ASSERTION}first&")), "{sent:?}");
    assert!(sent[1].contains(&format!("{ASSERTION}second&")), "{sent:?}");
}

#[test]
fn a_file_that_is_not_there_yet_is_looked_for_again() {
    let (made, fake) = credential("WorkloadIdentityCredential", &[], &WORKLOAD);
    let made = made.unwrap();
    fake.answer(200, TOKEN);
    for content in [None, Some(b"".to_vec()), Some(b" \n".to_vec()), Some(vec![0xff, 0xfe])] {
        if let Some(content) = &content {
            fake.write("/token", content.clone());
        }
        let error = ask(&made).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transient, "{content:?}");
        assert!(error.message().starts_with("WorkloadIdentityCredential: the federated token file /token "), "{error}");
    }
    fake.write("/token", "now");
    assert_eq!(ask(&made).unwrap(), "tok");
}

#[test]
fn an_unconfigured_workload_names_all_that_is_missing() {
    let (made, _) = credential("WorkloadIdentityCredential", &[("client_id", text("cid"))], &[]);
    let error = made.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfiguration);
    assert_eq!(
        error.message(),
        "WorkloadIdentityCredential: workload identity is not fully configured: tenant_id (AZURE_TENANT_ID), \
         token_file_path (AZURE_FEDERATED_TOKEN_FILE) missing"
    );
}

fn pipeline() -> Vec<(&'static str, Value)> {
    application(&[("service_connection_id", text("sc 1")), ("system_access_token", text("canary"))])
}

const JOB: [(&str, &str); 1] = [("SYSTEM_OIDCREQUESTURI", "https://dev.example/oidc/")];

#[test]
fn a_job_of_azure_pipelines_asks_twice() {
    let (made, fake) = credential("AzurePipelinesCredential", &pipeline(), &JOB);
    fake.serve(|request| {
        if request.url.starts_with("https://dev.example/") {
            assert!(request.body.is_none());
            let header = |name: &str| {
                let found = request.headers.iter().find(|(given, _)| *given == name);
                found.map(|(_, value)| value.expose().to_owned()).unwrap()
            };
            assert_eq!(header("authorization"), "Bearer canary");
            assert_eq!(header("x-tfs-fedauthredirect"), "Suppress");
            assert_eq!(header("content-type"), "application/json");
            return Ok(answer(200, r#"{"oidcToken":"o.i.d"}"#));
        }
        Ok(answer(200, TOKEN))
    });
    ask(&made.unwrap()).unwrap();
    let sent = fake.sent();
    assert_eq!(sent[0].trim(), "POST https://dev.example/oidc?api-version=7.1&serviceConnectionId=sc+1");
    assert!(sent[1].contains(&format!("{ASSERTION}o.i.d&")), "{sent:?}");
}

#[test]
fn a_pipeline_that_gives_no_assertion() {
    for (status, body, kind, expected) in [
        (200, "{}", ErrorKind::Failed, "has no oidcToken (x-vss-e2eid e2e)"),
        (200, "<html>", ErrorKind::Failed, "has no oidcToken (x-vss-e2eid e2e)"),
        (
            401,
            r#"{"message":"canary is wrong"}"#,
            ErrorKind::Failed,
            "answered HTTP 401: *** is wrong; check system_access_token and the service connection's permissions (x-vss-e2eid e2e)",
        ),
        (302, "", ErrorKind::Failed, "HTTP 302; it redirects, as it does for a token that it does not take"),
        (503, "", ErrorKind::Transient, "answered HTTP 503"),
    ] {
        let (made, fake) = credential("AzurePipelinesCredential", &pipeline(), &JOB);
        fake.serve(move |_| {
            let mut response = answer(status, body);
            response.headers.push(("x-vss-e2eid".into(), "e2e".into()));
            Ok(response)
        });
        let error = ask(&made.unwrap()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(expected), "{error}");
        assert!(!error.message().contains("canary"), "{error}");
    }
}

#[test]
fn a_pipeline_elsewhere_and_one_that_is_half_configured() {
    let (made, fake) = credential("AzurePipelinesCredential", &pipeline(), &[]);
    let error = ask(&made.unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("SYSTEM_OIDCREQUESTURI is not set"), "{error}");
    assert!(fake.sent().is_empty());
    for uri in ["http://dev.example/", "dev.example", "https://u:p@dev.example/"] {
        let (made, _) = credential("AzurePipelinesCredential", &pipeline(), &[("SYSTEM_OIDCREQUESTURI", uri)]);
        let error = made.unwrap_err();
        assert!(error.message().contains("SYSTEM_OIDCREQUESTURI: expected an https URL"), "{error}");
    }
    let (made, _) = credential("AzurePipelinesCredential", &application(&[]), &JOB);
    assert_eq!(
        made.unwrap_err().message(),
        "AzurePipelinesCredential: option service_connection_id: expected a value, got none"
    );
}

const KEY: &str = include_str!("../fixtures/certificates/leaf.key");
const LEAF: &str = include_str!("../fixtures/certificates/leaf.crt");
const RENEWED: &str = include_str!("../fixtures/certificates/leaf-renewed.crt");
const ISSUER: &str = include_str!("../fixtures/certificates/issuer.crt");

/// Header and claims of the assertion in the newest request.
fn assertion(fake: &Fake) -> (serde_json::Value, serde_json::Value) {
    let body = bodies(fake).pop().unwrap_or_default();
    let jwt = body.split('&').find_map(|field| field.strip_prefix("client_assertion=")).unwrap_or_default();
    let part = |at: usize| {
        let bytes = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(at).unwrap_or_default()).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    };
    (part(0), part(1))
}

#[test]
fn a_certificate_signs_for_its_token_endpoint() {
    for (tenant, alg, thumbprint, audience) in [
        ("t.example", "PS256", "x5t#S256", "https://login.microsoftonline.com/t.example/oauth2/v2.0/token"),
        ("adfs", "RS256", "x5t", "https://login.microsoftonline.com/adfs/oauth2/token"),
    ] {
        for chain in [false, true] {
            let data = Value::Bytes(format!("{KEY}{LEAF}{ISSUER}").into_bytes().into());
            let options = [
                ("tenant_id", text(tenant)),
                ("client_id", text("cid")),
                ("certificate_data", data),
                ("send_certificate_chain", Value::Bool(chain)),
            ];
            let (made, fake) = credential("CertificateCredential", &options, &[]);
            fake.answer(200, TOKEN);
            ask(&made.unwrap()).unwrap();
            let (header, claims) = assertion(&fake);
            assert_eq!(header["alg"], alg);
            assert!(header[thumbprint].is_string(), "{header}");
            assert_eq!(header["x5c"].as_array().map(Vec::len), chain.then_some(2));
            assert_eq!((claims["aud"].as_str(), claims["sub"].as_str()), (Some(audience), Some("cid")));
        }
    }
}

#[test]
fn a_new_certificate_is_used_without_a_restart() {
    let (world, fake) = Fake::world();
    fake.answer(200, TOKEN);
    fake.write("/pem", format!("{KEY}{LEAF}"));
    let options = application(&[("certificate_path", text("/pem"))]);
    let options = options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let made = Credential::in_world(world, "CertificateCredential", options, Spelling::Snake).unwrap();
    let mut seen = Vec::new();
    for (content, scope) in [
        (None, "https://a/.default"),
        (Some(format!("{KEY}{RENEWED}")), "https://b/.default"),
        (Some("half a file".to_owned()), "https://c/.default"),
        (Some(format!("{KEY}{LEAF}")), "https://d/.default"),
    ] {
        if let Some(content) = content {
            fake.write("/pem", content);
        }
        ask_for(&made, scope).unwrap();
        seen.push(assertion(&fake).0["x5t#S256"].clone());
    }
    assert_ne!(seen[0], seen[1], "the new one");
    assert_eq!(seen[1], seen[2], "a damaged file leaves the one that was read");
    assert_eq!(seen[0], seen[3]);
}

#[test]
fn certificates_that_can_t_be_used_are_an_error_at_once() {
    let (key, nothing) = (text(KEY), text("canary"));
    for (name, more, expected) in [
        ("CertificateCredential", vec![], "expected certificate_path or certificate_data, got none"),
        (
            "CertificateCredential",
            vec![("certificate_path", text("/x")), ("certificate_data", key.clone())],
            "expected certificate_path or certificate_data, got both",
        ),
        ("CertificateCredential", vec![("certificate_path", text("/x"))], "option certificate_path: /x can't be read"),
        ("CertificateCredential", vec![("certificate_data", nothing)], "option certificate_data: "),
        ("CertificateCredential", vec![("certificate_data", key.clone())], "option certificate_data: "),
        (
            "CertificateCredential",
            vec![("certificate_data", Value::Int(7))],
            "option certificate_data: expected bytes or text, got a whole number",
        ),
        (
            "OnBehalfOfCredential",
            vec![("client_certificate", key), ("user_assertion", text("u"))],
            "option client_certificate: ",
        ),
    ] {
        let (made, _) = credential(name, &application(&more), &[]);
        let error = made.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfiguration);
        assert!(error.message().contains(expected), "{error}");
        assert!(!error.message().contains("canary") && !error.message().contains("PRIVATE KEY-----"), "{error}");
    }
}

#[test]
fn an_environment_with_a_certificate_or_a_user() {
    let (world, fake) = Fake::world();
    fake.write("/pem", format!("{KEY}{LEAF}"));
    fake.answer(200, TOKEN);
    for (name, value) in
        [("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "cid"), ("AZURE_CLIENT_CERTIFICATE_PATH", "/pem")]
    {
        fake.set(name, value);
    }
    let anew = || Credential::in_world(world.clone(), "EnvironmentCredential", Vec::new(), Spelling::Snake);
    for (value, chain) in [(None, false), (Some("1"), true), (Some("True"), true), (Some("0"), false)] {
        if let Some(value) = value {
            fake.set("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", value);
        }
        let scope = format!("https://{}/.default", value.unwrap_or("none"));
        ask_for(&anew().unwrap(), &scope).unwrap();
        assert_eq!(assertion(&fake).0["x5c"].is_array(), chain);
    }
    fake.set("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", "perhaps");
    let error = anew().unwrap_err();
    assert!(error.message().ends_with("expected 1, true, 0 or false, got 'perhaps'"), "{error}");

    let user = [("AZURE_CLIENT_ID", "cid"), ("AZURE_USERNAME", "u@x"), ("AZURE_PASSWORD", "p")];
    let (made, fake) = credential("EnvironmentCredential", &[], &user);
    fake.answer(200, TOKEN);
    let made = made.unwrap();
    ask(&made).unwrap();
    assert!(fake.sent()[0].starts_with("POST https://login.microsoftonline.com/organizations/oauth2/v2.0/token "));
    assert!(bodies(&fake)[0].starts_with("grant_type=password&username=u%40x&password=p&"));
}
