//! Answers without an end, without a middle or without sense, from each kind of server: a token or an error, in time.

use std::io::{ErrorKind as Io, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use azcred::fake::Fake;
use azcred::http::{HttpError, MAX_BODY, Request, Response};
use azcred::{Boxed, Credential, Error, ErrorKind, Http, Spelling, TokenRequest, Value, World};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::folder::Folder;
use crate::local::thumbprint;
use crate::servers::{TOKEN, certificate, config, ok, vouched};

/// What a server says after a request: a beginning, then a piece again and again.
#[derive(Clone)]
struct Says {
    head: String,
    piece: String,
    /// Whether it takes its time between two pieces.
    slow: bool,
}

const GIGABYTE: u64 = 1 << 30;

/// A server that says this on every connection, and how many bytes it got rid of.
fn serve(tls: Option<ServerConfig>, says: Says) -> (SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let tls = tls.map(Arc::new);
    let sent = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&sent);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            // Also the pause of a slow one, which looks meanwhile whether anybody is left.
            stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
            let (says, count, tls) = (says.clone(), Arc::clone(&count), tls.clone());
            std::thread::spawn(move || match tls {
                Some(tls) => speak(StreamOwned::new(ServerConnection::new(tls).unwrap(), stream), &says, &count),
                None => speak(stream, &says, &count),
            });
        }
    });
    (address, sent)
}

/// Ends when whoever asked has left, or after a gigabyte.
fn speak(mut stream: impl Read + Write, says: &Says, sent: &AtomicU64) {
    let mut bytes = [0; 4096];
    let mut heard = Vec::new();
    while !heard.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut bytes) {
            Ok(read) if read > 0 => heard.extend_from_slice(&bytes[..read]),
            Err(error) if matches!(error.kind(), Io::WouldBlock | Io::TimedOut) => {}
            _ => return,
        }
    }
    let mut next = says.head.as_bytes();
    while stream.write_all(next).and_then(|()| stream.flush()).is_ok() {
        let total = sent.fetch_add(next.len() as u64, Ordering::SeqCst);
        next = says.piece.as_bytes();
        if next.is_empty() || total > GIGABYTE {
            return;
        }
        if says.slow && matches!(stream.read(&mut bytes), Ok(0)) {
            return;
        }
    }
}

/// The real network with less time, so that nobody has to wait for it.
#[derive(Debug)]
struct Hasty {
    real: Arc<dyn Http>,
    limit: Duration,
}

impl Http for Hasty {
    fn send<'a>(&'a self, request: &'a Request) -> Boxed<'a, Result<Response, HttpError>> {
        assert!(request.timeout <= Duration::from_mins(1), "{request:?} has no limit to speak of");
        let request = Request {
            method: request.method,
            url: request.url.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
            timeout: self.limit,
            route: request.route.clone(),
        };
        Box::pin(async move { self.real.send(&request).await })
    }
}

/// Whoever gives tokens, or something on the way to one.
const SERVERS: [&str; 5] = ["App Service", "Service Fabric", "Entra ID", "device codes", "Azure Pipelines"];

/// Asks one of them that says this: what comes of it, and what it got rid of.
fn ask(server: &str, limit: Duration, says: Says) -> (Result<azcred::AccessToken, Error>, u64) {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let (mut world, fake) = Fake::world();
    world.http = Arc::new(Hasty { real: World::real().http, limit });
    let folder = Folder::new(&format!("bodies-{}", COUNT.fetch_add(1, Ordering::SeqCst)));
    let text = |name: &str, value: &str| (name.to_owned(), Value::text(value));
    let (name, options, sent) = match server {
        "App Service" => {
            let (address, sent) = serve(None, says);
            fake.set("IDENTITY_ENDPOINT", &format!("http://{address}/"));
            fake.set("IDENTITY_HEADER", "canary");
            ("ManagedIdentityCredential", Vec::new(), sent)
        }
        "Service Fabric" => {
            let (own, key) = certificate();
            let (address, sent) = serve(Some(config(key, &rustls::version::TLS13)), says);
            fake.set("IDENTITY_ENDPOINT", &format!("https://{address}/"));
            fake.set("IDENTITY_HEADER", "canary");
            fake.set("IDENTITY_SERVER_THUMBPRINT", &thumbprint(&own));
            ("ManagedIdentityCredential", Vec::new(), sent)
        }
        _ => {
            let (authority, tls) = vouched(&["localhost"]);
            let trust = folder.write("own.pem", &authority);
            let (address, sent) = serve(Some(tls), says);
            let url = format!("https://localhost:{}", address.port());
            let mut options = vec![
                ("connection_verify".to_owned(), trust),
                text("authority", &url),
                text("tenant_id", "t"),
                text("client_id", "c"),
            ];
            let (name, more) = match server {
                "Entra ID" => ("ClientSecretCredential", vec![text("client_secret", "canary")]),
                "device codes" => ("DeviceCodeCredential", Vec::new()),
                _ => {
                    fake.set("SYSTEM_OIDCREQUESTURI", &url);
                    let connection = text("service_connection_id", "sc");
                    ("AzurePipelinesCredential", vec![connection, text("system_access_token", "canary")])
                }
            };
            options.extend(more);
            (name, options, sent)
        }
    };
    let credential = Credential::in_world(world, name, options, Spelling::Snake).unwrap();
    let request = TokenRequest { timeout: Some(Duration::from_secs(30)), ..TokenRequest::scope("https://x/.default") };
    let answer = credential.get_token(&request);
    (answer, sent.load(Ordering::SeqCst))
}

