//! The listeners: connections in, HTTP/1.1 on them, and an end that waits for nobody long.

use std::{convert::Infallible, fmt, sync::Arc, time::Duration};

use axum::{Router, extract::Request, response::Response};
use hyper::{body::Incoming, server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use crate::{answer::HangUp, ask::Sni, clock};

const MOST_CONNECTIONS: usize = 1024;
const LONGEST_HANDSHAKE: Duration = Duration::from_secs(10);
/// From the first byte, or from the end of the request before: it also ends idle connections.
const LONGEST_HEAD: Duration = Duration::from_mins(1);
const MOST_HEAD_BYTES: usize = 64 << 10;
/// What requests in progress get when the emulator stops.
const FAREWELL: Duration = Duration::from_secs(1);

/// Serves `router` on `listener` until `stopping` turns true or its sender is gone.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    mut stopping: watch::Receiver<bool>,
) {
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            () = stopped(&mut stopping) => break,
            Some(_) = connections.join_next() => continue,
        };
        let Some((stream, place)) = accepted else {
            // Out of descriptors, most likely: others will leave.
            clock::pause(Duration::from_millis(50)).await;
            continue;
        };
        let (tls, router, stopping) = (tls.clone(), router.clone(), stopping.clone());
        connections.spawn(async move {
            connection(stream, tls, router, stopping).await;
            drop(place);
        });
    }
    drop(listener);
    let gone = async { while connections.join_next().await.is_some() {} };
    // Who is still there after this is cut off: dropping the set ends its tasks.
    drop(tokio::time::timeout(FAREWELL, gone).await);
}

/// Returns once `stopping` turns true, or once nobody is left to turn it: that is a stop too.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|&stopping| stopping).await);
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            None
        }
    }
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, router: Router, stopping: watch::Receiver<bool>) {
    // Small answers, each a write of its own: waiting for more would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let Some(tls) = tls else {
        return converse(stream, None, router, stopping).await;
    };
    match tokio::time::timeout(LONGEST_HANDSHAKE, tls.accept(stream)).await {
        Ok(Ok(stream)) => {
            let sni = stream.get_ref().1.server_name().map(|name| Sni(name.to_owned()));
            converse(stream, sni, router, stopping).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, "no TLS"),
        Err(_) => tracing::debug!("the TLS handshake took too long"),
    }
}

async fn converse<S>(stream: S, sni: Option<Sni>, router: Router, mut stopping: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(LONGEST_HEAD).max_header_size(MOST_HEAD_BYTES);
    let door = Door { router: TowerToHyperService::new(router), sni };
    let mut conversation = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), door));
    let ended = tokio::select! {
        ended = conversation.as_mut() => ended,
        () = stopped(&mut stopping) => {
            conversation.as_mut().graceful_shutdown();
            conversation.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// The router, but able to leave a request without an answer.
struct Door {
    router: TowerToHyperService<Router>,
    sni: Option<Sni>,
}

/// The connection is to be closed instead of answered.
#[derive(Debug)]
struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("closed by a fault")
    }
}

impl std::error::Error for Closed {}

impl From<Infallible> for Closed {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Service<Request<Incoming>> for Door {
    type Response = Response;
    type Error = Closed;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response, Closed>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        if let Some(sni) = &self.sni {
            request.extensions_mut().insert(sni.clone());
        }
        let answer = self.router.call(request);
        Box::pin(async move {
            let response = answer.await?;
            match response.extensions().get::<HangUp>() {
                Some(HangUp) => Err(Closed),
                None => Ok(response),
            }
        })
    }
}
