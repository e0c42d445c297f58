//! Answers, and the notes pinned to them for whoever sends and counts them.
//!
//! The notes are response extensions: they never reach the wire.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper::body::Frame;
use serde::Serialize;
use serde_json::json;

/// Note: the answer carries a token, issued to the client of that name.
#[derive(Clone, Debug)]
pub(crate) struct Issued(pub(crate) String);

/// Note: the caller only wanted to see whether somebody is home.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probe;

/// Note: the request was over a limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Throttled;

/// Note: don't send this; close the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HangUp;

/// Note: only half of the body goes out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Truncated;

/// A compact JSON answer that nobody may cache.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => raw(status, "application/json; charset=utf-8", body),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// An answer of those bytes.
pub(crate) fn raw(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `{"error": …, "error_description": …}`.
pub(crate) fn error(status: StatusCode, code: &str, description: &str) -> Response {
    json(status, &json!({"error": code, "error_description": description}))
}

/// The answer to a path nobody lives at.
pub(crate) async fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, "not_found", "The emulator has no such endpoint.")
}

/// The answer to a known path asked with another method.
pub(crate) async fn wrong_method() -> Response {
    error(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "The endpoint does not take this method.")
}

/// What is sent in place of nothing: the connection closes without an answer.
pub(crate) fn hang_up() -> Response {
    noted(StatusCode::SERVICE_UNAVAILABLE.into_response(), HangUp)
}

/// The same answer, its head complete and its body cut in the middle.
pub(crate) async fn truncate(response: Response) -> Response {
    const MOST: usize = 16 << 20;
    let (mut parts, body) = response.into_parts();
    let Ok(whole) = axum::body::to_bytes(body, MOST).await else {
        return hang_up();
    };
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len() as u64));
    parts.extensions.insert(Truncated);
    let half = whole.slice(..whole.len() / 2);
    Response::from_parts(parts, Body::new(Half::Unsent(half)))
}

/// `response` with that note pinned to it.
pub(crate) fn noted<N: Clone + Send + Sync + 'static>(mut response: Response, note: N) -> Response {
    response.extensions_mut().insert(note);
    response
}

/// A body that breaks off.
enum Half {
    Unsent(Bytes),
    Sent,
    Broken,
}

impl HttpBody for Half {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match std::mem::replace(&mut *self, Self::Broken) {
            Self::Unsent(half) => {
                *self = Self::Sent;
                Poll::Ready(Some(Ok(Frame::data(half))))
            }
            // One turn of waiting lets hyper flush what it has: it drops unsent bytes on an error.
            Self::Sent => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Self::Broken => Poll::Ready(Some(Err(io::Error::other("cut by a fault")))),
        }
    }
}
