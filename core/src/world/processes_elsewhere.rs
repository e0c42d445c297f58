//! Programs, on systems without process groups, such as Windows: a reader for each pipe, one deadline.
//!
//! A child gets no standard input, the program's own folder as its own, and ends with its deadline. What it started
//! itself is beyond reach here, and does not hold up a token that is complete.

use std::io::Read;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use zeroize::Zeroizing;

use super::launch::launch;
use super::{Boxed, Command, Output, ProcessError, Processes};

/// More than any tool prints beside a token.
const LIMIT: usize = 1 << 20;

/// How often an exit is looked for while output may come.
const TICK: Duration = Duration::from_millis(50);

/// How long output may trickle in after the exit.
const GRACE: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(super) struct RealProcesses;

impl Processes for RealProcesses {
    fn run(&self, command: Command) -> Boxed<'static, Result<Output, ProcessError>> {
        Box::pin(async move {
            // Threads of the driver's pool wait, so that the driver's own never does.
            tokio::task::spawn_blocking(move || run(&command))
                .await
                .unwrap_or_else(|_| Err(ProcessError::Start(std::io::Error::other("the waiting thread ended"))))
        })
    }

    fn launch(&self, program: PathBuf, arguments: Vec<String>) -> Boxed<'static, std::io::Result<()>> {
        Box::pin(launch(program, arguments))
    }
}

/// What a program printed.
#[derive(Default)]
struct Heard {
    stdout: Zeroizing<Vec<u8>>,
    stderr: Zeroizing<Vec<u8>>,
}

/// A piece of it.
enum Piece {
    Stdout(Zeroizing<Vec<u8>>),
    Stderr(Zeroizing<Vec<u8>>),
}

fn run(command: &Command) -> Result<Output, ProcessError> {
    #[expect(clippy::disallowed_methods, reason = "a deadline of this run, not the life of a token")]
    let start = std::time::Instant::now();
    #[expect(clippy::disallowed_methods, reason = "these are the processes")]
    let mut prepared = std::process::Command::new(&command.program);
    prepared
        .args(&command.arguments)
        .envs(command.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(folder) = command.program.parent() {
        // Never the caller's: batch files look there for what they start.
        prepared.current_dir(folder);
    }
    #[cfg(windows)]
    {
        use std::os::windows::process::CommandExt as _;
        const CREATE_NO_WINDOW: u32 = 0x0800_0000;
        prepared.creation_flags(CREATE_NO_WINDOW);
    }
    let mut child = prepared.spawn().map_err(ProcessError::Start)?;
    let (sender, pieces) = channel();
    if let Some(end) = child.stdout.take() {
        listen(end, sender.clone(), Piece::Stdout);
    }
    if let Some(end) = child.stderr.take() {
        listen(end, sender, Piece::Stderr);
    }
    let elapsed = || start.elapsed();
    let heard = hear(&pieces, command.timeout, &elapsed, &mut || matches!(child.try_wait(), Ok(None)));
    let heard = match heard {
        Ok(heard) => heard,
        Err(error) => {
            let ended = child.kill().and_then(|()| child.wait()).is_ok();
            tracing::debug!(ended, "ended a tool");
            return Err(error);
        }
    };
    // Its output is complete; it is given a moment to follow.
    let mut code = None;
    for _ in 0..200 {
        match child.try_wait() {
            Ok(Some(status)) => {
                code = status.code();
                break;
            }
            Ok(None) => pause(),
            Err(_) => break,
        }
    }
    if matches!(child.try_wait(), Ok(None)) {
        tracing::debug!(ended = child.kill().is_ok(), "ended a tool that stayed behind");
    }
    Ok(Output { code, stdout: heard.stdout, stderr: heard.stderr.to_vec() })
}

fn pause() {
    #[expect(
        clippy::disallowed_methods,
        reason = "a thread of the pool waits for the system, not for a moment in time"
    )]
    std::thread::sleep(Duration::from_millis(5));
}

/// Reads a pipe to its end, in pieces.
fn listen(mut end: impl Read + Send + 'static, sender: Sender<Piece>, piece: fn(Zeroizing<Vec<u8>>) -> Piece) {
    drop(tokio::task::spawn_blocking(move || {
        let mut chunk = Zeroizing::new([0; 8192]);
        while let Ok(read @ 1..) = end.read(chunk.as_mut_slice()) {
            let bytes = Zeroizing::new(chunk.get(..read).unwrap_or_default().to_vec());
            if sender.send(piece(bytes)).is_err() {
                return;
            }
        }
    }));
}

/// Both outputs, once both pipes are closed, or the program ended and something it left behind holds them.
fn hear(
    pieces: &Receiver<Piece>,
    timeout: Duration,
    elapsed: &dyn Fn() -> Duration,
    runs: &mut dyn FnMut() -> bool,
) -> Result<Heard, ProcessError> {
    let mut heard = Heard::default();
    let mut since_exit = None;
    loop {
        let now = elapsed();
        if now >= timeout {
            return Err(ProcessError::TimedOut);
        }
        match pieces.recv_timeout(timeout.saturating_sub(now).min(TICK)) {
            Ok(Piece::Stdout(bytes)) => heard.stdout.extend_from_slice(&bytes),
            Ok(Piece::Stderr(bytes)) => heard.stderr.extend_from_slice(&bytes),
            Err(RecvTimeoutError::Disconnected) => return Ok(heard),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if heard.stdout.len().max(heard.stderr.len()) > LIMIT {
            return Err(ProcessError::TooMuchOutput);
        }
        if (since_exit.is_some() || !runs()) && now.saturating_sub(*since_exit.get_or_insert(now)) >= GRACE {
            return Ok(heard);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[expect(clippy::unwrap_used, reason = "the test's own helper")]
    fn sh(script: &str, timeout: Duration) -> Result<(Option<i32>, String, String), ProcessError> {
        let command = Command {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            environment: vec![("GIVEN", "given".into())],
            timeout,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let output = runtime.block_on(RealProcesses.run(command))?;
        runtime.shutdown_background();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Ok((output.code, text(&output.stdout), text(&output.stderr)))
    }

    #[test]
    fn a_program_runs_to_its_end() {
        let long = Duration::from_secs(20);
        let cases = [
            ("echo \"$GIVEN\"; echo no >&2; exit 3", (Some(3), "given\n", "no\n")),
            ("test . -ef /bin && echo here; read line || echo no-input", (Some(0), "here\nno-input\n", "")),
            ("kill -9 $$", (None, "", "")),
            ("echo out; sleep 25 & exit 0", (Some(0), "out\n", "")),
            ("echo out; exec >&- 2>&-; exec sleep 25", (None, "out\n", "")),
        ];
        for (script, (code, stdout, stderr)) in cases {
            assert_eq!(sh(script, long).unwrap(), (code, stdout.to_owned(), stderr.to_owned()), "{script}");
        }
        assert!(matches!(sh("exec cat /dev/zero", long), Err(ProcessError::TooMuchOutput)));
        assert!(matches!(sh("exec cat /dev/zero >&2", long), Err(ProcessError::TooMuchOutput)));
        assert!(matches!(sh("exec sleep 25", Duration::from_millis(300)), Err(ProcessError::TimedOut)));
    }
}
