//! How a credential's requests reach their authority, where its options say so.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;
use url::Url;
use zeroize::Zeroizing;

use crate::token::Secret;

/// Trust, proxy, time limits and retries of one credential's requests to its authority. The default is the host's:
/// its trusted roots, and the proxies of its environment. Cheap to clone.
///
/// It is no part of a fingerprint: the way to an authority does not change whose token comes back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network(Option<Arc<Settings>>);

/// What was said about the way; what is left out is as the host has it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// PEM certificates, a file or a folder of such, that replace all trusted roots.
    pub(crate) trust: Option<PathBuf>,
    /// The proxy, in place of those of the environment, `NO_PROXY` included.
    pub(crate) proxy: Option<Proxy>,
    /// Whether the proxies of the environment do not count.
    pub(crate) without_environment: bool,
    /// How long a connection may take, TLS included.
    pub(crate) connection_timeout: Option<Duration>,
    /// How long a server may be silent.
    pub(crate) read_timeout: Option<Duration>,
    /// How often a request is sent again at most.
    pub(crate) retries: Option<usize>,
}

/// Their sum is the limit for a whole exchange.
const CONNECTION: Duration = Duration::from_secs(10);
const READ: Duration = Duration::from_secs(20);

impl Network {
    pub(crate) fn of(settings: Settings) -> Network {
        Network(Some(settings).filter(|settings| *settings != Settings::default()).map(Arc::new))
    }

    fn get<'a, T>(&'a self, setting: impl FnOnce(&'a Settings) -> Option<T>) -> Option<T> {
        self.0.as_deref().and_then(setting)
    }

    pub(crate) fn trust(&self) -> Option<&Path> {
        self.get(|settings| settings.trust.as_deref())
    }

    pub(crate) fn proxy(&self) -> Option<&Proxy> {
        self.get(|settings| settings.proxy.as_ref())
    }

    /// Whether a proxy of the environment is the way.
    pub(crate) fn heeds_environment(&self) -> bool {
        self.0.as_deref().is_none_or(|settings| settings.proxy.is_none() && !settings.without_environment)
    }

    pub(crate) fn connection_timeout(&self) -> Duration {
        self.get(|settings| settings.connection_timeout).unwrap_or(CONNECTION)
    }

    /// The limit for each wait, where one was given; else the exchange's holds alone.
    pub(crate) fn read_timeout(&self) -> Option<Duration> {
        self.get(|settings| settings.read_timeout)
    }

    /// The limit for a whole exchange.
    pub(crate) fn timeout(&self) -> Duration {
        self.connection_timeout() + self.read_timeout().unwrap_or(READ)
    }

    /// A source's `patience`, longer by what the limits given here allow a request beyond the usual ones.
    pub(crate) fn patience(&self, patience: Duration) -> Duration {
        patience + self.timeout().saturating_sub(CONNECTION + READ)
    }

    pub(crate) fn retries(&self) -> Option<usize> {
        self.get(|settings| settings.retries)
    }
}

/// A proxy, with what it asks for kept apart from where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proxy {
    url: String,
    authorization: Option<Secret>,
}

impl Proxy {
    /// Reads `[http[s]://][user:password@]host[:port]`. The error fits behind the option's name and holds nothing of
    /// the text, since any part of it may be one of a password.
    pub(crate) fn parse(text: &str) -> Result<Proxy, String> {
        Proxy::with(text, None, None, None)
    }

