//! HTTP over reqwest and rustls: no redirects, no cookies, bounded bodies.
//!
//! Clients are made at first use. The one for local sources has no TLS and no proxy. One for authorities loads the trusted
//! roots, which most processes on Azure never need; credentials share it unless their options, or the proxies of the
//! environment, describe another way. A host whose endpoint has a certificate of its own making gets one that trusts that
//! certificate and has no proxy; one that asks a cluster's token proxy is shared likewise. A client that found no trust,
//! or could not send, is not kept: the next request reads roots and settings again. All belong to one fork generation: a
//! child starts with clients of its own and leaves the parent's alone.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use url::Url;
use zeroize::Zeroizing;

use super::pin::Pin;
use super::shortage::is_shortage;
use super::{Boxed, Env, Files, Http, roots};
use crate::generation::PerGeneration;
use crate::request::shown;
use crate::wire::http::{HttpError, HttpFault, MAX_BODY, Network, Request, Response, Route, TokenProxy};
use crate::wire::network::Proxy;
use crate::wire::proxies;
use crate::wire::token_proxy::{self, Trust};

#[derive(Debug)]
pub(super) struct RealHttp {
    env: Arc<dyn Env>,
    files: Arc<dyn Files>,
    clients: PerGeneration<Clients>,
}

#[derive(Debug, Default)]
struct Clients {
    /// Each made at first use, and only a client is kept: a failure must not outlive its cause.
    local: OnceLock<reqwest::Client>,
    /// By their thumbprints; a process has one, unless its environment changes.
    pinned: Table<[u8; 20]>,
    /// By what the options of their credentials say, and by the proxy of the environment.
    authorities: Table<(Network, Option<Proxy>)>,
    /// By what the variables say, and by what the file of certificates holds that they name.
    token_proxies: Table<(TokenProxy, Option<Digest>)>,
}

/// SHA-256.
type Digest = [u8; 32];

/// The clients that were used last.
#[derive(Debug)]
struct Table<K>(Mutex<Vec<(K, reqwest::Client)>>);

impl<K> Default for Table<K> {
    fn default() -> Table<K> {
        Table(Mutex::default())
    }
}

impl<K: PartialEq + Clone> Table<K> {
    fn get(
        &self,
        key: &K,
        make: impl FnOnce() -> Result<reqwest::Client, HttpError>,
    ) -> Result<reqwest::Client, HttpError> {
        const MOST: usize = 16;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().position(|(known, _)| known == key);
        let client = match found {
            Some(at) => kept.remove(at).1,
            None => make()?,
        };
        kept.truncate(MOST - 1);
        kept.insert(0, (key.clone(), client.clone()));
        Ok(client)
    }

    /// Lets a client go. Requests that are on their way with it arrive.
    fn forget(&self, key: &K) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(known, _)| known != key);
    }

    /// The client used last of those whose keys fit.
    fn latest(&self, fits: impl Fn(&K) -> bool) -> Option<reqwest::Client> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(key, _)| fits(key)).map(|(_, client)| client.clone())
    }
}

impl RealHttp {
    pub(super) fn new(env: Arc<dyn Env>, files: Arc<dyn Files>) -> RealHttp {
        RealHttp { env, files, clients: PerGeneration::new() }
    }

    /// What the environment says about the way of a request, by the name of the variable.
    fn proxy(&self, request: &Request) -> Result<Option<(&'static str, Proxy)>, HttpError> {
        match &request.route {
            Route::Authority(network) if network.heeds_environment() => {
                let url = Url::parse(&request.url).map_err(|error| refused(&error))?;
                proxies::towards(&url, |name| self.env.get(name))
                    .map_err(|message| HttpError { fault: HttpFault::Refused, message })
            }
            Route::Authority(_) | Route::Local | Route::Pinned(_) | Route::TokenProxy(_) => Ok(None),
        }
    }

