//! Which host is asked: unknown authorities, and those of a region.

use azcred::ErrorKind;
use azcred::fake::answer;
use azcred::http::{HttpError, HttpFault};

use super::*;

const APPLICATION: [(&str, &str); 3] = [("tenant_id", "t"), ("client_id", "c"), ("client_secret", "canary")];

fn application(more: &[(&'static str, Value)]) -> Vec<(&'static str, Value)> {
    let mut options: Vec<(&str, Value)> = APPLICATION.iter().map(|(name, value)| (*name, text(value))).collect();
    options.extend(more.iter().cloned());
    options
}

const QUESTION: &str = "https://login.microsoftonline.com/common/discovery/instance?";

/// A credential of an authority that nobody knows, in a world where the public cloud says this of it.
#[expect(clippy::unwrap_used, reason = "options that are right")]
fn elsewhere(says: impl Fn() -> azcred::fake::Answer + Send + Sync + 'static) -> (Credential, Fake) {
    let options = application(&[("authority", text("https://sts.example"))]);
    let (made, fake) = credential("ClientSecretCredential", &options, &[]);
    fake.serve(move |request| if request.url.starts_with(QUESTION) { says() } else { Ok(answer(200, TOKEN)) });
    (made.unwrap(), fake)
}

#[test]
fn an_unknown_authority_is_asked_about_once() {
    let (made, fake) = elsewhere(|| Ok(answer(200, r#"{"tenant_discovery_endpoint":"https://x"}"#)));
    ask(&made).unwrap();
    ask_for(&made, "https://vault.azure.net/.default").unwrap();
    let sent = fake.sent();
    assert_eq!(sent.len(), 3);
    assert!(
        sent[0]
            .starts_with(&format!("GET {QUESTION}api-version=1.1&authorization_endpoint=https%3A%2F%2Fsts.example%2F"))
    );
    assert!(sent[1].starts_with("POST https://sts.example/t/oauth2/v2.0/token "), "{sent:?}");
}

#[test]
fn nothing_confidential_goes_to_a_host_that_is_no_authority() {
    type Says = fn() -> azcred::fake::Answer;
    let cases: [(Says, ErrorKind, &str); 4] = [
        (
            || Ok(answer(400, r#"{"error":"invalid_instance"}"#)),
            ErrorKind::InvalidConfiguration,
            "sts.example is no authority that login.microsoftonline.com knows (invalid_instance)",
        ),
        (|| Ok(answer(200, "<html>")), ErrorKind::Transient, "gave no answer about the authority sts.example"),
        (
            || Err(HttpError { fault: HttpFault::Connect, message: "no route".into() }),
            ErrorKind::Transient,
            "no answer from login.microsoftonline.com: no route, which was asked about the authority sts.example",
        ),
        (
            || Err(HttpError { fault: HttpFault::Tls, message: "bad".into() }),
            ErrorKind::Failed,
            "the certificate of login.microsoftonline.com is not trusted",
        ),
    ];
    for (says, kind, expected) in cases {
        let (made, fake) = elsewhere(says);
        let error = ask(&made).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(expected), "{error}");
        assert!(error.message().contains("disable_instance_discovery"), "{error}");
        assert!(fake.sent().iter().all(|sent| !sent.contains("canary") && !sent.contains("POST")), "{:?}", fake.sent());
    }
}

#[test]
fn who_is_never_asked_about() {
    for (authority, more) in [
        ("login.microsoftonline.us", vec![]),
        ("https://localhost:8443", vec![]),
        ("https://sts.example", vec![("disable_instance_discovery", Value::Bool(true))]),
        ("https://sts.example", vec![("tenant_id", text("adfs"))]),
    ] {
        let mut options = application(&[("authority", text(authority))]);
        options.retain(|(name, _)| !more.iter().any(|(given, _)| given == name));
        options.extend(more);
        let (made, fake) = credential("ClientSecretCredential", &options, &[]);
        fake.answer(200, TOKEN);
        ask(&made.unwrap()).unwrap();
        assert_eq!(fake.sent().len(), 1, "{authority}");
    }
}

#[test]
fn an_application_asks_its_region() {
    let central = "https://login.microsoftonline.com/t/oauth2/v2.0/token";
    let named = "https://westus.login.microsoft.com/t/oauth2/v2.0/token";
    let detect = ("AZURE_REGIONAL_AUTHORITY_NAME", "TryAutoDetect");
    let cases: [(&[(&str, &str)], &str); 8] = [
        (&[], central),
        (&[("AZURE_REGIONAL_AUTHORITY_NAME", "westus")], named),
        (&[("MSAL_FORCE_REGION", "westus")], named),
        (&[("AZURE_REGIONAL_AUTHORITY_NAME", "false"), ("MSAL_FORCE_REGION", "westus")], central),
        (&[("AZURE_REGIONAL_AUTHORITY_NAME", "evil.example/")], central),
        (&[detect, ("REGION_NAME", "West US")], named),
        (&[detect], "https://northeurope.login.microsoft.com/t/oauth2/v2.0/token"),
        (&[detect, ("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1")], central),
    ];
    for (env, expected) in cases {
        let (made, fake) = credential("ClientSecretCredential", &application(&[]), env);
        fake.serve(|request| match request.url.as_str() {
            "http://169.254.169.254/metadata/instance/compute?api-version=2021-02-01" => {
                Ok(answer(200, r#"{"location":"northeurope"}"#))
            }
            url if url.contains("/metadata/") => Ok(answer(404, "")),
            _ => Ok(answer(200, TOKEN)),
        });
        let made = made.unwrap();
        ask(&made).unwrap();
        let sent = fake.sent().pop().unwrap();
        assert!(sent.starts_with(&format!("POST {expected} ")), "{env:?}: {sent}");
        // Who is asked is who is named.
        let host = expected.split('/').nth(2).unwrap();
        fake.answer(401, r#"{"error":"invalid_client"}"#);
        let error = ask_for(&made, "https://vault.azure.net/.default").unwrap_err();
        assert!(error.message().starts_with(&format!("ClientSecretCredential: {host} refused: ")), "{error}");
        fake.answer(200, "{}");
        let error = ask_for(&made, "https://third/.default").unwrap_err();
        assert!(error.message().starts_with(&format!("ClientSecretCredential: the answer of {host} has")), "{error}");
    }
}

#[test]
fn a_region_that_was_found_is_not_looked_for_again_and_users_have_none() {
    let env = [("AZURE_REGIONAL_AUTHORITY_NAME", "true")];
    let (made, fake) = credential("ClientSecretCredential", &application(&[]), &env);
    fake.serve(|request| {
        Ok(if request.url.contains("/metadata/") {
            answer(200, r#"{"location":"westus"}"#)
        } else {
            answer(200, TOKEN)
        })
    });
    let made = made.unwrap();
    ask(&made).unwrap();
    ask_for(&made, "https://vault.azure.net/.default").unwrap();
    assert_eq!(fake.sent().len(), 3, "one question about the region");
    let user = [("client_id", text("c")), ("username", text("u")), ("password", text("p"))];
    let (made, fake) = credential("UsernamePasswordCredential", &user, &env);
    fake.answer(200, TOKEN);
    ask(&made.unwrap()).unwrap();
    assert!(fake.sent()[0].starts_with("POST https://login.microsoftonline.com/organizations/"), "{:?}", fake.sent());
}

/// Options, environment, the request that follows, and what it holds.
type Case<'a> = (&'a [(&'static str, Value)], &'a [(&'a str, &'a str)], &'a str, &'a str);

#[test]
fn a_pod_exchanges_its_token_where_no_endpoint_is_named() {
    let pod = [("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "pod"), ("AZURE_FEDERATED_TOKEN_FILE", "/token")];
    let exchange = "POST https://login.microsoftonline.com/t/oauth2/v2.0/token ";
    let imds = "GET http://169.254.169.254/metadata/identity/oauth2/token?";
    let cases: [Case<'_>; 6] = [
        (&[], &pod, exchange, "client_id=pod&"),
        (&[("client_id", text("named"))], &pod, exchange, "client_id=named&"),
        (&[("object_id", text("o"))], &pod, imds, "object_id=o"),
        (&[("resource_id", text("/r"))], &pod, imds, "msi_res_id=%2Fr"),
        (&[], &pod[1..], imds, "resource="),
        (&[], &pod[..2], imds, "resource="),
    ];
    for (options, env, expected, more) in cases {
        let (made, fake) = credential("ManagedIdentityCredential", options, env);
        fake.write("/token", "a.b.c");
        fake.answer(200, r#"{"access_token":"tok","expires_in":3600}"#);
        let token = made.unwrap().get_token(&TokenRequest::scope(SCOPE)).unwrap();
        assert_eq!(token.provenance().credential, "ManagedIdentityCredential");
        let sent = fake.sent().pop().unwrap();
        assert!(sent.starts_with(expected) && sent.contains(more), "{sent}");
    }
    let named = [&pod[..], &[("IDENTITY_ENDPOINT", "http://127.0.0.1:1/"), ("IDENTITY_HEADER", "h")]].concat();
    let (made, fake) = credential("ManagedIdentityCredential", &[], &named);
    fake.answer(200, r#"{"access_token":"tok","expires_on":"1700003600"}"#);
    ask(&made.unwrap()).unwrap();
    assert!(fake.sent()[0].starts_with("GET http://127.0.0.1:1/"), "an endpoint that is named comes first");
    // Without a client id there is nobody to be.
    let nobody = [pod[0], pod[2]];
    let (made, _) = credential("ManagedIdentityCredential", &[], &nobody);
    let error = made.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfiguration);
    assert!(error.message().contains("client_id (AZURE_CLIENT_ID) missing"), "{error}");
}
