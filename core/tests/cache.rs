//! The cache seen from outside: one flight, live tokens never withheld, dead ones never served.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test's own source, and its patience")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::time::Duration;

use azcred::fake::{Fake, answer};
use azcred::{
    About, Ask, CacheLevel, Cancel, Credential, Error, ErrorKind, Fetch, Grant, Peek, Provenance, Secret, Source,
    Spelling, TokenRequest,
};
use tokio::sync::Semaphore;

/// A source whose answers wait until they are let through.
#[derive(Debug)]
struct Gated {
    about: About,
    asked: AtomicUsize,
    through: Semaphore,
    answers: Mutex<Vec<Result<i64, Error>>>,
}

impl Gated {
    /// Lives and errors in the order in which they are given; the last one stays.
    fn of(answers: Vec<Result<i64, Error>>) -> Arc<Gated> {
        Arc::new(Gated {
            about: About::new("Gated", &[], Duration::from_secs(20)),
            asked: AtomicUsize::new(0),
            through: Semaphore::new(0),
            answers: Mutex::new(answers),
        })
    }

    fn let_through(&self, flights: usize) {
        self.through.add_permits(flights);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Source for Gated {
    fn about(&self) -> &About {
        &self.about
    }

    fn fetch<'a>(&'a self, ask: &'a Ask<'a>) -> Fetch<'a> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            self.through.acquire().await.unwrap().forget();
            let answer = {
                let mut answers = self.answers.lock().unwrap();
                if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() }
            };
            let provenance = Provenance { credential: "Gated", source: "test", tenant_id: None, client_id: None };
            let text = Secret::new(format!("token-{number}"));
            Ok(Grant::new(text, ask.world.clock.now() + answer?, None, provenance))
        })
    }
}

fn setup(answers: Vec<Result<i64, Error>>) -> (Credential, Arc<Gated>, Fake) {
    let (world, fake) = Fake::world();
    let source = Gated::of(answers);
    (Credential::from_source(Arc::clone(&source) as Arc<dyn Source>, world), source, fake)
}

fn request() -> TokenRequest {
    TokenRequest { timeout: Some(Duration::from_secs(10)), ..TokenRequest::scope("s") }
}

fn trouble() -> Error {
    Error::new(ErrorKind::Transient, "trouble")
}

/// Waits until a source was asked so often.
fn until_asked(source: &Gated, times: usize) {
    let start = std::time::Instant::now();
    while source.asked() < times {
        assert!(start.elapsed() < Duration::from_secs(20), "asked {} times, not {times}", source.asked());
        std::thread::yield_now();
    }
}

/// Waits until the driver has done all it could do before this call: its queue is served in order.
fn until_landed() {
    let (credential, source, _) = setup(vec![Ok(3600)]);
    source.let_through(1);
    let (sender, done) = mpsc::channel();
    credential.start(request(), move |answer| sender.send(answer.is_ok()).unwrap()).unwrap();
    assert!(done.recv().unwrap());
}

#[test]
fn two_hundred_threads_cause_one_fetch() {
    let (credential, source, _) = setup(vec![Ok(3600)]);
    let barrier = Arc::new(Barrier::new(201));
    let threads: Vec<_> = (0..200)
        .map(|_| {
            let (credential, barrier) = (credential.clone(), Arc::clone(&barrier));
            std::thread::spawn(move || {
                barrier.wait();
                credential.get_token(&request()).unwrap().secret().to_owned()
            })
        })
        .collect();
    barrier.wait();
    until_asked(&source, 1);
    source.let_through(1);
    for thread in threads {
        assert_eq!(thread.join().unwrap(), "token-0");
    }
    assert_eq!(source.asked(), 1);
}

#[test]
fn waiters_share_an_error_and_the_next_call_asks_again() {
    let (credential, source, _) = setup(vec![Err(trouble()), Ok(3600)]);
    let (sender, answers) = mpsc::channel();
    for _ in 0..50 {
        let sender = sender.clone();
        credential.start(request(), move |answer| sender.send(answer).unwrap()).unwrap();
    }
    until_asked(&source, 1);
    until_landed();
    source.let_through(1);
    for _ in 0..50 {
        assert_eq!(answers.recv().unwrap().unwrap_err().kind(), ErrorKind::Transient);
    }
    assert_eq!(source.asked(), 1);
    source.let_through(1);
    assert!(credential.get_token(&request()).is_ok(), "no failure outlives its cause");
}