    fn client(&self, route: &Route, proxy: Option<&Proxy>) -> Result<reqwest::Client, HttpError> {
        let clients = self.clients.get();
        let build = |tls| build(route, proxy, tls);
        let trusting = |roots| build(config()?.with_root_certificates(roots).with_no_client_auth());
        match route {
            Route::Local => once(&clients.local, || trusting(RootCertStore::empty())),
            Route::Pinned(thumbprint) => clients.pinned.get(thumbprint, || {
                let pin = Arc::new(Pin::new(*thumbprint, provider()));
                build(config()?.dangerous().with_custom_certificate_verifier(pin).with_no_client_auth())
            }),
            Route::Authority(network) => {
                clients.authorities.get(&(network.clone(), proxy.cloned()), || trusting(self.roots(network)?))
            }
            Route::TokenProxy(proxy) => {
                let kept = &clients.token_proxies;
                match proxy.trust() {
                    Trust::File(path) => self.by_file(kept, proxy, path, trusting),
                    Trust::Pem(pem) => kept.get(&(proxy.clone(), None), || {
                        trusting(token_proxy::roots(pem.as_bytes()).unwrap_or_else(RootCertStore::empty))
                    }),
                    Trust::Usual => kept.get(&(proxy.clone(), None), || trusting(self.roots(proxy.network())?)),
                }
            }
        }
    }

    /// Lets the client of a request that found no trust go, so that the next one's reads again whom to trust.
    fn forget(&self, route: &Route, proxy: Option<&Proxy>) {
        let clients = self.clients.get();
        match route {
            Route::Local => {}
            Route::Pinned(thumbprint) => clients.pinned.forget(thumbprint),
            Route::Authority(network) => clients.authorities.forget(&(network.clone(), proxy.cloned())),
            // Those with certificates of their own are kept by what these are.
            Route::TokenProxy(proxy) => clients.token_proxies.forget(&(proxy.clone(), None)),
        }
    }

    /// A client for each content of a file that is replaced while it is in use. Whoever replaces it may empty it first,
    /// so what it held last is trusted until it holds certificates again.
    fn by_file(
        &self,
        kept: &Table<(TokenProxy, Option<Digest>)>,
        proxy: &TokenProxy,
        path: &Path,
        trusting: impl Fn(RootCertStore) -> Result<reqwest::Client, HttpError>,
    ) -> Result<reqwest::Client, HttpError> {
        const LARGEST: u64 = 1 << 20;
        let wrong = |what: String| {
            let message = format!("{}: {what}", token_proxy::CA_FILE);
            HttpError { fault: HttpFault::Refused, message }
        };
        let shown = || shown(&path.to_string_lossy());
        let content = self.files.read(path, LARGEST);
        let current = content.map_err(|error| wrong(format!("can't read '{}': {error}", shown()))).and_then(|pem| {
            let found = ring::digest::digest(&ring::digest::SHA256, &pem);
            let mut digest = Digest::default();
            digest.copy_from_slice(found.as_ref());
            kept.get(&(proxy.clone(), Some(digest)), || match token_proxy::roots(&pem) {
                Some(roots) => trusting(roots),
                None => Err(wrong(format!("expected PEM certificates in '{}', found none", shown()))),
            })
        });
        current.or_else(|error| {
            let last = kept.latest(|(known, _)| known == proxy).ok_or_else(|| error.clone())?;
            tracing::warn!("{error}; those that it held before are still trusted");
            Ok(last)
        })
    }

    fn roots(&self, network: &Network) -> Result<RootCertStore, HttpError> {
        let roots = match network.trust() {
            Some(path) => roots::bundle(&*self.files, path).map_err(|what| format!("option connection_verify: {what}")),
            None => roots::load(&*self.env, &*self.files),
        };
        roots.map_err(|message| HttpError { fault: HttpFault::Refused, message })
    }
}

