//! Whom to trust, and which proxy to ask, as variables say it: read again after a failure, and never instead of an error.

use std::process::Command;
use std::time::Duration;

use azcred::fake::Fake;
use azcred::{Credential, Error, ErrorKind, Spelling, TokenRequest, Value, World};

use crate::folder::Folder;
use crate::servers::{TOKEN, ok, proxy, serve, vouched};

/// Longer than any error stands.
const REST: i64 = 6;

/// The second life of this program, in an environment of its own: the folder of the test's files.
const AGAIN: &str = "AZCRED_TEST_ROOTS_AGAIN";

fn folder_of_this_life() -> Option<String> {
    World::real().env.get(AGAIN)
}

/// Runs a test of this file again, with these variables.
fn again(test: &str, folder: &Folder, variables: &[(&str, &str)]) {
    #[expect(clippy::disallowed_methods, reason = "an environment of its own needs a process of its own")]
    let mut again = Command::new(std::env::current_exe().unwrap());
    let names = ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"];
    let proxies = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"];
    for name in names.into_iter().chain(proxies) {
        again.env_remove(name);
    }
    again.envs(variables.iter().copied()).env(AGAIN, &folder.0);
    let output = again.args(["--exact", &format!("roots::{test}"), "--nocapture"]).output().unwrap();
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{said}{complained}");
}

#[expect(clippy::disallowed_methods, reason = "a file of its own")]
fn write(folder: &str, name: &str, content: &str) {
    std::fs::write(format!("{folder}/{name}"), content).unwrap();
}

/// An application that asks this server over real sockets, by a clock that we hold.
fn application(port: u16, options: &[(&str, Value)]) -> (Credential, Fake) {
    let (mut world, fake) = Fake::world();
    world.http = World::real().http;
    let authority = format!("https://localhost:{port}");
    let own = [("tenant_id", "t"), ("client_id", "c"), ("client_secret", "s"), ("authority", &authority)];
    let own = own.iter().map(|(name, value)| (*name, Value::text(*value)));
    let all = own.chain(options.iter().cloned()).map(|(name, value)| (name.to_owned(), value)).collect();
    (Credential::in_world(world, "ClientSecretCredential", all, Spelling::Snake).unwrap(), fake)
}

fn request() -> TokenRequest {
    TokenRequest { timeout: Some(Duration::from_secs(20)), ..TokenRequest::scope("https://x/.default") }
}

