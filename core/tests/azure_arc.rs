//! Azure Arc's agent, and whoever takes its port: what is read, and where it goes.
#![expect(clippy::unwrap_used, reason = "the tables' own helpers")]

use std::path::Path;
use std::sync::{Arc, Mutex};

use azcred::fake::{Fake, answer};
use azcred::http::{HttpError, HttpFault, Response};
use azcred::{Credential, Error, ErrorKind, Files, Spelling, Stamp, TokenRequest, Value, World};

const KEYS: &str = "/var/opt/azcmagent/tokens";
const TOKEN: &str = r#"{"access_token":"tok","expires_in":"3600"}"#;

fn world(named: bool) -> (World, Fake) {
    let (world, fake) = Fake::world();
    if named {
        fake.set("IDENTITY_ENDPOINT", "http://localhost:40342/metadata/identity/oauth2/token");
        fake.set("IMDS_ENDPOINT", "http://localhost:40342");
    } else {
        fake.write("/opt/azcmagent/bin/himds", "");
    }
    (world, fake)
}

fn ask(world: &World, options: &[(&str, &str)], chained: bool) -> Result<azcred::AccessToken, Error> {
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), Value::text(*value))).collect();
    let credential =
        Credential::in_world(world.clone(), "ManagedIdentityCredential", options, Spelling::Snake).unwrap();
    let credential = if chained { Credential::chain(&[credential]).unwrap() } else { credential };
    credential.get_token(&TokenRequest::scope("https://x/.default"))
}

/// An agent that names a key, and gives `body` to whoever has one. It notes all headers that it gets.
fn agent(fake: &Fake, challenges: &[&str], status: u16, body: &str) -> Arc<Mutex<Vec<String>>> {
    let headers: Vec<_> = challenges.iter().map(|value| ("www-authenticate".to_owned(), (*value).to_owned())).collect();
    let body = body.to_owned();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    fake.serve(move |request| {
        let key = request.headers.iter().find(|(name, _)| *name == "authorization");
        log.lock().unwrap().extend(request.headers.iter().map(|(_, value)| value.expose().to_owned()));
        match key {
            Some(_) => Ok(answer(status, &body)),
            None => Ok(Response { headers: headers.clone(), ..answer(401, "") }),
        }
    });
    seen
}

#[test]
fn the_agent_gets_its_key_and_nothing_around_it() {
    for (content, sent) in [("k", "k"), ("a b==", "a b=="), ("k\n", "k"), ("k\r\n", "k")] {
        for challenge in [format!("Basic realm={KEYS}/1.key"), format!("basic REALM=\"{KEYS}/1.key\"")] {
            let (world, fake) = world(true);
            fake.write(&format!("{KEYS}/1.key"), content);
            let seen = agent(&fake, &[&challenge], 200, TOKEN);
            assert_eq!(ask(&world, &[], false).unwrap().secret(), "tok");
            assert_eq!(*seen.lock().unwrap(), ["true", "true", &format!("Basic {sent}")]);
        }
    }
}

#[test]
fn whoever_takes_the_port_gets_no_other_file() {
    let own = format!("Basic realm={KEYS}/1.key");
    let mut cases: Vec<Vec<String>> =
        vec![vec![], vec![own.clone(), own.clone()], vec!["Negotiate".into(), own.clone()]];
    let files =
        ["/etc/shadow", "/home/me/.ssh/id.key", "/var/opt/azcmagent/tokens/sub/1.key", "/var/opt/azcmagent/1.key"];
    cases.extend(files.map(|file| vec![format!("Basic realm={file}")]));
    cases.push(vec![format!("Basic realm={KEYS}/../../../../etc/shadow")]);
    cases.push(vec![format!("Basic realm={KEYS}/../1.key")]);
    cases.push(vec![format!("Basic realm=/etc/shadow={KEYS}/1.key")]);
    cases.push(vec![format!("{own}, Basic realm=/etc/shadow")]);
    cases.push(vec!["Basic realm=".into()]);
    cases.push(vec!["Basic".into()]);
    cases.push(vec!["Bearer realm=x".into()]);
    for case in cases {
        for named in [true, false] {
            let (world, fake) = world(named);
            for file in files {
                fake.write(file, "canary");
            }
            let challenges: Vec<&str> = case.iter().map(String::as_str).collect();
            let seen = agent(&fake, &challenges, 200, TOKEN);
            let error = ask(&world, &[], true).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Failed, "{case:?}: {error}");
            assert!(error.message().contains("nothing was read"), "{error}");
            assert_eq!(*seen.lock().unwrap(), ["true"], "{case:?}: asked once, and told nothing");
        }
    }
}

