//! The token endpoint of the Microsoft identity platform.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use url::Url;

use super::http::{Request, Route};
use super::network::Network;
use super::region::{self, Region};
use super::token_proxy::TokenProxy;
use super::{address, discovery};
use crate::token::Secret;

/// The public cloud.
pub(crate) const PUBLIC_CLOUD: &str = "login.microsoftonline.com";

/// Where users and applications sign in.
#[derive(Clone, Debug)]
pub(crate) struct Authority {
    /// `https://host[:port][/path]`, without a final slash.
    base: String,
    host: String,
    network: Network,
    token_proxy: Option<TokenProxy>,
    /// Which of its regions an application asks.
    region: Region,
    /// Whether anybody still has to be asked if it is one; shared by its copies.
    unconfirmed: Arc<AtomicBool>,
}

impl Authority {
    /// Reads a host name or an `https` URL; the error fits behind the option's name.
    pub(crate) fn parse(text: &str) -> Result<Authority, String> {
        let wrong = || {
            format!(
                "expected a host such as '{PUBLIC_CLOUD}' or its https URL, without user, query or fragment, got '{}'",
                address::shown(text)
            )
        };
        let text = text.trim();
        let full = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let url = Url::parse(&full).map_err(|_| wrong())?;
        let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        match url.host_str() {
            Some(host) if url.scheme() == "https" && plain && url.fragment().is_none() => {
                let base = url.as_str().trim_end_matches('/').to_owned();
                let unconfirmed = Arc::new(AtomicBool::new(!discovery::is_known(&base)));
                let (host, network) = (host.to_owned(), Network::default());
                Ok(Authority { host, base, network, token_proxy: None, region: Region::Central, unconfirmed })
            }
            _ => Err(wrong()),
        }
    }

    /// The same one, reached in this way.
    pub(crate) fn through(self, network: &Network) -> Authority {
        Authority { network: network.clone(), ..self }
    }

    /// The same one, asked for tokens by way of a cluster's token proxy. Nothing confidential goes to its own host then,
    /// so nobody has to be asked about that; nor is there a choice of regions.
    pub(crate) fn by(self, token_proxy: TokenProxy) -> Authority {
        self.confirm();
        Authority { token_proxy: Some(token_proxy), region: Region::Central, ..self }
    }

    /// The token proxy on the way to it.
    pub(crate) fn token_proxy(&self) -> Option<&TokenProxy> {
        self.token_proxy.as_ref()
    }

    /// The same one, of which applications ask this region.
    pub(crate) fn in_region(self, region: Region) -> Authority {
        Authority { region, ..self }
    }

    /// Which region applications ask.
    pub(crate) fn region(&self) -> &Region {
        &self.region
    }

    /// The authority of a region, for the same tenants.
    pub(crate) fn regional(&self, region: &str) -> Authority {
        let host = region::host(region, &self.host);
        let base = self.base.replacen(&self.host, &host, 1);
        Authority { base, host, ..self.clone() }
    }

    /// Whether somebody has to be asked if it is an authority at all.
    pub(crate) fn is_unconfirmed(&self) -> bool {
        self.unconfirmed.load(Ordering::Relaxed)
    }

    /// Asks nobody about it from now on.
    pub(crate) fn confirm(&self) {
        self.unconfirmed.store(false, Ordering::Relaxed);
    }

    /// How a request of this credential travels to servers beyond the host.
    pub(crate) fn route(&self) -> Route {
        Route::Authority(self.network.clone())
    }

    /// How long a source may take that usually takes `usual`, retries included.
    pub(crate) fn patience(&self, usual: Duration) -> Duration {
        self.network.patience(usual)
    }