#[test]
fn a_live_token_never_waits_for_its_renewal() {
    let (credential, source, fake) = setup(vec![Ok(3600)]);
    source.let_through(1);
    let first = credential.get_token(&request()).unwrap();
    assert_eq!(first.cache_level(), CacheLevel::Source);
    fake.advance(3350);
    // Renewal is due and stalls: everybody gets the old one at once, and one fetch is under way.
    for _ in 0..100 {
        let token = credential.get_token(&request()).unwrap();
        assert!(token.is_same(&first));
        assert_eq!(token.cache_level(), CacheLevel::Process);
    }
    until_asked(&source, 2);
    source.let_through(1);
    let fresh = loop {
        let token = credential.get_token(&request()).unwrap();
        if !token.is_same(&first) {
            break token;
        }
        std::thread::yield_now();
    };
    assert_eq!((fresh.secret(), source.asked()), ("token-1", 2));
}

#[test]
fn a_failed_renewal_rests_while_the_token_lives() {
    let (credential, source, fake) = setup(vec![Ok(3600), Err(trouble()), Ok(3600)]);
    source.let_through(1);
    let first = credential.get_token(&request()).unwrap();
    fake.advance(3350);
    assert!(credential.get_token(&request()).unwrap().is_same(&first));
    until_asked(&source, 2);
    source.let_through(1);
    until_landed();
    // However often it is asked for now, nobody asks the source until the rest of at least 30 s is over.
    for _ in 0..1000 {
        assert!(credential.get_token(&request()).unwrap().is_same(&first));
    }
    assert_eq!(source.asked(), 2);
    fake.advance(60);
    assert!(credential.get_token(&request()).unwrap().is_same(&first));
    until_asked(&source, 3);
    source.let_through(1);
}

#[test]
fn an_expired_token_is_never_returned() {
    let (credential, source, fake) = setup(vec![Ok(3600), Err(trouble())]);
    source.let_through(1);
    credential.get_token(&request()).unwrap();
    fake.advance(3571);
    source.let_through(1);
    assert_eq!(credential.get_token(&request()).unwrap_err().kind(), ErrorKind::Transient);
}

#[test]
fn a_token_lives_as_long_as_asked() {
    let (credential, source, fake) = setup(vec![Ok(3600)]);
    source.let_through(3);
    credential.get_token(&request()).unwrap();
    assert!(credential.get_token(&TokenRequest { min_ttl: 3000, ..request() }).is_ok());
    assert_eq!(source.asked(), 1);
    for (asked, pause) in [(2, 0), (2, 0), (2, 4), (3, 1), (3, 0)] {
        fake.advance(pause);
        let error = credential.get_token(&TokenRequest { min_ttl: 7200, ..request() }).unwrap_err();
        assert!(error.message().contains(" s, less than the 7200 s asked for"), "{error}");
        assert_eq!(source.asked(), asked, "that there is none stands for a moment");
    }
}

