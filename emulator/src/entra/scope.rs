//! What a request asks a token for.

/// Scopes that some SDKs add to every request; without a user they mean nothing.
const IGNORED: [&str; 4] = ["openid", "profile", "offline_access", "email"];
/// Whose permissions are meant when none is named.
const GRAPH: &str = "https://graph.microsoft.com";
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

/// What a client asks for in a user's name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delegated {
    /// The resource, byte for byte; empty when the scopes name none.
    pub(crate) resource: String,
    /// The permissions there, as tokens have them.
    pub(crate) permissions: String,
    /// The scopes of the resource as they were asked for, and what they stand for.
    granted: String,
    pub(crate) openid: bool,
    pub(crate) profile: bool,
    pub(crate) offline: bool,
}

impl Delegated {
    /// Reads a scope parameter.
    pub(crate) fn read(scope: &str) -> Result<Self, BadScope<'_>> {
        let mut read = Self::default();
        let mut count = 0;
        for one in scope.split_ascii_whitespace() {
            match one {
                "openid" => read.openid = true,
                "profile" => read.profile = true,
                "offline_access" => read.offline = true,
                "email" => {}
                _ => {
                    let (resource, permission) = split(one).ok_or(BadScope::NotDefault(one))?;
                    if count > 0 && resource != read.resource {
                        return Err(BadScope::Count);
                    }
                    // The one scope that stands for all others stands alone.
                    if count > 0 && (permission == ".default" || read.permissions == "user_impersonation") {
                        return Err(BadScope::NotDefault(one));
                    }
                    count += 1;
                    resource.clone_into(&mut read.resource);
                    join(&mut read.granted, one);
                    if permission == ".default" {
                        join(&mut read.granted, &format!("{resource}/user_impersonation"));
                        "user_impersonation".clone_into(&mut read.permissions);
                    } else {
                        join(&mut read.permissions, permission);
                    }
                }
            }
        }
        Ok(read)
    }

    pub(crate) fn names_a_resource(&self) -> bool {
        !self.resource.is_empty()
    }

    /// What is asked for now, where it says nothing of a resource, on top of what was agreed before.
    pub(crate) fn after(self, before: &Self) -> Self {
        let resource = if self.names_a_resource() { &self } else { before };
        Self {
            resource: resource.resource.clone(),
            permissions: resource.permissions.clone(),
            granted: resource.granted.clone(),
            openid: self.openid || before.openid,
            profile: self.profile || before.profile,
            offline: self.offline || before.offline,
        }
    }

    /// The audience of the access token.
    pub(crate) fn audience(&self) -> &str {
        if self.resource.is_empty() { GRAPH } else { &self.resource }
    }

    /// The `scope` of the answer.
    pub(crate) fn answer(&self) -> String {
        let mut scopes = self.granted.clone();
        for (name, asked) in [("openid", self.openid), ("profile", self.profile)] {
            if asked {
                join(&mut scopes, name);
            }
        }
        scopes
    }
}

/// Resource and permission of one scope.
fn split(scope: &str) -> Option<(&str, &str)> {
    let parts = match scope.strip_suffix(SUFFIX) {
        Some(resource) => (resource, ".default"),
        None => match scope.rsplit_once('/') {
            Some(parts) => parts,
            None => (GRAPH, scope),
        },
    };
    (!parts.0.is_empty() && !parts.0.ends_with(":/") && !parts.0.ends_with(':') && !parts.1.is_empty()).then_some(parts)
}

fn join(words: &mut String, word: &str) {
    if !words.is_empty() {
        words.push(' ');
    }
    words.push_str(word);
}

#[cfg(test)]
mod tests {
    use super::{BadScope::*, *};

    #[test]
    fn delegated_scopes_name_one_resource() {
        let read = |scope| {
            Delegated::read(scope).map(|read| format!("{}|{}|{}", read.audience(), read.permissions, read.answer()))
        };
        let table = [
            ("a://r/.default offline_access", Ok("a://r|user_impersonation|a://r/.default a://r/user_impersonation")),
            (
                "https://a//.default",
                Ok("https://a/|user_impersonation|https://a//.default https://a//user_impersonation"),
            ),
            ("https://a/x https://a/y openid", Ok("https://a|x y|https://a/x https://a/y openid")),
            ("User.Read profile", Ok("https://graph.microsoft.com|User.Read|User.Read profile")),
            ("openid profile", Ok("https://graph.microsoft.com||openid profile")),
            ("", Ok("https://graph.microsoft.com||")),
            ("https://a/x https://b/y", Err(Count)),
            ("https://a/x https://a/.default", Err(NotDefault("https://a/.default"))),
            ("https://a/.default https://a/x", Err(NotDefault("https://a/x"))),
            ("https://x", Err(NotDefault("https://x"))),
        ];
        for (scope, expected) in table {
            assert_eq!(read(scope), expected.map(str::to_owned), "{scope}");
        }
        let before = Delegated::read("https://a/.default openid offline_access").unwrap();
        let now = Delegated::read("https://b/.default").unwrap().after(&before);
        assert_eq!((now.audience(), now.openid, now.offline, now.profile), ("https://b", true, true, false));
        assert_eq!(Delegated::read("openid").unwrap().after(&before).audience(), "https://a");
    }

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
