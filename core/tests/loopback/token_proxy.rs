//! The token proxy of an AKS cluster: where requests go, by which name, and whom they trust.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use azcred::fake::Fake;
use azcred::{AccessToken, Credential, Error, ErrorKind, Spelling, TokenRequest, Value, World};

use crate::folder::Folder;
use crate::servers::{Desk, TOKEN, ok, serve, silence, vouched};

const NAME: &str = "token.cluster.internal";
const PROXY: &str = "AZURE_KUBERNETES_TOKEN_PROXY";
const SNI: &str = "AZURE_KUBERNETES_SNI_NAME";
const CA_FILE: &str = "AZURE_KUBERNETES_CA_FILE";
const CA_DATA: &str = "AZURE_KUBERNETES_CA_DATA";
const DISTRUST: &str = "; AZURE_KUBERNETES_CA_FILE or AZURE_KUBERNETES_CA_DATA says who vouches for it, \
                        AZURE_KUBERNETES_SNI_NAME for which name";

/// Asks as a pod with these variables, over real sockets; pauses between retries pass at once.
fn ask_with(variables: &[(&str, &str)], options: &[(&str, Value)]) -> Result<AccessToken, Error> {
    let (mut world, fake) = Fake::world();
    world.http = World::real().http;
    fake.write("/token", "canary");
    let pod = [
        ("AZURE_TENANT_ID", "t.example"),
        ("AZURE_CLIENT_ID", "c"),
        ("AZURE_FEDERATED_TOKEN_FILE", "/token"),
        ("AZURE_AUTHORITY_HOST", "https://login.azcred.invalid/path"),
    ];
    for (name, value) in pod.iter().chain(variables) {
        fake.set(name, value);
    }
    let enable = [("enable_azure_proxy", Value::Bool(true))];
    let all = enable.iter().chain(options).map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let credential = Credential::in_world(world, "WorkloadIdentityCredential", all, Spelling::Snake)?;
    let request = TokenRequest { timeout: Some(Duration::from_secs(20)), ..TokenRequest::scope("https://x/.default") };
    let answer = credential.get_token(&request);
    let shown = format!("{credential:?} {answer:?}");
    assert!(!shown.contains("canary") && !shown.contains("CERTIFICATE"), "{shown}");
    answer
}

fn ask(variables: &[(&str, &str)]) -> Result<AccessToken, Error> {
    ask_with(variables, &[])
}

fn at(address: SocketAddr, path: &str) -> String {
    format!("https://{address}{path}")
}

#[test]
fn a_proxy_gets_the_request_by_its_name_and_nobody_elses_trust() {
    let folder = Folder::new("token-proxy");
    let (authority, tls) = vouched(&[NAME, "localhost", "127.0.0.1"]);
    let (stranger, _) = vouched(&[NAME]);
    let (desk, tls) = Desk::at(tls);
    let (server, heard) = serve(Some(tls), &ok(TOKEN));
    folder.write("ca.pem", &authority);
    folder.write("stranger.pem", &stranger);
    let file = folder.0.join("ca.pem").display().to_string();
    let other = folder.0.join("stranger.pem").display().to_string();
    let local = format!("https://localhost:{}/", server.port());
    let cases = [
        (vec![(PROXY, at(server, "/base/")), (SNI, NAME.to_owned()), (CA_FILE, file.clone())], Some(NAME), "/base"),
        (vec![(PROXY, at(server, "")), (SNI, NAME.to_owned()), (CA_DATA, authority.clone())], Some(NAME), ""),
        (vec![(PROXY, local.clone()), (CA_FILE, file.clone())], Some("localhost"), ""),
        // An address is in the certificate, and never in the greeting.
        (vec![(PROXY, at(server, "/a/b")), (CA_DATA, format!("{stranger}\n{authority}"))], None, "/a/b"),
    ];
    for (variables, name, path) in cases {
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let token = ask(&variables).unwrap();
        assert_eq!((token.secret(), token.provenance().source), ("tok", "entra"));
        assert_eq!(desk.names(), [name.map(str::to_owned)]);
        let heard = std::mem::take(&mut *heard.lock().unwrap()).concat();
        assert!(heard.starts_with(&format!("POST {path}/path/t.example/oauth2/v2.0/token HTTP/1.1\r\n")), "{heard}");
        let host = variables[0].1.trim_start_matches("https://").split('/').next().unwrap();
        assert!(heard.contains(&format!("host: {host}\r\n")), "{heard}");
    }

    let trusted = ("connection_verify", Value::text(&file));
    let named = at(server, "");
    for variables in [
        vec![(PROXY, named.as_str()), (SNI, NAME), (CA_FILE, &other)],
        vec![(PROXY, named.as_str()), (SNI, NAME), (CA_DATA, &stranger)],
        vec![(PROXY, named.as_str()), (SNI, "other.internal"), (CA_FILE, &file)],
    ] {
        // What an option trusts is no way around what the variables trust.
        let error = ask_with(&variables, std::slice::from_ref(&trusted)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
        let by = format!("of login.azcred.invalid (by the token proxy {named}) is not trusted: ");
        assert!(error.message().contains(&by) && error.message().ends_with(DISTRUST), "{error}");
    }
    // Without either, it is whoever is trusted elsewhere.
    assert_eq!(ask(&[(PROXY, &local)]).unwrap_err().kind(), ErrorKind::Failed);
    assert!(heard.lock().unwrap().is_empty());
    ask_with(&[(PROXY, &local)], &[trusted]).unwrap();
}

#[test]
fn certificates_are_replaced_while_they_are_in_use() {
    let folder = Folder::new("token-proxy-rotation");
    let (first, tls) = vouched(&[NAME]);
    let (second, successor) = vouched(&[NAME]);
    let (desk, tls) = Desk::at(tls);
    let (server, heard) = serve(Some(tls), &ok(TOKEN));
    let (proxy, path) = (at(server, ""), folder.0.join("ca.pem"));
    let file = path.display().to_string();
    let ask = || ask(&[(PROXY, &proxy), (SNI, NAME), (CA_FILE, &file)]);
    let wrong = |sentence: &str| {
        let error = ask().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfiguration, "{error}");
        let expected = format!("WorkloadIdentityCredential: AZURE_KUBERNETES_CA_FILE: {sentence}");
        assert!(error.message().starts_with(&expected), "{error}");
    };

    wrong(&format!("can't read '{file}': "));
    for empty in ["", "\n", "-----BEGIN CERTIFICATE-----\nMIIB"] {
        folder.write("ca.pem", empty);
        wrong(&format!("expected PEM certificates in '{file}', found none"));
    }
    folder.write("ca.pem", &first);
    ask().unwrap();
    // In the middle of a replacement.
    for empty in ["", "-----BEGIN CERTIFICATE-----\nMIIB"] {
        folder.write("ca.pem", empty);
        ask().unwrap();
    }
    std::fs::remove_file(&path).unwrap();
    ask().unwrap();
    desk.show(&successor);
    assert_eq!(ask().unwrap_err().kind(), ErrorKind::Failed);
    folder.write("ca.pem", &second);
    ask().unwrap();
    // What was trusted last, not what was trusted first.
    folder.write("ca.pem", "");
    ask().unwrap();
    folder.write("ca.pem", &first);
    assert_eq!(ask().unwrap_err().kind(), ErrorKind::Failed);
    assert_eq!(heard.lock().unwrap().len(), 6);
}

