use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring as provider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use serde_json::{Value, json};

use super::client::{
    CLIENT_ID, Client, Reply, TENANT, client as trusting, emulator, emulator_with_files, forged, text,
};

const KIND: &str = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";

fn form(assertion: &str) -> String {
    format!(
        "grant_type=client_credentials&client_id={CLIENT_ID}&scope=r/.default&client_assertion_type={KIND}\
         &client_assertion={assertion}"
    )
}

async fn minted(client: &Client, wish: Value) -> String {
    client.tell("/federated-token", wish).await["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_projected_token_is_traded_until_it_is_too_old() {
    let (client, _scratch) = emulator_with_files("").await;
    let file = client.ready("federated_token_file");
    let first = text(&file);
    assert_eq!(client.token(&form(&first)).await.claims()["appidacr"], "2");
    let second = minted(&client, json!({})).await;
    assert_eq!(text(&file), second);
    assert_ne!(first, second);
    let entra = client.token(super::client::FORM).await.json()["access_token"].as_str().unwrap().to_owned();
    let (other, _scratch) = emulator_with_files("").await;
    for (token, code) in [
        (second.clone(), 0),
        (minted(&client, json!({"lifetime": -600})).await, 700_024),
        (minted(&client, json!({"audience": "api://other"})).await, 700_212),
        (minted(&other, json!({})).await, 700_211),
        (entra, 700_211),
        (forged(&second), 700_027),
    ] {
        let reply = client.token(&form(&token)).await;
        assert_eq!(reply.code(), code, "{}", reply.text);
    }
    let log = client.requests().await;
    assert_eq!(log[0]["assertion"]["claims"]["sub"], "system:serviceaccount:default:workload");
    assert!(!serde_json::to_string(&log).unwrap().contains(&first));
}

#[tokio::test]
async fn an_app_trusts_whom_it_says() {
    const APP: &str = "[[apps]]\nclient_id = '22222222-2222-2222-2222-222222222222'\n";
    let client = emulator(&format!("{APP}federated_credentials = []")).await;
    let token = minted(&client, json!({})).await;
    assert_eq!(client.token(&form(&token)).await.code(), 70_025);
    let client = emulator(&format!("{APP}federated_credentials = [{{subject = 'other'}}]")).await;
    let token = minted(&client, json!({})).await;
    assert_eq!(client.token(&form(&token)).await.code(), 700_213);

    // Somebody else's issuer, known by its keys.
    let issuer = emulator("").await;
    let name = issuer.ready("federated_issuer");
    let keys = issuer.entra("/federation/openid/v1/jwks").await.text;
    let client = emulator(&format!(
        "{APP}[[apps.federated_credentials]]\nissuer = '{name}'\njwks = '{keys}'\n\
         subject = 'system:serviceaccount:default:workload'"
    ))
    .await;
    let token = minted(&issuer, json!({})).await;
    assert_eq!(client.token(&form(&token)).await.code(), 0);
    let own = minted(&client, json!({})).await;
    assert_eq!(client.token(&form(&own)).await.code(), 700_211);
}

#[tokio::test]
async fn the_issuer_publishes_its_keys() {
    let client = emulator("").await;
    let document = client.entra("/federation/.well-known/openid-configuration").await.json();
    assert_eq!(document["issuer"], client.ready("federated_issuer"));
    let keys = client.send("GET", document["jwks_uri"].as_str().unwrap(), &[], "").await.unwrap();
    let keys: JwkSet = serde_json::from_str(&keys.text).unwrap();
    let token = minted(&client, json!({})).await;
    let kid = decode_header(&token).unwrap().kid.unwrap();
    let key = DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&["api://AzureADTokenExchange"]);
    decode::<Value>(&token, &key, &validation).unwrap();
}

