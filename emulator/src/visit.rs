//! The way of one request through the emulator: read, limits, fault, handler, log.
//!
//! A layer around every endpoint, so that no handler knows of faults or counts.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{StatusCode, request::Parts},
    middleware::Next,
    response::Response,
};
use serde_json::json;

use crate::{
    answer::{self, HangUp, Issued, Probe, Throttled, Truncated},
    ask::Ask,
    clock,
    endpoint::{Endpoint, Listener},
    faults::{Canned, Mode, Strike},
    imds,
    log::{Ending, Outcome},
    site::Site,
};

const LONGEST_BODY: usize = 1 << 20;
const LONGEST_READ: Duration = Duration::from_secs(30);
const LONGEST_HANG: Duration = Duration::from_mins(2);

/// Where a request arrives.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) site: Arc<Site>,
    pub(crate) listener: Listener,
    pub(crate) endpoint: Endpoint,
}

/// Takes one request through.
pub(crate) async fn visit(State(post): State<Post>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = read(body).await;
    let ask = Ask::read(&parts, body.as_deref().unwrap_or_default());
    let log = &post.site.log;
    let entry = log.arrive(clock::unix_ms(), post.listener, post.endpoint, &ask);
    let response = match body {
        Ok(body) => post.answer(ask, parts, body, next).await,
        Err(status) => answer::error(status, "invalid_request", "The body is too long or incomplete."),
    };
    let ending = ending(&response);
    tracing::debug!(
        endpoint = post.endpoint.name(),
        status = ending.status,
        outcome = ?ending.outcome,
        "answered"
    );
    log.finish(&entry, ending);
    response
}

impl Post {
    async fn answer(&self, mut ask: Ask, parts: Parts, body: Bytes, next: Next) -> Response {
        // Held to the end: a slow answer is one that is being given.
        let admission = match self.endpoint {
            Endpoint::Imds => match self.site.imds_limits.admit(clock::moment()) {
                Some(admission) => Some(admission),
                None => return imds::throttled(),
            },
            _ => None,
        };
        let strike = self.site.faults.take(self.endpoint);
        let mut mode = Mode::Respond;
        let mut canned = None;
        if let Some(mut strike) = strike {
            mode = strike.fault.mode;
            if !self.suffer(&mut strike).await {
                return answer::hang_up();
            }
            canned = strike.fault.canned.as_ref().map(Canned::response);
        }
        ask.stale = mode == Mode::ExpiredToken;
        if let Mode::Arc(trick) = mode {
            ask.trick = Some(trick);
        }
        let response = if let Some(response) = canned {
            response
        } else {
            let mut request = Request::from_parts(parts, Body::from(body));
            request.extensions_mut().insert(Arc::new(ask));
            next.run(request).await
        };
        drop(admission);
        if mode == Mode::Truncate {
            return answer::truncate(response).await;
        }
        response
    }

    /// Waits as the fault says; whether there is to be an answer.
    async fn suffer(&self, strike: &mut Strike) -> bool {
        let fault = Arc::clone(&strike.fault);
        if !fault.latency.is_zero() {
            tokio::select! {
                () = clock::pause(fault.latency) => {}
                () = self.site.stopped() => return false,
            }
        }
        match fault.mode {
            Mode::Close => false,
            Mode::Hang => tokio::select! {
                () = strike.cleared() => true,
                () = clock::pause(LONGEST_HANG) => false,
                () = self.site.stopped() => false,
            },
            Mode::Respond | Mode::Truncate | Mode::ExpiredToken | Mode::Arc(_) => true,
        }
    }
}

impl Canned {
    fn response(&self) -> Response {
        let mut response = match &self.body {
            Some(body) => answer::raw(self.status, "application/json", body.clone().into()),
            None => answer::json(
                self.status,
                &json!({
                    "error": "emulated_fault",
                    "error_description": format!("A fault answers with status {}.", self.status),
                }),
            ),
        };
        response.headers_mut().extend(self.headers.clone());
        response
    }
}

/// The whole body, or the status that says why not.
async fn read(body: Body) -> Result<Bytes, StatusCode> {
    let read = axum::body::to_bytes(body, LONGEST_BODY);
    match tokio::time::timeout(LONGEST_READ, read).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

fn ending(response: &Response) -> Ending {
    let notes = response.extensions();
    let unheard = notes.get::<HangUp>().is_some() || notes.get::<Truncated>().is_some();
    let status = match notes.get::<HangUp>() {
        Some(HangUp) => 0,
        None => response.status().as_u16(),
    };
    let client = notes.get::<Issued>().filter(|_| !unheard);
    let outcome = if client.is_some() {
        Outcome::Token
    } else if notes.get::<Probe>().is_some() {
        Outcome::Probe
    } else if unheard || status >= 400 {
        Outcome::Error
    } else {
        Outcome::Other
    };
    Ending {
        status,
        outcome,
        throttled: notes.get::<Throttled>().is_some(),
        client: client.map(|Issued(client)| client.clone()),
    }
}
