//! A world of one's own: a clock that moves when told, an environment, files, an HTTP script and programs.
//!
//! For tests of credentials and of programs that use them; nothing here touches the machine.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Boxed, Clock, Command, Console, Env, Files, Http, Output, ProcessError, Processes, World};
use crate::cache::Cache;
use crate::wire::http::{HttpError, HttpFault, Request, Response};

/// What a fake server answers.
pub type Answer = Result<Response, HttpError>;
type Server = Box<dyn Fn(&Request) -> Answer + Send + Sync>;
type Program = Box<dyn Fn(&Command) -> Result<Output, ProcessError> + Send + Sync>;

/// The hands on a fake world. Clones move the same world.
#[derive(Clone)]
pub struct Fake(Arc<Inner>);

struct Inner {
    now: AtomicI64,
    slept: Mutex<Vec<Duration>>,
    env: Mutex<HashMap<String, String>>,
    files: Mutex<HashMap<PathBuf, Vec<u8>>>,
    server: Mutex<Server>,
    program: Mutex<Program>,
    sent: Mutex<Vec<String>>,
    ran: Mutex<Vec<Command>>,
    told: Mutex<Vec<String>>,
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
        }));
        let world = World {
            clock: Arc::new(fake.clone()),
            env: Arc::new(fake.clone()),
            files: Arc::new(fake.clone()),
            http: Arc::new(fake.clone()),
            processes: Arc::new(fake.clone()),
            console: Arc::new(fake.clone()),
            cache: Arc::new(Cache::new()),
        };
        (world, fake)
    }

    /// Moves the clock by `seconds`, back too.
    pub fn advance(&self, seconds: i64) {
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

    fn exists(&self, path: &Path) -> bool {
        lock(&self.0.files).contains_key(path)
    }

    fn is_executable(&self, path: &Path) -> bool {
        lock(&self.0.files).contains_key(path)
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
}
