//! The command line: one file per command.
#![expect(clippy::print_stderr, reason = "a command-line program speaks on them")]

mod ci;
mod doctor;
mod emulator;
mod option;
mod output;
mod pages;
mod status;
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
    /// Say what each source of tokens would do here, and why; print no token.
    Doctor(doctor::Arguments),
    /// List what processes of this user share: identities, resources, lifetimes; never a token.
    Status(status::Arguments),
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
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Status(arguments) => status::run(&arguments),
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

/// A text of somebody else's, for one line of a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}

/// A span of seconds, for people.
fn span(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match seconds {
        86_400.. => format!("{days} d {hours} h"),
        3600.. => format!("{hours} h {minutes} min"),
        60.. => format!("{minutes} min"),
        _ => format!("{seconds} s"),
    }
}

/// A variable of the environment; one that is no text is none.
#[expect(clippy::disallowed_methods, reason = "the program's own settings, not a credential's")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn spans_are_for_people() {
        for (seconds, expected) in
            [(-3, "-3 s"), (0, "0 s"), (61, "1 min"), (3661, "1 h 1 min"), (90_000, "1 d 1 h"), (86_399, "23 h 59 min")]
        {
            assert_eq!(super::span(seconds), expected);
        }
        assert_eq!(super::plain("a\u{1b}[31m\n"), "a\u{fffd}[31m\u{fffd}");
    }
}
