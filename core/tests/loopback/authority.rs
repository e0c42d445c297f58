//! The way to an authority, as a credential's options describe it: trust, proxies, time limits, retries.

use std::process::Command;
use std::time::{Duration, Instant};

use azcred::fake::Fake;
use azcred::{AccessToken, Credential, Error, ErrorKind, Spelling, TokenRequest, Value, World};

use crate::folder::Folder;
use crate::servers::{TOKEN, ok, proxy, serve, silence, vouched};

/// No server has this name, so that only a proxy leads to it.
const HOST: &str = "login.azcred.invalid";
const ESTABLISHED: &str = "HTTP/1.1 200 Connection established\r\n\r\n";
const CANARY: &str = "canary";

fn map(entries: &[(&str, Value)]) -> Value {
    Value::Map(entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

fn https(url: &str) -> Value {
    map(&[("https", Value::text(url))])
}

/// Asks an authority over real sockets, with these options; pauses between retries pass at once.
fn ask_at(authority: &str, options: &[(&str, Value)]) -> Result<AccessToken, Error> {
    let (mut world, _fake) = Fake::world();
    world.http = World::real().http;
    let own = [("tenant_id", "t"), ("client_id", "c"), ("client_secret", "s"), ("authority", authority)];
    let mut all: Vec<(String, Value)> =
        own.iter().map(|(name, value)| ((*name).to_owned(), Value::text(*value))).collect();
    all.extend(options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    all.push(("disable_instance_discovery".to_owned(), Value::Bool(true)));
    let credential = Credential::in_world(world, "ClientSecretCredential", all, Spelling::Snake)?;
    let request = TokenRequest { timeout: Some(Duration::from_secs(20)), ..TokenRequest::scope("https://x/.default") };
    let answer = credential.get_token(&request);
    let shown = format!("{credential:?} {answer:?}");
    assert!(!shown.contains(CANARY) && !shown.contains("Y2FuYXJ5"), "{shown}");
    answer
}

fn ask(options: &[(&str, Value)]) -> Result<AccessToken, Error> {
    ask_at(HOST, options)
}

#[test]
fn certificates_of_ones_own_replace_the_trusted_roots() {
    let folder = Folder::new("roots");
    let (authority, tls) = vouched(&[HOST]);
    let (stranger, _) = vouched(&[HOST]);
    let (server, heard) = serve(Some(tls), &ok(TOKEN));
    let (proxy, _) = proxy(server, ESTABLISHED);
    let proxies = ("proxies", https(&format!("http://{proxy}")));
    let trust = |path: Value| ask(&[proxies.clone(), ("connection_verify", path)]);

    for refusing in [folder.write("stranger.pem", &stranger), Value::Bool(true), Value::Null] {
        let error = trust(refusing).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
        assert!(error.message().contains("is not trusted"), "{error}");
    }
    assert!(heard.lock().unwrap().is_empty());

    // A file that is replaced: what it held when it was of no use is not what counts.
    let replaced = folder.write("replaced.pem", &stranger);
    assert_eq!(trust(replaced.clone()).unwrap_err().kind(), ErrorKind::Failed);
    folder.write("replaced.pem", &authority);
    assert_eq!(trust(replaced).unwrap().secret(), "tok", "trusted from now on, in the same process");

    assert_eq!(trust(folder.write("own.pem", &authority)).unwrap().secret(), "tok");
    assert_eq!(trust(folder.write("both.pem", &format!("{stranger}\n# ours\n{authority}"))).unwrap().secret(), "tok");
    assert_eq!(trust(folder.path()).unwrap().secret(), "tok");
    assert_eq!(heard.lock().unwrap().len(), 4);
}

#[test]
fn certificates_that_are_not_there_are_missed_at_the_first_request() {
    let folder = Folder::new("no-roots");
    let cases = [
        (folder.path(), "expected PEM certificates in '"),
        (folder.write("garbage.pem", "-----BEGIN CERTIFICATE-----\ncanary\n"), "expected PEM certificates in '"),
        (folder.write("empty.pem", ""), "expected PEM certificates in '"),
        (Value::text("/nowhere/azcred.pem"), "can't read '/nowhere/azcred.pem': "),
    ];
    for (path, sentence) in cases {
        let error = ask(&[("connection_verify", path)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfiguration, "{error}");
        let expected = format!("ClientSecretCredential: option connection_verify: {sentence}");
        assert!(error.message().starts_with(&expected), "{error}");
    }
    // What was wrong once is looked at again.
    let (authority, tls) = vouched(&[HOST]);
    let (server, _) = serve(Some(tls), &ok(TOKEN));
    let (proxy, _) = proxy(server, ESTABLISHED);
    let path = folder.write("empty.pem", &authority);
    ask(&[("connection_verify", path.clone()), ("proxies", https(&format!("http://{proxy}")))]).unwrap();
}

#[test]
fn a_proxy_is_asked_with_its_password() {
    let folder = Folder::new("proxy");
    let (authority, tls) = vouched(&[HOST]);
    let trust = ("connection_verify", folder.write("own.pem", &authority));
    let (server, sent) = serve(Some(tls), &ok(TOKEN));
    let (proxy, heard) = proxy(server, ESTABLISHED);
    let port = Value::Int(proxy.port().into());
    let node = [("host", Value::text("http://127.0.0.1")), ("port", port)];
    let login = [("username", Value::text("u")), ("password", Value::text(format!("{CANARY}@^|")))];
    let ways = [
        ("proxies", https(&format!("http://u:{CANARY}%40^|@{proxy}"))),
        ("proxies", map(&[("all", Value::text(format!("u:{CANARY}%40^|@{proxy}")))])),
        ("proxy_options", map(&[node.as_slice(), login.as_slice()].concat())),
    ];
    for way in ways {
        ask(&[trust.clone(), way]).unwrap();
        let heard = std::mem::take(&mut *heard.lock().unwrap());
        assert!(heard[0].starts_with(&format!("CONNECT {HOST}:443 HTTP/1.1\r\n")), "{heard:?}");
        assert!(heard[0].contains("proxy-authorization: Basic dTpjYW5hcnlAXnw=\r\n"), "{heard:?}");
    }
    ask(&[trust, ("proxy_options", map(&node))]).unwrap();
    assert!(!heard.lock().unwrap()[0].contains("authorization"), "{heard:?}");
    assert!(sent.lock().unwrap().iter().all(|request| !request.to_lowercase().contains("proxy")), "{sent:?}");
}

#[test]
fn a_proxy_that_does_not_help_is_named() {
    let nobody = silence();
    let (refusing, heard) = proxy(nobody, "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
    let error = ask(&[("proxies", https(&format!("http://u:{CANARY}@{refusing}")))]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfiguration, "{error}");
    assert!(error.message().contains("the proxy asks for a user and password"), "{error}");
    assert!(error.message().ends_with(&format!("(through the proxy http://{refusing})")), "{error}");
    assert_eq!(heard.lock().unwrap().len(), 1, "asked once");

    let (failing, heard) = proxy(nobody, "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
    let error = ask(&[("proxies", https(&failing.to_string())), ("retry_total", Value::Int(1))]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transient, "{error}");
    assert!(error.message().ends_with(&format!("(through the proxy http://{failing})")), "{error}");
    assert_eq!(heard.lock().unwrap().len(), 2, "one retry");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "real sockets take real time")]
fn limits_end_a_wait() {
    let folder = Folder::new("limits");
    let limits = [("connection_timeout", Value::Float(0.2)), ("retry_total", Value::Int(0))];
    let begin = Instant::now();
    // A connection, but no word of TLS; the same behind a proxy that says nothing.
    for proxies in [Value::Null, https(&silence().to_string())] {
        let through = ("proxies", proxies);
        let authority = silence().to_string();
        let error = ask_at(&authority, &[limits.as_slice(), &[through]].concat()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transient, "{error}");
        assert!(error.message().contains("timed out"), "{error}");
    }
    // TLS, and then silence.
    let (authority, tls) = vouched(&[HOST]);
    let (server, _) = serve(Some(tls), "");
    let (proxy, heard) = proxy(server, ESTABLISHED);
    let error = ask(&[
        ("connection_verify", folder.write("own.pem", &authority)),
        ("proxies", https(&proxy.to_string())),
        ("read_timeout", Value::Float(0.2)),
        ("retry_total", Value::Int(0)),
    ])
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transient, "{error}");
    assert!(error.message().contains("timed out"), "{error}");
    assert_eq!(heard.lock().unwrap().len(), 1);
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

/// The second life of this program, in an environment with proxies.
const BEHIND_PROXIES: &str = "AZCRED_TEST_AUTHORITY_BEHIND_PROXIES";

#[test]
fn an_explicit_proxy_beats_the_environment() {
    if let Some(given) = World::real().env.get(BEHIND_PROXIES) {
        let [trust, proxy, authority] = given.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let trust = ("connection_verify", Value::text(trust));
        // NO_PROXY names localhost: straight there. It does not name the other, which the environment's proxy finds.
        ask_at(authority, std::slice::from_ref(&trust)).unwrap();
        ask(std::slice::from_ref(&trust)).unwrap();
        ask_at(authority, &[trust.clone(), ("proxies", https(proxy))]).unwrap();
        ask(&[trust, ("proxies", https(proxy))]).unwrap();
        return;
    }
    let folder = Folder::new("environment");
    let (authority, tls) = vouched(&[HOST, "localhost"]);
    folder.write("own.pem", &authority);
    let (server, heard) = serve(Some(tls), &ok(TOKEN));
    let (theirs, of_environment) = proxy(server, ESTABLISHED);
    let (ours, of_options) = proxy(server, ESTABLISHED);
    #[expect(clippy::disallowed_methods, reason = "an environment with proxies needs a process of its own")]
    let mut again = Command::new(std::env::current_exe().unwrap());
    for name in ["HTTP_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy", "no_proxy"] {
        again.env_remove(name);
    }
    again.env("HTTPS_PROXY", format!("http://{theirs}")).env("NO_PROXY", "localhost");
    let trust = folder.0.join("own.pem");
    again.env(BEHIND_PROXIES, format!("{} {ours} https://localhost:{}", trust.display(), server.port()));
    let name = "authority::an_explicit_proxy_beats_the_environment";
    let output = again.args(["--exact", name, "--nocapture"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let connects = |heard: &crate::servers::Heard| -> Vec<String> {
        heard.lock().unwrap().iter().map(|request| request.lines().next().unwrap().to_owned()).collect()
    };
    assert_eq!(connects(&of_environment), [format!("CONNECT {HOST}:443 HTTP/1.1")]);
    let local = format!("CONNECT localhost:{} HTTP/1.1", server.port());
    assert_eq!(connects(&of_options), [local, format!("CONNECT {HOST}:443 HTTP/1.1")]);
    assert_eq!(heard.lock().unwrap().len(), 4);
}
