//! Where azcred's log lines go: to the door's function, to standard error, or nowhere, which is the default.
//!
//! Core says its lines by `tracing`, as Rust programs expect, and leaves the subscriber to them. The libraries for other
//! languages each have a core of their own, whose lines nobody sees unless a door calls this; the first call that wants
//! any makes the subscriber. No call on the way of a cached token says a line.

use std::collections::VecDeque;
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwapOption;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, Subscriber};
use tracing::{Event, Level, Metadata};

use crate::generation::PerGeneration;
use crate::world::World;

/// How much a line matters, or from what on lines are wanted. The numbers are those of the C interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum LogLevel {
    /// No lines at all.
    Off = 0,
    /// What should not happen.
    Error = 1,
    /// A call that failed, or a setting that could not be used.
    Warn = 2,
    /// A choice that was made.
    Info = 3,
    /// The steps on the way.
    Debug = 4,
    /// Everything.
    Trace = 5,
}

impl LogLevel {
    const ALL: [LogLevel; 6] =
        [LogLevel::Off, LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug, LogLevel::Trace];

    /// Its name: `OFF`, `ERROR`, …
    pub fn name(self) -> &'static str {
        match self {
            LogLevel::Off => "OFF",
            LogLevel::Error => "ERROR",
            LogLevel::Warn => "WARN",
            LogLevel::Info => "INFO",
            LogLevel::Debug => "DEBUG",
            LogLevel::Trace => "TRACE",
        }
    }

    fn of(level: Level) -> LogLevel {
        match level {
            Level::ERROR => LogLevel::Error,
            Level::WARN => LogLevel::Warn,
            Level::INFO => LogLevel::Info,
            Level::DEBUG => LogLevel::Debug,
            Level::TRACE => LogLevel::Trace,
        }
    }
}

/// One line. It holds no secret.
#[derive(Clone, Debug)]
pub struct LogLine {
    /// How much it matters.
    pub level: LogLevel,
    /// Which part of azcred says it, such as `azcred::cache::flight`.
    pub target: &'static str,
    /// The sentence and what belongs to it. It may have line breaks, as a chain's report has.
    pub text: String,
    /// When, since 1970.
    pub time: Duration,
}

type Write = Box<dyn Fn(LogLine) + Send + Sync>;

/// The door's function.
static DOOR: ArcSwapOption<Write> = ArcSwapOption::const_empty();
/// From what on the door wants lines.
static DOOR_LEVEL: AtomicU8 = AtomicU8::new(LogLevel::Off as u8);
/// From what on standard error gets lines.
static STDERR_LEVEL: AtomicU8 = AtomicU8::new(LogLevel::Off as u8);

/// Gives lines to `write` from now on, instead of the function before. It is called on any thread, azcred's own among
/// them, so it must neither block nor wait for a token.
pub fn log_to(write: impl Fn(LogLine) + Send + Sync + 'static) {
    DOOR.store(Some(Arc::new(Box::new(write))));
}

/// Which lines the function of [`log_to`] gets: those of this level and above.
pub fn set_log_level(level: LogLevel) {
    if level != LogLevel::Off {
        listen();
    }
    DOOR_LEVEL.store(level as u8, Ordering::Relaxed);
}

/// Writes lines to standard error, if `AZCRED_LOG` says so: a level (`debug`), or directives as the program takes them,
/// of which those without a target and those for `azcred` count. Looks once.
pub fn log_as_the_environment_says() {
    static LOOKED: AtomicBool = AtomicBool::new(false);
    if LOOKED.load(Ordering::Relaxed) || LOOKED.swap(true, Ordering::Relaxed) {
        return;
    }
    let level = World::real().env.get("AZCRED_LOG").map_or(LogLevel::Off, |text| directed(&text));
    if level != LogLevel::Off {
        listen();
        STDERR_LEVEL.store(level as u8, Ordering::Relaxed);
    }
}

/// Lines that wait until a door comes for them on a thread of the program's: languages whose code must not run on azcred's
/// thread, which serves every caller, put them here. The oldest go where nobody comes.
#[derive(Debug)]
pub struct LogQueue(PerGeneration<Mutex<VecDeque<LogLine>>>);

impl LogQueue {
    /// How many lines wait at most.
    const LONGEST: usize = 1000;

    /// An empty one.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it is for statics")]
    pub const fn new() -> LogQueue {
        LogQueue(PerGeneration::new())
    }