#[tokio::test]
async fn the_token_proxy_has_an_authority_of_its_own() {
    let (client, _scratch) = emulator_with_files("").await;
    let token = text(client.ready("federated_token_file"));
    let url = format!("{}/{TENANT}/oauth2/v2.0/token", client.ready("token_proxy"));
    let kind = ("content-type", "application/x-www-form-urlencoded");
    assert!(client.send("POST", &url, &[kind], form(&token)).await.unwrap_err().is_connect());
    let proxied = trusting(&text(client.ready("token_proxy_ca_file")));
    let post = async |body: String| {
        let reply = proxied.post(&url).header(kind.0, kind.1).body(body).send().await.unwrap();
        (reply.status().as_u16(), reply.text().await.unwrap())
    };
    let (status, text) = post(form(&token)).await;
    assert_eq!(status, 200, "{text}");
    assert_eq!(post(super::client::FORM.to_owned()).await.0, 401);
    let log = client.requests().await;
    assert_eq!((&log[0]["endpoint"], &log[0]["listener"]), (&json!("token_proxy"), &json!("token_proxy")));
}

#[tokio::test]
async fn the_token_proxy_turns_other_names_away() {
    const NAME: &str = "proxy.cluster.internal";
    let (client, _scratch) = emulator_with_files(&format!("token_proxy_sni = '{NAME}'")).await;
    assert_eq!(client.ready("token_proxy_sni"), NAME);
    let proxied = trusting(&text(client.ready("token_proxy_ca_file")));
    let url = client.ready("token_proxy");
    assert!(proxied.get(&url).send().await.unwrap_err().is_connect());
    let at: std::net::SocketAddr =
        url.replace("https://localhost", "127.0.0.1").replace("/token-proxy", "").parse().unwrap();
    let named = super::client::builder(&text(client.ready("token_proxy_ca_file"))).resolve(NAME, at).build().unwrap();
    let reply = named.get(url.replace("localhost", NAME)).send().await.unwrap();
    assert_eq!(reply.status().as_u16(), 404);
    assert_eq!(client.requests().await[0]["sni"], NAME);
}

#[tokio::test]
async fn a_pipeline_trades_its_access_token() {
    let client = emulator("").await;
    let uri = client.ready("pipelines_uri");
    let id = client.ready("pipelines_service_connection_id");
    let url = format!("{uri}?api-version=7.1&serviceConnectionId={id}");
    let bearer = format!("Bearer {}", client.ready("pipelines_token"));
    let post = async |url: &str, bearer: &str, more: &[(&str, &str)]| -> Reply {
        let headers: Vec<_> = more.iter().copied().chain([("Authorization", bearer)]).collect();
        client.send("POST", url, &headers, "").await.unwrap()
    };
    let suppress = [("X-TFS-FedAuthRedirect", "Suppress")];
    let reply = post(&url, &bearer, &suppress).await;
    assert!(reply.headers.contains_key("x-vss-e2eid") && reply.headers.contains_key("x-msedge-ref"));
    let token = reply.json()["oidcToken"].as_str().unwrap().to_owned();
    assert_eq!(client.token(&form(&token)).await.code(), 0);
    for (url, bearer, headers, status) in [
        (url.clone(), "Bearer x", &suppress[..], 401),
        (url.clone(), "Bearer x", &[], 302),
        (url.replace("7.1", "5.0"), &bearer, &suppress, 400),
        (url.replace(&id, "x"), &bearer, &suppress, 404),
    ] {
        assert_eq!(post(&url, bearer, headers).await.status, status, "{url} {bearer}");
    }
    let listed = serde_json::to_string(&client.requests().await).unwrap();
    assert!(!listed.contains(&token) && !listed.contains(&bearer), "{listed}");
}

/// TLS that trusts the certificate with that thumbprint and no other.
pub(crate) fn pinned(thumbprint: String) -> ClientConfig {
    let provider = Arc::new(provider::default_provider());
    let verifier = Arc::new(Pin { thumbprint, provider: Arc::clone(&provider) });
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth()
}

#[derive(Debug)]
struct Pin {
    thumbprint: String,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, leaf);
        let hex = digest.as_ref().iter().fold(String::new(), |text, byte| text + &format!("{byte:02X}"));
        if hex == self.thumbprint { Ok(ServerCertVerified::assertion()) } else { Err(Error::General(hex)) }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
