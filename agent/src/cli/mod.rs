//! The command line: one file per command.
#![expect(clippy::print_stderr, reason = "a command-line program speaks on them")]

mod ci;
mod emulator;
mod option;
mod output;
mod pages;
mod token;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// One token source and one identity configuration for Microsoft Entra ID.
#[derive(Debug, Parser)]
#[command(name = "azcred", version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Get a token and print it.
    Token(token::Arguments),
    /// Run Entra ID and the Azure metadata services on loopback, for tests and offline work.
    Emulator(emulator::Arguments),
    /// Print what a shell needs to complete this program's commands and options.
    Completions(pages::Completions),
    /// Write the manual's pages to a folder.
    Man(pages::Man),
}

/// Reads the command line and does what it says. Exit status: 0 done, 1 not done (with the reason on standard error),
/// 2 a command line that makes no sense.
pub(crate) fn run() -> ExitCode {
    let arguments = Arguments::parse();
    // AZCRED_LOG takes the directives of tracing: `debug`, `azcred=trace,warn`.
    let filter = EnvFilter::try_from_env("AZCRED_LOG").unwrap_or_else(|_| EnvFilter::new("off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let result = match arguments.command {
        Command::Token(arguments) => token::run(&arguments),
        Command::Emulator(arguments) => emulator::run(arguments),
        Command::Completions(arguments) => pages::completions(&arguments),
        Command::Man(arguments) => pages::man(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("azcred: {sentence}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a line; a reader that left is told, not a panic.
fn say(line: &str) -> Result<(), String> {
    put(format!("{line}\n").as_bytes())
}

/// Prints bytes, likewise.
fn put(bytes: &[u8]) -> Result<(), String> {
    use std::io::Write as _;
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| format!("standard output: {error}"))
}

/// A variable of the environment; one that is no text is none.
#[expect(clippy::disallowed_methods, reason = "the program's own settings, not a credential's")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
