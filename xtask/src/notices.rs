//! The notices of the third-party code in our artefacts: who wrote it, and under which licence.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Result, output, read, write};

/// Writes `out`: each crate that is linked into an artefact, its licence expression, and its licence files.
pub(crate) fn run(root: &Path, out: &Path) -> Result {
    let mut text = String::from(
        "Third-party code in azcred\n==========================\n\n\
         azcred itself is licensed under MIT OR Apache-2.0. Its artefacts contain the following packages.\n",
    );
    for (name, (licence, folder)) in packages(root)? {
        let rule = "-".repeat(78);
        text.extend(["\n\n", &rule, "\n", &name, ": ", &licence, "\n", &rule, "\n"]);
        for file in licence_files(&folder) {
            text.push('\n');
            text.push_str(read(&file)?.trim());
            text.push('\n');
        }
    }
    write(out, &text)
}

/// Name and version → licence and folder, of everything that the workspace links.
fn packages(root: &Path) -> Result<BTreeMap<String, (String, PathBuf)>> {
    let mut tree = Command::new("cargo");
    tree.current_dir(root).args(["tree", "--locked", "--workspace", "--exclude", "xtask", "--edges", "normal"]);
    tree.args(["--prefix", "none", "--format", "{p}|{l}|{r}"]);
    let registry = registry_folders(root)?;
    let mut packages = BTreeMap::new();
    for line in output(&mut tree)?.lines() {
        let mut parts = line.trim_end_matches(" (*)").split('|');
        let (Some(package), Some(licence)) = (parts.next(), parts.next()) else { continue };
        let mut words = package.split_whitespace();
        let (Some(name), Some(version)) = (words.next(), words.next()) else { continue };
        // Our own crates carry a path.
        if package.contains('(') && package.contains(&root.display().to_string()) {
            continue;
        }
        let id = format!("{name}-{}", version.trim_start_matches('v'));
        let folder = registry.iter().map(|folder| folder.join(&id)).find(|folder| folder.is_dir());
        packages.insert(id, (licence.to_owned(), folder.unwrap_or_default()));
    }
    Ok(packages)
}

fn registry_folders(root: &Path) -> Result<Vec<PathBuf>> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
    let folder = home.unwrap_or_else(|| root.to_path_buf()).join("registry/src");
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(entries.filter_map(std::result::Result::ok).map(|entry| entry.path()).collect())
}

fn licence_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let wanted = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"];
    let mut files: Vec<PathBuf> = entries
        .filter_map(std::result::Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().map(|name| name.to_string_lossy().to_uppercase()).unwrap_or_default();
            path.is_file() && wanted.iter().any(|start| name.starts_with(start))
        })
        .collect();
    files.sort();
    files
}
