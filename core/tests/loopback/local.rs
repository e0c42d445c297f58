//! Endpoints on the host: trust in a thumbprint, redirects that nobody follows, proxies that nobody asks.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use azcred::fake::Fake;
use azcred::{Credential, Error, ErrorKind, Spelling, TokenRequest, World};
use ring::digest;
use rustls::pki_types::CertificateDer;

use crate::servers::{TOKEN, certificate, certified, config, ok, serve};

pub(crate) fn thumbprint(certificate: &CertificateDer<'_>) -> String {
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, certificate);
    hash.as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02X}:")).trim_end_matches(':').to_owned()
}

/// Asks over real sockets, in an environment of our own.
fn ask(env: &[(&str, &str)]) -> Result<azcred::AccessToken, Error> {
    let (mut world, fake) = Fake::world();
    for (name, value) in env {
        fake.set(name, value);
    }
    world.http = World::real().http;
    let credential = Credential::in_world(world, "ManagedIdentityCredential", Vec::new(), Spelling::Snake)?;
    let request = TokenRequest { timeout: Some(Duration::from_secs(20)), ..TokenRequest::scope("https://x/.default") };
    credential.get_token(&request)
}

fn ask_fabric(address: SocketAddr, thumbprint: &str) -> Result<azcred::AccessToken, Error> {
    let endpoint = format!("https://{address}/metadata/identity/oauth2/token");
    ask(&[("IDENTITY_ENDPOINT", &endpoint), ("IDENTITY_HEADER", "canary"), ("IDENTITY_SERVER_THUMBPRINT", thumbprint)])
}

#[test]
fn the_secret_goes_to_the_one_certificate_only() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let (own, key) = certificate();
        let (address, heard) = serve(Some(config(key, version)), &ok(TOKEN));
        let token = ask_fabric(address, &thumbprint(&own)).unwrap();
        assert_eq!((token.secret(), token.provenance().source), ("tok", "service_fabric"));
        let heard = std::mem::take(&mut *heard.lock().unwrap());
        assert!(heard[0].contains("secret: canary\r\n"), "{heard:?}");

        // Another certificate, and the right one in the hands of somebody who lacks its key.
        let (other, other_key) = certificate();
        let (address, heard) = serve(Some(config(other_key, version)), &ok(TOKEN));
        let error = ask_fabric(address, &thumbprint(&own)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
        assert!(error.message().contains("is somebody else, and was sent nothing"), "{error}");
        assert!(heard.lock().unwrap().is_empty());

        let foreign = certified(&own, &rcgen::KeyPair::generate().unwrap());
        let (address, heard) = serve(Some(config(foreign, version)), &ok(TOKEN));
        let error = ask_fabric(address, &thumbprint(&own)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
        assert!(heard.lock().unwrap().is_empty());

        // The certificate that we trust, behind one that is shown: only the first counts.
        let mut chain = certified(&other, &rcgen::KeyPair::generate().unwrap());
        chain.cert.push(own.clone());
        let (address, heard) = serve(Some(config(chain, version)), &ok(TOKEN));
        assert_eq!(ask_fabric(address, &thumbprint(&own)).unwrap_err().kind(), ErrorKind::Failed);
        assert!(heard.lock().unwrap().is_empty());
    }
}

#[test]
fn a_server_without_tls_learns_nothing() {
    let (address, heard) = serve(None, &ok(TOKEN));
    ask_fabric(address, &"00".repeat(20)).unwrap_err();
    assert!(heard.lock().unwrap().is_empty());
}

#[test]
fn no_redirect_is_followed() {
    let (thief, heard) = serve(None, &ok(TOKEN));
    let away = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://{thief}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    let (address, _) = serve(None, &away);
    let endpoint = format!("http://{address}/");
    let (own, key) = certificate();
    let (fabric, _) = serve(Some(config(key, &rustls::version::TLS13)), &away);
    let errors = [
        ask(&[("IDENTITY_ENDPOINT", &endpoint), ("IDENTITY_HEADER", "canary")]),
        ask(&[("MSI_ENDPOINT", &endpoint), ("MSI_SECRET", "canary")]),
        ask(&[("MSI_ENDPOINT", &endpoint)]),
        ask(&[("IDENTITY_ENDPOINT", &endpoint), ("IMDS_ENDPOINT", "x")]),
        ask(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", endpoint.trim_end_matches('/'))]),
        ask_fabric(fabric, &thumbprint(&own)),
    ];
    for error in errors.map(Result::unwrap_err) {
        assert_eq!(error.kind(), ErrorKind::Failed);
        assert!(error.message().contains("redirects (HTTP 307)"), "{error}");
    }
    assert!(heard.lock().unwrap().is_empty());
}

/// The second life of this program, in an environment with proxies.
const BEHIND_PROXIES: &str = "AZCRED_TEST_BEHIND_PROXIES";

#[test]
fn no_proxy_is_asked() {
    if let Some(port) = World::real().env.get(BEHIND_PROXIES) {
        let endpoint = format!("http://127.0.0.1:{port}/");
        ask(&[("IDENTITY_ENDPOINT", &endpoint), ("IDENTITY_HEADER", "canary")]).unwrap();
        let (own, key) = certificate();
        let (address, _) = serve(Some(config(key, &rustls::version::TLS13)), &ok(TOKEN));
        ask_fabric(address, &thumbprint(&own)).unwrap();
        return;
    }
    let (proxy, heard) = serve(None, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let (address, _) = serve(None, &ok(TOKEN));
    #[expect(clippy::disallowed_methods, reason = "an environment with proxies needs a process of its own")]
    let mut again = Command::new(std::env::current_exe().unwrap());
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        again.env(name, format!("http://{proxy}"));
    }
    again.env_remove("NO_PROXY").env_remove("no_proxy").env(BEHIND_PROXIES, address.port().to_string());
    let output = again.args(["--exact", "local::no_proxy_is_asked", "--nocapture"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(heard.lock().unwrap().is_empty(), "{heard:?}");
}
