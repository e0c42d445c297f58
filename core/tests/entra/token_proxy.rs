//! The token proxy of an AKS cluster: who uses it, what its variables must say, and what it leaves as it was.

use azcred::http::Route;
use azcred::{Credential, ErrorKind, Spelling, Value};

use crate::{TOKEN, ask, credential, text};

const POD: [(&str, &str); 3] =
    [("AZURE_TENANT_ID", "t.example"), ("AZURE_CLIENT_ID", "cid"), ("AZURE_FEDERATED_TOKEN_FILE", "/token")];
const ENABLED: [(&str, Value); 1] = [("enable_azure_proxy", Value::Bool(true))];
const PROXY: (&str, &str) = ("AZURE_KUBERNETES_TOKEN_PROXY", "https://10.0.0.1:8443/base");

#[test]
fn a_mistake_names_its_variable_when_the_credential_is_made() {
    let url = "AZURE_KUBERNETES_TOKEN_PROXY: expected an https URL without user, query or fragment";
    let urls = [
        "http://p",
        "p:8443",
        "https://",
        "https://canary@p",
        "https://u:canary@p",
        "https://p?canary",
        "https://p#canary",
        "canary",
    ];
    let mut cases: Vec<(Vec<(&str, &str)>, &str)> =
        urls.into_iter().map(|given| (vec![("AZURE_KUBERNETES_TOKEN_PROXY", given)], url)).collect();
    let (sni, file, data) = (
        ("AZURE_KUBERNETES_SNI_NAME", "n"),
        ("AZURE_KUBERNETES_CA_FILE", "/f"),
        ("AZURE_KUBERNETES_CA_DATA", "canary"),
    );
    cases.extend([
        (vec![sni], "AZURE_KUBERNETES_SNI_NAME: expected AZURE_KUBERNETES_TOKEN_PROXY beside it, which is not set"),
        (vec![file], "AZURE_KUBERNETES_CA_FILE: expected AZURE_KUBERNETES_TOKEN_PROXY beside it, which is not set"),
        (
            vec![data, sni, ("AZURE_KUBERNETES_TOKEN_PROXY", "")],
            "AZURE_KUBERNETES_SNI_NAME, AZURE_KUBERNETES_CA_DATA: expected AZURE_KUBERNETES_TOKEN_PROXY beside it, which \
             is not set",
        ),
        (
            vec![PROXY, file, data],
            "AZURE_KUBERNETES_CA_FILE, AZURE_KUBERNETES_CA_DATA: expected one of the two, both are set",
        ),
        (vec![PROXY, data], "AZURE_KUBERNETES_CA_DATA: expected PEM certificates, found none"),
        (
            vec![PROXY, ("AZURE_KUBERNETES_SNI_NAME", "10.0.0.1")],
            "AZURE_KUBERNETES_SNI_NAME: expected a host's name, got '10.0.0.1'",
        ),
    ]);
    for (variables, sentence) in cases {
        let env = [&POD[..], &variables].concat();
        let error = credential("WorkloadIdentityCredential", &ENABLED, &env).0.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfiguration);
        assert_eq!(error.message(), format!("WorkloadIdentityCredential: {sentence}"), "{variables:?}");
        // Nobody else looks at them.
        let off = [("enable_azure_proxy", Value::Bool(false))];
        for options in [&[][..], &off] {
            credential("WorkloadIdentityCredential", options, &env).0.unwrap();
        }
    }
    let error = credential("WorkloadIdentityCredential", &[("enable_azure_proxy", text("yes"))], &POD).0.unwrap_err();
    assert!(error.message().contains("option enable_azure_proxy: expected a boolean"), "{error}");
}

#[test]
fn only_a_workload_of_its_own_uses_it() {
    let env = [&POD[..], &[PROXY, ("AZURE_KUBERNETES_CA_FILE", "/f"), ("AZURE_TOKEN_CREDENTIALS", "prod")]].concat();
    let cases = [
        ("WorkloadIdentityCredential", &ENABLED[..], true),
        ("WorkloadIdentityCredential", &[], false),
        ("ManagedIdentityCredential", &ENABLED, false),
        ("DefaultAzureCredential", &ENABLED, false),
    ];
    for (name, options, by_proxy) in cases {
        let (made, fake) = credential(name, options, &env);
        fake.write("/token", "jwt");
        fake.serve(move |request| {
            assert_eq!(matches!(request.route, Route::TokenProxy(_)), by_proxy, "{name}: {request:?}");
            Ok(azcred::fake::answer(200, TOKEN))
        });
        assert_eq!(ask(&made.unwrap()).unwrap(), "tok", "{name}");
        let host = if by_proxy { "https://10.0.0.1:8443/base" } else { "https://login.microsoftonline.com" };
        assert!(fake.sent()[0].starts_with(&format!("POST {host}/t.example/oauth2/v2.0/token ")), "{:?}", fake.sent());
    }
}

#[test]
fn nobody_else_is_asked() {
    // An authority that nobody knows, and a region: without the proxy, each is a question to others.
    let more = [PROXY, ("AZURE_AUTHORITY_HOST", "login.private.example"), ("AZURE_REGIONAL_AUTHORITY_NAME", "true")];
    let (made, fake) = credential("WorkloadIdentityCredential", &ENABLED, &[&POD[..], &more].concat());
    fake.write("/token", "jwt");
    fake.answer(200, TOKEN);
    ask(&made.unwrap()).unwrap();
    let sent = fake.sent();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(sent[0].starts_with("POST https://10.0.0.1:8443/base/t.example/oauth2/v2.0/token "), "{sent:?}");
}

#[test]
fn without_variables_there_is_none() {
    let (made, fake) = credential("WorkloadIdentityCredential", &ENABLED, &POD);
    fake.write("/token", "jwt");
    fake.answer(200, TOKEN);
    ask(&made.unwrap()).unwrap();
    assert!(fake.sent()[0].starts_with("POST https://login.microsoftonline.com/"), "{:?}", fake.sent());
}

#[test]
fn tokens_are_the_same_by_either_way() {
    let (world, fake) = azcred::fake::Fake::world();
    for (name, value) in POD.iter().chain([&PROXY]) {
        fake.set(name, value);
    }
    fake.write("/token", "jwt");
    fake.answer(200, TOKEN);
    for name in ["enableAzureProxy", "clientId"] {
        let value = if name == "clientId" { text("cid") } else { Value::Bool(true) };
        let options = vec![(name.to_owned(), value)];
        let made = Credential::in_world(world.clone(), "WorkloadIdentityCredential", options, Spelling::Camel).unwrap();
        assert_eq!(ask(&made).unwrap(), "tok");
    }
    assert_eq!(fake.sent().len(), 1, "{:?}", fake.sent());
}
