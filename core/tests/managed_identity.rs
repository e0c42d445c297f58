//! Every host of managed identities: how it is told from the others, what it is asked, and what its answers mean.
#![expect(clippy::unwrap_used, reason = "the tables' own helpers")]

use std::sync::{Arc, Mutex};

use azcred::fake::{Answer, Fake, answer};
use azcred::http::{HttpError, HttpFault, Request, Response, Route};
use azcred::{AccessToken, Credential, Error, ErrorKind, Spelling, TokenRequest, Value, World};

const SCOPE: &str = "https://storage.azure.com/.default";
const TOKEN: &str = r#"{"access_token":"tok","expires_on":"1700086400","client_id":"ID"}"#;
const THUMBPRINT: &str = "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13";
const KEYS: &str = "/var/opt/azcmagent/tokens";
const HIMDS: &str = "/opt/azcmagent/bin/himds";

type Env = &'static [(&'static str, &'static str)];

const FABRIC: Env = &[
    ("IDENTITY_ENDPOINT", "https://10.0.0.4:2377/metadata/identity/oauth2/token"),
    ("IDENTITY_HEADER", "canary"),
    ("IDENTITY_SERVER_THUMBPRINT", THUMBPRINT),
];
const APP_SERVICE: Env = &[("IDENTITY_ENDPOINT", "http://127.0.0.1:1/msi/token"), ("IDENTITY_HEADER", "canary")];
const ML: Env = &[("MSI_ENDPOINT", "http://127.0.0.1:2/MSI/auth"), ("MSI_SECRET", "canary")];
const SHELL: Env = &[("MSI_ENDPOINT", "http://localhost:50342/oauth2/token")];
const ARC: Env = &[
    ("IDENTITY_ENDPOINT", "http://localhost:40342/metadata/identity/oauth2/token"),
    ("IMDS_ENDPOINT", "http://localhost:40342"),
];
const IMDS: Env = &[("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:3/")];

const HOSTS: [(&str, Env); 6] = [
    ("service_fabric", FABRIC),
    ("app_service", APP_SERVICE),
    ("azure_ml", ML),
    ("cloud_shell", SHELL),
    ("azure_arc", ARC),
    ("imds", IMDS),
];

fn world(env: &[(&str, &str)]) -> (World, Fake) {
    let (world, fake) = Fake::world();
    for (name, value) in env {
        fake.set(name, value);
    }
    fake.write(&format!("{KEYS}/a-1.key"), "canary\n");
    (world, fake)
}

fn made(world: &World, options: &[(&str, &str)]) -> Result<Credential, Error> {
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), Value::text(*value))).collect();
    Credential::in_world(world.clone(), "ManagedIdentityCredential", options, Spelling::Snake)
}

fn ask(credential: &Credential) -> Result<AccessToken, Error> {
    credential.get_token(&TokenRequest::scope(SCOPE))
}

fn challenge(challenges: &[&str]) -> Response {
    let header = |value: &&str| ("www-authenticate".to_owned(), (*value).to_owned());
    Response { headers: challenges.iter().map(header).collect(), ..answer(401, "") }
}

/// Whether this is the question with which Azure Arc's agent is asked for the name of its key.
fn wants_challenge(request: &Request) -> bool {
    request.url.contains("2020-06-01") && !request.headers.iter().any(|(name, _)| *name == "authorization")
}

/// A host that answers `reply`, after its challenge if it has one; and the headers and routes it was asked with.
fn host(fake: &Fake, reply: impl Fn() -> Answer + Send + Sync + 'static) -> Arc<Mutex<Vec<String>>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    fake.serve(move |request| {
        let headers: Vec<String> =
            request.headers.iter().map(|(name, value)| format!("{name}: {}", value.expose())).collect();
        log.lock().unwrap().push(format!("{:?} {}", request.route, headers.join(", ")));
        if wants_challenge(request) {
            return Ok(challenge(&[&format!("Basic realm={KEYS}/a-1.key")]));
        }
        reply()
    });
    seen
}

