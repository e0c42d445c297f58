use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use rsa::{RsaPrivateKey, pkcs1::EncodeRsaPrivateKey, pkcs8::DecodePrivateKey};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use serde_json::{Value, json};

use super::client::{CLIENT_ID, Client, Reply, TENANT, emulator_with_files, forged, text};

const KIND: &str = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
const OTHER: &str = "99999999-2222-2222-2222-222222222222";

/// A key with its certificate, as an SDK reads them from a file.
struct Identity {
    key: EncodingKey,
    chain: Vec<Vec<u8>>,
}

impl Identity {
    fn read(path: &str) -> Self {
        let pem = text(path);
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap();
        let key = RsaPrivateKey::from_pkcs8_der(key.secret_der()).unwrap().to_pkcs1_der().unwrap();
        let chain = CertificateDer::pem_slice_iter(pem.as_bytes());
        Self { key: EncodingKey::from_rsa_der(key.as_bytes()), chain: chain.map(|der| der.unwrap().to_vec()).collect() }
    }

    fn sha1(&self) -> Vec<u8> {
        digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.chain[0]).as_ref().to_vec()
    }

    fn sha256(&self) -> Vec<u8> {
        digest(&SHA256, &self.chain[0]).as_ref().to_vec()
    }

    fn x5c(&self) -> Value {
        self.chain.iter().map(|der| STANDARD.encode(der)).collect()
    }

    fn sign(&self, algorithm: Algorithm, header: &Value, claims: &Value) -> String {
        let mut header = header.clone();
        header["alg"] = json!(algorithm);
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = crypto::sign(signed.as_bytes(), &self.key, algorithm).unwrap();
        format!("{signed}.{signature}")
    }
}

fn now() -> i64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_secs().cast_signed()
}

fn claims(client: &Client) -> Value {
    json!({
        "aud": format!("{}/{TENANT}/oauth2/v2.0/token", client.emulator.https_url()),
        "iss": CLIENT_ID, "sub": CLIENT_ID, "jti": "1", "nbf": now(), "exp": now() + 600,
    })
}

async fn present(client: &Client, assertion: &str) -> Reply {
    let form = format!(
        "grant_type=client_credentials&client_id={CLIENT_ID}&scope=r/.default&client_assertion_type={KIND}\
         &client_assertion={}",
        assertion.replace('+', "%2B").replace('=', "%3D")
    );
    client.token(&form).await
}

#[tokio::test]
async fn every_way_to_name_the_certificate_is_understood() {
    let (client, _scratch) = emulator_with_files("").await;
    let identity = Identity::read(&client.ready("certificate_file"));
    let (sha1, sha256) = (identity.sha1(), identity.sha256());
    let hex = sha1.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let table = [
        (Algorithm::RS256, json!({"x5t": URL_SAFE.encode(&sha1)})),
        (Algorithm::RS256, json!({"x5t": URL_SAFE_NO_PAD.encode(&sha1)})),
        (Algorithm::RS256, json!({"x5t": STANDARD.encode(&sha1), "kid": "x"})),
        (Algorithm::PS256, json!({"x5t#S256": URL_SAFE.encode(&sha256)})),
        (Algorithm::PS256, json!({"x5t#S256": STANDARD.encode(&sha256)})),
        (Algorithm::PS256, json!({"x5t#S256": URL_SAFE_NO_PAD.encode(&sha256), "x5c": identity.x5c()})),
        (Algorithm::RS256, json!({"kid": hex})),
        (Algorithm::PS256, json!({"x5c": STANDARD.encode(&identity.chain[0])})),
        (Algorithm::RS256, json!({"x5c": [STANDARD.encode(&identity.chain[0]).replace('A', "A\n")]})),
    ];
    for (algorithm, header) in table {
        let reply = present(&client, &identity.sign(algorithm, &header, &claims(&client))).await;
        assert_eq!(reply.status, 200, "{header} {}", reply.text);
        assert_eq!(reply.claims()["appidacr"], "2");
    }
    let log = client.requests().await;
    assert_eq!(log[0]["assertion"]["header"]["alg"], "RS256");
    assert_eq!(log[0]["assertion"]["claims"]["iss"], CLIENT_ID);
    assert_eq!(log[0]["form"]["client_assertion"], "***");
    assert!(log[0]["sni"] == "localhost" && log[0]["host"].as_str().unwrap().starts_with("localhost:"));
}

