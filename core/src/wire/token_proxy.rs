//! The token proxy of an AKS cluster, which takes a pod's token requests in place of their authority.
//!
//! Whose tokens come back does not change: assertions, fingerprints and the cache know the authority only.
//!
//! <https://learn.microsoft.com/azure/aks/identity-bindings-concepts>

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, DnsName};
use url::{Host, Position, Url};

use super::network::Network;

const URL: &str = "AZURE_KUBERNETES_TOKEN_PROXY";
const SERVER_NAME: &str = "AZURE_KUBERNETES_SNI_NAME";
pub(crate) const CA_FILE: &str = "AZURE_KUBERNETES_CA_FILE";
const CA_DATA: &str = "AZURE_KUBERNETES_CA_DATA";

/// Where a cluster's token proxy is, and how it shows who it is. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenProxy(Arc<Settings>);

#[derive(PartialEq, Eq)]
struct Settings {
    /// `https`, with a host; its path has no final slash, unless it is all there is.
    url: Url,
    /// The name that its certificate is for, where that is not the URL's host.
    server_name: Option<String>,
    trust: Trust,
    network: Network,
}

/// Who vouches for a token proxy, and nobody else does.
#[derive(PartialEq, Eq)]
pub(crate) enum Trust {
    /// Whoever is trusted elsewhere too.
    Usual,
    /// The certificates in a file, whose content may change.
    File(PathBuf),
    /// These certificates, as PEM.
    Pem(String),
}

impl TokenProxy {
    /// What the variables say; none where they say nothing. The error names the variable.
    pub(crate) fn read(get: impl Fn(&str) -> Option<String>, network: &Network) -> Result<Option<TokenProxy>, String> {
        let [url, server_name, file, pem] = [URL, SERVER_NAME, CA_FILE, CA_DATA].map(&get);
        let Some(url) = url else {
            let others = [(SERVER_NAME, server_name), (CA_FILE, file), (CA_DATA, pem)];
            let set: Vec<&str> = others.iter().filter(|(_, value)| value.is_some()).map(|(name, _)| *name).collect();
            if set.is_empty() {
                return Ok(None);
            }
            return Err(format!("{}: expected {URL} beside it, which is not set", set.join(", ")));
        };
        let trust = match (file, pem) {
            (Some(_), Some(_)) => return Err(format!("{CA_FILE}, {CA_DATA}: expected one of the two, both are set")),
            (Some(path), None) => Trust::File(path.into()),
            (None, Some(pem)) if roots(pem.as_bytes()).is_none() => {
                return Err(format!("{CA_DATA}: expected PEM certificates, found none"));
            }
            (None, Some(pem)) => Trust::Pem(pem),
            (None, None) => Trust::Usual,
        };
        let server_name = server_name.map(|name| host_name(&name)).transpose()?;
        Ok(Some(TokenProxy(Arc::new(Settings { url: parse(&url)?, server_name, trust, network: network.clone() }))))
    }

    /// Where a request for `url` goes: to the same path below the proxy's own.
    pub(crate) fn url(&self, url: &str) -> String {
        let mut whole = self.0.url.clone();
        // What is no URL has no path of its own either.
        let path = Url::parse(url).map(|url| url.path().to_owned()).unwrap_or_default();
        whole.set_path(&format!("{}/{}", self.0.url.path().trim_end_matches('/'), path.trim_start_matches('/')));
        whole.into()
    }

    /// `url` with the name that the certificate is for in place of its host; none where that is the host.
    pub(crate) fn named(&self, url: &str) -> Option<String> {
        let name = self.0.server_name.as_deref()?;
        let mut url = Url::parse(url).ok()?;
        url.set_host(Some(name)).ok()?;
        Some(url.into())
    }

    /// `scheme://host[:port]`, for messages.
    pub(crate) fn origin(&self) -> &str {
        &self.0.url[..Position::AfterPort]
    }

    /// `host[:port]`, as requests name it whatever name its certificate is for.
    pub(crate) fn authority(&self) -> &str {
        &self.0.url[Position::BeforeHost..Position::AfterPort]
    }

