//! Several processes of one user, as worlds with one folder.
#![expect(clippy::disallowed_methods, reason = "a store is a folder, and these tests play with one")]

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::builder;
use crate::credential::Credential;
use crate::error::ErrorKind;
use crate::moment::Moment;
use crate::options::{Spelling, Value};
use crate::request::TokenRequest;
use crate::source::{Audience, Place, Want};
use crate::token::{CacheLevel, Provenance, Secret};
use crate::world::fake::{Fake, answer};

/// A folder in memory that is gone afterwards.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> Temporary {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = PathBuf::from(format!("/dev/shm/azcred-test-{}-{number}", std::process::id()));
        Temporary(path)
    }

    fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// A process whose IMDS gives tokens called `name` and a number.
    fn process(&self, name: &'static str) -> (World, Fake) {
        let (world, fake) = Fake::world();
        fake.set("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:40342");
        let number = AtomicUsize::new(0);
        fake.serve(move |_| {
            let number = number.fetch_add(1, Ordering::SeqCst);
            Ok(answer(200, &format!(r#"{{"access_token":"{name}{number}","expires_in":"86400"}}"#)))
        });
        (world.with_store(self.text()), fake)
    }

    fn files(&self) -> Vec<PathBuf> {
        let folder = std::fs::read_dir(self.0.join("v1")).unwrap();
        folder.map(|entry| entry.unwrap().path()).filter(|path| !path.ends_with("locks")).collect()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
        drop(std::fs::remove_file(&self.0));
    }
}

fn credential(world: &World) -> Credential {
    Credential::in_world(world.clone(), "ManagedIdentityCredential", vec![], Spelling::Snake).unwrap()
}

fn request() -> TokenRequest {
    TokenRequest::scope("https://storage.azure.com/.default")
}

fn get(world: &World) -> String {
    credential(world).get_token(&request()).unwrap().secret().to_owned()
}

#[test]
fn what_one_process_got_is_the_others_too() {
    let folder = Temporary::new();
    let (one, asked) = folder.process("one");
    let (other, silent) = folder.process("other");
    let token = credential(&one).get_token(&request()).unwrap();
    assert_eq!((token.secret(), token.cache_level()), ("one0", CacheLevel::Source));
    let shared = credential(&other).get_token(&request()).unwrap();
    assert_eq!((shared.secret(), shared.cache_level()), ("one0", CacheLevel::Store));
    assert_eq!(shared.expires_on(), token.expires_on());
    assert_eq!(shared.refresh_on(), token.refresh_on());
    assert_eq!(shared.provenance(), token.provenance());
    assert_eq!((asked.sent().len(), silent.sent().len()), (1, 0));
    assert_eq!(credential(&other).get_token(&request()).unwrap().cache_level(), CacheLevel::Process);
    let stored = other.stored().unwrap();
    assert_eq!(stored.folder, folder.0.join("v1"));
    let [label] = stored.tokens.as_slice() else { panic!("{stored:?}") };
    assert_eq!((label.scopes.as_str(), label.source.as_str()), ("https://storage.azure.com/.default", "imds"));
    assert_eq!((label.got, label.expires_on), (asked.now(), token.expires_on()));
    // Another resource, or another identity, is another entry.
    credential(&other).get_token(&TokenRequest::scope("https://vault.azure.net/.default")).unwrap();
    let options = vec![("client_id".to_owned(), Value::text("x"))];
    let named = Credential::in_world(other, "ManagedIdentityCredential", options, Spelling::Snake).unwrap();
    named.get_token(&request()).unwrap();
    assert_eq!((silent.sent().len(), folder.files().len()), (2, 3));
}

#[test]
fn a_chain_shares_its_members_tokens() {
    let folder = Temporary::new();
    let ((one, _), (other, silent)) = (folder.process("one"), folder.process("other"));
    get(&one);
    let chain = Credential::in_world(other, "DefaultAzureCredential", vec![], Spelling::Snake).unwrap();
    assert_eq!(chain.get_token(&request()).unwrap().secret(), "one0");
    assert_eq!(silent.sent().len(), 0);
}

#[test]
fn one_process_renews_for_all() {
    let folder = Temporary::new();
    let ((one, asked), (other, silent)) = (folder.process("one"), folder.process("other"));
    assert_eq!((get(&one), get(&other)), ("one0".to_owned(), "one0".to_owned()));
    for fake in [&asked, &silent] {
        fake.advance(80_000);
    }
    let renewed = |world: &World, text: &str| {
        (0..2000).any(|_| {
            // A renewal that nobody waits for.
            std::thread::sleep(Duration::from_millis(1));
            get(world) == text
        })
    };
    assert!(renewed(&one, "one1") && renewed(&other, "one1"));
    assert_eq!((asked.sent().len(), silent.sent().len()), (2, 0));
}

#[test]
fn a_refused_token_is_replaced_once() {
    let folder = Temporary::new();
    let ((one, asked), (other, silent)) = (folder.process("one"), folder.process("other"));
    let (first, second) = (credential(&one), credential(&other));
    assert_eq!((get(&one), get(&other)), ("one0".to_owned(), "one0".to_owned()));
    assert!(first.reject("one0") && second.reject("one0"));
    assert_eq!((get(&one), get(&other)), ("one1".to_owned(), "one1".to_owned()));
    assert_eq!((asked.sent().len(), silent.sent().len()), (2, 0));
    // Sooner than 30 s after that, nobody asks for yet another one.
    let (third, quiet) = folder.process("third");
    assert_eq!(get(&third), "one1");
    assert!(credential(&third).reject("one1"));
    assert_eq!((get(&third), quiet.sent().len()), ("one1".to_owned(), 0));
    quiet.advance(31);
    assert!(credential(&third).reject("one1"), "later they do");
    assert_eq!((get(&third), quiet.sent().len()), ("third0".to_owned(), 1));
}

#[test]
fn a_source_that_has_no_other_yet_is_asked_once_too() {
    let folder = Temporary::new();
    let worlds: Vec<(World, Fake)> = (0..5).map(|_| folder.process("x")).collect();
    for (_, fake) in &worlds {
        let expires_on = fake.now() + 86_400;
        fake.serve(move |_| Ok(answer(200, &format!(r#"{{"access_token":"same","expires_on":"{expires_on}"}}"#))));
    }
    assert!(worlds.iter().all(|(world, _)| get(world) == "same"));
    for (_, fake) in &worlds {
        fake.advance(50_000);
    }
    let flights = |world: &World| credential(world).statistics().flights;
    for (world, _) in &worlds {
        assert_eq!(get(world), "same");
        assert!((0..2000).any(|_| {
            std::thread::sleep(Duration::from_millis(1));
            flights(world) == 2
        }));
    }
    // The last flight may still be under way.
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(worlds.iter().map(|(_, fake)| fake.sent().len()).sum::<usize>(), 2);
}

#[test]
fn who_signs_in_meanwhile_is_not_taken_for_the_one_before() {
    let folder = Temporary::new();
    let tool = |token: &'static str, next: &'static str| {
        let (world, fake) = Fake::world();
        fake.set("PATH", "/usr/bin");
        fake.set("HOME", "/home/me");
        fake.write("/usr/bin/az", "");
        fake.write("/home/me/.azure/azureProfile.json", "one");
        let hands = fake.clone();
        fake.program(move |_| {
            // Somebody signs in while it runs.
            hands.write("/home/me/.azure/azureProfile.json", next);
            let stdout = format!(r#"{{"accessToken":"{token}","expires_on":1700003600}}"#);
            Ok(crate::world::Output { code: Some(0), stdout: stdout.into_bytes().into(), stderr: Vec::new() })
        });
        let world = world.with_store(folder.text());
        Credential::in_world(world, "AzureCliCredential", vec![], Spelling::Snake).unwrap()
    };
    assert_eq!(tool("of-other", "other").get_token(&request()).unwrap().secret(), "of-other");
    assert!(folder.files().is_empty());
    assert_eq!(tool("of-one", "one").get_token(&request()).unwrap().secret(), "of-one");
    let again = tool("never", "one").get_token(&request()).unwrap();
    assert_eq!((again.secret(), again.cache_level()), ("of-one", CacheLevel::Store));
}

#[test]
fn a_claims_challenge_is_answered_once() {
    let folder = Temporary::new();
    let ((one, asked), (other, silent)) = (folder.process("one"), folder.process("other"));
    get(&one);
    let challenged = TokenRequest { claims: Some(r#"{"access_token":{}}"#.to_owned()), ..request() };
    let secret = |world: &World| {
        let options = [("tenant_id", "t"), ("client_id", "c"), ("client_secret", "s")];
        let options = options.map(|(name, value)| (name.to_owned(), Value::text(value))).to_vec();
        Credential::in_world(world.clone(), "ClientSecretCredential", options, Spelling::Snake).unwrap()
    };
    let (first, second) = (secret(&one), secret(&other));
    let old = first.get_token(&request()).unwrap();
    assert_eq!(second.get_token(&request()).unwrap().secret(), old.secret());
    let before = asked.sent().len();
    let new = first.get_token(&challenged).unwrap();
    assert_ne!(new.secret(), old.secret());
    assert_eq!(second.get_token(&challenged).unwrap().secret(), new.secret());
    assert_eq!((asked.sent().len(), silent.sent().len()), (before + 1, 0));
}

#[test]
fn who_lacks_the_secret_has_another_entry() {
    let folder = Temporary::new();
    let ((one, _), (other, asked)) = (folder.process("one"), folder.process("other"));
    let with = |world: &World, secret: &str| {
        let options = [("tenant_id", "t"), ("client_id", "c"), ("client_secret", secret)];
        let options = options.map(|(name, value)| (name.to_owned(), Value::text(value))).to_vec();
        Credential::in_world(world.clone(), "ClientSecretCredential", options, Spelling::Snake).unwrap()
    };
    with(&one, "right").get_token(&request()).unwrap();
    let sealed = std::fs::read(&folder.files()[0]).unwrap();
    asked.answer(401, r#"{"error":"invalid_client","error_description":"AADSTS7000215: no"}"#);
    assert_eq!(with(&other, "wrong").get_token(&request()).unwrap_err().kind(), ErrorKind::Failed);
    // Neither by the name of the file, nor by another key.
    let wrong = Fingerprint::of("ClientSecretCredential", &["wrong"]);
    let key = Key::new(&wrong, Some("t"), "https://storage.azure.com/.default", false);
    assert!(Entry::open(&key, Folder::open(Some(folder.text())).unwrap().boot(), &sealed).is_none());
    for secret in ["right", "one0", "one1"] {
        assert!(!sealed.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret} is in the file");
    }
}

#[test]
fn an_error_is_for_those_who_waited() {
    let folder = Temporary::new();
    let (world, fake) = folder.process("one");
    fake.answer(400, r#"{"error":"invalid_request","error_description":"Identity not found"}"#);
    let source = builder::build(&world, "ManagedIdentityCredential", vec![], Spelling::Snake).unwrap();
    let (request, want, nobody) = (request(), Want::default(), || true);
    let ask =
        Ask { world: &world, request: &request, place: Place::Alone, audience: Audience::new(&nobody), want: &want };
    let visit = || Visit::new(&*source, &ask).unwrap();
    let before = visit().missed();
    visit().note(&Error::unavailable("no").with_code(Some("code".to_owned())));
    let error = visit().missed_since(before.as_ref()).unwrap();
    assert_eq!((error.kind(), error.message(), error.code()), (ErrorKind::Unavailable, "no", Some("code")));
    assert!(visit().missed_since(visit().missed().as_ref()).is_none(), "who comes later asks");
    let challenged = Want { claims: Some([1; 32]), ..Want::default() };
    let of_challenge = Ask { want: &challenged, ..ask };
    assert!(Visit::new(&*source, &of_challenge).unwrap().missed_since(before.as_ref()).is_none());
    let (elsewhere, fake) = folder.process("elsewhere");
    fake.set("HTTPS_PROXY", "http://proxy");
    let of_elsewhere = Ask { world: &elsewhere, ..ask };
    assert!(Visit::new(&*source, &of_elsewhere).unwrap().missed_since(before.as_ref()).is_none());
    let own = visit().missed();
    visit().note(&Error::transient("out of descriptors").own());
    assert!(visit().missed_since(own.as_ref()).is_none());
    let in_chain = Ask { place: Place::Chain, ..ask };
    assert!(Visit::new(&*source, &in_chain).unwrap().missed_since(before.as_ref()).is_none());
}

#[test]
fn damage_is_noticed_and_healed() {
    let folder = Temporary::new();
    let (one, asked) = folder.process("one");
    get(&one);
    let path = folder.files().remove(0);
    let whole = std::fs::read(&path).unwrap();
    let heals = |damage: &str, requests: usize| {
        let (other, fake) = folder.process("other");
        get(&other);
        assert_eq!(fake.sent().len(), requests, "{damage}");
        assert_eq!(get(&folder.process("third").0), get(&other), "{damage}: healed");
    };
    heals("none", 0);
    for at in (0..whole.len()).step_by(whole.len() / 40) {
        std::fs::write(&path, &whole[..at]).unwrap();
        heals("cut", 1);
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        std::fs::write(&path, &flipped).unwrap();
        heals("flipped", 1);
    }
    let elsewhere = Temporary::new();
    std::fs::write(&elsewhere.0, &whole).unwrap();
    for (damage, hurt) in [
        ("a link", (|path, other| symlink(other, path).unwrap()) as fn(&PathBuf, &PathBuf)),
        ("a second name", |path, other| std::fs::hard_link(other, path).unwrap()),
        ("open to all", |path, other| {
            std::fs::copy(other, path).unwrap();
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
        }),
        ("too large", |path, _| std::fs::write(path, vec![0; 300_000]).unwrap()),
    ] {
        std::fs::remove_file(&path).unwrap();
        hurt(&path, &elsewhere.0);
        heals(damage, 1);
    }
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let (other, fake) = folder.process("other");
    assert_eq!((get(&other).as_str(), fake.sent().len()), ("other0", 1), "a folder in its place");
    assert_eq!(asked.sent().len(), 1);
}

#[test]
fn a_folder_that_others_could_touch_is_not_used() {
    type Hurt = fn(&PathBuf);
    let hurt: [(&str, Hurt); 5] = [
        ("mode", |path| {
            std::fs::create_dir(path).unwrap();
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }),
        ("link", |path| symlink("/dev/shm", path).unwrap()),
        ("folder", |path| std::fs::write(path, "").unwrap()),
        ("folder", |path| symlink("/dev/null", path).unwrap()),
        ("mode", |path| {
            std::fs::create_dir_all(path.join("v1")).unwrap();
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).unwrap();
            std::fs::set_permissions(path.join("v1"), std::fs::Permissions::from_mode(0o750)).unwrap();
        }),
    ];
    for (word, hurt) in hurt {
        let folder = Temporary::new();
        hurt(&folder.0);
        let (world, fake) = folder.process("one");
        let reason = world.share.folder().unwrap_err();
        assert!(reason.contains(word) && reason.contains(folder.text()), "{reason}");
        assert_eq!((get(&world).as_str(), fake.sent().len()), ("one0", 1));
        // Where it is a folder of ours, on to the next.
        drop(std::fs::remove_dir_all(folder.0.join("v1")));
    }
    for (setting, word) in
        [("off", "off"), ("here", "absolute"), ("/proc/self", "link"), ("/nowhere/at/all", "No such")]
    {
        let reason = Share::at(setting).folder().unwrap_err();
        assert!(reason.contains(word), "{reason}");
    }
    let on_disk = std::env::temp_dir().join(format!("azcred-disk-{}", std::process::id()));
    let reason = Share::at(on_disk.to_str().unwrap()).folder();
    std::fs::remove_dir_all(&on_disk).unwrap();
    // A temporary folder may be in memory.
    assert!(reason.map_or_else(|reason| reason.contains("memory-backed"), |_| true));
}

#[test]
fn a_folder_that_vanishes_costs_no_token() {
    let folder = Temporary::new();
    let (one, asked) = folder.process("one");
    get(&one);
    std::fs::remove_dir_all(&folder.0).unwrap();
    let (other, fake) = folder.process("other");
    assert_eq!((get(&other).as_str(), fake.sent().len(), asked.sent().len()), ("other0", 1, 1));
    assert_eq!(get(&folder.process("third").0), "other0");
}

#[test]
fn a_slow_writer_brings_nothing_back() {
    let now = Moment { wall: 1_700_000_000, boot: 1000 };
    let entry = |text: &str, life: i64, want: &Want, before: Option<&Entry>| {
        let provenance = Provenance { credential: "X", source: "imds", tenant_id: None, client_id: None };
        let grant = Grant::new(Secret::new(text), now.wall + life, None, provenance);
        Entry::new(&grant, "scope", want, before, now)
    };
    let plain = Want::default();
    let refusing = Want { refused: Some(hash("old")), ..plain.clone() };
    let challenged = Want { claims: Some([1; 32]), ..plain.clone() };
    let old = entry("old", 7200, &plain, None);
    let new = entry("new", 3600, &refusing, Some(&old));
    assert!(old.outranks(&entry("older", 3600, &plain, None), now), "what dies sooner");
    assert!(!old.outranks(&entry("younger", 8000, &plain, None), now));
    assert!(!old.outranks(&new, now), "it was refused");
    assert!(new.outranks(&old, now), "what was refused");
    assert!(!old.outranks(&entry("challenged", 3600, &challenged, None), now));
    let again = entry("old", 7200, &refusing, Some(&old));
    assert!(!old.outranks(&again, now), "the source has no other");
    let later = Moment { wall: now.wall + 7180, boot: now.boot + 7180 };
    assert!(!old.outranks(&entry("older", 3600, &plain, None), later), "it is dead");
}
