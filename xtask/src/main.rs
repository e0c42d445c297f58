//! `cargo xtask`: the project's own chores.
#![expect(clippy::print_stderr, reason = "a command-line program speaks on them")]
#![expect(clippy::disallowed_methods, reason = "a developer's tool, not a library: it has no world to ask")]

mod advisories;
mod dist;
mod header;
mod notices;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::{Parser, Subcommand};

/// The project's own chores.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Write include/azcred.h from ffi/, or compare it.
    Header {
        /// Only say whether the committed header is what would be written.
        #[arg(long)]
        check: bool,
    },
    /// Write docs/options.md and docs/config.schema.json from the tables of core, whose tests compare it.
    Options,
    /// Check the house rules that no linter knows.
    Tidy,
    /// Write the notices of the third-party code in one artefact to a file.
    Notices {
        /// Our package that becomes the artefact.
        package: String,
        /// The file.
        out: PathBuf,
    },
    /// Build everything a user installs into dist/.
    Dist,
}

/// What went wrong, in one line.
type Result<T = ()> = std::result::Result<T, String>;

fn main() -> ExitCode {
    let root = root();
    let result = match Arguments::parse().chore {
        Chore::Header { check } => header::run(&root, check),
        Chore::Options => options(&root),
        Chore::Tidy => tidy::run(&root),
        Chore::Notices { package, out } => notices::run(&root, &package, &out),
        Chore::Dist => dist::build(&root),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("xtask: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Core has the tables, and shows them to its own tests only.
fn options(root: &Path) -> Result {
    let mut tests = Command::new("cargo");
    tests.current_dir(root).args(["test", "--quiet", "--package", "azcred", "--lib", "options::"]);
    run(tests.env("AZCRED_WRITE_OPTIONS_PAGE", "1"))
}

/// Runs a command in a folder to its success.
fn run(command: &mut Command) -> Result {
    let shown = format!("{} {}", command.get_program().to_string_lossy(), arguments(command));
    let status = command.status().map_err(|error| format!("{shown}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{shown}: {status}")) }
}

/// What a command prints on success.
fn output(command: &mut Command) -> Result<String> {
    let shown = format!("{} {}", command.get_program().to_string_lossy(), arguments(command));
    let output = command.output().map_err(|error| format!("{shown}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{shown}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("{shown}: printed no text"))
}

fn arguments(command: &Command) -> String {
    let shown: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
    shown.join(" ")
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

fn copy(from: &Path, to: &Path) -> Result {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    std::fs::copy(from, to).map(drop).map_err(|error| format!("{} to {}: {error}", from.display(), to.display()))
}
