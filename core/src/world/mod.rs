//! The world as small traits: what the rest of core may know of time, environment, files, network and processes.
//!
//! It exists so that tests own all of it: [`fake`] has a stand-in for each. Nothing else in core reads the clock, the
//! environment or a file, opens a socket or starts a process; `clippy.toml` holds the doors shut.

mod clock;
mod console;
mod env;
pub mod fake;
mod files;
#[cfg_attr(not(unix), path = "guarded_elsewhere.rs")]
mod guarded;
mod http;
mod landing;
mod launch;
mod pin;
#[cfg(unix)]
mod processes;
#[cfg(not(unix))]
#[path = "processes_elsewhere.rs"]
mod processes;
// Compiled and tried on Unix too, where the tests run.
#[cfg(all(unix, test))]
mod processes_elsewhere;
mod roots;
pub(crate) mod shortage;
pub(crate) mod witness;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;

use crate::cache::Cache;
use crate::config::{Configuration, HostIdentities};
use crate::moment::Moment;
use crate::random;
use crate::share::{Share, Stored};
use crate::wire::http::{HttpError, Request, Response, Route};
use crate::wire::page::Page;
use crate::wire::redirect::Redirect;
use crate::wire::retry::{Next, RetryPolicy};

/// A future without a name, as the traits here must give it to be used behind a pointer.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What time it is, and waiting.
pub trait Clock: std::fmt::Debug + Send + Sync {
    /// Wall time in Unix seconds. It may jump either way.
    fn now(&self) -> i64;
    /// Seconds since the host started, those included in which it slept. Never set, never back.
    fn boot(&self) -> i64;
    /// Both at once.
    fn moment(&self) -> Moment {
        Moment { wall: self.now(), boot: self.boot() }
    }
    /// Waits; only ever called on the driver's thread.
    fn sleep(&self, span: Duration) -> Boxed<'static, ()>;
    /// The Unix time of a local wall-clock time (`2026-01-31 12:00:00.000000`), as developer tools print it.
    fn local(&self, text: &str) -> Option<i64>;
}

/// The process's environment.
pub trait Env: std::fmt::Debug + Send + Sync {
    /// A variable's text. Empty counts as unset; what is not UTF-8 comes with U+FFFD in its place.
    fn get(&self, name: &str) -> Option<String>;
}

/// What changes with the content of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Which file it is.
    pub file: u64,
    /// Its length in bytes.
    pub len: u64,
    /// When it was changed last, in nanoseconds since 1970.
    pub changed: i128,
    /// Who may do what with it.
    pub mode: u32,
}

/// Files, read only.
pub trait Files: std::fmt::Debug + Send + Sync {
    /// The content of a file of at most `limit` bytes.
    ///
    /// # Errors
    /// Whatever the system says; `FileTooLarge` beyond the limit.
    fn read(&self, path: &Path, limit: u64) -> std::io::Result<Vec<u8>>;
    /// The content of the file `name` directly in `folder`, for names that somebody else gave: it must be a regular file
    /// of one name that not everybody may write to, and so must the folder. All of that is checked on what was opened,
    /// and no link is followed at the end of either path.
    ///
    /// # Errors
    /// Whatever the system says; `InvalidInput` for what is no such file, `FileTooLarge` beyond the limit.
    fn read_guarded(&self, folder: &Path, name: &str, limit: u64) -> std::io::Result<zeroize::Zeroizing<Vec<u8>>>;
    /// The content of a file that says whom this process trusts: it, the folders above it and what links lead to must
    /// belong to root or to this user, and not be writable by others.
    ///
    /// # Errors
    /// Whatever the system says; `PermissionDenied` names what others could change, `FileTooLarge` beyond the limit.
    fn read_trusted(&self, path: &Path, limit: u64) -> std::io::Result<zeroize::Zeroizing<Vec<u8>>>;
    /// Whether there is anything by this name.
    fn exists(&self, path: &Path) -> bool;
    /// Whether this is a regular file that this process may execute.
    fn is_executable(&self, path: &Path) -> bool;
    /// What tells this file's content from an earlier one without reading it; `None` where there is nothing.
    fn stamp(&self, path: &Path) -> Option<Stamp>;
}

