//! What leaves of a certificate's file: the certificates.

use azcred::TokenRequest;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::stage::{GRANTS, KEY, LEAF, SCOPE, TOKEN, says};

fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}

#[test]
fn a_private_key_stays_where_it_is() {
    let certificate = GRANTS.iter().find(|grant| grant.title == "certificate").unwrap();
    let (made, fake) = certificate.with(&[], says(200, &[], TOKEN.as_bytes()));
    let made = made.unwrap();
    made.get_token(&TokenRequest::scope(SCOPE)).unwrap();
    let sent = fake.sent().join("\n");
    let parts: Vec<&str> =
        sent.split("client_assertion=").nth(1).unwrap().split('&').next().unwrap().split('.').collect();
    let decoded: Vec<Vec<u8>> = parts.iter().map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
    assert_eq!(decoded.len(), 3);
    let key = der(KEY);
    let shown = format!("{made:?}");
    // Every piece of it, plain and in base64 of each alignment.
    for piece in key.windows(24).step_by(8) {
        assert!(!decoded.iter().any(|part| part.windows(24).any(|window| window == piece)));
        for (skip, encoded) in [0, 1, 2].map(|skip| (skip, STANDARD.encode(&piece[skip..skip + 21]))) {
            assert!(!sent.contains(&encoded) && !shown.contains(&encoded), "a piece of the key, from byte {skip}");
        }
    }
}

#[test]
fn a_chain_that_is_sent_is_of_certificates() {
    let certificate = GRANTS.iter().find(|grant| grant.title == "certificate").unwrap();
    let (world, fake) = azcred::fake::Fake::world();
    fake.answer(200, TOKEN);
    let data = format!("{KEY}{LEAF}{KEY}").into_bytes();
    let options = vec![
        ("tenant_id".to_owned(), azcred::Value::text("t")),
        ("client_id".to_owned(), azcred::Value::text("c")),
        ("certificate_data".to_owned(), azcred::Value::Bytes(data.into())),
        ("send_certificate_chain".to_owned(), azcred::Value::Bool(true)),
    ];
    let made = azcred::Credential::in_world(world, certificate.credential, options, azcred::Spelling::Snake).unwrap();
    made.get_token(&TokenRequest::scope(SCOPE)).unwrap();
    let sent = fake.sent().pop().unwrap();
    let header = sent.split("client_assertion=").nth(1).unwrap().split('.').next().unwrap().to_owned();
    let header: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    let chain: Vec<Vec<u8>> =
        header["x5c"].as_array().unwrap().iter().map(|one| STANDARD.decode(one.as_str().unwrap()).unwrap()).collect();
    assert_eq!(chain, [der(LEAF)]);
}
