//! HTTP requests and answers as values.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

pub use super::network::Network;
pub use super::token_proxy::TokenProxy;
use crate::token::Secret;

/// The largest body that is read; a token answer is a few kilobytes.
pub const MAX_BODY: usize = 1 << 20;

/// How a request travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// To this host or its fabric (managed identity): without TLS and never through a proxy, whatever the address.
    Local,
    /// To the fabric of this host over TLS, never through a proxy: the server's certificate is accepted exactly if this
    /// is the SHA-1 of it. No certificate authority is asked.
    Pinned([u8; 20]),
    /// To an authority: TLS with checked certificates, in the way that the credential's options describe; by default
    /// the proxies of the environment are honoured.
    Authority(Network),
    /// To the token proxy of this cluster over TLS, in an authority's place: by the name and the trust that it
    /// describes, and through no other proxy.
    TokenProxy(TokenProxy),
}

/// One request. `Debug` shows neither header values nor the body.
pub struct Request {
    /// `GET`, or `POST` where there is a body.
    pub method: &'static str,
    /// The whole URL.
    pub url: String,
    /// Header names and values.
    pub headers: Vec<(&'static str, Secret)>,
    /// A form body (`application/x-www-form-urlencoded`).
    pub body: Option<Secret>,
    /// The limit for the whole exchange.
    pub timeout: Duration,
    /// How it travels.
    pub route: Route,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.url.split('?').next().unwrap_or_default();
        f.debug_struct("Request").field("method", &self.method).field("url", &path).finish_non_exhaustive()
    }
}

/// An answer, whatever its status.
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Lower-case names and values of the headers that were text.
    pub headers: Vec<(String, String)>,
    /// The body, at most [`MAX_BODY`] bytes.
    pub body: Zeroizing<Vec<u8>>,
}

impl Response {
    /// The first header of that (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Why there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpFault {
    /// No connection: refused, no route, no such name.
    Connect,
    /// No connection, since this process or host has run out of what one takes: descriptors, memory.
    Exhausted,
    /// A connection, but no trust: the certificate was not accepted.
    Tls,
    /// No answer within the request's limit.
    Timeout,
    /// The connection broke in the middle, or what came was not HTTP.
    Broken,
    /// The body was larger than [`MAX_BODY`].
    TooLarge,
    /// The request could not be built from its parts, the client could not be made, or a proxy wants other credentials.
    Refused,
}

/// No answer, and why, in words that are safe to log.
#[derive(Clone, Debug)]
pub struct HttpError {
    /// What kind of fault it was.
    pub fault: HttpFault,
    /// The system's or library's words, without URL, header or body.
    pub message: String,
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
