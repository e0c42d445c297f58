//! What to do about an error: the table of docs/troubleshooting.md, which is for people and for this program.

const TABLE: &str = include_str!("../../../../docs/troubleshooting.md");

/// The next step for an error with this sentence.
pub(super) fn of(sentence: &str) -> String {
    // A row may name a single word beside its sentences: the longest that fits is the one that is meant.
    let length = |said: &[&str]| said.iter().filter(|said| is_said(said, sentence)).map(|said| said.len()).max();
    let found = rows().filter_map(|(said, remedy)| Some((length(&said)?, remedy))).max_by_key(|(length, _)| *length);
    found.map_or_else(|| "set AZCRED_LOG=debug and try again: it shows what is tried".to_owned(), |(_, remedy)| remedy)
}

/// What each row's errors say, and what to do.
fn rows() -> impl Iterator<Item = (Vec<&'static str>, String)> {
    let lines = TABLE.lines().filter(|line| line.starts_with("| `"));
    lines.filter_map(|line| {
        let mut cells = line.trim_matches('|').split(" | ");
        let (said, _, remedy) = (cells.next()?, cells.next()?, cells.next()?);
        let said = said.split('`').skip(1).step_by(2).collect();
        Some((said, remedy.trim().replace('`', "")))
    })
}

/// Whether a sentence has all parts of what is said, in their order; `…` stands for anything.
fn is_said(said: &str, sentence: &str) -> bool {
    let mut rest = sentence;
    said.split('…').map(str::trim).filter(|part| !part.is_empty()).all(|part| match rest.split_once(part) {
        Some((_, behind)) => {
            rest = behind;
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read() {
        assert_eq!(rows().count(), TABLE.lines().filter(|line| line.starts_with("| `")).count());
        assert!(rows().all(|(said, remedy)| !said.is_empty() && !remedy.is_empty()));
        // What would match every sentence.
        assert!(!rows().any(|(said, _)| said.iter().any(|said| is_said(said, ""))));
    }

    #[test]
    fn an_error_has_its_remedy() {
        for (sentence, expected) in [
            ("AzureCliCredential: Azure CLI (az) was not found on PATH; install it from …", "install it"),
            ("X: the environment is not fully configured: AZURE_TENANT_ID missing", "set the missing ones"),
            ("AzureCliCredential: nobody is signed in: run 'az login'", "what it says"),
            ("/run/user/0/azcred: its mode is 755, expected 700", "chmod"),
            ("something new", "AZCRED_LOG"),
        ] {
            assert!(of(sentence).contains(expected), "{sentence}: {}", of(sentence));
        }
    }
}