fn says(head: &str, piece: &str) -> Says {
    Says { head: head.to_owned(), piece: piece.to_owned(), slow: false }
}

/// Answers that are no answer.
fn nonsense() -> Vec<(&'static str, Says)> {
    let block = "x".repeat(64 * 1024);
    let chunk = format!("10000\r\n{block}\r\n");
    let length =
        |length: &str| format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n");
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let drip = |head: &str, piece: &str| Says { slow: true, ..says(head, piece) };
    vec![
        ("a gigabyte", says(&length("1073741824"), &block)),
        ("a gigabyte in chunks", says(chunked, &chunk)),
        ("a gigabyte to the end of the connection", says("HTTP/1.1 200 OK\r\n\r\n", &block)),
        ("a gigabyte of an error", says("HTTP/1.1 400 Bad Request\r\n\r\n", &block)),
        ("headers without an end", says("HTTP/1.1 200 OK\r\n", "x-header: and another\r\n")),
        ("a header without an end", says("HTTP/1.1 200 OK\r\nx-header: ", &block)),
        ("a status line without an end", says("HTTP/1.1 200 ", &block)),
        ("answers to come without an end", drip("", "HTTP/1.1 100 Continue\r\n\r\n")),
        ("a chunk's size without an end", says(chunked, "0")),
        ("a chunk's extension without an end", says(&format!("{chunked}1;"), &block)),
        ("trailers without an end", says(&format!("{chunked}0\r\n"), "x-trailer: and another\r\n")),
        ("headers in drops", drip("HTTP/1.1 200 OK\r\nx-header: ", "x")),
        ("a body in drops", drip(&length("1000"), "x")),
        ("a body in drops, in chunks", drip(chunked, "1\r\n{\r\n")),
        ("silence", drip("", "\r\n")),
        ("half a body", says(&format!("{}{}", length("5000"), r#"{"access_token":"canary"#), "")),
        ("half a header", says("HTTP/1.1 200 OK\r\ncontent-le", "")),
        ("another protocol", says("SSH-2.0-OpenSSH_9.3\r\n", "")),
        ("no protocol", says("canary", "")),
        ("two lengths", says(&length("5\r\ncontent-length: 9"), "{}")),
        ("a negative length", says(&length("-1"), "{}")),
        ("a length beyond all numbers", says(&length("99999999999999999999999"), "{}")),
        ("a status beyond all numbers", says("HTTP/1.1 99999 OK\r\n\r\n", "")),
        ("a header with a zero byte", says("HTTP/1.1 200 OK\r\nx: \0canary\r\ncontent-length: 2\r\n\r\n{}", "")),
        (
            "a compressed body",
            says("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\u{1f}\u{b}ab", ""),
        ),
        ("no body", says("HTTP/1.1 204 No Content\r\n\r\n", "")),
        ("another protocol from now on", says("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n", &block)),
    ]
}

/// Runs all of it against one server.
fn judge(server: &str) {
    for (title, says) in nonsense() {
        #[expect(clippy::disallowed_methods, reason = "how long it takes is what is tested")]
        let begin = std::time::Instant::now();
        let (answer, sent) = ask(server, Duration::from_millis(120), says);
        let error = answer.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Transient | ErrorKind::Failed), "{server}, {title}: {error:?}");
        assert!(begin.elapsed() < Duration::from_secs(20), "{server}, {title}: {:?}", begin.elapsed());
        assert!(error.message().len() < 1000 && !error.message().contains("canary"), "{server}, {title}: {error}");
        // What fits into buffers on the way, four times where it is asked again.
        assert!(sent < GIGABYTE / 8, "{server}, {title}: {sent} bytes were taken");
    }
}

#[test]
fn nonsense_of_app_service() {
    judge(SERVERS[0]);
}

#[test]
fn nonsense_of_service_fabric() {
    judge(SERVERS[1]);
}

#[test]
fn nonsense_of_entra() {
    judge(SERVERS[2]);
}

#[test]
fn nonsense_of_the_device_code_endpoint() {
    judge(SERVERS[3]);
}

#[test]
fn nonsense_of_the_pipelines_endpoint() {
    judge(SERVERS[4]);
}

#[test]
fn the_largest_body_is_read_and_one_byte_more_is_not() {
    for (more, expected) in [(0, None), (1, Some(ErrorKind::Transient))] {
        let body = format!("{TOKEN}{}", " ".repeat(MAX_BODY + more - TOKEN.len()));
        for server in &SERVERS[..3] {
            let (answer, _) = ask(server, Duration::from_secs(30), says(&ok(&body), ""));
            let kind = answer.err().map(|error| {
                assert!(error.message().contains("larger than 1048576 bytes"), "{error}");
                error.kind()
            });
            assert_eq!(kind, expected, "{server}, {more} bytes more");
        }
    }
}