#[test]
fn each_host_is_asked_in_its_own_way() {
    const QUERY: &str = "resource=https%3A%2F%2Fstorage.azure.com";
    let pinned = "Pinned([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19])";
    let arc = format!("http://127.0.0.1:40342/metadata/identity/oauth2/token?api-version=2020-06-01&{QUERY}");
    let cases: [(&[String], &[&str]); 6] = [
        (
            &[format!("GET {}?api-version=2019-07-01-preview&{QUERY}", FABRIC[0].1)],
            &[&format!("{pinned} secret: canary")],
        ),
        (
            &[format!("GET {}?api-version=2019-08-01&{QUERY}", APP_SERVICE[0].1)],
            &["Local x-identity-header: canary, metadata: true"],
        ),
        (&[format!("GET {}?api-version=2017-09-01&{QUERY}", ML[0].1)], &["Local secret: canary"]),
        (&[format!("POST {} {QUERY}", SHELL[0].1)], &["Local metadata: true"]),
        (
            &[format!("GET {arc}"), format!("GET {arc}")],
            &["Local metadata: true", "Local metadata: true, authorization: Basic canary"],
        ),
        (
            &[format!("GET http://127.0.0.1:3/metadata/identity/oauth2/token?api-version=2018-02-01&{QUERY}")],
            &["Local metadata: true"],
        ),
    ];
    for ((source, env), (sent, headers)) in HOSTS.into_iter().zip(cases) {
        let (world, fake) = world(env);
        let seen = host(&fake, || Ok(answer(200, TOKEN)));
        let token = ask(&made(&world, &[]).unwrap()).unwrap();
        assert_eq!((token.secret(), token.expires_on()), ("tok", 1_700_086_400));
        assert_eq!(token.provenance().source, source);
        assert_eq!(fake.sent(), sent, "{source}");
        assert_eq!(*seen.lock().unwrap(), headers, "{source}");
    }
}

#[test]
fn the_environment_alone_tells_hosts_apart() {
    const ENDPOINT: (&str, &str) = ("IDENTITY_ENDPOINT", "http://127.0.0.1:9/a");
    const HEADER: (&str, &str) = ("IDENTITY_HEADER", "h");
    const HYBRID: (&str, &str) = ("IMDS_ENDPOINT", "http://127.0.0.1:9");
    const MSI: (&str, &str) = ("MSI_ENDPOINT", "http://127.0.0.1:9/b");
    const SECRET: (&str, &str) = ("MSI_SECRET", "s");
    let cases: [(Env, bool, &str); 18] = [
        (&[], false, "imds"),
        (&[], true, "azure_arc"),
        (&[ENDPOINT], false, "imds"),
        (&[ENDPOINT], true, "azure_arc"),
        (&[ENDPOINT, ("IDENTITY_HEADER", ""), ("IMDS_ENDPOINT", "")], false, "imds"),
        (&[HEADER], false, "imds"),
        (&[HYBRID], false, "imds"),
        (&[SECRET], false, "imds"),
        (&[("IDENTITY_SERVER_THUMBPRINT", "junk")], false, "imds"),
        (&[ENDPOINT, HEADER], true, "app_service"),
        (&[ENDPOINT, HEADER, HYBRID, MSI, SECRET], false, "app_service"),
        (&[ENDPOINT, HEADER, ("IDENTITY_SERVER_THUMBPRINT", "")], false, "app_service"),
        (&[MSI, SECRET], true, "azure_ml"),
        (&[ENDPOINT, HYBRID, MSI, SECRET], false, "azure_ml"),
        (&[ENDPOINT, MSI], false, "cloud_shell"),
        (&[MSI, ("MSI_SECRET", "")], true, "cloud_shell"),
        (&[ENDPOINT, HYBRID], false, "azure_arc"),
        (&[("IDENTITY_ENDPOINT", ""), HYBRID, ("MSI_ENDPOINT", "")], false, "imds"),
    ];
    for (env, agent, expected) in cases {
        let (world, fake) = world(env);
        if agent {
            fake.write(HIMDS, "");
        }
        host(&fake, || Ok(answer(200, TOKEN)));
        let credential = made(&world, &[]).unwrap();
        assert!(fake.sent().is_empty(), "nothing is sent to find out");
        fake.set("IDENTITY_HEADER", "later");
        fake.set("IDENTITY_ENDPOINT", "http://127.0.0.1:9/later");
        let token = ask(&credential).unwrap();
        assert_eq!(token.provenance().source, expected, "{env:?} {agent}");
        assert!(fake.sent().iter().all(|sent| !sent.contains("later")), "{env:?}");
    }
}

