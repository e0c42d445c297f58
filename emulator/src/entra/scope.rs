//! What a client credentials request asks a token for.

/// Scopes that some SDKs add to every request; without a user they mean nothing.
const IGNORED: [&str; 3] = ["openid", "profile", "offline_access"];
const SUFFIX: &str = "/.default";

/// Why a scope parameter cannot be served.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BadScope<'a> {
    /// It names several resources, or none.
    Count,
    /// This one is not a resource followed by `/.default`.
    NotDefault(&'a str),
}

/// The resource of a scope parameter: its one scope less one trailing `/.default`, byte for byte.
pub(crate) fn resource(scope: &str) -> Result<&str, BadScope<'_>> {
    let mut scopes = scope.split_ascii_whitespace().filter(|one| !IGNORED.contains(one));
    let (Some(one), None) = (scopes.next(), scopes.next()) else {
        return Err(BadScope::Count);
    };
    match one.strip_suffix(SUFFIX) {
        Some(resource) if !resource.is_empty() => Ok(resource),
        _ => Err(BadScope::NotDefault(one)),
    }
}

#[cfg(test)]
mod tests {
    use super::{BadScope::*, *};

    #[test]
    fn one_suffix_is_taken_off_and_nothing_else() {
        let table = [
            ("https://a/.default", Ok("https://a")),
            ("https://a//.default", Ok("https://a/")),
            ("https://a/.default/.default", Ok("https://a/.default")),
            ("api://x/.default", Ok("api://x")),
            ("https://a/.default openid profile offline_access", Ok("https://a")),
            (" https://a/.default ", Ok("https://a")),
            ("", Err(Count)),
            ("openid", Err(Count)),
            ("https://a/.default https://b/.default", Err(Count)),
            ("https://a/User.Read", Err(NotDefault("https://a/User.Read"))),
            (".default", Err(NotDefault(".default"))),
            ("/.default", Err(NotDefault("/.default"))),
            ("https://a/.Default", Err(NotDefault("https://a/.Default"))),
        ];
        for (scope, expected) in table {
            assert_eq!(resource(scope), expected, "{scope:?}");
        }
    }
}
