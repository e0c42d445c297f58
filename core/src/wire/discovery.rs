//! Whether a host is an authority of Microsoft's: those that are known, and the question about others.
//!
//! Microsoft's own hosts and this machine's need no question. Others are asked about, once, at the public cloud, before
//! anything confidential is sent there; a private cloud turns it off with `disable_instance_discovery`.

use std::time::Duration;

use serde_json::Value;
use url::{Host, Url};

use super::entra::{Authority, Endpoint, PUBLIC_CLOUD};
use super::http::{Request, Response};
use crate::token::Secret;

/// The hosts of Microsoft's clouds, as the published SDKs list them.
const KNOWN: [&str; 13] = [
    "login.microsoftonline.com",
    "login.microsoft.com",
    "login.windows.net",
    "sts.windows.net",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
    "login.microsoftonline.de",
    "login-us.microsoftonline.com",
    "login.microsoftonline.us",
    "login.usgovcloudapi.net",
    "login.sovcloud-identity.fr",
    "login.sovcloud-identity.de",
    "login.sovcloud-identity.sg",
];

/// Whether nobody needs to be asked about this host.
pub(crate) fn is_known(base: &str) -> bool {
    let Ok(url) = Url::parse(base) else { return false };
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || (url.port().is_none() && KNOWN.contains(&name)),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The question about an authority.
pub(crate) fn question(authority: &Authority, tenant: &str) -> Request {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("api-version", "1.1");
    query.append_pair("authorization_endpoint", &authority.url(Endpoint::Authorize, tenant));
    Request {
        method: "GET",
        url: format!("https://{PUBLIC_CLOUD}/common/discovery/instance?{}", query.finish()),
        headers: vec![("accept", Secret::new("application/json"))],
        body: None,
        timeout: Duration::from_secs(30),
        route: authority.route(),
    }
}

/// What the public cloud says about an authority.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is one.
    Authority,
    /// It is none.
    Unknown,
    /// The answer makes no sense.
    Garbage,
}

/// Reads the answer to [`question`].
pub(crate) fn verdict(response: &Response) -> Verdict {
    let document: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let text = |name: &str| document.get(name).and_then(Value::as_str);
    match response.status {
        200 if text("tenant_discovery_endpoint").is_some() => Verdict::Authority,
        400 if text("error") == Some("invalid_instance") => Verdict::Unknown,
        _ => Verdict::Garbage,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microsofts_hosts_and_this_machine_are_known() {
        for base in [
            "https://login.microsoftonline.com",
            "https://login.chinacloudapi.cn",
            "https://localhost:8443",
            "https://127.0.0.2",
            "https://[::1]:8443/x",
        ] {
            assert!(is_known(base), "{base}");
        }
        for base in [
            "https://login.microsoftonline.com.evil.example",
            "https://login.microsoftonline.com:8443",
            "https://evil.example",
            "https://localhost.evil.example",
            "https://10.0.0.1",
        ] {
            assert!(!is_known(base), "{base}");
        }
    }

    #[test]
    fn the_question_and_its_answers() {
        let request = question(&Authority::parse("https://sts.example/x").unwrap(), "t");
        assert_eq!(
            request.url,
            "https://login.microsoftonline.com/common/discovery/instance?api-version=1.1&\
             authorization_endpoint=https%3A%2F%2Fsts.example%2Fx%2Ft%2Foauth2%2Fv2.0%2Fauthorize"
        );
        for (status, body, expected) in [
            (200, r#"{"tenant_discovery_endpoint":"https://x"}"#, Verdict::Authority),
            (400, r#"{"error":"invalid_instance"}"#, Verdict::Unknown),
            (400, r#"{"error":"other"}"#, Verdict::Garbage),
            (200, "{}", Verdict::Garbage),
            (200, "<html>", Verdict::Garbage),
            (404, "", Verdict::Garbage),
        ] {
            let response = Response { status, headers: Vec::new(), body: body.as_bytes().to_vec().into() };
            assert_eq!(verdict(&response), expected, "{body}");
        }
    }
}
