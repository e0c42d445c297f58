//! A world of one's own: a clock that moves when told, an environment, files, an HTTP script and programs.
//!
//! For tests of credentials and of programs that use them; nothing here touches the machine.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use super::{
    Boxed, Clock, Command, Console, Env, Files, Http, Landing, LandingAt, Landings, Output, ProcessError, Processes,
    Stamp, Visit, World,
};
use crate::cache::Cache;
use crate::share::Share;
use crate::wire::http::{HttpError, HttpFault, Request, Response};
use crate::wire::page::Page;
use crate::wire::redirect::Redirect;

/// What a fake server answers.
pub type Answer = Result<Response, HttpError>;
type Server = Box<dyn Fn(&Request) -> Answer + Send + Sync>;
type Browser = Box<dyn Fn(&Launched) -> std::io::Result<Vec<Redirect>> + Send + Sync>;
type Program = Box<dyn Fn(&Command) -> Result<Output, ProcessError> + Send + Sync>;

/// A program that was started and left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launched {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// The port of a fake landing that asked for none.
pub const PORT: u16 = 50_000;

/// The hands on a fake world. Clones move the same world.
#[derive(Clone)]
pub struct Fake(Arc<Inner>);

struct Inner {
    now: AtomicI64,
    boot: AtomicI64,
    slept: Mutex<Vec<Duration>>,
    env: Mutex<HashMap<String, String>>,
    files: Mutex<HashMap<PathBuf, Vec<u8>>>,
    server: Mutex<Server>,
    program: Mutex<Program>,
    sent: Mutex<Vec<String>>,
    ran: Mutex<Vec<Command>>,
    told: Mutex<Vec<String>>,
    browser: Mutex<Browser>,
    launched: Mutex<Vec<Launched>>,
    landed: Mutex<Vec<LandingAt>>,
    /// The way into the landing that was opened last.
    way: Mutex<Result<Option<mpsc::UnboundedSender<Redirect>>, String>>,
    pages: Mutex<Vec<Page>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Fake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fake")
    }
}

impl Fake {
    /// An empty world at Unix time 1,700,000,000, in which nobody answers, and the hands to move it.
    pub fn world() -> (World, Fake) {
        let fake = Fake(Arc::new(Inner {
            now: AtomicI64::new(1_700_000_000),
            boot: AtomicI64::new(1000),
            slept: Mutex::default(),
            env: Mutex::default(),
            files: Mutex::default(),
            server: Mutex::new(Box::new(|_| {
                Err(HttpError { fault: HttpFault::Connect, message: "connection refused".into() })
            })),
            program: Mutex::new(Box::new(|_| {
                Err(ProcessError::Start(std::io::Error::from(std::io::ErrorKind::NotFound)))
            })),
            sent: Mutex::default(),
            ran: Mutex::default(),
            told: Mutex::default(),
            browser: Mutex::new(Box::new(|_| Err(std::io::ErrorKind::NotFound.into()))),
            launched: Mutex::default(),
            landed: Mutex::default(),
            way: Mutex::new(Ok(None)),
            pages: Mutex::default(),
        }));
        let world = World {
            clock: Arc::new(fake.clone()),
            env: Arc::new(fake.clone()),
            files: Arc::new(fake.clone()),
            http: Arc::new(fake.clone()),
            processes: Arc::new(fake.clone()),
            console: Arc::new(fake.clone()),
            landings: Arc::new(fake.clone()),
            cache: Arc::new(Cache::new()),
            share: Arc::new(Share::off()),
            config: Arc::default(),
        };
        (world, fake)
    }

