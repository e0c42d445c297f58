//! What the options about the way to an authority say, who takes them, and what they change.
#![expect(clippy::unwrap_used, reason = "the tables' own helpers")]

use std::sync::{Arc, Mutex};

use azcred::fake::{Fake, answer};
use azcred::http::Route;
use azcred::{Credential, Error, ErrorKind, Spelling, TokenRequest, Value};

const TOKEN: &str = r#"{"access_token":"tok","expires_in":"3600"}"#;
const APPLICATION: [(&str, &str); 3] =
    [("AZURE_TENANT_ID", "t.example"), ("AZURE_CLIENT_ID", "cid"), ("AZURE_CLIENT_SECRET", "s")];

fn map(entries: &[(&str, Value)]) -> Value {
    Value::Map(entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

fn credential(name: &str, options: &[(&str, Value)], spelling: Spelling) -> (Result<Credential, Error>, Fake) {
    let (world, fake) = Fake::world();
    for (name, value) in APPLICATION {
        fake.set(name, value);
    }
    fake.answer(200, TOKEN);
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    (Credential::in_world(world, name, options, spelling), fake)
}

fn message(options: &[(&str, Value)], spelling: Spelling) -> String {
    let error = credential("EnvironmentCredential", options, spelling).0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfiguration);
    error.message().to_owned()
}

#[test]
fn mistakes_name_the_option_and_no_secret() {
    let url = "expected a proxy's URL such as http://host:port or http://user:password@host:port, its special \
               characters percent-encoded";
    let seconds = "expected more than 0 and at most 3600 seconds";
    let number = "expected a whole number from 0 to 10";
    let cases = [
        (
            "connection_verify",
            Value::Bool(false),
            "connection_verify: certificates are always checked; give the path of the PEM file of whoever signed the \
             server's, or leave it out",
        ),
        ("connection_verify", Value::text(""), "connection_verify: expected a path, got empty text"),
        ("connection_verify", Value::Int(0), "connection_verify: expected true or the path of PEM certificates"),
        ("proxies", map(&[("https", Value::text("http://u:can#ary@h"))]), &format!("proxies.https: {url}")),
        ("proxies", map(&[("all", Value::text("ftp://canary"))]), &format!("proxies.all: {url}")),
        ("proxies", map(&[("https", Value::Int(1))]), "proxies.https: expected a string, got a whole number"),
        ("proxies", Value::text("http://canary:x"), &format!("proxies: {url}")),
        (
            "proxies",
            Value::List(Vec::new()),
            "proxies: expected a map such as {'https': 'http://host:port'} or a proxy's URL, got a list",
        ),
        (
            "proxies",
            Value::text("socks5://canary@h"),
            "proxies: SOCKS proxies are not supported; expected an http or https proxy",
        ),
        ("proxy_options", map(&[("port", Value::Int(1))]), "proxy_options.host: expected a value, got none"),
        (
            "proxy_options",
            map(&[("host", Value::text("h")), ("port", Value::Int(65_536))]),
            "proxy_options.port: expected a whole number from 1 to 65535",
        ),
        (
            "proxy_options",
            map(&[("host", Value::text("h")), ("password", Value::Int(1))]),
            "proxy_options.password: expected a string, got a whole number",
        ),
        ("connection_timeout", Value::Int(0), &format!("connection_timeout: {seconds}")),
        ("connection_timeout", Value::Int(3601), &format!("connection_timeout: {seconds}")),
        ("read_timeout", Value::Float(f64::NAN), &format!("read_timeout: {seconds}")),
        ("read_timeout", Value::text("ten"), "read_timeout: expected a number"),
        ("retry_total", Value::Int(11), &format!("retry_total: {number}")),
        ("retry_total", Value::Int(-1), &format!("retry_total: {number}")),
        ("retry_total", Value::Float(1.5), &format!("retry_total: {number}")),
        ("retry_options", map(&[("maxRetries", Value::Int(11))]), &format!("retry_options.maxRetries: {number}")),
    ];
    for (name, value, expected) in cases {
        let said = message(&[(name, value)], Spelling::Snake);
        assert_eq!(said, format!("EnvironmentCredential: option {expected}"));
        assert!(!said.contains("canary"), "{said}");
    }
    let both = [("proxies", Value::text("h")), ("proxy_options", map(&[("host", Value::text("h"))]))];
    assert!(message(&both, Spelling::Snake).ends_with("expected one of proxies and proxy_options, got both"));
    let said = message(&[("proxies", map(&[("ftp", Value::text("canary"))]))], Spelling::Snake);
    assert!(said.starts_with("EnvironmentCredential: unknown option proxies.ftp; it takes authority, "), "{said}");
    let said = message(&[("proxyOptions", map(&[("port", Value::Int(0))]))], Spelling::Camel);
    assert_eq!(said, "EnvironmentCredential: option proxyOptions.host: expected a value, got none");
}

#[test]
fn the_way_is_the_authoritys_and_managed_identity_has_none() {
    let proxies = ("proxies", map(&[("https", Value::text("http://u:canary@proxy.example:1"))]));
    for name in ["EnvironmentCredential", "DefaultAzureCredential"] {
        let (credential, fake) = credential(name, std::slice::from_ref(&proxies), Spelling::Snake);
        let routes = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&routes);
        fake.serve(move |request| {
            seen.lock().unwrap().push(request.route.clone());
            Ok(answer(200, TOKEN))
        });
        credential.unwrap().get_token(&TokenRequest::scope("s")).unwrap();
        let shown = format!("{:?}", routes.lock().unwrap());
        assert!(shown.starts_with("[Authority(Network(") && shown.contains("http://proxy.example:1"), "{shown}");
        assert!(!shown.contains("canary"), "{shown}");
    }
    let (credential, fake) = credential("ManagedIdentityCredential", std::slice::from_ref(&proxies), Spelling::Snake);
    fake.serve(|request| {
        assert_eq!(request.route, Route::Local);
        Ok(answer(200, TOKEN))
    });
    credential.unwrap().get_token(&TokenRequest::scope("s")).unwrap();
    assert_eq!(fake.sent().len(), 1);
}

