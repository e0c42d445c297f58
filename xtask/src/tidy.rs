//! House rules that no linter knows.

use std::path::{Path, PathBuf};

use crate::{Result, advisories, read};

/// Where unsafe code may be: what reads callers' memory, and what asks the system.
const MAY_BE_UNSAFE: [&str; 4] =
    ["ffi/src/request.rs", "core/platform/src/lib.rs", "core/platform/src/lock.rs", "bindings/python/src/shortcut.rs"];

/// Files beyond this many lines hold a second noun.
const LONGEST: usize = 500;

/// What no source holds, whose lack the table of advisories counts on: a switch for unchecked certificates, a shell.
const NOWHERE: [&str; 7] = [
    "danger_accept_invalid",
    "accept_invalid_certs",
    "rejectUnauthorized",
    "CERT_NONE",
    "shell=True",
    "\"/bin/sh\"",
    "child_process",
];

/// Whether a file is a part of what users install, not of its tests.
fn is_shipped(name: &str) -> bool {
    let rooms = ["core/src/", "core/platform/", "ffi/src/", "agent/", "bindings/"];
    rooms.iter().any(|room| name.starts_with(room)) && !name.contains("/tests/")
}

/// Checks all of them, and reports every breach.
pub(crate) fn run(root: &Path) -> Result {
    let mut breaches = advisories::breaches(root)?;
    for path in sources(root)? {
        let text = read(&path)?;
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        let lines = text.lines().count();
        if lines > LONGEST {
            breaches.push(format!("{name}: {lines} lines, more than {LONGEST}: look for the second noun"));
        }
        if is_shipped(&name) {
            let shipped = text.split("mod tests {").next().unwrap_or_default();
            let found = NOWHERE.iter().filter(|words| shipped.contains(**words));
            breaches.extend(found.map(|words| format!("{name}: {words}: docs/advisories.md says that there is none")));
        }
        if path.extension().is_some_and(|ending| ending == "rs") {
            if !text.starts_with("//!") && !name.contains("/tests/") {
                breaches.push(format!("{name}: starts without the sentence that is its caption (//!)"));
            }
            let holds_unsafe = text.lines().any(|line| {
                let code = line.split("//").next().unwrap_or_default();
                code.contains("unsafe {") || code.contains("unsafe impl") || code.contains("unsafe fn")
            });
            let may = MAY_BE_UNSAFE.contains(&name.as_str());
            // What is only measured is nobody's dependency.
            if holds_unsafe && !may && !name.starts_with("xtask/") && !name.starts_with("bench/") {
                breaches.push(format!(
                    "{name}: unsafe code belongs to what crosses a border: {}",
                    MAY_BE_UNSAFE.join(", ")
                ));
            }
        }
    }
    if breaches.is_empty() { Ok(()) } else { Err(format!("tidy:\n  {}", breaches.join("\n  "))) }
}

/// Every source file that git tracks or would track.
fn sources(root: &Path) -> Result<Vec<PathBuf>> {
    let mut git = std::process::Command::new("git");
    git.current_dir(root).args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let endings = [".rs", ".py", ".pyi", ".js", ".mjs", ".ts", ".c", ".cpp", ".hpp", ".sh"];
    Ok(crate::output(&mut git)?
        .lines()
        .filter(|name| endings.iter().any(|ending| name.ends_with(ending)))
        .map(|name| root.join(name))
        .filter(|path| path.is_file())
        .collect())
}
