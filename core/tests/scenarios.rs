//! The cache by data: `tests/scenarios/cache/*.json`, each scenario a sentence, steps on a fake clock, and what comes of them.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "the stage of a test, its patience and its files"
)]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use azcred::fake::Fake;
use azcred::{
    About, Ask, Credential, Error, ErrorKind, Fetch, Grant, Provenance, Secret, Source, Spelling, TokenRequest,
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    name: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Step {
    /// What the source answers from here on.
    Source {
        source: Answer,
    },
    /// Whether the source takes its time from here on.
    Stall {
        stall: bool,
    },
    /// A caller who gets this token.
    Gives {
        get: Wishes,
        gives: String,
    },
    /// A caller who gets this token, if not now then in a moment.
    Soon {
        get: Wishes,
        soon: String,
    },
    /// A caller who gets an error of this kind.
    Fails {
        get: Wishes,
        fails: String,
    },
    /// How often the source was asked until here.
    Asked {
        asked: usize,
    },
    /// How many flights brought a token until here.
    Landed {
        landed: usize,
    },
    /// How many flights brought none until here.
    Failures {
        failures: usize,
    },
    /// Seconds that pass, awake or asleep.
    Pass {
        pass: i64,
    },
    /// Seconds by which somebody sets the wall clock on, or back.
    Jump {
        jump: i64,
    },
    /// A resource refuses the token, and whether that leads to another one.
    Reject {
        reject: String,
        leads: bool,
    },
    Variable {
        variable: Variable,
    },
    /// A file that is written, or goes.
    File {
        file: File,
    },
}

#[derive(Clone, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Answer {
    Token { token: String, lives: i64, refresh_in: Option<i64> },
    Error { error: String, retry_after: Option<u64>, looks_at: Option<LooksAt> },
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum LooksAt {
    Variable(String),
    File(PathBuf),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wishes {
    scope: Option<String>,
    claims: Option<String>,
    #[serde(default)]
    min_ttl: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Variable {
    name: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    path: String,
    text: Option<String>,
}

const KINDS: [ErrorKind; 4] =
    [ErrorKind::Unavailable, ErrorKind::Failed, ErrorKind::Transient, ErrorKind::InvalidConfiguration];

/// A source that answers as it is told.
#[derive(Debug)]
struct Scripted {
    about: About,
    answer: Mutex<Option<Script>>,
    stalls: AtomicBool,
    asked: AtomicUsize,
    answered: AtomicUsize,
}

/// An answer, ready to be given.
#[derive(Clone)]
enum Script {
    Token { token: String, lives: i64, refresh_in: Option<i64> },
    Error { error: Error, looks_at: Option<LooksAt> },
}

impl From<Answer> for Script {
    fn from(answer: Answer) -> Script {
        match answer {
            Answer::Token { token, lives, refresh_in } => Script::Token { token, lives, refresh_in },
            Answer::Error { error, retry_after, looks_at } => {
                Script::Error { error: refused(&error, retry_after), looks_at }
            }
        }
    }
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Script")
    }
}

impl Source for Scripted {
    fn about(&self) -> &About {
        &self.about
    }

    fn fetch<'a>(&'a self, ask: &'a Ask<'a>) -> Fetch<'a> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            while self.stalls.load(Ordering::SeqCst) {
                tokio::task::yield_now().await;
            }
            let answer = self.answer.lock().unwrap().clone().expect("a scenario says what its source answers");
            self.answered.fetch_add(1, Ordering::SeqCst);
            match answer {
                Script::Token { token, lives, refresh_in } => {
                    let provenance =
                        Provenance { credential: "Scripted", source: "test", tenant_id: None, client_id: None };
                    let expires_on = ask.world.clock.now() + lives;
                    Ok(Grant::new(Secret::new(token), expires_on, refresh_in, provenance))
                }
                Script::Error { error, looks_at } => {
                    match looks_at {
                        Some(LooksAt::Variable(name)) => drop(ask.world.env.get(&name)),
                        Some(LooksAt::File(path)) => drop(ask.world.files.read(&path, 1024)),
                        None => {}
                    }
                    Err(error)
                }
            }
        })
    }
}

