//! Runs an emulator: prints its ready line and serves until standard input closes or a signal
//! comes. The first argument names the folder for the certificates, the second a configuration.

use std::{error::Error, io::Write};

use azcred_emulator::{Config, Options, start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let dir = arguments.next().map(Into::into);
    let config = match arguments.next() {
        Some(path) => Config::from_toml(&read(path.as_ref())?)?,
        None => Config::default(),
    };
    let emulator = start(Options { http: "127.0.0.1:0".parse()?, https: "127.0.0.1:0".parse()?, config, dir }).await?;
    writeln!(std::io::stdout(), "{}", emulator.ready())?;

    let (closed, input_closed) = tokio::sync::oneshot::channel::<()>();
    // A thread of its own: a read of standard input cannot be called off.
    std::thread::spawn(move || {
        drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
        // Dropping the sender says the same as sending.
        drop(closed);
    });
    tokio::select! {
        _ = input_closed => {}
        () = asked_to_stop() => {}
    }
    emulator.stop().await;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "an example has no world to ask")]
fn read(path: &std::path::Path) -> std::io::Result<String> {
    std::fs::read_to_string(path)
}

/// Returns on the polite signals.
#[cfg(unix)]
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// Returns on Ctrl-C.
#[cfg(not(unix))]
async fn asked_to_stop() {
    drop(tokio::signal::ctrl_c().await);
}
