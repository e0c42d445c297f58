//! Where a request goes, whatever its parts hold: the address that was configured, with every text in its own field.

use std::collections::BTreeMap;

use azcred::fake::answer;
use azcred::{Credential, ErrorKind, Spelling, TokenRequest, Value};
use url::Url;

use crate::stage::{GRANTS, HOSTS, TOKEN, says};

/// Texts that end a field, a path or an address where they are pasted together.
const TEXTS: [&str; 14] = [
    "x&resource=https://evil.example",
    "x&client_id=evil",
    "x?api-version=1",
    "x#",
    "x;y",
    "x%26client_id%3Devil",
    "x%2526",
    "x+y",
    "../../..",
    "..%2f..%2f",
    "//evil.example/",
    "http://169.254.169.254/metadata/instance",
    "@evil.example",
    "x=y=z",
];

/// Texts that a scope can't hold, and an id can.
const WORSE: [&str; 6] = ["x\\..\\y", "x\r\nhost: evil", "x y", "\"x\"", "x\u{202e}", "x\0y"];

/// Address without query, and the fields of query and body.
fn parts(sent: &str) -> (String, BTreeMap<String, Vec<String>>) {
    let mut words = sent.splitn(3, ' ').skip(1);
    let mut url = Url::parse(words.next().unwrap()).unwrap();
    let mut fields = BTreeMap::<String, Vec<String>>::new();
    let body = words.next().unwrap_or_default().to_owned();
    let pairs = url.query_pairs().into_owned().chain(form_urlencoded::parse(body.as_bytes()).into_owned());
    for (name, value) in pairs.collect::<Vec<_>>() {
        fields.entry(name).or_default().push(value);
    }
    url.set_query(None);
    (url.to_string(), fields)
}

#[test]
fn no_text_leaves_its_field_on_the_way_to_a_host() {
    for host in HOSTS {
        let sent = |more: &[(&str, &str)], scope: &str| {
            let (credential, fake) = host.with(more, says(200, &[], TOKEN.as_bytes()));
            // What the host does not take is refused; nothing is sent then.
            if let Ok(credential) = credential {
                drop(credential.get_token(&TokenRequest::scope(scope)));
            }
            fake.sent().iter().map(|sent| parts(sent)).collect::<Vec<_>>()
        };
        let usual = sent(&[], "r");
        assert!(!usual.is_empty());
        for text in TEXTS {
            let mut expected = usual.clone();
            for (_, fields) in &mut expected {
                fields.insert("resource".to_owned(), vec![text.to_owned()]);
            }
            assert_eq!(sent(&[], text), expected, "{}", host.title);
        }
        for option in ["client_id", "object_id", "resource_id"] {
            let with_id = sent(&[(option, "id")], "r");
            for text in TEXTS.into_iter().chain(WORSE) {
                let mut expected = with_id.clone();
                for fields in expected.iter_mut().map(|(_, fields)| fields) {
                    for value in fields.values_mut().flatten().filter(|value| *value == "id") {
                        text.clone_into(value);
                    }
                }
                let sent = sent(&[(option, text)], "r");
                let refused = sent.is_empty() && WORSE.contains(&text);
                assert!(refused || sent == expected, "{}, {option}: {text:?}: {sent:?}", host.title);
            }
        }
    }
}

#[test]
fn no_text_leaves_its_field_on_the_way_to_entra() {
    for grant in GRANTS.iter().filter(|grant| grant.options.iter().any(|(name, _)| *name == "client_id")) {
        let sent = |id: &str, scope: &str| {
            let (credential, fake) = grant.with(&[("client_id", id)], says(200, &[], TOKEN.as_bytes()));
            credential.unwrap().get_token(&TokenRequest::scope(scope)).unwrap();
            parts(fake.sent().last().unwrap())
        };
        let (address, usual) = sent("cid", "r");
        for text in TEXTS.into_iter().chain(WORSE) {
            let (there, fields) = sent(text, "r");
            assert_eq!((&there, &fields["client_id"]), (&address, &vec![text.to_owned()]), "{}", grant.title);
            assert!(fields.keys().eq(usual.keys()), "{}: {fields:?}", grant.title);
        }
        for text in TEXTS {
            let (there, fields) = sent("cid", text);
            assert!(fields["scope"].len() == 1 && fields["scope"][0].starts_with(text), "{}", grant.title);
            assert!(there == address && fields.keys().eq(usual.keys()), "{}: {fields:?}", grant.title);
        }
        // A tenant is part of the path: it is plain, or refused.
        for text in TEXTS.into_iter().chain(WORSE).chain([".", "..", "%2e%2e", "t/../x", "t?x"]) {
            let (credential, fake) = grant.with(&[("tenant_id", text)], says(200, &[], TOKEN.as_bytes()));
            assert_eq!(credential.unwrap_err().kind(), ErrorKind::InvalidConfiguration, "{}: {text}", grant.title);
            assert!(fake.sent().is_empty());
        }
    }
}

#[test]
fn an_authority_is_the_host_that_it_looks_like() {
    for (text, host) in [
        ("login.example", Some("login.example")),
        ("https://login.example/", Some("login.example")),
        ("LOGIN.example:443", Some("login.example")),
        ("login.example\\@evil.example", Some("login.example")),
        ("login.example/@evil.example", Some("login.example")),
        ("login.example@evil.example", None),
        ("https://login.example:x@evil.example", None),
        ("login.example#@evil.example", None),
        ("login.example?@evil.example", None),
        ("http://login.example", None),
        ("file:///etc/passwd", None),
        ("https://", None),
        ("login example", None),
    ] {
        let (world, fake) = azcred::fake::Fake::world();
        fake.serve(|_| Ok(answer(200, TOKEN)));
        let own = [("tenant_id", "t"), ("client_id", "c"), ("client_secret", "s"), ("authority", text)];
        let mut options: Vec<_> = own.iter().map(|(name, value)| ((*name).to_owned(), Value::text(*value))).collect();
        options.push(("disable_instance_discovery".to_owned(), Value::Bool(true)));
        let made = Credential::in_world(world, "ClientSecretCredential", options, Spelling::Snake);
        let Some(host) = host else {
            assert_eq!(made.unwrap_err().kind(), ErrorKind::InvalidConfiguration, "{text}");
            continue;
        };
        made.unwrap().get_token(&TokenRequest::scope("r")).unwrap();
        let (address, _) = parts(&fake.sent()[0]);
        assert_eq!(Url::parse(&address).unwrap().host_str(), Some(host), "{text}");
    }
}