/// One HTTP exchange: no redirects, no retries, bodies bounded.
pub trait Http: std::fmt::Debug + Send + Sync {
    /// Sends one request and reads the whole answer.
    fn send<'a>(&'a self, request: &'a Request) -> Boxed<'a, Result<Response, HttpError>>;
}

/// A program to run: an argument vector, never a shell.
#[derive(Clone, Debug)]
pub struct Command {
    /// The program, by absolute path.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Variables added to the inherited environment.
    pub environment: Vec<(&'static str, String)>,
    /// When its whole process group is ended.
    pub timeout: Duration,
}

/// What a program printed.
#[derive(Debug)]
pub struct Output {
    /// Its exit code; `None` where it was ended by a signal, or where the host process took the status from us.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: zeroize::Zeroizing<Vec<u8>>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

/// Why a program gave no output.
#[derive(Debug)]
pub enum ProcessError {
    /// It could not be started.
    Start(std::io::Error),
    /// It was still running at its deadline, and was ended.
    TimedOut,
    /// It printed more than a token can be.
    TooMuchOutput,
}

/// Running programs.
pub trait Processes: std::fmt::Debug + Send + Sync {
    /// Runs a program to its end, or to its deadline.
    fn run(&self, command: Command) -> Boxed<'static, Result<Output, ProcessError>>;
    /// Starts a program, by absolute path and with these arguments, and leaves it alone: it has no input or output of
    /// ours, and may outlive us.
    ///
    /// # Errors
    /// Whatever the system says about the start; how the program ends is not known.
    fn launch(&self, program: PathBuf, arguments: Vec<String>) -> Boxed<'static, std::io::Result<()>>;
}

/// Where a browser shall come back to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LandingAt {
    /// The port; without one, the system chooses.
    pub port: Option<u16>,
    /// The path, with its first slash; empty is `/`.
    pub path: String,
}

/// Places on this host that a browser can be sent back to.
pub trait Landings: std::fmt::Debug + Send + Sync {
    /// Opens one, for one sign-in.
    ///
    /// # Errors
    /// What could not be listened on, and why, as a sentence.
    fn open(&self, at: LandingAt) -> Boxed<'_, Result<Box<dyn Landing>, String>>;
}

/// A place that is open until it is dropped.
pub trait Landing: std::fmt::Debug + Send {
    /// The port it is at.
    fn port(&self) -> u16;
    /// The next visit. Anybody on this host can make one: what it brings is to be judged.
    ///
    /// # Errors
    /// A sentence that says why none can come any more.
    ///
    /// # Cancel safety
    /// A visit is given or still to come; none is lost.
    fn next(&mut self) -> Boxed<'_, Result<Visit, String>>;
}

/// One request to a landing, which waits for its page. Dropped without one, it says that nobody waits any more.
pub struct Visit {
    /// What the browser brought.
    pub redirect: Redirect,
    reply: Box<dyn FnOnce(Page) -> Boxed<'static, ()> + Send>,
}

impl Visit {
    /// A visit whose page is given to `reply`, whose future ends once the page has left.
    pub fn new(redirect: Redirect, reply: impl FnOnce(Page) -> Boxed<'static, ()> + Send + 'static) -> Visit {
        Visit { redirect, reply: Box::new(reply) }
    }

    /// Sends the browser its page, at once. To wait for it to have left, as a program does that might end then, await
    /// the future, which takes a few seconds at most.
    pub fn answer(self, page: Page) -> Boxed<'static, ()> {
        (self.reply)(page)
    }
}

impl std::fmt::Debug for Visit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Visit").field("redirect", &self.redirect).finish_non_exhaustive()
    }
}

/// Where a user reads what to do.
pub trait Console: std::fmt::Debug + Send + Sync {
    /// Shows a line, on standard error: standard output belongs to the program.
    fn tell(&self, line: &str);
}

/// Everything a source may touch, and the cache that goes with it.
#[derive(Clone, Debug)]
pub struct World {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The environment.
    pub env: Arc<dyn Env>,
    /// Files.
    pub files: Arc<dyn Files>,
    /// The network.
    pub http: Arc<dyn Http>,
    /// Programs.
    pub processes: Arc<dyn Processes>,
    /// The user.
    pub console: Arc<dyn Console>,
    /// Where browsers come back to.
    pub landings: Arc<dyn Landings>,
    pub(crate) cache: Arc<Cache>,
    pub(crate) share: Arc<Share>,
    pub(crate) config: Arc<Configuration>,
}

