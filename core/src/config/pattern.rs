//! Which identity a resource belongs to: patterns, of which the most specific one wins.

use std::cmp::Reverse;

/// A pattern such as `https://*.documents.azure.com`: `*` stands for any run of characters but `/`, and alone for
/// everything. What follows a `/` behind it belongs to it too. Letters count alike, as in the names of hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    /// In lower case.
    text: String,
}

/// How specific a pattern is, in the order in which they win: without a `*`, then with more that is not one, then one of
/// two that are as specific, always the same one.
type Rank<'a> = (bool, usize, Reverse<&'a str>);

impl Pattern {
    /// Reads a pattern; the error is a sentence.
    pub(super) fn parse(text: &str) -> Result<Pattern, String> {
        let visible = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !visible {
            let sentence =
                "expected a resource such as \"https://vault.azure.net\" or \"https://*.documents.azure.com\"";
            return Err(sentence.to_owned());
        }
        if text.contains("**") {
            return Err("expected single '*'s: one stands for any run of characters but '/'".to_owned());
        }
        Ok(Pattern { text: resource(text).to_ascii_lowercase() })
    }

    /// As it counts.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether a resource is meant.
    fn matches(&self, resource: &str) -> bool {
        self.text == "*" || globs(self.text.as_bytes(), resource.as_bytes())
    }

    fn rank(&self) -> Rank<'_> {
        let literal = self.text.bytes().filter(|byte| *byte != b'*').count();
        (literal == self.text.len(), literal, Reverse(&self.text))
    }
}

/// The resource of a scope.
fn resource(scope: &str) -> &str {
    scope.strip_suffix("/.default").unwrap_or(scope).trim_end_matches('/')
}

/// Patterns, and what each stands for, the most specific first.
#[derive(Debug)]
pub(super) struct Patterns<T>(Vec<(Pattern, T)>);

impl<T> Patterns<T> {
    pub(super) fn new(mut patterns: Vec<(Pattern, T)>) -> Patterns<T> {
        patterns.sort_by(|(one, _), (other, _)| other.rank().cmp(&one.rank()));
        Patterns(patterns)
    }

    /// What the most specific one that means this scope stands for. Allocates nothing: every call goes this way.
    pub(super) fn find(&self, scope: &str) -> Option<&T> {
        let resource = resource(scope);
        self.0.iter().find(|(pattern, _)| pattern.matches(resource)).map(|(_, value)| value)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Whether the pattern covers the text, or the text up to a `/`.
fn globs(pattern: &[u8], text: &[u8]) -> bool {
    // Where to go on when the run of the last star must be longer.
    let (mut at, mut in_text, mut star) = (0, 0, None);
    loop {
        let (wanted, given) = (pattern.get(at), text.get(in_text));
        match (wanted, given) {
            (None, None | Some(b'/')) => return true,
            (Some(b'*'), _) => {
                star = Some((at, in_text));
                at += 1;
            }
            (Some(wanted), Some(given)) if *wanted == given.to_ascii_lowercase() => {
                (at, in_text) = (at + 1, in_text + 1);
            }
            _ => match star {
                Some((back, run)) if text.get(run).is_some_and(|byte| *byte != b'/') => {
                    star = Some((back, run + 1));
                    (at, in_text) = (back + 1, run + 1);
                }
                _ => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_one_wins() {
        let texts = [
            "*",
            "https://*",
            "https://*.azure.com",
            "https://*.documents.azure.com",
            "https://a.documents.azure.com",
            "https://database.windows.net",
            "https://graph.microsoft.com/v1",
            "api://app",
            "https://*.vault.*",
        ];
        let patterns = |texts: &[&'static str]| {
            Patterns::new(texts.iter().map(|text| (Pattern::parse(text).unwrap(), *text)).collect())
        };
        let all = patterns(&texts);
        for (scope, expected) in [
            ("https://a.documents.azure.com/.default", "https://a.documents.azure.com"),
            ("https://A.Documents.azure.com", "https://a.documents.azure.com"),
            ("https://b.documents.azure.com//.default", "https://*.documents.azure.com"),
            ("https://b.c.documents.azure.com/.default", "https://*.documents.azure.com"),
            ("https://storage.azure.com/.default", "https://*.azure.com"),
            ("https://database.windows.net//.default", "https://database.windows.net"),
            ("https://database.windows.net/user_impersonation", "https://database.windows.net"),
            ("https://database.windows.network/.default", "https://*"),
            ("https://documents.azure.com/.default", "https://*.azure.com"),
            ("https://x.vault.azure.net/.default", "https://*.vault.*"),
            ("https://graph.microsoft.com/v1/User.Read", "https://graph.microsoft.com/v1"),
            ("https://graph.microsoft.com/.default", "https://*"),
            ("api://app/.default", "api://app"),
            ("api://other/.default", "*"),
            ("11111111-1111-1111-1111-111111111111/.default", "*"),
            ("https:///.default", "*"),
        ] {
            assert_eq!(all.find(scope), Some(&expected), "{scope}");
        }
        assert_eq!(patterns(&texts[1..2]).find("api://app"), None);
    }

    #[test]
    fn patterns_that_match_nothing_well() {
        for text in ["", "a b", "https://**", "ä", "a\n"] {
            Pattern::parse(text).unwrap_err();
        }
        let slow = format!("{}b", "*a".repeat(40));
        assert!(!Pattern::parse(&slow).unwrap().matches(&"a".repeat(2000)));
    }
}
