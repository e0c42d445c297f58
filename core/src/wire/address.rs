//! An address that somebody gave, as an error may show it.

use crate::request;

/// A URL or host without what may be a password or a key: all before an `@`, and all behind a `?` or `#`.
pub(crate) fn shown(text: &str) -> String {
    let (hidden, open) = match text.rsplit_once('@') {
        Some((_, open)) => ("…@", open),
        None => ("", text),
    };
    let end = open.find(['?', '#']);
    let told = end.and_then(|end| open.get(..=end)).unwrap_or(open);
    let rest = if end.is_some() { "…" } else { "" };
    format!("{hidden}{}{rest}", request::shown(told))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_that_may_be_secret_is_shown() {
        let cases = [
            ("login.example", "login.example"),
            ("http://login.example/x", "http://login.example/x"),
            ("https://canary:canary@host", "…@host"),
            ("https://canary:can#ary@host", "…@host"),
            ("https://canary:can@ary@host:1/x", "…@host:1/x"),
            ("canary:can?ary@host", "…@host"),
            ("https://host?key=canary", "https://host?…"),
            ("https://host#canary", "https://host#…"),
            ("a\nb", "a\\nb"),
            ("", ""),
        ];
        for (given, expected) in cases {
            assert_eq!(shown(given), expected);
        }
    }
}