/// The error of a server that said so: `Retry-After` has no other way into an error.
fn refused(kind: &str, retry_after: Option<u64>) -> Error {
    let kind = *KINDS.iter().find(|known| known.name() == kind).expect("a kind of error");
    let Some(seconds) = retry_after else { return Error::new(kind, "no") };
    let (world, fake) = Fake::world();
    fake.set("IDENTITY_ENDPOINT", "http://127.0.0.1:1");
    fake.set("IDENTITY_HEADER", "h");
    fake.serve(move |_| {
        let headers = vec![("retry-after".to_owned(), seconds.to_string())];
        Ok(azcred::http::Response { headers, ..azcred::fake::answer(429, "{}") })
    });
    let credential = Credential::in_world(world, "ManagedIdentityCredential", Vec::new(), Spelling::Snake).unwrap();
    let error = credential.get_token(&TokenRequest::scope("x")).unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (kind, Some(Duration::from_secs(seconds))));
    error
}

struct Stage {
    source: Arc<Scripted>,
    credential: Credential,
    fake: Fake,
}

impl Stage {
    fn new() -> Stage {
        let (world, fake) = Fake::world();
        let source = Arc::new(Scripted {
            about: About::new("Scripted", &[], Duration::from_mins(1)),
            answer: Mutex::default(),
            stalls: AtomicBool::new(false),
            asked: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
        });
        let credential = Credential::from_source(Arc::clone(&source) as Arc<dyn Source>, world);
        Stage { source, credential, fake }
    }

    fn ask(&self, wishes: &Wishes) -> Result<String, Error> {
        let request = TokenRequest {
            claims: wishes.claims.clone(),
            min_ttl: wishes.min_ttl,
            timeout: Some(Duration::from_secs(20)),
            ..TokenRequest::scope(wishes.scope.as_deref().unwrap_or("scope"))
        };
        self.credential.get_token(&request).map(|token| token.secret().to_owned())
    }

    fn failures(&self) -> usize {
        usize::try_from(self.credential.statistics().failures).unwrap()
    }

    fn play(&self, step: Step) {
        match step {
            Step::Source { source } => *self.source.answer.lock().unwrap() = Some(source.into()),
            Step::Stall { stall } => self.source.stalls.store(stall, Ordering::SeqCst),
            Step::Gives { get, gives } => assert_eq!(self.ask(&get).unwrap(), gives),
            Step::Soon { get, soon } => until(|| self.ask(&get).unwrap(), &soon),
            Step::Fails { get, fails } => assert_eq!(self.ask(&get).unwrap_err().kind().name(), fails),
            Step::Asked { asked } => until(|| self.source.asked.load(Ordering::SeqCst), &asked),
            Step::Landed { landed } => until(|| self.landed(), &landed),
            Step::Failures { failures } => {
                until(|| self.failures(), &failures);
                self.landed();
            }
            Step::Pass { pass } => self.fake.advance(pass),
            Step::Jump { jump } => self.fake.jump(jump),
            Step::Reject { reject, leads } => assert_eq!(self.credential.reject(&reject), leads),
            Step::Variable { variable } => self.fake.set(&variable.name, &variable.text),
            Step::File { file: File { path, text: Some(text) } } => self.fake.write(&path, text),
            Step::File { file: File { path, text: None } } => self.fake.remove(&path),
        }
    }

    /// Flights whose token is in the cache: the driver, which does one thing after the other, comes to this call after it.
    fn landed(&self) -> usize {
        let answered = self.source.answered.load(Ordering::SeqCst) - self.failures();
        let (sender, receiver) = std::sync::mpsc::channel();
        self.credential
            .start(TokenRequest::scope("scope"), move |answer| sender.send(answer.is_ok()).unwrap())
            .unwrap();
        assert!(receiver.recv_timeout(Duration::from_secs(20)).unwrap());
        answered
    }
}

/// Waits for a value, for a few seconds.
fn until<T: PartialEq + std::fmt::Debug>(value: impl Fn() -> T, expected: &T) {
    let start = Instant::now();
    while value() != *expected && start.elapsed() < Duration::from_secs(10) {
        std::thread::yield_now();
    }
    assert_eq!(value(), *expected);
}

#[test]
fn scenarios() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios/cache");
    let mut played = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let scenarios: Vec<Scenario> = serde_json::from_slice(&std::fs::read(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for scenario in scenarios {
            let stage = Stage::new();
            for (number, step) in scenario.steps.into_iter().enumerate() {
                let name = &scenario.name;
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| stage.play(step)))
                    .unwrap_or_else(|_| panic!("{}: {name}: step {number}", path.display()));
            }
            played += 1;
        }
    }
    assert!(played >= 30, "{played}");
}
