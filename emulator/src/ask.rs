//! One request as the emulator reads it: once, before anyone looks at it.
//!
//! The handlers and the request log see the same reading, so the log cannot disagree with the
//! answer. Parameters are decoded as HTML forms are; what is not UTF-8 is read with replacement
//! characters and then simply matches nothing.

use axum::http::{HeaderMap, header, request::Parts};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{faults::Trick, identities::is_guid};

/// Names and values in the order they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pairs(Vec<(String, String)>);

impl Pairs {
    pub(crate) fn read(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.iter().filter_map(move |(key, value)| (key == name).then_some(value))
    }

    /// The first value under that name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The first value under that name, unless it is empty.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// The same, without `name` where it has no value.
    pub(crate) fn without_empty(&self, name: &str) -> Self {
        let kept = self.iter().filter(|&(key, value)| key != name || !value.is_empty());
        Self(kept.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }

    /// A name that occurs more than once.
    pub(crate) fn repeated(&self) -> Option<&str> {
        self.iter().map(|(name, _)| name).find(|name| self.all(name).nth(1).is_some())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Pairs,
    pub(crate) headers: HeaderMap,
    pub(crate) form: Pairs,
    /// The name that a TLS client asked for.
    pub(crate) sni: Option<String>,
    /// Whether the token of the answer is to be an expired one: a fault asks for it.
    pub(crate) stale: bool,
    /// What is to be wrong with Arc's challenge: a fault asks for it.
    pub(crate) trick: Option<Trick>,
}

/// The name that a TLS client asked for, pinned to its requests.
#[derive(Clone, Debug)]
pub(crate) struct Sni(pub(crate) String);

/// Below this path the token proxy has the paths of Entra ID.
pub(crate) const PROXY: &str = "token-proxy";

impl Ask {
    pub(crate) fn read(parts: &Parts, body: &[u8]) -> Self {
        let query = parts.uri.query().unwrap_or_default();
        let kind = parts.headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|value| value.to_str().ok());
        let is_form = kind.is_some_and(|kind| {
            let kind = kind.split(';').next().unwrap_or_default();
            kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
        Self {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: Pairs::read(query.as_bytes()),
            headers: parts.headers.clone(),
            form: if is_form { Pairs::read(body) } else { Pairs::default() },
            sni: parts.extensions.get::<Sni>().map(|Sni(name)| name.clone()),
            stale: false,
            trick: None,
        }
    }

    /// The first segment of the path: Entra's tenant.
    pub(crate) fn tenant(&self) -> &str {
        let mut segments = self.path.split('/').skip(1);
        match segments.next() {
            Some(PROXY) => segments.next().unwrap_or_default(),
            first => first.unwrap_or_default(),
        }
    }

    /// The value of that header, when it is there and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The caller's correlation id, wherever clients put it, when it is a GUID.
    pub(crate) fn correlation_id(&self) -> Option<&str> {
        const NAME: &str = "client-request-id";
        [self.header(NAME), self.form.get(NAME), self.query.get(NAME)].into_iter().flatten().find(|id| is_guid(id))
    }

    /// The host and port that the caller named.
    pub(crate) fn host(&self) -> Option<&str> {
        self.header("host")
    }

    /// Client id and secret of an `Authorization: Basic` header; both parts are form-encoded
    /// below the base64, as OAuth wants it.
    pub(crate) fn basic(&self) -> Option<(String, String)> {
        let (scheme, encoded) = self.header("authorization")?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (id, secret) = text.split_once(':')?;
        Some((decode(id), decode(secret)))
    }
}

/// One form-encoded word.
fn decode(word: &str) -> String {
    // A bare `=` or `&` is no separator here: OAuth clients that skip the encoding send them.
    let word = word.replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(word.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn ask(headers: &[(&str, &str)], uri: &str, body: &str) -> Ask {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        Ask::read(&parts, body.as_bytes())
    }

    #[test]
    fn a_body_is_a_form_only_when_it_says_so() {
        let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        assert_eq!(ask(&form, "/", "a=b+c%2F").form.get("a"), Some("b c/"));
        assert_eq!(ask(&[], "/", "a=b").form.get("a"), None);
        let json = [("content-type", "application/json")];
        assert_eq!(ask(&json, "/", "a=b").form.get("a"), None);
    }

    #[test]
    fn the_correlation_id_is_found_in_three_places() {
        const ID: &str = "7f3b1f3e-0000-4000-8000-000000000001";
        let named = format!("client-request-id={ID}");
        let form = [("content-type", "application/x-www-form-urlencoded")];
        assert_eq!(ask(&[("client-request-id", ID)], "/", "").correlation_id(), Some(ID));
        assert_eq!(ask(&form, "/", &named).correlation_id(), Some(ID));
        assert_eq!(ask(&[], &format!("/?{named}"), "").correlation_id(), Some(ID));
        assert_eq!(ask(&[("client-request-id", "<script>")], "/", "").correlation_id(), None);
    }

    #[test]
    fn basic_credentials_are_form_encoded_inside() {
        for (text, expected) in [
            ("id:s%2Be+c", Some(("id", "s+e c"))),
            ("id:a=b&c:d", Some(("id", "a=b&c:d"))),
            ("id:", Some(("id", ""))),
            ("nocolon", None),
        ] {
            let value = format!("basic {}", STANDARD.encode(text));
            let found = ask(&[("authorization", &value)], "/", "").basic();
            let found = found.as_ref().map(|(a, b)| (a.as_str(), b.as_str()));
            assert_eq!(found, expected, "{text}");
        }
        assert!(ask(&[("authorization", "Basic %%")], "/", "").basic().is_none());
        assert!(ask(&[("authorization", "Bearer x")], "/", "").basic().is_none());
    }

    #[test]
    fn repeated_names_are_found() {
        assert_eq!(Pairs::read(b"a=1&b=2&a=1").repeated(), Some("a"));
        assert_eq!(Pairs::read(b"a=1&b=2").repeated(), None);
    }
}