/// A place's client, made where there is none yet.
fn once(
    place: &OnceLock<reqwest::Client>,
    make: impl FnOnce() -> Result<reqwest::Client, HttpError>,
) -> Result<reqwest::Client, HttpError> {
    if let Some(client) = place.get() {
        return Ok(client.clone());
    }
    let client = make()?;
    Ok(place.get_or_init(|| client).clone())
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn config() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, HttpError> {
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(&error))
}

fn build(route: &Route, of_environment: Option<&Proxy>, tls: ClientConfig) -> Result<reqwest::Client, HttpError> {
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(Policy::none())
        .referer(false)
        .user_agent(concat!("azcred/", env!("CARGO_PKG_VERSION")))
        .pool_idle_timeout(Duration::from_secs(30));
    let builder = match route {
        Route::Local => builder.no_proxy().connect_timeout(Duration::from_secs(2)),
        Route::Pinned(_) => builder.no_proxy().https_only(true).connect_timeout(Duration::from_secs(2)),
        Route::Authority(network) => {
            let builder = limits(builder.https_only(true), network).no_proxy();
            match network.proxy().or(of_environment) {
                Some(given) => builder.proxy(proxy(given)?),
                None => builder,
            }
        }
        Route::TokenProxy(proxy) => {
            let builder = limits(builder.https_only(true), proxy.network()).no_proxy();
            match proxy.server_name() {
                Some(_) => builder.dns_resolver(At(proxy.host())),
                None => builder,
            }
        }
    };
    builder.build().map_err(|error| refused(&error.without_url()))
}

fn limits(builder: reqwest::ClientBuilder, network: &Network) -> reqwest::ClientBuilder {
    let builder = builder.connect_timeout(network.connection_timeout());
    match network.read_timeout() {
        Some(limit) => builder.read_timeout(limit),
        None => builder,
    }
}

/// Finds one host, whatever name is asked for: requests are for the name that its certificate has, since that is what
/// the library sends and checks.
struct At(String);