#[test]
fn a_broken_variable_is_named() {
    const HEADER: (&str, &str) = ("IDENTITY_HEADER", "canary");
    const HYBRID: (&str, &str) = ("IMDS_ENDPOINT", "x");
    let print = |text| vec![FABRIC[0], FABRIC[1], ("IDENTITY_SERVER_THUMBPRINT", text)];
    let endpoint = |name, text| vec![(name, text), HEADER];
    let mut cases: Vec<(Vec<(&str, &str)>, &str)> = vec![
        (print("00"), "IDENTITY_SERVER_THUMBPRINT: expected the SHA-1 of a certificate in 40 hexadecimal digits"),
        (print("zz0102030405060708090a0b0c0d0e0f10111213"), "IDENTITY_SERVER_THUMBPRINT: expected"),
        (
            vec![("IDENTITY_ENDPOINT", "http://10.0.0.4:2377/"), FABRIC[1], FABRIC[2]],
            "IDENTITY_ENDPOINT: expected an https URL such as https://127.0.0.1:41741/msi/token, got 'http://10.0.0.4",
        ),
        (vec![IMDS[0], ("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://h?x=1")], "expected a URL without a query"),
        (
            vec![("AZURE_POD_IDENTITY_AUTHORITY_HOST", "https://h")],
            "AZURE_POD_IDENTITY_AUTHORITY_HOST: expected an http",
        ),
    ];
    for text in ["https://127.0.0.1/", "127.0.0.1:80", "http://", "ftp://h/", "http://u:p@h/", "http://h/#f", "junk"] {
        cases.push((endpoint("IDENTITY_ENDPOINT", text), "IDENTITY_ENDPOINT: expected an http URL"));
        cases.push((endpoint("MSI_ENDPOINT", text), "MSI_ENDPOINT: expected an http URL"));
        cases.push((vec![("MSI_ENDPOINT", text), ("MSI_SECRET", "s")], "MSI_ENDPOINT: expected an http URL"));
        cases.push((vec![("IDENTITY_ENDPOINT", text), HYBRID], "IDENTITY_ENDPOINT: expected an http URL"));
    }
    // The key of Azure Arc's agent stays on this host.
    for host in ["arc.example", "10.0.0.4", "169.254.169.254", "0.0.0.0", "localhost.evil.example", "127.0.0.1.example"]
    {
        let url: &'static str = format!("http://{host}:40342/metadata").leak();
        cases.push((vec![("IDENTITY_ENDPOINT", url), HYBRID], "IDENTITY_ENDPOINT: expected a URL of this host"));
    }
    for (env, expected) in cases {
        let error = made(&world(&env).0, &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfiguration, "{env:?}");
        assert!(error.message().contains(expected), "{error}");
        assert!(!error.message().contains("canary"), "{error}");
    }
}

#[test]
fn an_identity_is_asked_for_in_the_words_of_the_host_or_refused() {
    const IDS: [(&str, &str); 3] = [("client_id", "id"), ("object_id", "id"), ("resource_id", "id")];
    let cluster = "Service Fabric does not take $ 'id': the identity is configured in the cluster";
    let user = "Cloud Shell does not take $ 'id': it has tokens of its user only";
    let by_client = "Azure Machine Learning does not take $ 'id': it knows identities by their client_id only";
    let cases: [(&str, [&str; 3]); 6] = [
        ("service_fabric", [cluster; 3]),
        ("app_service", ["&client_id=id", "&object_id=id", "&mi_res_id=id"]),
        ("azure_ml", ["&clientid=id", by_client, by_client]),
        ("cloud_shell", [user; 3]),
        ("azure_arc", ["&client_id=id", "&object_id=id", "&msi_res_id=id"]),
        ("imds", ["&client_id=id", "&object_id=id", "&msi_res_id=id"]),
    ];
    let token = r#"{"access_token":"tok","expires_in":3600,"client_id":"ID","object_id":"id","msi_res_id":"Id"}"#;
    for ((source, env), (_, expected)) in HOSTS.into_iter().zip(cases) {
        for (option, expected) in IDS.into_iter().zip(expected) {
            let (world, fake) = world(env);
            fake.set("DEFAULT_IDENTITY_CLIENT_ID", "not-this");
            host(&fake, move || Ok(answer(200, token)));
            let answer = ask(&made(&world, &[option]).unwrap());
            if expected.starts_with('&') {
                assert_eq!(answer.unwrap().provenance().source, source);
                assert!(fake.sent().iter().all(|sent| sent.ends_with(expected)), "{:?}", fake.sent());
            } else {
                let error = answer.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Failed);
                assert!(error.message().contains(&expected.replace('$', option.0)), "{error}");
                assert!(fake.sent().is_empty());
            }
        }
    }
    let (world, fake) = world(ML);
    fake.set("DEFAULT_IDENTITY_CLIENT_ID", "of-the-workspace");
    fake.answer(200, TOKEN);
    ask(&made(&world, &[]).unwrap()).unwrap();
    assert!(fake.sent()[0].ends_with("&clientid=of-the-workspace"), "{:?}", fake.sent());
}

