//! A running emulator together with a client that trusts it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use azcred_emulator::{Config, Emulator, Options, start};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use serde_json::Value;

pub(crate) const TENANT: &str = "11111111-1111-1111-1111-111111111111";
pub(crate) const CLIENT_ID: &str = "22222222-2222-2222-2222-222222222222";
pub(crate) const FIRST: &str = "33333333-3333-3333-3333-333333333331";

/// A request that gets a token from Entra.
pub(crate) const FORM: &str = "grant_type=client_credentials&client_secret=emulator-client-secret\
     &client_id=22222222-2222-2222-2222-222222222222&scope=https%3A%2F%2Fstorage.azure.com%2F.default";

pub(crate) struct Client {
    pub(crate) emulator: Emulator,
    http: reqwest::Client,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect(&self.text)
    }

    /// The AADSTS code of a refusal; 0 of an answer with a token.
    #[track_caller]
    pub(crate) fn code(&self) -> u64 {
        let json = self.json();
        if json["access_token"].is_string() {
            return 0;
        }
        json["error_codes"][0].as_u64().expect(&self.text)
    }

    /// The claims of the token in the answer.
    #[track_caller]
    pub(crate) fn claims(&self) -> Value {
        let json = self.json();
        let token = json["access_token"].as_str().expect(&self.text);
        claims(token)
    }
}

/// The same token with a signature that is none.
pub(crate) fn forged(token: &str) -> String {
    let (signed, _) = token.rsplit_once('.').unwrap();
    format!("{signed}.AAAA")
}

pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

pub(crate) fn loopback() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

pub(crate) async fn emulator(config: &str) -> Client {
    let emulator =
        start(Options { http: loopback(), https: loopback(), config: Config::from_toml(config).unwrap(), dir: None })
            .await
            .unwrap();
    let http = client(emulator.ca_pem());
    Client { emulator, http }
}

/// The same with a folder for its files, which goes with it.
pub(crate) async fn emulator_with_files(config: &str) -> (Client, Scratch) {
    let scratch = Scratch::new();
    let options = Options {
        http: loopback(),
        https: loopback(),
        config: Config::from_toml(config).unwrap(),
        dir: Some(scratch.0.join("files")),
    };
    let emulator = start(options).await.unwrap();
    let http = client(emulator.ca_pem());
    (Client { emulator, http }, scratch)
}

/// A folder below the system's temporary one.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("azcred-emulator-{}-{count}", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

#[expect(clippy::disallowed_methods, reason = "a test has no world to ask")]
pub(crate) fn text(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// A client that trusts that authority only, and keeps no connections.
pub(crate) fn client(ca_pem: &str) -> reqwest::Client {
    builder(ca_pem).build().unwrap()
}

pub(crate) fn builder(ca_pem: &str) -> reqwest::ClientBuilder {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap();
    roots.add(ca).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .pool_max_idle_per_host(0)
        .tls_backend_preconfigured(tls)
}

impl Client {
    pub(crate) async fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Result<Reply, reqwest::Error> {
        let method = method.parse().unwrap();
        let mut request = self.http.request(method, url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await?;
        Ok(Reply {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await?,
        })
    }

    /// A GET of the HTTP listener.
    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        let url = self.emulator.http_url() + path;
        self.send("GET", &url, headers, "").await.unwrap()
    }

    /// A well-formed IMDS request.
    pub(crate) async fn imds(&self) -> Result<Reply, reqwest::Error> {
        const PATH: &str = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=r";
        let url = self.emulator.http_url() + PATH;
        self.send("GET", &url, &[("Metadata", "true")], "").await
    }

    /// A GET of the HTTPS listener.
    pub(crate) async fn entra(&self, path: &str) -> Reply {
        let url = self.emulator.https_url() + path;
        self.send("GET", &url, &[], "").await.unwrap()
    }

    /// A form posted to the HTTPS listener.
    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], form: &str) -> Reply {
        let url = self.emulator.https_url() + path;
        let kind = ("content-type", "application/x-www-form-urlencoded");
        let headers: Vec<_> = headers.iter().copied().chain([kind]).collect();
        self.send("POST", &url, &headers, form.to_owned()).await.unwrap()
    }

    /// What the ready line has under that name.
    #[track_caller]
    pub(crate) fn ready(&self, name: &str) -> String {
        self.emulator.ready()[name].as_str().expect(name).to_owned()
    }

    /// What the admin endpoint answers to a document.
    pub(crate) async fn tell(&self, path: &str, document: Value) -> Value {
        let reply = self.admin("POST", path, &document.to_string()).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()
    }

    /// Entra's answer to a token request.
    pub(crate) async fn token(&self, form: &str) -> Reply {
        let path = format!("/{TENANT}/oauth2/v2.0/token");
        self.post(&path, &[], form).await
    }

    pub(crate) async fn admin(&self, method: &str, path: &str, body: &str) -> Reply {
        let url = format!("{}/_azcred{path}", self.emulator.http_url());
        self.send(method, &url, &[], body.to_owned()).await.unwrap()
    }

    pub(crate) async fn fault(&self, document: Value) {
        let reply = self.admin("POST", "/faults", &document.to_string()).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
    }

    /// The request log.
    pub(crate) async fn requests(&self) -> Vec<Value> {
        let mut log = self.admin("GET", "/requests", "").await.json();
        match log["requests"].take() {
            Value::Array(requests) => requests,
            other => panic!("{other}"),
        }
    }

    pub(crate) async fn counters(&self) -> Value {
        self.admin("GET", "/counters", "").await.json()
    }
}
