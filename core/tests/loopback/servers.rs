//! Servers and a proxy on loopback, each in threads of its own that end with the test's process.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};

pub(crate) const TOKEN: &str = r#"{"access_token":"tok","expires_in":"3600"}"#;

/// What a server was sent, request by request.
pub(crate) type Heard = Arc<Mutex<Vec<String>>>;

/// A server that answers every connection once, with TLS if it has a configuration. An empty answer leaves the
/// connection open, so that whoever asked waits.
pub(crate) fn serve(tls: Option<ServerConfig>, reply: &str) -> (SocketAddr, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tls, reply) = (tls.map(Arc::new), reply.to_owned());
    let heard = Heard::default();
    let log = Arc::clone(&heard);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            match &tls {
                Some(tls) => {
                    let connection = ServerConnection::new(Arc::clone(tls)).unwrap();
                    talk(StreamOwned::new(connection, stream), &reply, &log);
                }
                None => talk(stream, &reply, &log),
            }
        }
    });
    (address, heard)
}

fn talk(mut stream: impl Read + Write, reply: &str, heard: &Heard) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) if byte.is_ascii() && byte != [0x16] => request.push(byte[0]),
            // A TLS handshake, which we don't speak; or whoever does not trust us leaves.
            _ => return,
        }
    }
    heard.lock().unwrap().push(String::from_utf8(request).unwrap());
    // Whoever left without listening misses the answer.
    drop(stream.write_all(reply.as_bytes()).and_then(|()| stream.flush()));
    if reply.is_empty() {
        drop(stream.read(&mut byte));
    }
}

pub(crate) fn ok(body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

/// A certificate for no name that we know, which vouches for itself.
pub(crate) fn certificate() -> (CertificateDer<'static>, CertifiedKey) {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["elsewhere.example".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().der().clone();
    (certificate.clone(), certified(&certificate, &key))
}

pub(crate) fn certified(certificate: &CertificateDer<'static>, key: &rcgen::KeyPair) -> CertifiedKey {
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let key = rustls::crypto::ring::sign::any_supported_type(&key.into()).unwrap();
    CertifiedKey::new(vec![certificate.clone()], key)
}

/// Shows a certificate without a look at whether the key is its own.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesServerCert for Shows {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

pub(crate) fn config(shown: CertifiedKey, version: &'static SupportedProtocolVersion) -> ServerConfig {
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Shows(Arc::new(shown))))
}

/// A certificate authority, as PEM, and the configuration of a server for `names` that it vouches for.
pub(crate) fn vouched(names: &[&str]) -> (String, ServerConfig) {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let own = rcgen::CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    (authority.pem(), config(certified(own.der(), &key), &rustls::version::TLS13))
}

/// A proxy that answers every CONNECT with `reply`, and then leads to `target`, whatever was asked for.
pub(crate) fn proxy(target: SocketAddr, reply: &'static str) -> (SocketAddr, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Heard::default();
    let log = Arc::clone(&heard);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            talk(&stream, reply, &log);
            let server = TcpStream::connect(target).unwrap();
            server.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            for (from, to) in [(&stream, &server), (&server, &stream)] {
                let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                // Either side leaves when it has what it came for.
                std::thread::spawn(move || drop(std::io::copy(&mut from, &mut to)));
            }
        }
    });
    (address, heard)
}

/// Takes connections, and says nothing.
pub(crate) fn silence() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    address
}

/// A server's certificate that may be replaced, and the names that were asked for.
#[derive(Debug)]
pub(crate) struct Desk {
    shown: Mutex<Arc<dyn ResolvesServerCert>>,
    names: Mutex<Vec<Option<String>>>,
}

impl Desk {
    /// One that shows what `config` does, and the configuration of a server with it.
    pub(crate) fn at(mut config: ServerConfig) -> (Arc<Desk>, ServerConfig) {
        let desk = Arc::new(Desk { shown: Mutex::new(Arc::clone(&config.cert_resolver)), names: Mutex::default() });
        config.cert_resolver = Arc::<Desk>::clone(&desk);
        // A resumed session would show no certificate.
        config.send_tls13_tickets = 0;
        (desk, config)
    }

    /// Shows what this configuration does from now on.
    pub(crate) fn show(&self, config: &ServerConfig) {
        *self.shown.lock().unwrap() = Arc::clone(&config.cert_resolver);
    }

    /// The names asked for since the last look.
    pub(crate) fn names(&self) -> Vec<Option<String>> {
        std::mem::take(&mut *self.names.lock().unwrap())
    }
}

impl ResolvesServerCert for Desk {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.names.lock().unwrap().push(hello.server_name().map(str::to_owned));
        self.shown.lock().unwrap().resolve(hello)
    }
}
