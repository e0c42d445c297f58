//! Programs that are started and left alone, such as browsers: nobody waits for them, and none stays behind as a zombie.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use super::Clock as _;
use super::clock::RealClock;

/// How often an end is looked for where the system does not tell: at first, and at last.
const SOON: Duration = Duration::from_millis(20);
const LATER: Duration = Duration::from_secs(5);

/// Starts a program without input and output of ours, in a process group of its own, so that what the terminal sends to
/// ours does not reach it.
pub(super) async fn launch(program: PathBuf, arguments: Vec<String>) -> std::io::Result<()> {
    // A thread of the driver's pool starts it: the program may lie on a slow file system.
    let started = tokio::task::spawn_blocking(move || {
        let child = start(&program, &arguments)?;
        // From here, so that it is reaped whether or not anybody still waits for its start.
        drop(tokio::spawn(reap(child)));
        Ok(())
    });
    started.await.unwrap_or_else(|_| Err(std::io::Error::other("the starting thread ended")))
}

fn start(program: &Path, arguments: &[String]) -> std::io::Result<Child> {
    #[expect(clippy::disallowed_methods, reason = "these are the processes")]
    let mut prepared = std::process::Command::new(program);
    prepared.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        prepared.current_dir("/").process_group(0);
    }
    #[cfg(windows)]
    {
        use std::os::windows::process::CommandExt as _;
        const DETACHED_PROCESS: u32 = 0x0000_0008;
        const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
        prepared.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP);
    }
    // The driver's threads take no signals; the program must, or nothing but SIGKILL would end it.
    azcred_platform::with_signals(|| prepared.spawn())
}

/// Takes a child's status when it ends. It may run for hours, so no thread waits for it.
async fn reap(child: Child) {
    #[cfg(target_os = "linux")]
    let child = match told(child).await {
        Ok(()) => return,
        Err(child) => child,
    };
    looked_for(child).await;
}

/// Waits for the system to tell of a child's end. By a descriptor, which always means this child: a host program that
/// reaps children itself frees their numbers for others, whose status we must not take.
#[cfg(target_os = "linux")]
async fn told(child: Child) -> Result<(), Child> {
    use std::os::fd::AsFd as _;

    use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else { return Err(child) };
    let Ok(watched) = pidfd_open(pid, PidfdFlags::empty()) else { return Err(child) };
    #[expect(deprecated, reason = "an owned descriptor keeps the promise that the newer function takes in `unsafe`")]
    let Ok(watched) = AsyncFd::with_interest(watched, Interest::READABLE) else { return Err(child) };
    if watched.readable().await.is_err() {
        return Err(child);
    }
    let status = waitid(WaitId::PidFd(watched.get_ref().as_fd()), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
    // An error says that the host program ignores its children, or reaped this one itself.
    tracing::debug!(code = ?status.ok().flatten().and_then(|status| status.exit_status()), "a launched program ended");
    Ok(())
}

/// Looks for a child's end now and then.
async fn looked_for(mut child: Child) {
    let mut pause = SOON;
    loop {
        match child.try_wait() {
            Ok(None) => RealClock.sleep(pause).await,
            Ok(Some(status)) => return tracing::debug!(code = status.code(), "a launched program ended"),
            Err(_) => return,
        }
        pause = pause.saturating_mul(2).min(LATER);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_found_either_way() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let child = || start(Path::new("/bin/sh"), &["-c".to_owned(), "exit 3".to_owned()]).unwrap();
        let zombie = |id: u32| {
            #[expect(clippy::disallowed_methods, reason = "the test's own look at the system")]
            let status = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            status.contains(") Z ")
        };
        let looked = child();
        let id = looked.id();
        runtime.block_on(looked_for(looked));
        assert!(!zombie(id));
        #[cfg(target_os = "linux")]
        {
            let watched = child();
            let id = watched.id();
            runtime.block_on(told(watched)).unwrap();
            assert!(!zombie(id));
        }
    }
}