fn assert_untrusted(credential: &Credential) {
    let error = credential.get_token(&request()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
    assert!(error.message().contains("is not trusted"), "{error}");
}

fn assert_trusted(credential: &Credential) {
    assert_eq!(credential.get_token(&request()).unwrap().secret(), "tok");
}

#[test]
fn an_authority_that_is_added_later_is_trusted() {
    let Some(folder) = folder_of_this_life() else {
        let folder = Folder::new("later");
        let [replacing, adding] = ["replacing.pem", "adding.pem"].map(|name| folder.0.join(name));
        let variables = [("SSL_CERT_FILE", replacing.to_str().unwrap()), ("CURL_CA_BUNDLE", adding.to_str().unwrap())];
        return again("an_authority_that_is_added_later_is_trusted", &folder, &variables);
    };
    let (stranger, _) = vouched(&["localhost"]);
    let (one, tls) = vouched(&["localhost"]);
    let (first, heard) = serve(Some(tls), &ok(TOKEN));
    let (two, tls) = vouched(&["localhost"]);
    let (second, _) = serve(Some(tls), &ok(TOKEN));
    let (early, early_clock) = application(first.port(), &[]);
    let (late, late_clock) = application(second.port(), &[]);

    write(&folder, "replacing.pem", &stranger);
    assert_untrusted(&early);
    write(&folder, "adding.pem", &one);
    early_clock.advance(REST);
    assert_trusted(&early);
    assert_eq!(heard.lock().unwrap().len(), 1, "who is not trusted is sent nothing");

    // The client that has just served one authority is let go when another is not trusted.
    assert_untrusted(&late);
    write(&folder, "replacing.pem", &two);
    late_clock.advance(REST);
    assert_trusted(&late);
    assert_trusted(&application(first.port(), &[]).0);

    // What is no use at all is an error for who needs it, and mends too.
    write(&folder, "replacing.pem", "");
    assert_untrusted(&application(serve(Some(vouched(&["localhost"]).1), "").0.port(), &[]).0);
    let (after, clock) = application(first.port(), &[]);
    let error = after.get_token(&request()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfiguration, "{error}");
    let found_none = format!("SSL_CERT_FILE: expected PEM certificates in '{folder}/replacing.pem', found none");
    assert!(error.message().ends_with(&found_none), "{error}");
    write(&folder, "replacing.pem", &one);
    clock.advance(REST);
    assert_trusted(&after);
}

#[test]
fn an_authority_that_an_option_names_later_is_trusted() {
    let folder = Folder::new("option-later");
    let (stranger, _) = vouched(&["localhost"]);
    let (own, tls) = vouched(&["localhost"]);
    let (server, heard) = serve(Some(tls), &ok(TOKEN));
    let trust = ("connection_verify", folder.write("roots.pem", &stranger));
    let (credential, clock) = application(server.port(), &[trust]);
    assert_untrusted(&credential);
    folder.write("roots.pem", &own);
    clock.advance(REST);
    assert_trusted(&credential);
    assert_eq!(heard.lock().unwrap().len(), 1);
}

/// A managed identity of this process gets its token.
fn assert_others_are_served() {
    let (address, _) = serve(None, &ok(TOKEN));
    let (mut world, fake) = Fake::world();
    world.http = World::real().http;
    fake.set("IDENTITY_ENDPOINT", &format!("http://{address}/"));
    fake.set("IDENTITY_HEADER", "h");
    let credential = Credential::in_world(world, "ManagedIdentityCredential", Vec::new(), Spelling::Snake).unwrap();
    assert_trusted(&credential);
}

#[test]
fn a_pipe_or_a_device_in_place_of_certificates_stops_nobody() {
    if let Some(folder) = folder_of_this_life() {
        let path = World::real().env.get("SSL_CERT_FILE").unwrap();
        let (application, _clock) = application(1, &[]);
        let (said, heard) = std::sync::mpsc::channel::<Result<(), Error>>();
        application.start(request(), move |answer| said.send(answer.map(drop)).unwrap()).unwrap();
        assert_others_are_served();
        let error = heard.recv_timeout(Duration::from_secs(20)).unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfiguration, "{error} {folder}");
        let expected = format!(
            "ClientSecretCredential: SSL_CERT_FILE: can't read '{path}': it is not a regular file; SSL_CERT_DIR: \
             expected PEM certificates in '{folder}', found none"
        );
        assert_eq!(error.message(), expected);
        return;
    }
    let folder = Folder::new("pipe");
    let pipe = folder.0.join("pipe");
    #[expect(clippy::disallowed_methods, reason = "the tool that makes pipes")]
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    for path in [pipe.to_str().unwrap(), "/dev/zero"] {
        let variables = [("SSL_CERT_FILE", path), ("SSL_CERT_DIR", folder.0.to_str().unwrap())];
        again("a_pipe_or_a_device_in_place_of_certificates_stops_nobody", &folder, &variables);
    }
}

#[test]
fn no_request_goes_straight_where_a_proxy_can_not_be_read() {
    if let Some(folder) = folder_of_this_life() {
        let (authority, tls) = vouched(&["localhost"]);
        let (server, heard) = serve(Some(tls), &ok(TOKEN));
        write(&folder, "own.pem", &authority);
        let trust = ("connection_verify", Value::text(format!("{folder}/own.pem")));
        let (credential, _clock) = application(server.port(), std::slice::from_ref(&trust));
        let error = credential.get_token(&request()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfiguration, "{error}");
        let sentence = error.message();
        assert!(
            sentence.starts_with("ClientSecretCredential: HTTPS_PROXY: expected a proxy's URL such as ")
                && !sentence.contains("canary"),
            "{sentence}"
        );
        assert!(heard.lock().unwrap().is_empty());
        // A proxy among the options is all that counts for who has one, and none is for who wants none.
        let (way, asked) = proxy(server, "HTTP/1.1 200 Connection established\r\n\r\n");
        let through = ("proxies", Value::text(format!("http://{way}")));
        assert_trusted(&application(server.port(), &[trust.clone(), through]).0);
        assert_eq!(asked.lock().unwrap().len(), 1);
        assert_trusted(&application(server.port(), &[trust, ("use_env_settings", Value::Bool(false))]).0);
        assert_eq!(asked.lock().unwrap().len(), 1);
        return;
    }
    let folder = Folder::new("no-proxy");
    let variables = [("HTTPS_PROXY", "http://canary:can#ary@127.0.0.1:1"), ("ALL_PROXY", "http://127.0.0.1:1")];
    again("no_request_goes_straight_where_a_proxy_can_not_be_read", &folder, &variables);
}