#[test]
fn retries_are_as_few_as_is_said() {
    let node =
        |number| ("retry_options", map(&[("maxRetries", Value::Int(number)), ("retryDelayInMs", Value::Int(1))]));
    let cases = [
        (None, 4),
        (Some(("retry_total", Value::Int(0))), 1),
        (Some(("retry_total", Value::Int(2))), 3),
        (Some(("retry_total", Value::Int(10))), 4),
        (Some(node(1)), 2),
    ];
    for (option, requests) in cases {
        let options: Vec<_> = option.into_iter().collect();
        let (credential, fake) = credential("EnvironmentCredential", &options, Spelling::Snake);
        fake.answer(503, "{}");
        credential.unwrap().get_token(&TokenRequest::scope("s")).unwrap_err();
        assert_eq!(fake.sent().len(), requests, "{options:?}");
    }
}

#[test]
fn with_multi_tenant_authentication_disabled_the_default_tenant_is_asked() {
    let (world, fake) = Fake::world();
    fake.set("AZURE_IDENTITY_DISABLE_MULTITENANTAUTH", "0");
    for (name, value) in APPLICATION {
        fake.set(name, value);
    }
    fake.answer(200, TOKEN);
    let options = vec![("additionally_allowed_tenants".to_owned(), Value::List(vec![Value::text("*")]))];
    let credential = Credential::in_world(world, "EnvironmentCredential", options, Spelling::Snake).unwrap();
    for tenant in [None, Some("other.example"), Some("t.example")] {
        let request = TokenRequest { tenant_id: tenant.map(str::to_owned), ..TokenRequest::scope("s") };
        let token = credential.get_token(&request).unwrap();
        assert_eq!(token.provenance().tenant_id.as_deref(), Some("t.example"));
    }
    assert_eq!(fake.sent().len(), 1, "one tenant, one token");
}
