//! The notices of the third-party code in one artefact: which packages it is made of, and under which licences.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Result, output, read, write};

/// One package in the artefact.
struct Linked {
    /// Name and version.
    id: String,
    /// Its licence, as SPDX has it.
    licence: String,
    folder: PathBuf,
}

/// Writes `out`: each package that is linked into the artefact of our `package`, and each licence once.
pub(crate) fn run(root: &Path, package: &str, out: &Path) -> Result {
    let linked = linked(root, package)?;
    let mut text = String::from(
        "Third-party code in azcred\n==========================\n\n\
         azcred itself is licensed under MIT OR Apache-2.0. This artefact also contains the following packages, under the\n\
         licences below them.\n\n",
    );
    let _infallible = writeln!(text, "the standard library of Rust: MIT OR Apache-2.0");
    for Linked { id, licence, .. } in &linked {
        let _infallible = writeln!(text, "{id}: {licence}");
    }
    // The same words in other lines are the same licence.
    let mut licences: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    let mut add = |words: &str, id: &str| {
        let key = words.split_whitespace().collect::<Vec<_>>().join(" ").replace("https://", "http://");
        let (_, packages) = licences.entry(key).or_insert_with(|| (words.trim().to_owned(), Vec::new()));
        if packages.last().is_none_or(|last| last != id) {
            packages.push(id.to_owned());
        }
    };
    let apache = read(&root.join("LICENSE-APACHE"))?;
    add(apart(&apache).first().copied().unwrap_or_default(), "the standard library of Rust");
    for package in &linked {
        for words in licences_of(root, package)?.iter().flat_map(|words| apart(words)) {
            add(words, &package.id);
        }
    }
    let mut sections: Vec<(String, Vec<String>)> = licences.into_values().collect();
    // What most packages have comes first.
    sections.sort_by_key(|(_, packages)| (std::cmp::Reverse(packages.len()), packages.first().cloned()));
    let rule = "-".repeat(100);
    for (words, packages) in sections {
        let _infallible = write!(text, "\n\n{rule}\n{}\n{rule}\n\n{words}\n", packages.join(", "));
    }
    write(out, &text)
}

/// What the artefact of `package` is linked from. Macros run in the compiler and leave nothing of their own.
fn linked(root: &Path, package: &str) -> Result<Vec<Linked>> {
    let mut tree = Command::new("cargo");
    tree.current_dir(root).args(["tree", "--locked", "--package", package, "--edges", "normal,no-proc-macro"]);
    tree.args(["--prefix", "none", "--format", "{p}|{l}"]);
    let tree = output(&mut tree)?;
    // Cargo has unpacked all of them for it.
    let registry = registry_folders(root)?;
    let mut packages = BTreeMap::new();
    for line in tree.lines() {
        let (name, licence) = line.trim_end_matches(" (*)").split_once('|').unwrap_or_default();
        let mut words = name.split_whitespace();
        let (Some(name), Some(version), path) = (words.next(), words.next(), words.next()) else { continue };
        // Our own packages carry a path.
        if path.is_some_and(|path| path.trim_start_matches('(').starts_with(&*root.to_string_lossy())) {
            continue;
        }
        let id = format!("{name} {}", version.trim_start_matches('v'));
        let folder = registry.iter().map(|folder| folder.join(id.replace(' ', "-"))).find(|folder| folder.is_dir());
        let folder = folder.ok_or_else(|| format!("notices: {id}: cargo has no folder of it"))?;
        if licence.is_empty() {
            return Err(format!("notices: {id}: it names no licence"));
        }
        packages.insert(id.clone(), Linked { id, licence: licence.to_owned(), folder });
    }
    Ok(packages.into_values().collect())
}

/// Where the sources of each registry's packages are.
pub(crate) fn registry_folders(root: &Path) -> Result<Vec<PathBuf>> {
    let folder = cargo_home(root).join("registry/src");
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(entries.filter_map(std::result::Result::ok).map(|entry| entry.path()).collect())
}

/// Where cargo keeps what it fetches.
pub(crate) fn cargo_home(root: &Path) -> PathBuf {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
    home.unwrap_or_else(|| root.to_path_buf())
}

/// The texts of its licences: those of its files, else the one that its licence and its authors make.
fn licences_of(root: &Path, package: &Linked) -> Result<Vec<String>> {
    let files = licence_files(&package.folder)?;
    if !files.is_empty() {
        return files.iter().map(|file| read(file)).collect();
    }
    let Linked { id, licence, folder } = package;
    let allows = |name: &str| licence.split([' ', '/', '(', ')']).any(|word| word == name);
    if allows("Apache-2.0") && !licence.contains(" AND ") {
        return Ok(vec![read(&root.join("LICENSE-APACHE"))?]);
    }
    if licence == "MIT" {
        let authors = authors(&read(&folder.join("Cargo.toml"))?);
        let authors = authors.ok_or_else(|| format!("notices: {id}: it has no licence's text, and no authors"))?;
        let ours = read(&root.join("LICENSE-MIT"))?;
        let whose = |line: &str| line.starts_with("Copyright ");
        let words =
            ours.lines().map(|line| if whose(line) { format!("Copyright (c) {authors}") } else { line.to_owned() });
        return Ok(vec![words.collect::<Vec<_>>().join("\n")]);
    }
    Err(format!("notices: {id}: {} has no text of {licence}", folder.display()))
}

/// The Apache License without its appendix, which says how to apply it, and the line of it that says to whose work it was
/// applied; any other text as it is.
fn apart(words: &str) -> Vec<&str> {
    const END: &str = "END OF TERMS AND CONDITIONS";
    let Some((terms, rest)) = words.split_once(END) else { return vec![words] };
    let is_apache = terms.trim_start().starts_with("Apache License");
    let appendix = rest.trim();
    let ends = appendix.ends_with("limitations under the License.") && appendix.starts_with("APPENDIX: ");
    // Some files go on with another licence.
    if !is_apache || !(appendix.is_empty() || ends) {
        return vec![words];
    }
    let whose = appendix.lines().map(str::trim).filter(|line| line.starts_with("Copyright ") && !line.contains("yyyy"));
    std::iter::once(terms).chain(whose).collect()
}

/// The authors that a manifest names, as cargo writes it: one list, on one line or more.
fn authors(manifest: &str) -> Option<String> {
    let (_, rest) = manifest.split_once("\nauthors = [")?;
    let (list, _) = rest.split_once(']')?;
    let names: Vec<&str> =
        list.split(',').map(|name| name.trim().trim_matches('"')).filter(|name| !name.is_empty()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn licence_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
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
    Ok(files)
}