impl World {
    /// The real world, one for the whole process, so that all credentials share one cache.
    pub fn real() -> World {
        // Not a OnceLock: a child that is forked while another thread is inside one waits for ever.
        static REAL: ArcSwapOption<World> = ArcSwapOption::const_empty();
        if let Some(world) = REAL.load().as_ref() {
            return World::clone(world);
        }
        let env: Arc<dyn Env> = Arc::new(env::RealEnv);
        let files: Arc<dyn Files> = Arc::new(files::RealFiles);
        let clock: Arc<dyn Clock> = Arc::new(clock::RealClock);
        let share = Arc::new(Share::of(&env));
        let world = World {
            landings: Arc::new(landing::RealLandings::new(Arc::clone(&clock))),
            clock,
            http: Arc::new(http::RealHttp::new(Arc::clone(&env), Arc::clone(&files))),
            env,
            files,
            processes: Arc::new(processes::RealProcesses),
            console: Arc::new(console::RealConsole),
            cache: Arc::new(Cache::new()),
            share,
            config: Arc::default(),
        };
        let first = REAL.compare_and_swap(&None::<Arc<World>>, Some(Arc::new(world.clone())));
        first.as_ref().map_or(world, |first| World::clone(first))
    }

    /// The same world with a shared store in this folder, made if it is not there: an absolute path, or `off` for none.
    #[must_use]
    pub fn with_store(self, folder: &str) -> World {
        World { share: Arc::new(Share::at(folder)), ..self }
    }

    /// Whether the firmware says that this is an Azure VM. A container sees its host's.
    pub fn is_azure(&self) -> bool {
        let tag = self.files.read(Path::new("/sys/class/dmi/id/chassis_asset_tag"), 256).unwrap_or_default();
        String::from_utf8_lossy(&tag).trim() == AZURE_TAG
    }

    /// The host's identities, as the configuration has them that this world finds.
    pub fn host_identities(&self) -> HostIdentities {
        self.config.report(self)
    }

    /// What this world's shared store holds.
    ///
    /// # Errors
    /// Why tokens are not shared here, as a sentence.
    pub fn stored(&self) -> Result<Stored, String> {
        self.share.stored()
    }

    /// Sends a request, again and again as the policy and the credential's options say. The pauses are the world's, the
    /// decisions `wire`'s.
    pub(crate) async fn send(&self, request: &Request, policy: &RetryPolicy) -> Result<Response, HttpError> {
        let policy = match &request.route {
            Route::Authority(network) => network.retries().map_or(*policy, |retries| policy.at_most(retries)),
            Route::TokenProxy(proxy) => proxy.network().retries().map_or(*policy, |retries| policy.at_most(retries)),
            Route::Local | Route::Pinned(_) => *policy,
        };
        let mut attempt = 0;
        loop {
            let answer = self.http.send(request).await;
            let pause = match policy.next(attempt, &answer, self.clock.now()) {
                Next::Answer => return answer,
                Next::Retry(pause) => pause,
                Next::Spread(least, more) => least + more.mul_f64(random::chance()),
            };
            tracing::debug!(attempt, pause_ms = pause.as_millis(), "asking again");
            self.clock.sleep(pause).await;
            attempt += 1;
        }
    }

    /// A program found on `PATH`: absolute entries only, so that nothing in the caller's folder is run.
    pub(crate) fn find_program(&self, name: &str) -> Option<PathBuf> {
        let path = self.env.get("PATH")?;
        let folders: Vec<PathBuf> = std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect();
        ENDINGS.iter().find_map(|ending| {
            let mut candidates = folders.iter().map(|folder| folder.join(format!("{name}{ending}")));
            candidates.find(|candidate| self.files.is_executable(candidate))
        })
    }
}

/// The chassis asset tag of every Azure VM.
const AZURE_TAG: &str = "7783-7084-3265-9085-8269-3286-77";

/// How the files of programs end; batch files come last, since they go through an interpreter.
const ENDINGS: &[&str] = if cfg!(windows) { &[".exe", ".com", ".cmd", ".bat"] } else { &[""] };