#[test]
fn what_decides_who_answers_is_part_of_the_identity() {
    let changes: [(&str, &[(&str, &str)]); 6] = [
        (
            "service_fabric",
            &[
                ("IDENTITY_HEADER", "other"),
                ("IDENTITY_SERVER_THUMBPRINT", "ff0102030405060708090a0b0c0d0e0f10111213"),
                ("IDENTITY_ENDPOINT", "https://10.0.0.5/"),
            ],
        ),
        ("app_service", &[("IDENTITY_HEADER", "other"), ("IDENTITY_ENDPOINT", "http://127.0.0.1:8/")]),
        ("azure_ml", &[("MSI_SECRET", "other"), ("DEFAULT_IDENTITY_CLIENT_ID", "x"), ("MSI_ENDPOINT", "http://h/")]),
        ("cloud_shell", &[("MSI_ENDPOINT", "http://127.0.0.1:8/"), ("MSI_SECRET", "now it is another host")]),
        ("azure_arc", &[("IDENTITY_ENDPOINT", "http://127.0.0.1:8/")]),
        ("imds", &[("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:8")]),
    ];
    for ((source, env), (_, changes)) in HOSTS.into_iter().zip(changes) {
        let (world, fake) = world(env);
        let seen = host(&fake, || Ok(answer(200, TOKEN)));
        let fetched = || std::mem::take(&mut *seen.lock().unwrap()).len();
        ask(&made(&world, &[]).unwrap()).unwrap();
        let one = fetched();
        ask(&made(&world, &[]).unwrap()).unwrap();
        assert_eq!(fetched(), 0, "{source}: the same identity shares its token");
        for (name, value) in changes {
            fake.set(name, value);
            ask(&made(&world, &[]).unwrap()).unwrap();
            assert_eq!(fetched(), one, "{source}: another {name}");
        }
    }
}