#[test]
fn claims_replace_the_token_once() {
    let (credential, source, _) = setup(vec![Ok(3600)]);
    source.let_through(3);
    let first = credential.get_token(&request()).unwrap();
    let challenged = TokenRequest { claims: Some(r#"{"access_token":{}}"#.into()), ..request() };
    let second = credential.get_token(&challenged).unwrap();
    assert!(!second.is_same(&first));
    assert!(credential.get_token(&challenged).unwrap().is_same(&second), "got with these claims already");
    assert!(credential.get_token(&request()).unwrap().is_same(&second), "the next call carries no claims");
    assert_eq!(source.asked(), 2);
}

#[test]
fn leaving_early_harms_nobody() {
    let (credential, source, _) = setup(vec![Ok(3600)]);
    let cancel = Cancel::new();
    let (sender, left) = mpsc::channel();
    credential
        .start(TokenRequest { cancel: Some(cancel.clone()), ..request() }, move |answer| sender.send(answer).unwrap())
        .unwrap();
    until_asked(&source, 1);
    cancel.trigger();
    assert_eq!(left.recv().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    let hasty = TokenRequest { timeout: Some(Duration::from_millis(20)), ..request() };
    let error = credential.get_token(&hasty).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::TimedOut, "no token within the 20 ms the caller allowed"));
    let waiting = TokenRequest { cancel: Some(cancel), ..request() };
    assert_eq!(credential.get_token(&waiting).unwrap_err().kind(), ErrorKind::Cancelled, "triggered before");
    let elsewhere = TokenRequest { scopes: vec!["elsewhere".into()], ..waiting };
    assert_eq!(credential.get_token(&elsewhere).unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(source.asked(), 1, "who was told to leave asks nobody");
    source.let_through(1);
    assert_eq!(credential.get_token(&request()).unwrap().secret(), "token-0");
    assert_eq!(source.asked(), 1);
}

#[test]
fn equal_requests_share_and_unequal_ones_do_not() {
    let (credential, source, _) = setup(vec![Ok(3600)]);
    source.let_through(10);
    let of = |scopes: &[&str], cae| TokenRequest {
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        enable_cae: cae,
        ..request()
    };
    let first = credential.get_token(&of(&["a", "b"], false)).unwrap();
    assert!(credential.get_token(&of(&["b", "a", "b"], false)).unwrap().is_same(&first));
    assert!(credential.get_token(&of(&["a", "b"], true)).unwrap().is_same(&first), "this source knows no CAE");
    for other in [of(&["a"], false), of(&["a b"], false)] {
        let token = credential.get_token(&other);
        assert!(!token.is_ok_and(|token| token.is_same(&first)));
    }
    assert_eq!(source.asked(), 2, "'a b' is no scope");
}

#[test]
fn a_panic_in_a_source_is_an_error() {
    #[derive(Debug)]
    struct Panics(About);
    impl Source for Panics {
        fn about(&self) -> &About {
            &self.0
        }
        fn fetch<'a>(&'a self, _: &'a Ask<'a>) -> Fetch<'a> {
            Box::pin(async { panic!("on purpose, in a test") })
        }
    }
    let (world, _) = Fake::world();
    let source = Arc::new(Panics(About::new("Panics", &[], Duration::from_secs(5))));
    let credential = Credential::from_source(source, world);
    for _ in 0..2 {
        assert_eq!(credential.get_token(&request()).unwrap_err().kind(), ErrorKind::Internal);
    }
}

#[test]
fn nobody_waits_on_the_drivers_own_thread() {
    let (credential, _, _) = setup(vec![Err(trouble())]);
    let (sender, answers) = mpsc::channel();
    let inner = credential.clone();
    let hasty = TokenRequest { timeout: Some(Duration::from_millis(1)), ..request() };
    credential.start(hasty, move |_| sender.send(inner.get_token(&request())).unwrap()).unwrap();
    let error = answers.recv().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("from a callback"), "{error}");
}

#[tokio::test]
async fn async_rust_needs_no_runtime_of_ours() {
    let (credential, source, _) = setup(vec![Ok(3600)]);
    source.let_through(1);
    assert_eq!(credential.get_token_async(request()).await.unwrap().secret(), "token-0");
}

#[test]
fn a_lease_ends_with_a_refusal_and_finds_the_next_token() {
    let (world, fake) = Fake::world();
    fake.set("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1");
    let hands = fake.clone();
    fake.serve(move |_| {
        let number = hands.sent().len();
        Ok(answer(200, &format!(r#"{{"access_token":"token-{number}","expires_in":86400}}"#)))
    });
    let credential = Credential::in_world(world, "ManagedIdentityCredential", Vec::new(), Spelling::Snake).unwrap();
    let request = TokenRequest::scope("scope");
    let first = credential.get_token(&request).unwrap();
    let lease = credential.lease(&Peek { scopes: &["scope"], ..Peek::default() }).unwrap();
    assert!(lease.is_current() && lease.token().is_same(&first));
    assert!(credential.reject(first.secret()));
    assert!(!lease.is_current() && lease.fresh().is_none());
    let second = credential.get_token(&request).unwrap();
    assert!(!lease.is_current(), "it is for another token");
    assert!(lease.fresh().is_some_and(|token| token.is_same(&second)), "its place has the next one");
}