    /// The host, and by whom it is asked for tokens, for messages.
    pub(crate) fn shown(&self) -> Cow<'_, str> {
        match &self.token_proxy {
            Some(proxy) => format!("{} (by the token proxy {})", self.host, proxy.origin()).into(),
            None => self.host.as_str().into(),
        }
    }

    /// The host.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The whole, for fingerprints.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The URL of one of a tenant's endpoints.
    pub(crate) fn url(&self, endpoint: Endpoint, tenant: &str) -> String {
        // An ADFS host has no tenants and no v2.0.
        let version = if is_adfs(tenant) { "oauth2" } else { "oauth2/v2.0" };
        let end = match endpoint {
            Endpoint::Token => "token",
            Endpoint::DeviceCode => "devicecode",
            Endpoint::Authorize => "authorize",
        };
        format!("{}/{tenant}/{version}/{end}", self.base)
    }

    /// A POST of `form` to one of a tenant's endpoints.
    pub(crate) fn request(&self, endpoint: Endpoint, tenant: &str, form: &[(&str, &str)], request_id: &str) -> Request {
        let mut body = form_urlencoded::Serializer::new(String::with_capacity(512));
        body.extend_pairs(form);
        let direct = self.url(endpoint, tenant);
        let (url, route) = match &self.token_proxy {
            Some(proxy) if endpoint == Endpoint::Token => (proxy.url(&direct), Route::TokenProxy(proxy.clone())),
            _ => (direct, self.route()),
        };
        Request {
            method: "POST",
            url,
            headers: vec![
                ("accept", Secret::new("application/json")),
                ("client-request-id", Secret::new(request_id)),
                ("x-ms-lib-capability", Secret::new("retry-after, h429")),
            ],
            body: Some(Secret::new(body.finish())),
            timeout: self.network.timeout(),
            route,
        }
    }

    /// What a user who signs in without naming a resource gets a token for: the management of this cloud.
    pub(crate) fn management_scope(&self) -> String {
        let resource = match self.host.as_str() {
            "login.microsoftonline.us" => "https://management.core.usgovcloudapi.net/",
            "login.chinacloudapi.cn" | "login.partner.microsoftonline.cn" => {
                "https://management.core.chinacloudapi.cn/"
            }
            _ => "https://management.core.windows.net/",
        };
        format!("{resource}/.default")
    }
}

/// The endpoints of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// Gives tokens.
    Token,
    /// Gives device codes (RFC 8628).
    DeviceCode,
    /// Where a user signs in with a browser.
    Authorize,
}

/// Whether a tenant stands for an ADFS host.
pub(crate) fn is_adfs(tenant: &str) -> bool {
    tenant.eq_ignore_ascii_case("adfs")
}

/// The `claims` parameter: the caller's challenge, and the capability to handle one where the caller has it.
/// `claims` is a JSON object, as the request's check made sure.
pub(crate) fn claims(claims: Option<&str>, enable_cae: bool) -> Option<String> {
    if !enable_cae {
        return claims.map(str::to_owned);
    }
    let mut merged: serde_json::Map<String, serde_json::Value> =
        claims.and_then(|claims| serde_json::from_str(claims).ok()).unwrap_or_default();
    let token = merged.entry("access_token").or_insert_with(|| serde_json::json!({}));
    if let Some(token) = token.as_object_mut() {
        token.insert("xms_cc".to_owned(), serde_json::json!({ "values": ["CP1"] }));
    }
    Some(serde_json::Value::Object(merged).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities() {
        for (given, base) in [
            ("login.microsoftonline.com", "https://login.microsoftonline.com"),
            ("https://login.microsoftonline.us/", "https://login.microsoftonline.us"),
            ("localhost:8443", "https://localhost:8443"),
            (" https://host/path/ ", "https://host/path"),
        ] {
            assert_eq!(Authority::parse(given).unwrap().base(), base);
        }
        for given in [
            "",
            "http://host",
            "https://canary:canary@host",
            "canary@host",
            "https://host?canary",
            "https://host#x",
            "ftp://host",
            "https://",
            "a b",
        ] {
            let sentence = Authority::parse(given).unwrap_err();
            assert!(sentence.contains("expected a host") && !sentence.contains("canary"), "{given}");
        }
    }

    #[test]
    fn the_token_endpoint() {
        let authority = Authority::parse("login.microsoftonline.com").unwrap();
        let request =
            authority.request(Endpoint::Token, "contoso.com", &[("client_secret", "a&b=c d"), ("scope", "s")], "id");
        assert_eq!(request.url, "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token");
        assert_eq!(request.body.unwrap().expose(), "client_secret=a%26b%3Dc+d&scope=s");
        let request = authority.request(Endpoint::Token, "adfs", &[], "id");
        assert_eq!(request.url, "https://login.microsoftonline.com/adfs/oauth2/token");
    }

    #[test]
    fn claims_are_merged_with_the_capability() {
        assert_eq!(claims(None, false), None);
        assert_eq!(claims(Some("{}"), false).as_deref(), Some("{}"));
        assert_eq!(claims(None, true).unwrap(), r#"{"access_token":{"xms_cc":{"values":["CP1"]}}}"#);
        let merged = claims(Some(r#"{"access_token":{"nbf":{"essential":true}}}"#), true).unwrap();
        assert!(merged.contains("nbf") && merged.contains("CP1"), "{merged}");
    }
}