    /// The host to connect to.
    pub(crate) fn host(&self) -> String {
        match self.0.url.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(host) => host.to_string(),
            None => String::new(),
        }
    }

    /// The name that the certificate is for, where that is not the host.
    pub(crate) fn server_name(&self) -> Option<&str> {
        self.0.server_name.as_deref()
    }

    pub(crate) fn trust(&self) -> &Trust {
        &self.0.trust
    }

    pub(crate) fn network(&self) -> &Network {
        &self.0.network
    }
}

impl fmt::Debug for TokenProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokenProxy").field(&self.origin()).finish_non_exhaustive()
    }
}

/// The certificate authorities of a PEM text; none where it has no usable one.
pub(crate) fn roots(pem: &[u8]) -> Option<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(pem).filter_map(Result::ok));
    Some(roots).filter(|roots| !roots.is_empty())
}

fn parse(text: &str) -> Result<Url, String> {
    // Nothing of the text is shown, since any part of it may be one of a password.
    let plain = |url: &Url| {
        let user = !url.username().is_empty() || url.password().is_some();
        url.scheme() == "https" && url.has_host() && !user && url.query().is_none() && url.fragment().is_none()
    };
    let url = Url::parse(text.trim()).ok().filter(plain);
    url.ok_or_else(|| format!("{URL}: expected an https URL without user, query or fragment"))
}

/// An address is no name that could be sent, and would be connected to in place of the proxy's.
fn host_name(text: &str) -> Result<String, String> {
    match Host::parse(text.trim()) {
        Ok(Host::Domain(name)) if DnsName::try_from(name.as_str()).is_ok() => Ok(name),
        _ => Err(format!("{SERVER_NAME}: expected a host's name, got '{}'", crate::request::shown(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<TokenProxy>, String> {
        let get = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        TokenProxy::read(get, &Network::default())
    }

    #[test]
    fn paths_are_joined() {
        const DIRECT: &str = "https://login.example/path/t/oauth2/v2.0/token";
        for (given, url, origin, host) in [
            ("https://p", "https://p/path/t/oauth2/v2.0/token", "https://p", "p"),
            (" https://p:443/ ", "https://p/path/t/oauth2/v2.0/token", "https://p", "p"),
            (
                "https://10.0.0.1:8443/a/b",
                "https://10.0.0.1:8443/a/b/path/t/oauth2/v2.0/token",
                "https://10.0.0.1:8443",
                "10.0.0.1",
            ),
            ("https://[::1]:1/a%20b/", "https://[::1]:1/a%20b/path/t/oauth2/v2.0/token", "https://[::1]:1", "::1"),
        ] {
            let proxy = read(&[(URL, given)]).unwrap().unwrap();
            assert_eq!((proxy.url(DIRECT).as_str(), proxy.origin(), proxy.host().as_str()), (url, origin, host));
            assert_eq!(format!("https://{}", proxy.authority()), origin);
        }
    }

    #[test]
    fn names_are_told_from_addresses() {
        for (given, name) in [("Proxy.Cluster.internal", "proxy.cluster.internal"), (" a-b.c ", "a-b.c")] {
            let proxy = read(&[(URL, "https://p"), (SERVER_NAME, given)]).unwrap().unwrap();
            assert_eq!(proxy.server_name(), Some(name));
        }
        for given in ["10.0.0.1", "[::1]", "::1", "a b", "a:443", "https://a", "a/b", "-", ".", "a..b", "0x7f.1"] {
            let sentence = read(&[(URL, "https://p"), (SERVER_NAME, given)]).unwrap_err();
            assert_eq!(sentence, format!("{SERVER_NAME}: expected a host's name, got '{given}'"));
        }
    }

    #[test]
    fn debug_is_short() {
        let proxy = read(&[(URL, "https://p/path"), (CA_FILE, "/ca.pem")]).unwrap().unwrap();
        assert_eq!(format!("{proxy:?}"), r#"TokenProxy("https://p", ..)"#);
    }
}
