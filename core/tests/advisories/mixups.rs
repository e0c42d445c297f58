//! Whose token a caller gets: one that was made for this identity, tenant, resource and wish.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use azcred::fake::{Fake, answer};
use azcred::{Credential, Spelling, TokenRequest, Value};

use crate::stage::{HOSTS, SCOPE};

type Setup<'a> = (&'a str, &'a [(&'a str, &'a str)]);

/// Identities that differ in one thing each, some of them only in where one text ends and the next begins.
const IDENTITIES: [Setup<'static>; 17] = [
    ("ClientSecretCredential", &[("tenant_id", "ab"), ("client_id", "c"), ("client_secret", "d")]),
    ("ClientSecretCredential", &[("tenant_id", "a"), ("client_id", "bc"), ("client_secret", "d")]),
    ("ClientSecretCredential", &[("tenant_id", "a"), ("client_id", "b"), ("client_secret", "cd")]),
    ("ClientSecretCredential", &[("tenant_id", "a"), ("client_id", "b"), ("client_secret", "c\0d")]),
    ("ClientSecretCredential", &[("tenant_id", "a"), ("client_id", "b\0c"), ("client_secret", "d")]),
    (
        "ClientSecretCredential",
        &[("tenant_id", "ab"), ("client_id", "c"), ("client_secret", "d"), ("authority", "login.microsoftonline.us")],
    ),
    (
        "OnBehalfOfCredential",
        &[("tenant_id", "ab"), ("client_id", "c"), ("client_secret", "d"), ("user_assertion", "e")],
    ),
    (
        "OnBehalfOfCredential",
        &[("tenant_id", "ab"), ("client_id", "c"), ("client_secret", "d"), ("user_assertion", "f")],
    ),
    (
        "OnBehalfOfCredential",
        &[("tenant_id", "ab"), ("client_id", "c"), ("client_secret", "de"), ("user_assertion", "f")],
    ),
    ("UsernamePasswordCredential", &[("tenant_id", "ab"), ("client_id", "c"), ("username", "d"), ("password", "ef")]),
    ("UsernamePasswordCredential", &[("tenant_id", "ab"), ("client_id", "c"), ("username", "de"), ("password", "f")]),
    ("WorkloadIdentityCredential", &[("tenant_id", "ab"), ("client_id", "c"), ("token_file_path", "/d")]),
    ("WorkloadIdentityCredential", &[("tenant_id", "ab"), ("client_id", "c"), ("token_file_path", "/e")]),
    ("ManagedIdentityCredential", &[]),
    ("ManagedIdentityCredential", &[("client_id", "c")]),
    ("ManagedIdentityCredential", &[("object_id", "c")]),
    ("ManagedIdentityCredential", &[("resource_id", "c")]),
];

/// Requests that differ in one thing each.
fn requests() -> Vec<TokenRequest> {
    let scope = TokenRequest::scope;
    let cae = TokenRequest { enable_cae: true, ..scope(SCOPE) };
    let mut requests =
        vec![scope(SCOPE), scope("https://storage.azure.com//.default"), scope("https://Storage.azure.com/.default")];
    requests.push(TokenRequest { tenant_id: Some("other".into()), ..scope(SCOPE) });
    requests.extend([scope("https://storage.azure.com/"), cae]);
    requests
}

#[test]
fn no_two_identities_or_requests_share_a_token() {
    let (world, fake) = Fake::world();
    fake.set("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:3");
    for path in ["/d", "/e"] {
        fake.write(path, "a.b.c");
    }
    let count = Arc::new(AtomicUsize::new(0));
    fake.serve(move |_| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        Ok(answer(200, &format!(r#"{{"access_token":"t{number}","expires_in":3600}}"#)))
    });
    let mut seen = HashMap::<String, String>::new();
    for (name, options) in IDENTITIES {
        let mut all: Vec<(String, Value)> =
            options.iter().map(|(name, value)| ((*name).to_owned(), Value::text(*value))).collect();
        let managed = name.starts_with("Managed");
        if !managed {
            all.push(("additionally_allowed_tenants".to_owned(), Value::List(vec![Value::text("*")])));
        }
        let make = || Credential::in_world(world.clone(), name, all.clone(), Spelling::Snake).unwrap();
        let credential = make();
        for request in requests() {
            if managed && (request.tenant_id.is_some() || request.enable_cae) {
                continue;
            }
            let who = format!("{name} {options:?} {request:?}");
            let token = credential.get_token(&request).unwrap();
            if let Some(other) = seen.insert(token.secret().to_owned(), who.clone()) {
                panic!("{who} got the token of {other}");
            }
            // Whoever asks for the same has the same; users who sign in have a session of their own.
            assert!(credential.get_token(&request).unwrap().is_same(&token), "{who}");
            if !name.starts_with("Username") && !name.starts_with("OnBehalf") {
                assert!(make().get_token(&request).unwrap().is_same(&token), "{who}, in another object");
            }
        }
    }
}

#[test]
fn no_two_hosts_share_a_token() {
    let (world, fake) = Fake::world();
    let count = Arc::new(AtomicUsize::new(0));
    let mut seen = HashMap::<String, &str>::new();
    for host in HOSTS {
        for name in [
            "IDENTITY_ENDPOINT",
            "IDENTITY_HEADER",
            "IDENTITY_SERVER_THUMBPRINT",
            "MSI_ENDPOINT",
            "MSI_SECRET",
            "IMDS_ENDPOINT",
        ] {
            fake.set(name, "");
        }
        let count = Arc::clone(&count);
        let reply = move || {
            let number = count.fetch_add(1, Ordering::SeqCst);
            Ok(answer(200, &format!(r#"{{"access_token":"t{number}","expires_in":3600}}"#)))
        };
        let credential = host.within(&world, &fake, &[], reply).unwrap();
        let token = credential.get_token(&TokenRequest::scope(SCOPE)).unwrap();
        assert_eq!(seen.insert(token.secret().to_owned(), host.title), None);
    }
}
