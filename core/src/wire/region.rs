//! Regional authorities: an application's token from the region it runs in.
//!
//! Only applications that ask for themselves may use one; the token is the same, and its cache key is the central
//! authority's.

use std::time::Duration;

use serde_json::Value;

use super::http::{Request, Response, Route};
use crate::token::Secret;

/// Which authority an application asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Region {
    /// The central one.
    #[default]
    Central,
    /// That of a region.
    Named(String),
    /// That of the region this host is in, if it can be found out.
    Detected,
}

impl Region {
    /// From the text of a variable: a region's name, or `tryautodetect` (`true`) in any case. A name that is none means
    /// the central authority, as in the SDKs: a typo must not end in a host that is not Microsoft's.
    pub(crate) fn parse(text: &str) -> Result<Region, String> {
        let text = text.trim().to_ascii_lowercase();
        match text.as_str() {
            "" | "false" => Ok(Region::Central),
            "true" | "tryautodetect" => Ok(Region::Detected),
            name if is_label(name) => Ok(Region::Named(text)),
            _ => Err("expected the name of an Azure region such as 'westeurope', or 'tryautodetect'".to_owned()),
        }
    }
}

/// Whether a text can be the first label of a host: it may come from a server.
pub(crate) fn is_label(name: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let ends = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase()) && !name.ends_with('-');
    ends && name.len() <= 63 && name.bytes().all(inside)
}

/// The host of a region, next to a central one.
pub(crate) fn host(region: &str, central: &str) -> String {
    const PUBLIC: [&str; 4] =
        ["login.microsoftonline.com", "login.microsoft.com", "login.windows.net", "sts.windows.net"];
    let central = if PUBLIC.contains(&central) { "login.microsoft.com" } else { central };
    format!("{region}.{central}")
}

/// Asks the metadata service at `host` (`http://…`) where this machine is.
pub(crate) fn question(host: &str) -> Request {
    Request {
        method: "GET",
        url: format!("{host}/metadata/instance/compute?api-version=2021-02-01"),
        headers: vec![("metadata", Secret::new("true"))],
        body: None,
        timeout: Duration::from_secs(2),
        route: Route::Local,
    }
}

/// The region that the metadata service names.
pub(crate) fn answer(response: &Response) -> Option<String> {
    let document: Value = serde_json::from_slice(&response.body).ok().filter(|_| response.status == 200)?;
    let region = document.get("location")?.as_str()?.to_ascii_lowercase();
    is_label(&region).then_some(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices() {
        for (text, expected) in [
            ("westeurope", Ok(Region::Named("westeurope".into()))),
            (" WestEurope2 ", Ok(Region::Named("westeurope2".into()))),
            ("TryAutoDetect", Ok(Region::Detected)),
            ("True", Ok(Region::Detected)),
            ("False", Ok(Region::Central)),
            ("", Ok(Region::Central)),
            ("west europe", Err(())),
            ("evil.example/", Err(())),
            ("-x", Err(())),
            ("x-", Err(())),
            ("2west", Err(())),
        ] {
            assert_eq!(Region::parse(text).map_err(drop), expected, "{text}");
        }
        assert!(!is_label(&"a".repeat(64)));
    }

    #[test]
    fn hosts_and_answers() {
        assert_eq!(host("westus", "login.microsoftonline.com"), "westus.login.microsoft.com");
        assert_eq!(host("usgov", "login.microsoftonline.us"), "usgov.login.microsoftonline.us");
        for (status, body, expected) in [
            (200, r#"{"location":"WestUS"}"#, Some("westus")),
            (200, r#"{"location":"evil.example/"}"#, None),
            (200, r#"{"location":7}"#, None),
            (200, "<html>", None),
            (404, r#"{"location":"westus"}"#, None),
        ] {
            let response = Response { status, headers: Vec::new(), body: body.as_bytes().to_vec().into() };
            assert_eq!(answer(&response).as_deref(), expected, "{body}");
        }
    }
}
