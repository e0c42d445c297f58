//! The table of advisories and the tests that it names: each is there, or the table is wrong.

use std::path::Path;

use crate::{Result, read};

const TABLE: &str = "docs/advisories.md";

/// What starts the line of a test, before its name.
const STARTS: [&str; 4] = ["fn ", "def ", "test(\"", "it(\""];

/// The breaches of the table: tests that are nowhere, and a table that names none.
pub(crate) fn breaches(root: &Path) -> Result<Vec<String>> {
    let text = read(&root.join(TABLE))?;
    let mut breaches = Vec::new();
    let mut found = 0;
    // Code between backticks is every second piece.
    for name in text.split('`').skip(1).step_by(2) {
        let Some((file, sought)) = name.split_once("::") else { continue };
        match std::fs::read_to_string(root.join(file)) {
            Ok(tests) if holds(&tests, sought) => found += 1,
            Ok(_) => breaches.push(format!("{TABLE}: {file} has no test {sought}")),
            Err(error) => breaches.push(format!("{TABLE}: {file}: {error}")),
        }
    }
    if found == 0 {
        breaches.push(format!("{TABLE}: names no test"));
    }
    Ok(breaches)
}

fn holds(tests: &str, name: &str) -> bool {
    tests.lines().any(|line| {
        let rest = STARTS.iter().find_map(|start| line.split_once(start).map(|(_, rest)| rest));
        let rest = rest.and_then(|rest| rest.strip_prefix(name));
        rest.is_some_and(|rest| rest.starts_with(['(', '"']))
    })
}
