//! The options about the way to an authority, as azure-core and @azure/core-rest-pipeline have them.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Options, number};
use crate::token::Secret;
use crate::wire::network::{Network, Proxy, Settings};

/// What `connection_verify` may be.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected true or the path of PEM certificates")]
pub(crate) enum Verify {
    Checked(bool),
    Trusted(PathBuf),
}

/// One proxy, for doors without maps, or azure-core's proxies by the scheme of the URLs they are for.
#[derive(Debug)]
pub(crate) enum Proxies {
    One(Secret),
    ByScheme(ByScheme),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ByScheme {
    https: Option<Secret>,
    all: Option<Secret>,
    http: Option<Secret>,
}

impl<'de> Deserialize<'de> for Proxies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Proxies, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Proxies;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map such as {'https': 'http://host:port'} or a proxy's URL")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Proxies, E> {
                Ok(Proxies::One(Secret::new(text)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Proxies, A::Error> {
                ByScheme::deserialize(MapAccessDeserializer::new(map)).map(Proxies::ByScheme)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// A proxy as @azure/identity has it. The host may be a URL, and hold a user and password of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map with host, port, username and password")]
pub(crate) struct ProxyOptions {
    host: Option<Secret>,
    #[serde(default, deserialize_with = "number")]
    port: Option<f64>,
    username: Option<String>,
    password: Option<Secret>,
}

/// @azure/identity's retries. The pauses are the source's own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", expecting = "a map with maxRetries")]
pub(crate) struct RetryOptions {
    #[serde(default, deserialize_with = "number")]
    max_retries: Option<f64>,
    #[serde(rename = "retryDelayInMs")]
    _delay: Option<IgnoredAny>,
    #[serde(rename = "maxRetryDelayInMs")]
    _longest_delay: Option<IgnoredAny>,
}

/// An option's name, and a sentence that fits behind it.
type Wrong = (&'static str, String);

impl Options {
    /// The way these options describe.
    pub(super) fn way(&self) -> Result<Network, Wrong> {
        let total = retries("retry_total", self.retry_total)?;
        let node = self.retry_options.as_ref().and_then(|options| options.max_retries);
        Ok(Network::of(Settings {
            trust: self.trust()?,
            proxy: self.proxy()?,
            without_environment: self.use_env_settings == Some(false),
            connection_timeout: span("connection_timeout", self.connection_timeout)?,
            read_timeout: span("read_timeout", self.read_timeout)?,
            retries: total.or(retries("retry_options.maxRetries", node)?),
        }))
    }

    fn trust(&self) -> Result<Option<PathBuf>, Wrong> {
        let wrong = |sentence: &str| Err(("connection_verify", sentence.to_owned()));
        match &self.connection_verify {
            None | Some(Verify::Checked(true)) => Ok(None),
            Some(Verify::Checked(false)) => wrong(
                "certificates are always checked; give the path of the PEM file of whoever signed the server's, or \
                 leave it out",
            ),
            Some(Verify::Trusted(path)) if path.as_os_str().is_empty() => wrong("expected a path, got empty text"),
            Some(Verify::Trusted(path)) => Ok(Some(path.clone())),
        }
    }

    fn proxy(&self) -> Result<Option<Proxy>, Wrong> {
        if let (Some(_), Some(_)) = (&self.proxies, &self.proxy_options) {
            return Err(("proxies", "expected one of proxies and proxy_options, got both".to_owned()));
        }
        if let Some(options) = &self.proxy_options {
            let host = options.host.as_ref().ok_or(("proxy_options.host", "expected a value, got none".to_owned()))?;
            let port = whole(options.port, 1, 65_535)
                .map_err(|()| ("proxy_options.port", "expected a whole number from 1 to 65535".to_owned()))?;
            let proxy = Proxy::with(host.expose(), port, options.username.as_deref(), options.password.as_ref());
            return proxy.map(Some).map_err(|sentence| ("proxy_options.host", sentence));
        }
        let (name, text) = match &self.proxies {
            None => return Ok(None),
            Some(Proxies::One(text)) => ("proxies", text),
            Some(Proxies::ByScheme(by)) => {
                if by.http.is_some() {
                    tracing::info!("proxies.http is accepted and not used: all requests to an authority use TLS");
                }
                match (&by.https, &by.all) {
                    (Some(text), _) => ("proxies.https", text),
                    (None, Some(text)) => ("proxies.all", text),
                    (None, None) => return Ok(None),
                }
            }
        };
        Proxy::parse(text.expose()).map(Some).map_err(|sentence| (name, sentence))
    }
}

fn span(name: &'static str, seconds: Option<f64>) -> Result<Option<Duration>, Wrong> {
    match seconds {
        Some(seconds) if !(seconds > 0.0 && seconds <= 3600.0) => {
            Err((name, "expected more than 0 and at most 3600 seconds".to_owned()))
        }
        // No clock that counts here tells less apart.
        seconds => Ok(seconds.map(|seconds| Duration::from_secs_f64(seconds).max(Duration::from_millis(1)))),
    }
}

fn retries(name: &'static str, number: Option<f64>) -> Result<Option<usize>, Wrong> {
    match whole(number, 0, 10) {
        Ok(number) => Ok(number.map(usize::from)),
        Err(()) => Err((name, "expected a whole number from 0 to 10".to_owned())),
    }
}

fn whole(number: Option<f64>, least: u16, most: u16) -> Result<Option<u16>, ()> {
    let Some(number) = number else { return Ok(None) };
    if number.fract() != 0.0 || !(f64::from(least)..=f64::from(most)).contains(&number) {
        return Err(());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and between two of its kind")]
    Ok(Some(number as u16))
}
