//! What shells and `man` know of this program, written from the command line's own description.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

/// Which shell's completions.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    azcred completions bash > ~/.local/share/bash-completion/completions/azcred\n  \
    azcred completions zsh > \"${fpath[1]}/_azcred\"\n  \
    azcred completions fish > ~/.config/fish/completions/azcred.fish")]
pub(super) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Where the manual's pages go.
#[derive(Args, Debug)]
pub(super) struct Man {
    /// The folder; one page for each command.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

pub(super) fn completions(arguments: &Completions) -> Result<(), String> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::Arguments::command(), "azcred", &mut script);
    super::put(&script)
}

pub(super) fn man(arguments: &Man) -> Result<(), String> {
    let folder = &arguments.folder;
    clap_mangen::generate_to(super::Arguments::command(), folder)
        .map_err(|error| format!("{}: {error}", folder.display()))
}