    /// Adds a line.
    pub fn push(&self, line: LogLine) {
        let lines = self.0.get();
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LogQueue::LONGEST {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// Takes the lines that are there.
    pub fn take(&self) -> VecDeque<LogLine> {
        self.0.look(|lines| {
            let lines = lines.map(|lines| lines.lock().unwrap_or_else(PoisonError::into_inner));
            lines.map(|mut lines| std::mem::take(&mut *lines)).unwrap_or_default()
        })
    }
}

/// The level that directives have for azcred; what can't be read has none.
fn directed(text: &str) -> LogLevel {
    let level = |name: &str| LogLevel::ALL.into_iter().find(|level| level.name().eq_ignore_ascii_case(name.trim()));
    let (mut all, mut ours) = (None, None);
    for directive in text.split(',') {
        match directive.split_once('=') {
            Some((target, name)) if target.trim() == "azcred" => ours = level(name).or(ours),
            Some(_) => {}
            None => all = level(directive).or(all),
        }
    }
    ours.or(all).unwrap_or(LogLevel::Off)
}

/// Makes the subscriber. A Rust program that has one keeps it.
fn listen() {
    static LISTENS: AtomicBool = AtomicBool::new(false);
    if !LISTENS.swap(true, Ordering::Relaxed) {
        drop(tracing::subscriber::set_global_default(Listener));
    }
}

struct Listener;

impl Subscriber for Listener {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        // Others' lines, those of HTTP libraries among them, are no promise of ours: they may hold anything.
        if is_ours(metadata) { Interest::sometimes() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let loudest = DOOR_LEVEL.load(Ordering::Relaxed).max(STDERR_LEVEL.load(Ordering::Relaxed));
        is_ours(metadata) && metadata.is_event() && LogLevel::of(*metadata.level()) as u8 <= loudest
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut text = Text::default();
        event.record(&mut text);
        let (level, target) = (LogLevel::of(*metadata.level()), metadata.target());
        #[expect(clippy::disallowed_methods, reason = "the time of a line decides nothing")]
        let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let line = LogLine { level, target, text: text.whole(), time };
        if level as u8 <= STDERR_LEVEL.load(Ordering::Relaxed) {
            // One write, so that lines of several threads do not mix. Who has no standard error misses them: a line about
            // that would be the next that gets lost.
            let line = format!("{} {target}: {}\n", level.name(), line.text);
            drop(std::io::stderr().write_all(line.as_bytes()));
        }
        if level as u8 <= DOOR_LEVEL.load(Ordering::Relaxed)
            && let Some(write) = DOOR.load_full()
        {
            write(line);
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    target == "azcred" || target.starts_with("azcred::")
}

/// The sentence of a line, and its fields behind it as `name=value`.
#[derive(Default)]
struct Text {
    sentence: String,
    fields: String,
}

impl Text {
    fn whole(mut self) -> String {
        self.sentence.push_str(&self.fields);
        self.sentence
    }
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let written = match field.name() {
            "message" => write!(self.sentence, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
        debug_assert!(written.is_ok(), "a text takes everything");
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_environment_says() {
        for (text, expected) in [
            ("debug", LogLevel::Debug),
            (" Trace ", LogLevel::Trace),
            ("off", LogLevel::Off),
            ("warn,azcred=debug", LogLevel::Debug),
            ("azcred=info,trace", LogLevel::Info),
            ("hyper=trace", LogLevel::Off),
            ("loud", LogLevel::Off),
            ("loud,error", LogLevel::Error),
        ] {
            assert_eq!(directed(text), expected, "{text}");
        }
    }

    #[test]
    fn lines_come_with_their_fields_and_only_from_us() {
        static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());
        log_to(|line| {
            let seen = format!("{} {} {}", line.level.name(), line.target, line.text);
            SEEN.lock().unwrap().push(seen);
        });
        // A subscriber of this thread's alone: the process's is made once, and other tests run beside this one.
        tracing::subscriber::with_default(Listener, || {
            DOOR_LEVEL.store(LogLevel::Info as u8, Ordering::Relaxed);
            tracing::info!(target: "azcred::test", member = "X", count = 3, path = %"a b", "a sentence of {}", 1);
            tracing::debug!(target: "azcred::test", "too quiet");
            tracing::error!(target: "azcredulous", "somebody else's");
            DOOR_LEVEL.store(LogLevel::Off as u8, Ordering::Relaxed);
            tracing::error!(target: "azcred::test", "nobody listens");
        });
        let seen = SEEN.lock().unwrap();
        let seen: Vec<&str> = seen.iter().map(String::as_str).filter(|line| line.contains("azcred::test")).collect();
        assert_eq!(seen, ["INFO azcred::test a sentence of 1 member=X count=3 path=a b"]);
    }

    #[test]
    fn a_queue_keeps_the_newest() {
        let queue = LogQueue::new();
        for number in 0..LogQueue::LONGEST + 2 {
            let text = number.to_string();
            queue.push(LogLine { level: LogLevel::Info, target: "azcred", text, time: Duration::ZERO });
        }
        let lines = queue.take();
        assert_eq!((lines.len(), lines.front().map(|line| line.text.as_str())), (LogQueue::LONGEST, Some("2")));
        assert!(queue.take().is_empty());
    }
}