    /// [`Proxy::parse`], with port, user and password that beat those of the text.
    pub(crate) fn with(
        text: &str,
        port: Option<u16>,
        user: Option<&str>,
        password: Option<&Secret>,
    ) -> Result<Proxy, String> {
        let wrong = || {
            "expected a proxy's URL such as http://host:port or http://user:password@host:port, its special characters \
             percent-encoded"
                .to_owned()
        };
        let text = text.trim();
        let full = Zeroizing::new(if text.contains("://") { text.to_owned() } else { format!("http://{text}") });
        let mut url = Url::parse(&full).map_err(|_| wrong())?;
        if url.scheme().starts_with("socks") {
            return Err("SOCKS proxies are not supported; expected an http or https proxy".to_owned());
        }
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !matches!(url.scheme(), "http" | "https") || !bare || port == Some(0) || url.port() == Some(0) {
            return Err(wrong());
        }
        let decoded = |text: &str| Zeroizing::new(percent_decode_str(text).decode_utf8_lossy().into_owned());
        let user = user.map_or_else(|| decoded(url.username()), |user| Zeroizing::new(user.to_owned()));
        let password = match password {
            Some(password) => Zeroizing::new(password.expose().to_owned()),
            None => decoded(url.password().unwrap_or_default()),
        };
        if user.contains(':') {
            return Err("expected a user name without ':', which Basic authentication has no way to send".to_owned());
        }
        let authorization = (!user.is_empty() || !password.is_empty()).then(|| {
            let pair = Zeroizing::new(format!("{}:{}", *user, *password));
            Secret::new(format!("Basic {}", BASE64_STANDARD.encode(pair.as_bytes())))
        });
        // The HTTP library overlooks a proxy whose URL it can't read, so it gets one that holds nothing of note.
        let cleared = url.set_username("").and_then(|()| url.set_password(None));
        let ported = port.map_or(Ok(()), |port| url.set_port(Some(port)));
        cleared.and(ported).map_err(|()| wrong())?;
        Ok(Proxy { url: url.as_str().trim_end_matches('/').to_owned(), authorization })
    }

    /// `scheme://host[:port]`, safe to show.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The value of `Proxy-Authorization`.
    pub(crate) fn authorization(&self) -> Option<&Secret> {
        self.authorization.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies() {
        let cases = [
            ("http://proxy.example:3128", "http://proxy.example:3128", None),
            (" proxy.example:3128 ", "http://proxy.example:3128", None),
            ("https://proxy.example/", "https://proxy.example", None),
            ("http://[::1]:1", "http://[::1]:1", None),
            ("http://u:p@h", "http://h", Some("u:p")),
            ("u:p@h:8080", "http://h:8080", Some("u:p")),
            ("http://u@h", "http://h", Some("u:")),
            ("http://D%5Cu:p%40%23%25%7C@h", "http://h", Some("D\\u:p@#%|")),
            // The library reads no such URL, and went straight to the authority.
            ("http://u:p^|`{}@h", "http://h", Some("u:p^|`{}")),
        ];
        for (given, url, pair) in cases {
            let proxy = Proxy::parse(given).unwrap();
            let expected = pair.map(|pair| format!("Basic {}", BASE64_STANDARD.encode(pair)));
            assert_eq!(proxy.url(), url, "{given}");
            assert_eq!(proxy.authorization().map(Secret::expose), expected.as_deref(), "{given}");
        }
        let proxy = Proxy::with("http://a:b@h:1", Some(2), Some("c"), Some(&Secret::new("d:e"))).unwrap();
        assert_eq!((proxy.url(), proxy.authorization()), ("http://h:2", Some(&Secret::new("Basic YzpkOmU="))));
    }

    #[test]
    fn a_proxy_that_is_none_is_not_shown() {
        for given in [
            "",
            "http://",
            "http://canary:can#ary@h",
            "http://canary:can/ary@h",
            "http://canary:99999",
            "http://h:0",
            "ftp://canary@h",
            "canary://h",
            "socks5://canary:canary@h",
            "http://h/canary",
            "http://h?canary",
            "http://ca%3Anary@h",
            "a b",
        ] {
            let sentence = Proxy::parse(given).unwrap_err();
            assert!(sentence.contains("expected") && !sentence.contains("canary"), "{given}: {sentence}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let proxy = Some(Proxy::parse("http://canary:canary@h").unwrap());
        let network = Network::of(Settings { proxy, ..Settings::default() });
        let shown = format!("{network:?}");
        assert!(shown.contains("http://h") && !shown.contains("canary") && !shown.contains("Y2FuYXJ5"), "{shown}");
    }

    #[test]
    fn limits() {
        let secs = Duration::from_secs;
        let network = |connection_timeout, read_timeout| {
            Network::of(Settings { connection_timeout, read_timeout, ..Settings::default() })
        };
        let cases = [
            (None, None, 30, 90),
            (Some(secs(2)), Some(secs(3)), 5, 90),
            (None, Some(secs(300)), 310, 370),
            (Some(secs(300)), None, 320, 380),
        ];
        for (connection, read, whole, patience) in cases {
            let network = network(connection, read);
            assert_eq!(network == Network::default(), connection.is_none() && read.is_none());
            assert_eq!((network.timeout(), network.patience(secs(90))), (secs(whole), secs(patience)));
        }
    }
}
