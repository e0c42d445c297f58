//! Programs, on systems with process groups.
//!
//! A child gets no standard input, the root folder as its own, and a process group that ends with its deadline. Its
//! status is asked for, not relied on: a host process that ignores `SIGCHLD` or reaps every child takes it from us,
//! and complete output is what counts.

use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use zeroize::Zeroizing;

use super::{Boxed, Command, Output, ProcessError, Processes};

/// More than any tool prints beside a token.
const LIMIT: u64 = 1 << 20;

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
}

enum Piece {
    Stdout(std::io::Result<Zeroizing<Vec<u8>>>),
    Stderr(std::io::Result<Zeroizing<Vec<u8>>>),
}

fn run(command: &Command) -> Result<Output, ProcessError> {
    #[expect(clippy::disallowed_methods, reason = "these are the processes")]
    let mut child = std::process::Command::new(&command.program)
        .args(&command.arguments)
        .envs(command.environment.iter().copied())
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(ProcessError::Start)?;
    let pieces = read_both(&mut child).map_err(|error| {
        end(&mut child);
        ProcessError::Start(error)
    })?;
    let (stdout, stderr) = match collect(&pieces, command.timeout) {
        Ok(both) => both,
        Err(error) => {
            end(&mut child);
            return Err(error);
        }
    };
    let code = settle(&mut child);
    Ok(Output { code, stdout, stderr: stderr.to_vec() })
}

fn read_both(child: &mut Child) -> std::io::Result<Receiver<Piece>> {
    let (sender, receiver) = channel();
    let missing = || std::io::Error::other("no pipe");
    let stdout = child.stdout.take().ok_or_else(missing)?;
    let stderr = child.stderr.take().ok_or_else(missing)?;
    let second = sender.clone();
    reader(move || sender.send(Piece::Stdout(drain(stdout))).is_ok())?;
    reader(move || second.send(Piece::Stderr(drain(stderr))).is_ok())?;
    Ok(receiver)
}

fn reader(body: impl FnOnce() -> bool + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new().name("azcred-pipe".into()).stack_size(64 << 10).spawn(body).map(drop)
}

fn drain(pipe: impl Read) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(16 << 10));
    pipe.take(LIMIT + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

type Both = (Zeroizing<Vec<u8>>, Zeroizing<Vec<u8>>);

fn collect(pieces: &Receiver<Piece>, timeout: Duration) -> Result<Both, ProcessError> {
    #[expect(clippy::disallowed_methods, reason = "a deadline of this run, not the life of a token")]
    let start = std::time::Instant::now();
    let (mut stdout, mut stderr) = (None, None);
    loop {
        (stdout, stderr) = match (stdout, stderr) {
            (Some(out), Some(err)) => return Ok((out, err)),
            not_yet => not_yet,
        };
        let piece = pieces.recv_timeout(timeout.saturating_sub(start.elapsed())).map_err(|error| match error {
            RecvTimeoutError::Timeout => ProcessError::TimedOut,
            RecvTimeoutError::Disconnected => ProcessError::Start(std::io::Error::other("a pipe broke")),
        })?;
        let (place, bytes) = match piece {
            Piece::Stdout(bytes) => (&mut stdout, bytes),
            Piece::Stderr(bytes) => (&mut stderr, bytes),
        };
        let bytes = bytes.map_err(ProcessError::Start)?;
        if bytes.len() as u64 > LIMIT {
            return Err(ProcessError::TooMuchOutput);
        }
        *place = Some(bytes);
    }
}

/// The exit code of a child that closed both its pipes: there in a moment, or the child stays behind and is ended.
fn settle(child: &mut Child) -> Option<i32> {
    for _ in 0..200 {
        match child.try_wait() {
            Ok(Some(status)) => return status.code(),
            Ok(None) => {
                #[expect(clippy::disallowed_methods, reason = "the kernel has no cheaper way to wait for a while")]
                std::thread::sleep(Duration::from_millis(5));
            }
            // ECHILD where the host reaps children itself.
            Err(_) => return None,
        }
    }
    end(child);
    None
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