#[test]
fn what_a_proxy_says_is_told_with_its_name() {
    let (authority, tls) = vouched(&[NAME]);
    let away = "HTTP/1.1 307 Temporary Redirect\r\nlocation: https://thief.invalid/\r\ncontent-length: 0\r\n\
                connection: close\r\n\r\n";
    let (server, heard) = serve(Some(tls), away);
    let proxy = at(server, "/path");
    let error = ask(&[(PROXY, &proxy), (SNI, NAME), (CA_DATA, &authority)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
    let redirects = format!("login.azcred.invalid (by the token proxy {}) redirects", at(server, ""));
    assert!(error.message().contains(&redirects), "{error}");
    assert_eq!(heard.lock().unwrap().len(), 1);

    let silent = at(silence(), "");
    let limits = [("connection_timeout", Value::Float(0.2)), ("retry_total", Value::Int(0))];
    let error = ask_with(&[(PROXY, &silent), (SNI, NAME), (CA_DATA, &authority)], &limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transient, "{error}");
    let sentence = format!("no answer from login.azcred.invalid (by the token proxy {silent}): ");
    assert!(error.message().contains(&sentence) && error.message().contains("timed out"), "{error}");

    let nowhere = "https://proxy.azcred.invalid";
    let error = ask(&[(PROXY, nowhere), (SNI, NAME), (CA_DATA, &authority)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transient, "{error}");
}

/// The second life of this program, in an environment with proxies.
const BEHIND_PROXIES: &str = "AZCRED_TEST_TOKEN_PROXY_BEHIND_PROXIES";

#[test]
fn no_other_proxy_is_asked() {
    if let Some(given) = World::real().env.get(BEHIND_PROXIES) {
        let [proxy, file, other] = given.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let options = [("proxies", Value::text(other))];
        for variables in [&[(PROXY, proxy), (CA_FILE, file), (SNI, NAME)][..], &[(PROXY, proxy), (CA_FILE, file)]] {
            ask(variables).unwrap();
            ask_with(variables, &options).unwrap();
        }
        return;
    }
    let folder = Folder::new("token-proxy-behind");
    let (authority, tls) = vouched(&[NAME, "127.0.0.1"]);
    folder.write("ca.pem", &authority);
    let (server, heard) = serve(Some(tls), &ok(TOKEN));
    let (other, asked) = serve(None, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    #[expect(clippy::disallowed_methods, reason = "an environment with proxies needs a process of its own")]
    let mut again = Command::new(std::env::current_exe().unwrap());
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        again.env(name, format!("http://{other}"));
    }
    let given = format!("{} {} http://{other}", at(server, ""), folder.0.join("ca.pem").display());
    again.env_remove("NO_PROXY").env_remove("no_proxy").env(BEHIND_PROXIES, given);
    let output = again.args(["--exact", "token_proxy::no_other_proxy_is_asked", "--nocapture"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!((heard.lock().unwrap().len(), asked.lock().unwrap().len()), (4, 0));
}
