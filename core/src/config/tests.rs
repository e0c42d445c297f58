//! Configurations, good and bad, in a fake world.

use super::*;
use crate::credential::Credential;
use crate::lease::Peek;
use crate::request::TokenRequest;
use crate::token::AccessToken;
use crate::world::fake::{Fake, answer};

const FILE: &str = "/etc/azcred/config.toml";

const GOOD: &str = r#"
[identities.storage]
credential = "managed_identity"
client_id = "11111111-1111-1111-1111-111111111111"

[identities.databases]
credential = "ManagedIdentityCredential"
client_id = { env = "DATABASES" }

[identities.ci]
credential = "client_secret"
tenant_id = "contoso.com"
client_id = "ci"
client_secret = { file = "/run/secrets/ci" }

[identities.both]
credential = "chain"
members = ["ci", "storage"]

[resources]
"https://*.documents.azure.com" = "databases"
"https://database.windows.net" = "databases"
"https://*" = "storage"
"#;

/// A host with this file, whose IMDS tells which identity was asked for.
fn host(file: &str) -> (World, Fake) {
    let (world, fake) = Fake::world();
    fake.write(FILE, file);
    fake.set("DATABASES", "22222222-2222-2222-2222-222222222222");
    fake.set("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:40342");
    fake.write("/run/secrets/ci", "s3cret\n");
    fake.serve(|request| {
        let url = request.url.as_str();
        let of = |name: &str| url.split(&format!("{name}=")).nth(1).and_then(|rest| rest.split('&').next());
        let client = of("client_id").unwrap_or(if url.contains("contoso") { "ci" } else { "system" });
        Ok(answer(200, &format!(r#"{{"access_token":"of-{client}","expires_in":"86400"}}"#)))
    });
    (world, fake)
}

fn credential(world: &World, identity: Option<&str>) -> Credential {
    let options = identity.map(|name| ("identity".to_owned(), Value::text(name))).into_iter().collect();
    Credential::in_world(world.clone(), NAME, options, Spelling::Snake).unwrap()
}

fn get(credential: &Credential, scope: &str) -> Result<AccessToken, String> {
    credential.get_token(&TokenRequest::scope(scope)).map_err(|error| error.message().to_owned())
}

fn text(credential: &Credential, scope: &str) -> String {
    get(credential, scope).unwrap().secret().to_owned()
}

const STORAGE: &str = "https://storage.azure.com/.default";
const COSMOS: &str = "https://a.documents.azure.com/.default";

#[test]
fn by_name_and_by_resource() {
    let (world, fake) = host(GOOD);
    let any = credential(&world, None);
    assert!(text(&any, STORAGE).starts_with("of-1111"));
    assert!(text(&any, COSMOS).starts_with("of-2222"));
    assert!(text(&any, "https://database.windows.net//.default").starts_with("of-2222"));
    assert!(text(&credential(&world, Some("databases")), STORAGE).starts_with("of-2222"));
    assert_eq!(text(&credential(&world, Some("ci")), STORAGE), "of-ci");
    assert_eq!(text(&credential(&world, Some("both")), COSMOS), "of-ci");
    assert!(fake.sent().iter().any(|request| request.contains("client_secret=s3cret&")), "without its newline");
    // The cache is that of the identity, whoever names it.
    let sent = fake.sent().len();
    let options = vec![("client_id".to_owned(), Value::text("11111111-1111-1111-1111-111111111111"))];
    let named = Credential::in_world(world.clone(), "ManagedIdentityCredential", options, Spelling::Snake).unwrap();
    assert!(text(&named, STORAGE).starts_with("of-1111"));
    assert_eq!(fake.sent().len(), sent);
    assert_eq!(
        any.get_token(&TokenRequest::scope(STORAGE)).unwrap().provenance().credential,
        "ManagedIdentityCredential"
    );
    assert!(any.statistics().hits > 0 && any.statistics().misses > 0);
    assert!(any.reject(&text(&any, COSMOS)));
    let report = world.host_identities();
    assert_eq!((report.path, report.error.is_none()), (Some(PathBuf::from(FILE)), true));
    assert_eq!(report.names, ["ci", "databases", "storage", "both"]);
}

#[test]
fn what_no_pattern_means_is_an_error_that_says_so() {
    let (world, _) = host(GOOD);
    let any = credential(&world, None);
    let error = get(&any, "api://app/.default").unwrap_err();
    assert!(error.contains("'api://app/.default'") && error.contains("[resources]") && error.contains(FILE), "{error}");
    let both = TokenRequest { scopes: vec![STORAGE.to_owned(), COSMOS.to_owned()], ..TokenRequest::default() };
    let error = any.get_token(&both).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    let error = get(&credential(&world, Some("other")), STORAGE).unwrap_err();
    assert!(error.contains("'other'") && error.contains("databases"), "{error}");
    let (world, fake) = host("[identities.only]\ncredential = \"managed_identity\"\n");
    assert_eq!(text(&credential(&world, None), "api://app/.default"), "of-system", "the only one there is");
    fake.remove(FILE);
    let (world, fake) = host("");
    fake.remove(FILE);
    let error = get(&credential(&world, None), STORAGE).unwrap_err();
    assert!(error.contains("AZCRED_CONFIG") && error.contains(FILE), "{error}");
}

#[test]
fn the_first_file_counts() {
    let (world, fake) = host("[identities.host]\ncredential = \"managed_identity\"\n");
    let only =
        |client: &str| format!("[identities.only]\ncredential = \"managed_identity\"\nclient_id = \"{client}\"\n");
    fake.set("HOME", "/home/me");
    let now = || text(&credential(&world, None), STORAGE);
    assert_eq!(now(), "of-system");
    for (name, value, path) in [
        ("HOME", "/home/me", "/home/me/.config/azcred/config.toml"),
        ("XDG_CONFIG_HOME", "/xdg", "/xdg/azcred/config.toml"),
        ("AZCRED_CONFIG", "/own.toml", "/own.toml"),
    ] {
        fake.set(name, value);
        fake.write(path, only(name));
        fake.advance(1);
        assert_eq!(now(), format!("of-{name}"));
    }
    fake.set("AZCRED_CONFIG", "own.toml");
    fake.advance(1);
    assert_eq!(now(), "of-AZCRED_CONFIG", "a bad setting keeps the last good one");
    assert!(world.host_identities().error.unwrap().message().contains("absolute path"));
}

#[test]
fn an_edit_is_seen_within_a_second_and_a_bad_one_keeps_the_last_good_one() {
    let (world, fake) = host(GOOD);
    let any = credential(&world, None);
    let peek = Peek { scopes: &[STORAGE], ..Peek::default() };
    assert!(text(&any, STORAGE).starts_with("of-1111"));
    let lease = any.lease(&peek).unwrap();
    assert!(lease.is_current() && lease.fresh().is_some());
    fake.write(FILE, GOOD.replace("\"https://*\" = \"storage\"", "\"https://*\" = \"databases\""));
    assert!(any.peek(&peek).unwrap().secret().starts_with("of-1111"), "not yet");
    fake.advance(1);
    assert!(!lease.is_current() && lease.fresh().is_none(), "nobody may go on with another identity's token");
    assert!(any.peek(&peek).is_none());
    assert!(text(&any, STORAGE).starts_with("of-2222"));
    fake.write(FILE, "[identities.storage]\ncredential = \"nothing\"\n");
    fake.advance(1);
    assert!(text(&any, STORAGE).starts_with("of-2222"));
    let error = world.host_identities().error.unwrap();
    assert!(error.message().starts_with("/etc/azcred/config.toml:1:13: identities.storage: credential: "), "{error}");
    fake.write(FILE, GOOD);
    fake.advance(1);
    assert!(text(&any, STORAGE).starts_with("of-1111"));
    assert!(world.host_identities().error.is_none());
}

#[test]
fn what_an_identity_lacks_is_its_own_error() {
    let (world, fake) = host(GOOD);
    fake.remove("/run/secrets/ci");
    let ci = credential(&world, Some("ci"));
    let error = get(&ci, STORAGE).unwrap_err();
    assert!(error.contains("identities.ci: option client_secret: /run/secrets/ci"), "{error}");
    assert!(text(&credential(&world, None), STORAGE).starts_with("of-1111"), "others are not harmed");
    assert!(get(&credential(&world, Some("both")), STORAGE).is_err());
    fake.write("/run/secrets/ci", "new");
    fake.advance(1);
    // So is what the environment lacks.
    fake.write(FILE, format!("{GOOD}\n[identities.pod]\ncredential = \"workload_identity\"\n"));
    fake.advance(1);
    let error = get(&credential(&world, Some("pod")), STORAGE).unwrap_err();
    assert!(error.contains(&format!("{FILE}:25:13: identities.pod: WorkloadIdentityCredential: ")), "{error}");
    assert!(text(&credential(&world, None), STORAGE).starts_with("of-1111"));
    assert!(world.host_identities().error.is_none());
    // An edit that makes nothing of what was good keeps that.
    fake.write(FILE, GOOD.replace("tenant_id = \"contoso.com\"\n", ""));
    fake.advance(1);
    assert_eq!(text(&ci, STORAGE), "of-ci");
    let trouble = world.host_identities().error.unwrap();
    assert!(trouble.message().contains("identities.ci: ClientSecretCredential: option tenant_id"), "{trouble}");
    fake.write(FILE, GOOD);
    fake.advance(1);
    assert!(world.host_identities().error.is_none());
    assert_eq!(text(&ci, STORAGE), "of-ci");
    assert!(fake.sent().iter().any(|request| request.contains("client_secret=new&")));
}

#[test]
fn mistakes_have_their_place() {
    let identity = "[identities.a]\ncredential = \"client_secret\"\ntenant_id = \"t\"\nclient_id = \"c\"\n";
    for (file, expected) in [
        ("[identities", "1:12: "),
        ("[identity]\n", "1:2: unknown section 'identity': expected identities or resources"),
        (
            "\n\n[resources]\n\"https://*\" = \"a\"\n",
            "4:16: resources.\"https://*\": no identity is called 'a': expected one of none is configured",
        ),
        ("[identities.a]\n", "1:13: identities.a: expected credential = "),
        ("[identities.a]\ncredential = 5\n", "2:14: identities.a: credential: expected text, got a whole number"),
        (
            "[identities.a]\ncredential = \"x\"\n",
            "1:13: identities.a: credential: unknown 'x': expected managed_identity, ",
        ),
        ("identities = 5\n", "1:14: identities: expected a table, got a whole number"),
        (
            &format!("{identity}client_secret = \"canary\"\n"),
            "5:17: identities.a: option client_secret: a secret is not written here: expected { file = ",
        ),
        (
            &format!("{identity}client_secret = {{ env = \"\" }}\n"),
            "5:17: identities.a: option client_secret: env: expected text, got empty text",
        ),
        (
            &format!("{identity}client_secret = {{ env = \"DATABASES\" }}\ncolour = \"red\"\n"),
            "6:10: identities.a: ClientSecretCredential: unknown option colour; it takes ",
        ),
        (
            &format!("{identity}client_secret = {{ env = \"DATABASES\" }}\nretry_total = \"red\"\n"),
            "6:15: identities.a: ClientSecretCredential: option retry_total: expected a number",
        ),
        (identity, "1:13: identities.a: ClientSecretCredential: option client_secret: expected a value, got none"),
        ("[identities.a]\ncredential = \"chain\"\n", "1:13: identities.a: expected members = "),
        (
            "[identities.a]\ncredential = \"chain\"\nmembers = [\"b\"]\n",
            "3:12: identities.a: members: no identity is called 'b'",
        ),
        (
            "[identities.a]\ncredential = \"chain\"\nmembers = [\"a\"]\n",
            "3:12: identities.a: members: 'a' is a chain itself",
        ),
        ("[identities.a]\ncredential = \"environment\"\nmembers = [\"a\"]\n", "3:12: identities.a: members are for "),
        (
            "[identities.a]\ncredential = \"managed_identity\"\n[resources]\n\"https://**\" = \"a\"\n",
            "4:1: resources.\"https://**\": expected single '*'s",
        ),
        (
            "[identities.a]\ncredential = \"managed_identity\"\n[resources]\n\"https://a\" = \"a\"\n\"https://A/\" = \"a\"\n",
            "the same resource is there before",
        ),
    ] {
        let (world, _) = host(file);
        let error = get(&credential(&world, Some("a")), STORAGE).unwrap_err();
        let place = format!("{FILE}:{expected}");
        assert!(
            error.starts_with(&place) || (expected.starts_with("the") && error.contains(expected)),
            "{error}\n{place}"
        );
        assert!(!error.contains("canary"), "{error}");
    }
    let (world, fake) = host("");
    fake.write(FILE, b"[identities.a]\n# \xff".to_vec());
    let error = get(&credential(&world, None), STORAGE).unwrap_err();
    assert_eq!(error, format!("{FILE}:2:3: expected UTF-8"));
}

#[test]
fn pins_refuse_anybody_else() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    let file = |pin: &str| format!("[identities.a]\ncredential = \"managed_identity\"\n{pin}\n");
    let jwt = |claims: &str| format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims));
    for (pin, token, problem) in [
        ("expected_tenant_id = \"T\"", jwt(r#"{"tid":"t","oid":"o"}"#), None),
        ("expected_tenant_id = \"t\"\nexpected_object_id = \"o\"", jwt(r#"{"tid":"t","oid":"o"}"#), None),
        (
            "expected_tenant_id = \"t\"",
            jwt(r#"{"tid":"x","oid":"o"}"#),
            Some("expected_tenant_id is t, the token's is x"),
        ),
        (
            "expected_object_id = \"o\"",
            jwt(r#"{"tid":"t","oid":"x"}"#),
            Some("expected_object_id is o, the token's is x"),
        ),
        ("expected_object_id = \"o\"", "opaque".to_owned(), Some("does not say whom it speaks for")),
        ("expected_object_id = \"o\"", jwt(r#"{"tid":"t"}"#), Some("does not say whom it speaks for")),
    ] {
        let (world, fake) = host(&file(pin));
        fake.answer(200, &format!(r#"{{"access_token":"{token}","expires_in":"86400"}}"#));
        let answer = get(&credential(&world, None), STORAGE);
        match problem {
            None => assert_eq!(answer.unwrap().secret(), token),
            Some(problem) => assert!(answer.as_ref().unwrap_err().contains(problem), "{answer:?}"),
        }
        // Who has no pin has a cache of its own.
        let free = Credential::in_world(world, "ManagedIdentityCredential", vec![], Spelling::Snake).unwrap();
        assert_eq!(text(&free, STORAGE), token);
    }
}

#[test]
fn a_chain_asks_the_host() {
    let (world, fake) = host(GOOD);
    let members = [
        Credential::in_world(world.clone(), "AzureCliCredential", vec![], Spelling::Snake).unwrap(),
        credential(&world, Some("databases")),
    ];
    let chain = Credential::chain(&members).unwrap();
    assert!(text(&chain, STORAGE).starts_with("of-2222"));
    fake.write(FILE, GOOD.replace("{ env = \"DATABASES\" }", "\"33333333-3333-3333-3333-333333333333\""));
    fake.advance(1);
    assert!(text(&chain, STORAGE).starts_with("of-3333"), "a chain's own token ends with an edit");
}

#[test]
fn who_signed_in_stays_signed_in_whatever_else_is_edited() {
    let file = "[identities.me]\ncredential = \"device_code\"\n";
    let (world, fake) = host(file);
    let me = credential(&world, Some("me"));
    assert!(me.authentication(TokenRequest::default()).is_ok());
    assert!(credential(&world, Some("other")).authentication(TokenRequest::default()).is_err());
    let identity = || world.config.identities(&world, Some("me"));
    let before = identity();
    fake.write(FILE, format!("{file}[identities.other]\ncredential = \"managed_identity\"\n"));
    fake.advance(1);
    assert_eq!(identity(), before);
    assert_eq!(world.config.identities(&world, None).len(), 2);
    let other = credential(&world, Some("other"));
    assert!(other.authentication(TokenRequest::default()).unwrap_err().message().contains("no user"));
    fake.write(FILE, format!("{file}client_id = \"x\"\n"));
    fake.advance(1);
    assert_ne!(identity(), before);
}

#[test]
fn pins_of_the_host_are_in_its_configuration() {
    let (world, _) = host(GOOD);
    let options = vec![("expected_tenant_id".to_owned(), Value::text("t"))];
    let error = Credential::in_world(world, NAME, options, Spelling::Snake).unwrap_err();
    assert_eq!(error.message(), "HostCredential: unknown option expected_tenant_id; it takes identity");
}

#[test]
fn an_identity_that_is_not_for_this_process_disturbs_no_other() {
    let (world, fake) = host(&format!("{GOOD}\n[identities.pod]\ncredential = \"workload_identity\"\n"));
    let any = credential(&world, None);
    assert!(text(&any, STORAGE).starts_with("of-1111"));
    let lease = any.lease(&Peek { scopes: &[STORAGE], ..Peek::default() }).unwrap();
    for _ in 0..20 {
        fake.advance(1);
        assert!(get(&credential(&world, Some("pod")), STORAGE).is_err());
        assert!(lease.is_current());
    }
}

#[test]
fn what_could_not_be_read_is_read_again_though_nothing_shows() {
    /// Files that can't be opened for a while, though they are there as they were.
    #[derive(Debug)]
    struct Shut(Fake, std::sync::atomic::AtomicBool);

    impl crate::world::Files for Shut {
        fn read(&self, path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
            crate::world::Files::read(&self.0, path, limit)
        }

        fn read_guarded(&self, folder: &Path, name: &str, limit: u64) -> std::io::Result<zeroize::Zeroizing<Vec<u8>>> {
            self.0.read_guarded(folder, name, limit)
        }

        fn read_trusted(&self, path: &Path, limit: u64) -> std::io::Result<zeroize::Zeroizing<Vec<u8>>> {
            if self.1.load(Ordering::Relaxed) {
                return Err(std::io::Error::other("too many open files"));
            }
            self.0.read_trusted(path, limit)
        }

        fn exists(&self, path: &Path) -> bool {
            self.0.exists(path)
        }

        fn is_executable(&self, path: &Path) -> bool {
            self.0.is_executable(path)
        }

        fn stamp(&self, path: &Path) -> Option<crate::world::Stamp> {
            self.0.stamp(path)
        }
    }

    let (mut world, fake) = host(GOOD);
    let files = Arc::new(Shut(fake.clone(), true.into()));
    world.files = Arc::<Shut>::clone(&files);
    let any = credential(&world, None);
    assert!(get(&any, STORAGE).unwrap_err().contains("too many open files"));
    files.1.store(false, Ordering::Relaxed);
    fake.advance(5);
    assert!(text(&any, STORAGE).starts_with("of-1111"));
}
