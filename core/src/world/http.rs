//! HTTP over reqwest and rustls: no redirects, no cookies, bounded bodies.
//!
//! There are two clients. The one for local sources has no TLS and no proxy; the one for authorities loads the trusted
//! roots, and is made at first use, since most processes on Azure never need it. A host whose endpoint has a certificate
//! of its own making gets a third, which trusts that one and has no proxy either. All belong to one fork generation: a
//! child starts with clients of its own and leaves the parent's alone.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use reqwest::redirect::Policy;
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use zeroize::Zeroizing;

use super::pin::Pin;
use super::{Boxed, Env, Files, Http, roots};
use crate::generation::PerGeneration;
use crate::wire::http::{HttpError, HttpFault, MAX_BODY, Request, Response, Route};

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
    authority: OnceLock<reqwest::Client>,
    /// The last ones by their thumbprints; a process has one, unless its environment changes.
    pinned: Mutex<Vec<([u8; 20], reqwest::Client)>>,
}

impl Clients {
    fn pinned(&self, thumbprint: [u8; 20]) -> Result<reqwest::Client, HttpError> {
        const MOST: usize = 4;
        let mut pinned = self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = pinned.iter().find(|(pin, _)| *pin == thumbprint) {
            return Ok(client.clone());
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = config(&provider)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Pin::new(thumbprint, Arc::clone(&provider))))
            .with_no_client_auth();
        let client = build(Route::Pinned(thumbprint), tls)?;
        pinned.truncate(MOST - 1);
        pinned.insert(0, (thumbprint, client.clone()));
        Ok(client)
    }
}

impl RealHttp {
    pub(super) fn new(env: Arc<dyn Env>, files: Arc<dyn Files>) -> RealHttp {
        RealHttp { env, files, clients: PerGeneration::new() }
    }

    fn client(&self, route: Route) -> Result<reqwest::Client, HttpError> {
        let clients = self.clients.get();
        let place = match route {
            Route::Pinned(thumbprint) => return clients.pinned(thumbprint),
            Route::Local => &clients.local,
            Route::Authority => &clients.authority,
        };
        if let Some(client) = place.get() {
            return Ok(client.clone());
        }
        let roots = match route {
            Route::Authority => self.roots()?,
            Route::Local | Route::Pinned(_) => RootCertStore::empty(),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let client = build(route, config(&provider)?.with_root_certificates(roots).with_no_client_auth())?;
        Ok(place.get_or_init(|| client).clone())
    }

    fn roots(&self) -> Result<RootCertStore, HttpError> {
        roots::load(&*self.env, &*self.files).map_err(|message| HttpError { fault: HttpFault::Refused, message })
    }
}

fn config(provider: &Arc<CryptoProvider>) -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, HttpError> {
    ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(&error))
}

fn build(route: Route, tls: ClientConfig) -> Result<reqwest::Client, HttpError> {
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(Policy::none())
        .referer(false)
        .user_agent(concat!("azcred/", env!("CARGO_PKG_VERSION")))
        .pool_idle_timeout(Duration::from_secs(30));
    let builder = match route {
        Route::Local => builder.no_proxy().connect_timeout(Duration::from_secs(2)),
        Route::Pinned(_) => builder.no_proxy().https_only(true).connect_timeout(Duration::from_secs(2)),
        Route::Authority => builder.https_only(true).connect_timeout(Duration::from_secs(10)),
    };
    builder.build().map_err(|error| refused(&error.without_url()))
}

fn refused(error: &dyn std::error::Error) -> HttpError {
    HttpError { fault: HttpFault::Refused, message: chain(error) }
}

impl Http for RealHttp {
    fn send<'a>(&'a self, request: &'a Request) -> Boxed<'a, Result<Response, HttpError>> {
        Box::pin(async move {
            let client = self.client(request.route)?;
            let mut builder = match request.method {
                "POST" => client.post(&request.url),
                _ => client.get(&request.url),
            };
            for (name, value) in &request.headers {
                let mut value = reqwest::header::HeaderValue::from_str(value.expose()).map_err(|_| HttpError {
                    fault: HttpFault::Refused,
                    message: format!("the value of header {name} has characters that HTTP does not allow"),
                })?;
                value.set_sensitive(true);
                builder = builder.header(*name, value);
            }
            if let Some(body) = &request.body {
                builder =
                    builder.header("content-type", "application/x-www-form-urlencoded").body(body.expose().to_owned());
            }
            let answer = builder.timeout(request.timeout).send().await.map_err(fault)?;
            read(answer).await
        })
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
    let fault = if error.is_timeout() {
        HttpFault::Timeout
    } else if is_tls(&error) {
        HttpFault::Tls
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