    /// Lets `seconds` pass, whether the host is awake or asleep.
    pub fn advance(&self, seconds: i64) {
        self.0.now.fetch_add(seconds, Ordering::SeqCst);
        self.0.boot.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Sets the wall clock on by `seconds`, or back, while no time passes.
    pub fn jump(&self, seconds: i64) {
        self.0.now.fetch_add(seconds, Ordering::SeqCst);
    }

    /// The fake wall time in Unix seconds.
    pub fn now(&self) -> i64 {
        self.0.now.load(Ordering::SeqCst)
    }

    /// Sets an environment variable.
    pub fn set(&self, name: &str, value: &str) {
        lock(&self.0.env).insert(name.into(), value.into());
    }

    /// Removes a file.
    pub fn remove(&self, path: &str) {
        lock(&self.0.files).remove(Path::new(path));
    }

    /// Writes a file; every fake file is executable.
    pub fn write(&self, path: &str, content: impl Into<Vec<u8>>) {
        lock(&self.0.files).insert(path.into(), content.into());
    }

    /// Puts a server into the world that answers every request.
    pub fn serve(&self, server: impl Fn(&Request) -> Answer + Send + Sync + 'static) {
        *lock(&self.0.server) = Box::new(server);
    }

    /// Puts a server into the world that always gives this JSON with this status.
    pub fn answer(&self, status: u16, body: &str) {
        let body = body.to_owned();
        self.serve(move |_| Ok(answer(status, &body)));
    }

    /// Puts a program behind every path.
    pub fn program(&self, program: impl Fn(&Command) -> Result<Output, ProcessError> + Send + Sync + 'static) {
        *lock(&self.0.program) = Box::new(program);
    }

    /// Puts a browser behind every path: what it brings comes to the open landing, visit by visit.
    pub fn browser(&self, browser: impl Fn(&Launched) -> std::io::Result<Vec<Redirect>> + Send + Sync + 'static) {
        *lock(&self.0.browser) = Box::new(browser);
    }

    /// Lets a visit come to the landing that is open; nobody is there to get it where none is.
    pub fn visit(&self, redirect: Redirect) {
        if let Ok(Some(way)) = &*lock(&self.0.way) {
            // A landing that was dropped gets no more.
            drop(way.send(redirect));
        }
    }

    /// Lets every landing fail to open from now on, with this sentence.
    pub fn refuse_landings(&self, sentence: &str) {
        *lock(&self.0.way) = Err(sentence.to_owned());
    }

    /// Each program started and left alone so far.
    pub fn launched(&self) -> Vec<Launched> {
        lock(&self.0.launched).clone()
    }

    /// Each landing opened so far.
    pub fn landed(&self) -> Vec<LandingAt> {
        lock(&self.0.landed).clone()
    }

    /// The pages that visits were answered with so far.
    pub fn pages(&self) -> Vec<Page> {
        lock(&self.0.pages).clone()
    }

    /// Method, URL and body of each request so far, secrets included.
    pub fn sent(&self) -> Vec<String> {
        lock(&self.0.sent).clone()
    }

    /// Each program started so far.
    pub fn ran(&self) -> Vec<Command> {
        lock(&self.0.ran).clone()
    }

    /// The lines shown to the user so far.
    pub fn told(&self) -> Vec<String> {
        lock(&self.0.told).clone()
    }

    /// The pauses taken so far.
    pub fn slept(&self) -> Vec<Duration> {
        lock(&self.0.slept).clone()
    }
}

/// An answer with a status and a JSON body.
pub fn answer(status: u16, body: &str) -> Response {
    Response { status, headers: Vec::new(), body: body.as_bytes().to_vec().into() }
}

impl Clock for Fake {
    fn now(&self) -> i64 {
        Fake::now(self)
    }

    fn boot(&self) -> i64 {
        self.0.boot.load(Ordering::SeqCst)
    }

    /// Passes at once, and moves the clock on.
    fn sleep(&self, span: Duration) -> Boxed<'static, ()> {
        lock(&self.0.slept).push(span);
        self.advance(i64::try_from(span.as_secs()).unwrap_or(i64::MAX));
        // Others have their turn, as they have while time passes.
        Box::pin(tokio::task::yield_now())
    }

    /// The fake world lives in UTC.
    fn local(&self, text: &str) -> Option<i64> {
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
    }
}