/// An answer → what it is by name, and in a chain. `None` is a token.
type Case = (&'static str, fn() -> Answer, Option<ErrorKind>, Option<ErrorKind>);

fn broken(fault: HttpFault) -> Answer {
    Err(HttpError { fault, message: "it broke".into() })
}

#[test]
fn every_answer_of_the_hosts_that_the_environment_names() {
    use ErrorKind::{Failed, Transient, Unavailable};
    let nested =
        || Ok(answer(404, r#"{"error":{"code":"ManagedIdentityNotFound","message":"canary","correlationId":"c"}}"#));
    let cases: [Case; 17] = [
        ("a token", || Ok(answer(200, TOKEN)), None, None),
        ("nobody", || broken(HttpFault::Connect), Some(Transient), Some(Transient)),
        ("silence", || broken(HttpFault::Timeout), Some(Transient), Some(Transient)),
        ("another certificate", || broken(HttpFault::Tls), Some(Failed), Some(Failed)),
        ("a cut body", || broken(HttpFault::Broken), Some(Transient), Some(Unavailable)),
        ("a gigabyte", || broken(HttpFault::TooLarge), Some(Transient), Some(Unavailable)),
        (
            "a bad request",
            || Ok(answer(400, r#"{"error":"x","error_description":"canary"}"#)),
            Some(Failed),
            Some(Failed),
        ),
        ("refused", || Ok(answer(403, r#"{"error":{"code":"canary"}}"#)), Some(Failed), Some(Failed)),
        ("refused with its secret", || Ok(answer(401, r#"{"message":"no canary"}"#)), Some(Failed), Some(Failed)),
        ("no identity", nested, Some(Failed), Some(Failed)),
        ("throttled", || Ok(answer(429, "")), Some(Transient), Some(Transient)),
        ("trouble", || Ok(answer(500, r#"{"statusCode":500,"message":"canary"}"#)), Some(Transient), Some(Transient)),
        ("a page", || Ok(answer(503, "<html>canary")), Some(Transient), Some(Transient)),
        ("a redirect", || Ok(answer(302, "canary")), Some(Failed), Some(Failed)),
        ("no content", || Ok(answer(204, "")), Some(Failed), Some(Failed)),
        ("garbage", || Ok(answer(200, "<html>canary")), Some(Transient), Some(Unavailable)),
        (
            "an unreadable time",
            || Ok(answer(200, r#"{"access_token":"t","expires_on":"canary"}"#)),
            Some(Transient),
            Some(Unavailable),
        ),
    ];
    for (source, env) in HOSTS.into_iter().take(5) {
        for (title, reply, alone, chained) in cases {
            for (chain, expected) in [(false, alone), (true, chained)] {
                let (world, fake) = world(env);
                host(&fake, reply);
                let credential = made(&world, &[]).unwrap();
                let shown = format!("{credential:?}");
                let credential = if chain { Credential::chain(&[credential]).unwrap() } else { credential };
                let error = ask(&credential).err();
                assert_eq!(error.as_ref().map(Error::kind), expected, "{source}: {title}, chain {chain}: {error:?}");
                let shown = format!("{shown} {error:?} {}", error.as_ref().map_or("", Error::message));
                // Cloud Shell has no secret, so it may say the word.
                assert!(source == "cloud_shell" || !shown.contains("canary"), "{source}: {title}: {shown}");
                assert!(fake.slept().iter().all(|pause| pause.as_secs() < 60));
            }
        }
    }
}

#[test]
fn every_shape_of_a_token_is_read_or_said_to_be_wrong() {
    let good = [
        (r#""expires_on":1700003600"#, 3600),
        (r#""expires_on":"1700003600""#, 3600),
        (r#""expires_in":3600"#, 3600),
        (r#""expires_in":"3600","expires_on":"""#, 3600),
        (r#""expires_on":"2023-11-14T23:13:20Z""#, 3600),
        (r#""expires_on":"2023-11-14T23:13:20.5+00:00""#, 3600),
        (r#""expires_on":"11/14/2023 23:13:20 +00:00""#, 3600),
        (r#""expires_on":"11/14/2023 11:13:20 PM +00:00""#, 3600),
        (r#""expires_on":"11/14/2023 23:13:20""#, 3600),
        (r#""expires_on":"junk","expires_in":60"#, 60),
    ];
    let bad = [
        (r#"{"access_token":"t"}"#, "has neither expires_on nor expires_in"),
        (r#"{"access_token":"t","expires_in":-1}"#, "expired 1 s ago"),
        (r#"{"access_token":"t","expires_on":"-99999999999"}"#, "expired"),
        (r#"{"access_token":"t","expires_on":1700003600000}"#, "more than a year"),
        (r#"{"access_token":"t","expires_in":9223372036854775807}"#, "more than a year"),
        (r#"{"access_token":"t","expires_on":"99999999999999999999"}"#, "unreadable expires_on"),
        (r#"{"access_token":"t","expires_on":"13/40/2023 23:13:20 +00:00"}"#, "unreadable expires_on"),
        (r#"{"access_token":"t","expires_on":{}}"#, "unreadable expires_on"),
        (r#"{"access_token":7,"expires_in":60}"#, "JSON of an unexpected shape"),
        (r#"{"access_token":"a\nb","expires_in":60}"#, "characters that no token has"),
        (r#"{"expires_in":60}"#, "has no access_token"),
        (r#"{"access_token":"t","expires_in":36"#, "ends in the middle of its JSON"),
        ("null", "JSON of an unexpected shape"),
        ("", "is empty"),
        ("<html>", "is not JSON"),
    ];
    for (source, env) in HOSTS {
        for (times, life) in good {
            let (world, fake) = world(env);
            let body = format!(r#"{{"access_token":"tok","token_type":"Bearer",{times}}}"#);
            host(&fake, move || Ok(answer(200, &body)));
            let token = ask(&made(&world, &[]).unwrap()).unwrap();
            assert_eq!(token.expires_on(), fake.now() + life, "{source}: {times}");
        }
        for (body, expected) in bad {
            let (world, fake) = world(env);
            host(&fake, move || Ok(answer(200, body)));
            let error = ask(&made(&world, &[]).unwrap()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Transient, "{source}: {body}");
            assert!(error.message().contains(expected), "{source}: {body}: {error}");
        }
    }
}

#[test]
fn only_the_fabric_is_trusted_by_its_thumbprint() {
    for (source, env) in HOSTS {
        let (world, fake) = world(env);
        fake.serve(move |request| {
            let pinned = matches!(request.route, Route::Pinned(_));
            assert_eq!((pinned, request.url.starts_with("https")), (source == "service_fabric", pinned), "{source}");
            assert!(!matches!(request.route, Route::Authority(_)), "no managed identity request goes through a proxy");
            Ok(answer(400, ""))
        });
        ask(&made(&world, &[]).unwrap()).unwrap_err();
    }
}