#[tokio::test]
async fn padded_parts_are_verified_as_they_came() {
    let (client, _scratch) = emulator_with_files("").await;
    let identity = Identity::read(&client.ready("certificate_file"));
    let header = json!({"alg": "PS256", "x5t#S256": URL_SAFE.encode(identity.sha256())});
    let part = |value: &Value| URL_SAFE.encode(value.to_string());
    let mut claims = claims(&client);
    // Seconds as a fraction and as text.
    claims["exp"] = json!((now() + 600).to_string());
    claims["nbf"] = json!(f64::from(i32::try_from(now()).unwrap()) - 0.5);
    let signed = format!("{}.{}", part(&header), part(&claims));
    let signature = crypto::sign(signed.as_bytes(), &identity.key, Algorithm::PS256).unwrap();
    let reply = present(&client, &format!("{signed}.{signature}==")).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

#[tokio::test]
async fn a_successor_is_known_by_its_chain_only() {
    let (client, _scratch) = emulator_with_files("").await;
    let successor = Identity::read(&client.ready("certificate_successor_file"));
    let x5t = URL_SAFE_NO_PAD.encode(successor.sha1());
    let named = successor.sign(Algorithm::RS256, &json!({"x5t": x5t}), &claims(&client));
    assert_eq!(present(&client, &named).await.code(), 700_027);
    let header = json!({"x5t": x5t, "x5c": successor.x5c()});
    let chained = successor.sign(Algorithm::RS256, &header, &claims(&client));
    assert_eq!(present(&client, &chained).await.code(), 0);
    // The CA of TLS vouches for no application.
    let (other, _scratch) = emulator_with_files("").await;
    let stranger = Identity::read(&other.ready("certificate_file"));
    let header = json!({"x5c": stranger.x5c()});
    let chained = stranger.sign(Algorithm::RS256, &header, &claims(&client));
    assert_eq!(present(&client, &chained).await.code(), 700_027);
}

#[tokio::test]
async fn each_check_has_its_code() {
    let (client, _scratch) = emulator_with_files("").await;
    let identity = Identity::read(&client.ready("certificate_file"));
    let good = claims(&client);
    let header = json!({"x5t": URL_SAFE_NO_PAD.encode(identity.sha1())});
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        identity.sign(Algorithm::RS256, &header, &claims)
    };
    let whole = identity.sign(Algorithm::RS256, &header, &good);
    let unknown = json!({"x5t": URL_SAFE_NO_PAD.encode([0; 20])});
    let table = [
        ("no JWT", "a.b.c".to_owned(), 50_027),
        ("cut", forged(&whole), 700_027),
        ("key", identity.sign(Algorithm::RS256, &unknown, &good), 700_027),
        ("no key", identity.sign(Algorithm::RS256, &json!({}), &good), 700_027),
        ("chain", identity.sign(Algorithm::RS256, &json!({"x5c": ["AAAA"]}), &good), 700_027),
        ("algorithm", identity.sign(Algorithm::RS384, &header, &good), 5_002_738),
        ("expired", with("exp", json!(now() - 301)), 700_024),
        ("endless", with("exp", Value::Null), 700_024),
        ("early", with("nbf", json!(now() + 400)), 700_024),
        ("skew", with("nbf", json!(now() + 200)), 0),
        ("audience", with("aud", json!("https://elsewhere.example/x/oauth2/v2.0/token")), 700_023),
        ("tenant", with("aud", json!(format!("{}/common/oauth2/v2.0/token", client.emulator.https_url()))), 700_023),
        ("plain", with("aud", json!(format!("http://localhost/{TENANT}/oauth2/v2.0/token"))), 700_023),
        ("central", with("aud", json!(format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"))), 0),
        ("domain", with("aud", json!("https://login.microsoftonline.com/contoso.example/oauth2/token")), 0),
        ("issuer", with("iss", json!(OTHER)), 700_021),
        ("subject", with("sub", json!(OTHER)), 700_021),
        ("foreign", with("iss", json!("https://issuer.example")), 700_211),
        // Replay is let pass: MSAL uses an assertion for nine minutes.
        ("whole", whole.clone(), 0),
        ("whole", whole, 0),
    ];
    for (name, assertion, code) in table {
        let reply = present(&client, &assertion).await;
        assert_eq!(reply.code(), code, "{name} {}", reply.text);
    }
    let form = format!("grant_type=client_credentials&client_id={CLIENT_ID}&scope=r/.default&client_assertion=x");
    assert_eq!(client.token(&form).await.code(), 900_144);
    assert_eq!(client.token(&(form + "&client_assertion_type=x")).await.code(), 90_100);
}

#[tokio::test]
async fn replay_is_refused_on_request() {
    let (client, _scratch) = emulator_with_files("refuse_replayed_assertions = true").await;
    let identity = Identity::read(&client.ready("certificate_file"));
    let header = json!({"x5t": URL_SAFE_NO_PAD.encode(identity.sha1())});
    let mut claims = claims(&client);
    let first = identity.sign(Algorithm::RS256, &header, &claims);
    assert_eq!(present(&client, &first).await.code(), 0);
    assert_eq!(present(&client, &first).await.code(), 50_013);
    claims["jti"] = json!("2");
    assert_eq!(present(&client, &identity.sign(Algorithm::RS256, &header, &claims)).await.code(), 0);
}

#[tokio::test]
async fn no_other_algorithm_stands_in_for_a_signature() {
    let (client, _scratch) = emulator_with_files("").await;
    let identity = Identity::read(&client.ready("certificate_file"));
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    // What everybody knows of the certificate, as the secret of a symmetric algorithm.
    let pem = text(client.ready("certificate_file"));
    let known: [&[u8]; 3] = [&identity.chain[0], pem.as_bytes(), b""];
    for algorithm in
        [json!("none"), json!("None"), json!("HS256"), json!("RS256"), json!("ES256"), json!(7), Value::Null]
    {
        let header = json!({"alg": algorithm, "x5t": URL_SAFE_NO_PAD.encode(identity.sha1()), "x5c": identity.x5c()});
        let signed = format!("{}.{}", part(&header), part(&claims(&client)));
        let mut signatures = vec![String::new(), URL_SAFE_NO_PAD.encode([0; 256])];
        signatures.extend(known.map(|secret| {
            let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
            URL_SAFE_NO_PAD.encode(ring::hmac::sign(&key, signed.as_bytes()))
        }));
        for signature in signatures {
            let reply = present(&client, &format!("{signed}.{signature}")).await;
            assert!((400..500).contains(&reply.status) && reply.code() != 0, "{header} {signature}: {}", reply.text);
        }
    }
}
