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
    assert!(ask(&made.unwrap()).unwrap_err().message().ends_with("failed: it panicked"));
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
