//! `azcred emulator`: Entra ID and the metadata services on loopback.

use std::net::SocketAddr;
use std::path::PathBuf;

use azcred_emulator::{Config, Options};
use clap::Args;
use tokio::io::AsyncReadExt as _;
use tokio::signal::unix::{SignalKind, signal};

/// Where to listen, and who is there.
#[derive(Args, Debug)]
#[command(after_help = "When it listens it prints one line of JSON: the addresses, the tenant, test applications and \
    users, and the paths of what it wrote. It ends on SIGINT and SIGTERM.")]
pub(super) struct Arguments {
    /// The address of the plain listener (IMDS, App Service, Azure ML, admin); port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    http: SocketAddr,
    /// The address of the TLS listener (Entra ID); port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    https: SocketAddr,
    /// A TOML file with tenants, applications, users and identities.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A folder to write into: ca.pem, the applications' certificate, the federated token and more.
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// Also end when standard input closes, so that it never outlives the program that started it.
    #[arg(long)]
    with_stdin: bool,
}

pub(super) fn run(arguments: Arguments) -> Result<(), String> {
    let config = match &arguments.config {
        None => Config::default(),
        Some(path) => {
            #[expect(clippy::disallowed_methods, reason = "a file that the command line names")]
            let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Config::from_toml(&text).map_err(|error| format!("{}: {error}", path.display()))?
        }
    };
    let options = Options { http: arguments.http, https: arguments.https, config, dir: arguments.dir };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| format!("no threads: {error}"))?;
    let result = runtime.block_on(serve(options, arguments.with_stdin));
    // A read of standard input may never come back.
    runtime.shutdown_background();
    result
}

async fn serve(options: Options, with_stdin: bool) -> Result<(), String> {
    let signal = |kind| signal(kind).map_err(|error| format!("signals: {error}"));
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let emulator = azcred_emulator::start(options).await.map_err(|error| error.to_string())?;
    super::say(&emulator.ready().to_string())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = closed(), if with_stdin => {}
    }
    emulator.stop().await;
    Ok(())
}

/// Comes back when standard input is at its end.
async fn closed() {
    let mut stdin = tokio::io::stdin();
    let mut bytes = [0; 64];
    while stdin.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
}
