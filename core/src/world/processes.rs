//! Programs, on systems with process groups.
//!
//! A child gets no standard input, the root folder as its own, and a process group that ends with its deadline. Its
//! status is asked for, not relied on: a host process that ignores `SIGCHLD` or reaps every child takes it from us,
//! and complete output is what counts.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use zeroize::Zeroizing;

use super::launch::launch;
use super::{Boxed, Command, Output, ProcessError, Processes};

/// More than any tool prints beside a token.
const LIMIT: usize = 1 << 20;

#[derive(Debug)]
pub(super) struct RealProcesses;

impl Processes for RealProcesses {
    fn run(&self, command: Command) -> Boxed<'static, Result<Output, ProcessError>> {
        Box::pin(async move {
            // A thread of the driver's pool waits, so that the driver's own never does.
            tokio::task::spawn_blocking(move || run(&command))
                .await
                .unwrap_or_else(|_| Err(ProcessError::Start(std::io::Error::other("the waiting thread ended"))))
        })
    }

    fn launch(&self, program: PathBuf, arguments: Vec<String>) -> Boxed<'static, std::io::Result<()>> {
        Box::pin(launch(program, arguments))
    }
}

fn run(command: &Command) -> Result<Output, ProcessError> {
    #[expect(clippy::disallowed_methods, reason = "a deadline of this run, not the life of a token")]
    let start = std::time::Instant::now();
    #[expect(clippy::disallowed_methods, reason = "these are the processes")]
    let mut prepared = std::process::Command::new(&command.program);
    prepared
        .args(&command.arguments)
        .envs(command.environment.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    // The driver's threads take no signals; the tool must, or nothing but SIGKILL would end it.
    let mut child = azcred_platform::with_signals(|| prepared.spawn()).map_err(ProcessError::Start)?;
    let mut pipes = Pipes {
        stdout: Pipe { end: child.stdout.take().map(OwnedFd::from).map(File::from), bytes: Zeroizing::default() },
        stderr: Pipe { end: child.stderr.take().map(OwnedFd::from).map(File::from), bytes: Zeroizing::default() },
    };
    let mut exit = Exit::Running;
    let mut since_exit = None;
    while pipes.are_open() {
        let elapsed = start.elapsed();
        if elapsed >= command.timeout {
            end(&mut child);
            return Err(ProcessError::TimedOut);
        }
        if let Err(error) = pipes.read(command.timeout.saturating_sub(elapsed).min(TICK)) {
            end(&mut child);
            return Err(error);
        }
        exit = exit.look(&mut child);
        let ended = !matches!(exit, Exit::Running);
        if ended && elapsed.saturating_sub(*since_exit.get_or_insert(elapsed)) >= GRACE {
            // Something it left behind holds the pipes; its own output is complete.
            break;
        }
    }
    let code = settle(exit, &mut child);
    Ok(Output { code, stdout: pipes.stdout.bytes, stderr: pipes.stderr.bytes.to_vec() })
}

/// How often an exit is looked for while output may come.
const TICK: Duration = Duration::from_millis(50);

/// How long output may trickle in after the exit.
const GRACE: Duration = Duration::from_millis(200);

/// What is known of a child's end.
#[derive(Clone, Copy)]
enum Exit {
    Running,
    With(Option<i32>),
    /// The host program reaps children itself, or ignores them.
    Unknown,
}

impl Exit {
    fn look(self, child: &mut Child) -> Exit {
        match (self, child.try_wait()) {
            (Exit::Running, Ok(Some(status))) => Exit::With(status.code()),
            (Exit::Running, Err(_)) => Exit::Unknown,
            (known, _) => known,
        }
    }
}

/// The exit code of a child whose output is complete: there in a moment, or the child stays behind and is ended.
fn settle(mut exit: Exit, child: &mut Child) -> Option<i32> {
    for _ in 0..200 {
        exit = exit.look(child);
        match exit {
            Exit::With(code) => return code,
            Exit::Unknown => return None,
            Exit::Running => pause(&mut [], Duration::from_millis(5)),
        }
    }
    end(child);
    None
}

struct Pipes {
    stdout: Pipe,
    stderr: Pipe,
}

struct Pipe {
    end: Option<File>,
    bytes: Zeroizing<Vec<u8>>,
}

impl Pipes {
    fn are_open(&self) -> bool {
        self.stdout.end.is_some() || self.stderr.end.is_some()
    }

    /// Reads what is there, waiting for it a while.
    fn read(&mut self, limit: Duration) -> Result<(), ProcessError> {
        let ends = [&self.stdout, &self.stderr].map(|pipe| pipe.end.as_ref());
        let mut watched: Vec<PollFd<'_>> =
            ends.into_iter().flatten().map(|end| PollFd::new(end, PollFlags::IN)).collect();
        pause(&mut watched, limit);
        let mut ready = watched.iter().map(|watched| !watched.revents().is_empty()).collect::<Vec<_>>().into_iter();
        for pipe in [&mut self.stdout, &mut self.stderr] {
            if pipe.end.is_some() && ready.next().unwrap_or(false) {
                pipe.read()?;
            }
        }
        Ok(())
    }
}

impl Pipe {
    fn read(&mut self) -> Result<(), ProcessError> {
        let Some(end) = &mut self.end else { return Ok(()) };
        let mut chunk = Zeroizing::new([0; 8192]);
        match end.read(chunk.as_mut_slice()) {
            Ok(0) => self.end = None,
            Ok(read) => self.bytes.extend_from_slice(chunk.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(ProcessError::Start(error)),
        }
        if self.bytes.len() > LIMIT { Err(ProcessError::TooMuchOutput) } else { Ok(()) }
    }
}

/// Waits until one of the ends has something to say; a signal or the limit ends it too.
fn pause(watched: &mut [PollFd<'_>], limit: Duration) {
    let limit = Timespec::try_from(limit).ok();
    if let Err(error) = rustix::event::poll(watched, limit.as_ref()) {
        tracing::trace!(%error, "poll");
    }
}

/// Ends the whole group: a tool is often a script that starts another program.
fn end(child: &mut Child) {
    if let Ok(pid) = i32::try_from(child.id())
        && let Some(group) = rustix::process::Pid::from_raw(pid)
    {
        let gone = rustix::process::kill_process_group(group, rustix::process::Signal::KILL).is_err();
        tracing::debug!(gone, "ended a tool's process group");
    }
    // Reaps it, unless the host did.
    drop(child.wait());
}