impl Resolve for At {
    fn resolve(&self, _: Name) -> Resolving {
        let host = self.0.clone();
        Box::pin(async move {
            // The library takes the port from the URL.
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn proxy(given: &Proxy) -> Result<reqwest::Proxy, HttpError> {
    let proxy = reqwest::Proxy::all(given.url()).map_err(|error| refused(&error.without_url()))?;
    let Some(authorization) = given.authorization() else { return Ok(proxy) };
    let mut value = reqwest::header::HeaderValue::from_str(authorization.expose()).map_err(|error| refused(&error))?;
    value.set_sensitive(true);
    Ok(proxy.custom_http_auth(value))
}

fn refused(error: &dyn std::error::Error) -> HttpError {
    HttpError { fault: HttpFault::Refused, message: chain(error) }
}

impl Http for RealHttp {
    fn send<'a>(&'a self, request: &'a Request) -> Boxed<'a, Result<Response, HttpError>> {
        Box::pin(async move {
            let of_environment = self.proxy(request)?;
            let proxy = of_environment.as_ref().map(|(_, proxy)| proxy);
            let client = self.client(&request.route, proxy)?;
            exchange(&client, request).await.map_err(|error| {
                if matches!(error.fault, HttpFault::Tls | HttpFault::Refused) {
                    self.forget(&request.route, proxy);
                }
                through(&request.route, of_environment.as_ref(), error)
            })
        })
    }
}

async fn exchange(client: &reqwest::Client, request: &Request) -> Result<Response, HttpError> {
    let (url, host) = match &request.route {
        Route::TokenProxy(proxy) => (proxy.named(&request.url), Some(proxy.authority())),
        Route::Local | Route::Pinned(_) | Route::Authority(_) => (None, None),
    };
    let url = url.as_deref().unwrap_or(&request.url);
    let mut builder = match request.method {
        "POST" => client.post(url),
        _ => client.get(url),
    };
    if let Some(host) = host {
        builder = builder.header("host", host);
    }
    for (name, value) in &request.headers {
        let mut value = reqwest::header::HeaderValue::from_str(value.expose()).map_err(|_| HttpError {
            fault: HttpFault::Refused,
            message: format!("the value of header {name} has characters that HTTP does not allow"),
        })?;
        value.set_sensitive(true);
        builder = builder.header(*name, value);
    }
    if let Some(body) = &request.body {
        builder = builder.header("content-type", "application/x-www-form-urlencoded").body(body.expose().to_owned());
    }
    read(builder.timeout(request.timeout).send().await.map_err(fault)?).await
}

/// Says by which proxy a connection was tried, and who named it where that was not the credential.
fn through(route: &Route, of_environment: Option<&(&str, Proxy)>, error: HttpError) -> HttpError {
    let Route::Authority(network) = route else { return error };
    let way = match (network.proxy(), of_environment) {
        (Some(proxy), _) => format!("(through the proxy {})", proxy.url()),
        (None, Some((variable, proxy))) => format!("(through the proxy {} of {variable})", proxy.url()),
        (None, None) => return error,
    };
    match error.fault {
        HttpFault::Connect | HttpFault::Exhausted | HttpFault::Timeout | HttpFault::Refused | HttpFault::Tls => {
            HttpError { message: format!("{} {way}", error.message), ..error }
        }
        HttpFault::Broken | HttpFault::TooLarge => error,
    }
}

async fn read(mut answer: reqwest::Response) -> Result<Response, HttpError> {
    let status = answer.status().as_u16();
    let text = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let headers = answer.headers().iter().filter_map(text).collect();
    let mut body = Zeroizing::new(Vec::with_capacity(4096));
    while let Some(chunk) = answer.chunk().await.map_err(fault)? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(HttpError {
                fault: HttpFault::TooLarge,
                message: format!("the answer is larger than {MAX_BODY} bytes"),
            });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response { status, headers, body })
}

fn fault(error: reqwest::Error) -> HttpError {
    let error = error.without_url();
    let message = chain(&error);
    // The library's own error is not public; its words are all there is.
    if error.is_connect() && message.contains("proxy authorization required") {
        let message = format!("the proxy asks for a user and password, or for others than it got: {message}");
        return HttpError { fault: HttpFault::Refused, message };
    }
    let fault = if error.is_timeout() {
        HttpFault::Timeout
    } else if is_tls(&error) {
        HttpFault::Tls
    } else if error.is_connect() && ran_out(&error) {
        HttpFault::Exhausted
    } else if error.is_connect() {
        HttpFault::Connect
    } else if error.is_builder() {
        HttpFault::Refused
    } else {
        HttpFault::Broken
    };
    HttpError { fault, message }
}

/// Whether rustls is among the causes. An I/O error hides the error it carries from `source`, and may carry another.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let carried = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>() || carried.is_some_and(|error| is_tls(error)) || error.source().is_some_and(is_tls)
}

/// Whether a shortage is among the causes.
fn ran_out(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(is_shortage) || error.source().is_some_and(ran_out)
}

/// The most telling sentence of an error: its innermost cause, after what was being done.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_keeps_the_clients_used_last() {
        let table = Table::<u32>::default();
        let count = std::cell::Cell::new(0);
        let get = |key| {
            let make = || {
                count.set(count.get() + 1);
                let tls = config()?.with_root_certificates(RootCertStore::empty());
                build(&Route::Local, None, tls.with_no_client_auth())
            };
            table.get(&key, make).unwrap();
            count.get()
        };
        let made: Vec<u32> = (0..16).chain([0, 16, 0, 2, 1]).map(get).collect();
        assert_eq!(made[15..], [16, 16, 17, 17, 17, 18], "1 was the one not used for longest");
        let failed = table.get(&99, || Err(HttpError { fault: HttpFault::Refused, message: String::new() }));
        assert!(failed.is_err() && table.0.lock().unwrap().len() == 16);
        table.forget(&2);
        assert_eq!([1, 2].map(get), [18, 19], "one that was let go is made anew");
    }
}