#[test]
fn a_key_is_one_short_line() {
    let long = "x".repeat(4097);
    let cases: [(&[u8], &str); 6] = [
        (b"", "is not one line of text"),
        (b"\n", "is not one line of text"),
        (b"canary\nx-evil: 1", "is not one line of text"),
        (b"canary\n\n", "is not one line of text"),
        (b"canary\xff", "is not one line of text"),
        (long.as_bytes(), "was not read"),
    ];
    for (content, expected) in cases {
        let (world, fake) = world(true);
        fake.write(&format!("{KEYS}/1.key"), content);
        let seen = agent(&fake, &[&format!("Basic realm={KEYS}/1.key")], 200, TOKEN);
        let error = ask(&world, &[], false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Failed);
        assert!(error.message().contains(expected) && !error.message().contains("canary"), "{error}");
        assert_eq!(*seen.lock().unwrap(), ["true"]);
    }
}

/// Files that this process may not read.
#[derive(Debug)]
struct Shut(Fake);

impl Files for Shut {
    fn read(&self, path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
        self.0.read(path, limit)
    }

    fn read_guarded(&self, _: &Path, _: &str, _: u64) -> std::io::Result<zeroize::Zeroizing<Vec<u8>>> {
        Err(std::io::ErrorKind::PermissionDenied.into())
    }

    fn read_trusted(&self, _: &Path, _: u64) -> std::io::Result<zeroize::Zeroizing<Vec<u8>>> {
        Err(std::io::ErrorKind::PermissionDenied.into())
    }

    fn exists(&self, path: &Path) -> bool {
        self.0.exists(path)
    }

    fn is_executable(&self, path: &Path) -> bool {
        self.0.is_executable(path)
    }

    fn stamp(&self, path: &Path) -> Option<Stamp> {
        self.0.stamp(path)
    }
}

#[test]
fn an_agent_that_is_merely_installed_may_be_for_others() {
    use ErrorKind::{Failed, Transient, Unavailable};
    for (named, shut, silent) in [(true, Failed, Transient), (false, Unavailable, Unavailable)] {
        let (mut world, fake) = world(named);
        world.files = Arc::new(Shut(fake.clone()));
        agent(&fake, &[&format!("Basic realm={KEYS}/1.key")], 200, TOKEN);
        let error = ask(&world, &[], true).unwrap_err();
        assert_eq!(error.kind(), shut);
        assert!(error.message().contains("only the agent's group (himds on Linux)"), "{error}");
        for fault in [HttpFault::Connect, HttpFault::Timeout] {
            fake.serve(move |_| Err(HttpError { fault, message: "gone".into() }));
            fake.advance(5);
            assert_eq!(ask(&world, &[], true).unwrap_err().kind(), silent);
        }
        // A token that costs no key is not the agent's.
        fake.answer(200, TOKEN);
        assert_eq!(ask(&world, &[], false).unwrap_err().kind(), Transient);
        assert_eq!(ask(&world, &[], true).unwrap_err().kind(), Unavailable);
    }
}

#[test]
fn an_agent_that_overlooks_the_identity_is_not_believed() {
    let cases = [
        ("client_id", "", false),
        ("client_id", r#","client_id":"other""#, false),
        ("client_id", r#","client_id":"ME""#, true),
        ("client_id", r#","object_id":"me""#, false),
        ("object_id", r#","object_id":"me""#, true),
        ("object_id", r#","client_id":"me""#, false),
        ("resource_id", r#","msi_res_id":"Me""#, true),
        ("resource_id", r#","mi_res_id":"me""#, true),
        ("resource_id", r#","resource_id":"me""#, false),
        ("resource_id", r#","msi_res_id":"","mi_res_id":"me""#, true),
        ("resource_id", r#","msi_res_id":7"#, false),
    ];
    for (option, echo, believed) in cases {
        let (world, fake) = world(true);
        fake.write(&format!("{KEYS}/1.key"), "k");
        let body = format!(r#"{{"access_token":"tok","expires_in":3600{echo}}}"#);
        agent(&fake, &[&format!("Basic realm={KEYS}/1.key")], 200, &body);
        let answer = ask(&world, &[(option, "me")], false);
        assert_eq!(answer.is_ok(), believed, "{option}{echo}");
        if let Err(error) = answer {
            assert_eq!(error.kind(), ErrorKind::Failed);
            assert!(
                error.message().contains(&format!("did not confirm that its token is for {option} 'me'")),
                "{error}"
            );
        }
    }
}

#[test]
fn a_second_challenge_is_a_refusal() {
    let (world, fake) = world(true);
    fake.write(&format!("{KEYS}/1.key"), "canary");
    agent(&fake, &[&format!("Basic realm={KEYS}/1.key")], 401, r#"{"error":"unauthorized","message":"not canary"}"#);
    let error = ask(&world, &[], false).unwrap_err();
    assert_eq!((error.kind(), fake.sent().len()), (ErrorKind::Failed, 2));
    assert!(error.message().ends_with("HTTP 401, unauthorized: not ***"), "{error}");
}