impl Console for Fake {
    fn tell(&self, line: &str) {
        lock(&self.0.told).push(line.to_owned());
    }
}

impl Env for Fake {
    fn get(&self, name: &str) -> Option<String> {
        lock(&self.0.env).get(name).cloned().filter(|value| !value.is_empty())
    }
}

impl Files for Fake {
    fn read(&self, path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
        let files = lock(&self.0.files);
        let content = files.get(path).ok_or(std::io::ErrorKind::NotFound)?;
        if content.len() as u64 > limit {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        Ok(content.clone())
    }

    fn read_guarded(&self, folder: &Path, name: &str, limit: u64) -> std::io::Result<zeroize::Zeroizing<Vec<u8>>> {
        self.read(&folder.join(name), limit).map(Into::into)
    }

    fn read_trusted(&self, path: &Path, limit: u64) -> std::io::Result<zeroize::Zeroizing<Vec<u8>>> {
        self.read(path, limit).map(Into::into)
    }

    fn exists(&self, path: &Path) -> bool {
        lock(&self.0.files).contains_key(path)
    }

    fn is_executable(&self, path: &Path) -> bool {
        lock(&self.0.files).contains_key(path)
    }

    fn stamp(&self, path: &Path) -> Option<Stamp> {
        let files = lock(&self.0.files);
        let content = files.get(path)?;
        let mut hasher = std::hash::DefaultHasher::new();
        std::hash::Hash::hash(content, &mut hasher);
        let changed = i128::from(std::hash::Hasher::finish(&hasher));
        Some(Stamp { file: 0, len: content.len() as u64, changed, mode: 0 })
    }
}

impl Http for Fake {
    fn send<'a>(&'a self, request: &'a Request) -> Boxed<'a, Answer> {
        let body = request.body.as_ref().map_or("", |body| body.expose());
        lock(&self.0.sent).push(format!("{} {} {body}", request.method, request.url).trim_end().to_owned());
        let answer = lock(&self.0.server)(request);
        Box::pin(std::future::ready(answer))
    }
}

impl Processes for Fake {
    fn run(&self, command: Command) -> Boxed<'static, Result<Output, ProcessError>> {
        let output = lock(&self.0.program)(&command);
        lock(&self.0.ran).push(command);
        Box::pin(std::future::ready(output))
    }

    fn launch(&self, program: PathBuf, arguments: Vec<String>) -> Boxed<'static, std::io::Result<()>> {
        let launched = Launched { program, arguments };
        let brought = lock(&self.0.browser)(&launched);
        lock(&self.0.launched).push(launched);
        let started = brought.map(|visits| visits.into_iter().for_each(|redirect| self.visit(redirect)));
        Box::pin(std::future::ready(started))
    }
}

impl Landings for Fake {
    fn open(&self, at: LandingAt) -> Boxed<'_, Result<Box<dyn Landing>, String>> {
        let mut way = lock(&self.0.way);
        let opened = way.as_mut().map_err(|sentence| sentence.clone()).map(|way| {
            let (sender, visits) = mpsc::unbounded_channel();
            *way = Some(sender);
            let port = at.port.unwrap_or(PORT);
            Box::new(FakeLanding { port, visits, fake: self.clone() }) as Box<dyn Landing>
        });
        lock(&self.0.landed).push(at);
        Box::pin(std::future::ready(opened))
    }
}

#[derive(Debug)]
struct FakeLanding {
    port: u16,
    visits: mpsc::UnboundedReceiver<Redirect>,
    fake: Fake,
}

impl Landing for FakeLanding {
    fn port(&self) -> u16 {
        self.port
    }

    /// Waits for ever where no visit comes.
    fn next(&mut self) -> Boxed<'_, Result<Visit, String>> {
        Box::pin(async move {
            let redirect = self.visits.recv().await.ok_or("another landing was opened")?;
            let fake = self.fake.clone();
            Ok(Visit::new(redirect, move |page| {
                lock(&fake.0.pages).push(page);
                Box::pin(std::future::ready(()))
            }))
        })
    }
}
