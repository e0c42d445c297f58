//! Where a browser comes back to: a listener on loopback, open for one sign-in.
//!
//! Everything on this machine may connect, and so may every page in the browser. So each connection has one request, one
//! span of time and bounded sizes, and what is not addressed to this very listener is turned away before the sign-in sees
//! it. Whether a visit belongs to the sign-in is not decided here: `wire::redirect` reads it.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body as _, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use zeroize::Zeroizing;

use super::{Boxed, Clock, Landing, LandingAt, Landings, Visit};
use crate::wire::page::Page;
use crate::wire::redirect::Redirect;

/// Browsers open a few ahead of need; whoever comes beyond these waits in the system's queue.
const CONNECTIONS: usize = 16;

/// For a request to arrive, and again for its answer to leave.
const PATIENCE: Duration = Duration::from_secs(10);

/// A code and what comes with it are a few kilobytes.
const LARGEST_BODY: usize = 64 << 10;

/// Programs of any port leave their cookies at `localhost`, and the browser sends them all.
const LARGEST_HEAD: usize = 128 << 10;

/// How often another port is tried when the system's choice is free for one family only.
const PORTS: usize = 16;

#[derive(Debug)]
pub(super) struct RealLandings {
    clock: Arc<dyn Clock>,
}

impl RealLandings {
    pub(super) fn new(clock: Arc<dyn Clock>) -> RealLandings {
        RealLandings { clock }
    }
}

impl Landings for RealLandings {
    fn open(&self, at: LandingAt) -> Boxed<'_, Result<Box<dyn Landing>, String>> {
        Box::pin(async move {
            let (port, listeners) = bind(at.port).await?;
            let path = if at.path.is_empty() { "/".to_owned() } else { at.path };
            let (sender, visits) = mpsc::channel(1);
            let door = Arc::new(Door { port, path, clock: Arc::clone(&self.clock) });
            // On the runtime that waits for the visits, which is the driver's; it ends when the landing is dropped.
            drop(tokio::spawn(door.attend(listeners, sender)));
            Ok(Box::new(RealLanding { port, visits }) as Box<dyn Landing>)
        })
    }
}

/// Dropping it closes the listeners and whatever has not sent its whole request.
#[derive(Debug)]
struct RealLanding {
    port: u16,
    visits: mpsc::Receiver<Visit>,
}

impl Landing for RealLanding {
    fn port(&self) -> u16 {
        self.port
    }

    fn next(&mut self) -> Boxed<'_, Result<Visit, String>> {
        Box::pin(async move {
            self.visits
                .recv()
                .await
                .ok_or_else(|| format!("nothing listens any more on port {} of loopback", self.port))
        })
    }
}

/// Listens on one port of both families, since a browser may try either for `localhost`, and nobody else should get
/// what was meant for us. A host without IPv6 has the other one only.
async fn bind(fixed: Option<u16>) -> Result<(u16, Vec<TcpListener>), String> {
    let (v4, v6) = (IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST));
    let refused = |ip, port, error| {
        let port = if port == 0 { "any port".to_owned() } else { format!("port {port}") };
        format!("could not listen on {port} of {ip}: {error}")
    };
    let wanted = fixed.unwrap_or(0);
    let mut last = String::new();
    for _ in 0..PORTS {
        let first = TcpListener::bind((v4, wanted)).await.map_err(|error| refused(v4, wanted, error))?;
        let port = first.local_addr().map_err(|error| refused(v4, wanted, error))?.port();
        match TcpListener::bind((v6, port)).await {
            Ok(second) => return Ok((port, vec![first, second])),
            Err(error) if error.kind() == ErrorKind::AddrInUse => last = refused(v6, port, error),
            Err(error) => {
                tracing::debug!(%error, "listening on IPv4 only");
                return Ok((port, vec![first]));
            }
        }
        if fixed.is_some() {
            break;
        }
    }
    Err(last)
}

/// What is listened for.
#[derive(Debug)]
struct Door {
    port: u16,
    path: String,
    clock: Arc<dyn Clock>,
}

/// How far a connection's one request is.
mod stage {
    /// It is not there, or not to the end.
    pub(super) const ARRIVES: u8 = 0;
    /// The sign-in has it.
    pub(super) const IS_READ: u8 = 1;
    /// Its answer is on the way.
    pub(super) const LEAVES: u8 = 2;
}

impl Door {
    /// Takes connections until nobody waits for visits.
    async fn attend(self: Arc<Self>, listeners: Vec<TcpListener>, visits: mpsc::Sender<Visit>) {
        let listeners = Listeners(listeners);
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        let nobody = visits.clone();
        let mut nobody = pin!(nobody.closed());
        while let Some(Ok(place)) = unless(nobody.as_mut(), Arc::clone(&room).acquire_owned()).await {
            match unless(nobody.as_mut(), listeners.accept()).await {
                None => return,
                Some(Ok((stream, _))) => {
                    let talk = Arc::clone(&self).talk(stream, visits.clone());
                    drop(tokio::spawn(async move {
                        talk.await;
                        drop(place);
                    }));
                }
                Some(Err(error)) => {
                    tracing::debug!(%error, "a connection to the sign-in's listener failed");
                    // Out of descriptors, as a rule: that passes, and asking at once again would only burn time.
                    unless(nobody.as_mut(), self.clock.sleep(Duration::from_millis(100))).await;
                }
            }
        }
    }

    /// One connection, from its first byte to its last.
    async fn talk(self: Arc<Self>, stream: TcpStream, visits: mpsc::Sender<Visit>) {
        let stage = Arc::new(AtomicU8::new(stage::ARRIVES));
        // Dropped with this future: whoever waits for the answer to leave is woken.
        let (_here, left) = watch::channel(());
        let nobody = visits.clone();
        let mut nobody = pin!(nobody.closed());
        let service = service_fn(|request| {
            let (door, stage, visits, left) = (&self, Arc::clone(&stage), visits.clone(), left.clone());
            async move {
                let page = door.answer(request, visits, left, &stage).await;
                stage.store(stage::LEAVES, Ordering::Relaxed);
                Ok::<_, Infallible>(response(page))
            }
        });
        let mut http = http1::Builder::new();
        http.keep_alive(false).header_read_timeout(None).max_buf_size(LARGEST_HEAD);
        let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
        let mut patience = self.clock.sleep(PATIENCE);
        let mut before = stage::ARRIVES;
        poll_fn(|context| {
            if let Poll::Ready(outcome) = connection.as_mut().poll(context) {
                if let Err(error) = outcome {
                    tracing::debug!(%error, "a connection to the sign-in's listener broke");
                }
                return Poll::Ready(());
            }
            let now = stage.load(Ordering::Relaxed);
            if now != before {
                patience = self.clock.sleep(PATIENCE);
                before = now;
            }
            match now {
                stage::ARRIVES if nobody.as_mut().poll(context).is_ready() => Poll::Ready(()),
                // The visit's holder answers it or drops it, and either wakes us.
                stage::IS_READ => Poll::Pending,
                _ => patience.as_mut().poll(context),
            }
        })
        .await;
    }

    /// The page for a request: the sign-in's, if it is one that it may see.
    async fn answer(
        &self,
        request: Request<Incoming>,
        visits: mpsc::Sender<Visit>,
        mut left: watch::Receiver<()>,
        stage: &AtomicU8,
    ) -> Page {
        let redirect = match self.read(request).await {
            Ok(redirect) => redirect,
            Err(page) => return page,
        };
        let (sender, reply) = oneshot::channel();
        let visit = Visit::new(redirect, move |page| {
            if sender.send(page).is_err() {
                tracing::debug!("the browser left before its page");
            }
            Box::pin(async move { while left.changed().await.is_ok() {} })
        });
        if visits.send(visit).await.is_err() {
            return Page::ENDED;
        }
        stage.store(stage::IS_READ, Ordering::Relaxed);
        reply.await.unwrap_or(Page::ENDED)
    }

    /// A whole request, or the page for one that the sign-in does not get to see.
    async fn read(&self, request: Request<Incoming>) -> Result<Redirect, Page> {
        let (head, body) = request.into_parts();
        let mut hosts = head.headers.get_all(HOST).into_iter();
        let (host, other) = (hosts.next().and_then(|host| host.to_str().ok()).unwrap_or_default(), hosts.next());
        // A name that somebody else points at this machine is not ours, nor is a proxy's form of address.
        if !self.is_called(host) || other.is_some() || head.uri.authority().is_some() {
            return Err(Page::WRONG_HOST);
        }
        let method = match head.method {
            Method::GET => "GET",
            Method::POST => "POST",
            _ => return Err(Page::WRONG_METHOD),
        };
        if head.uri.path() != self.path {
            return Err(Page::NOT_FOUND);
        }
        let content_type = head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).map(str::to_owned);
        let target = head.uri.path_and_query().map_or_else(String::new, |target| target.as_str().to_owned());
        let body = collect(body).await?;
        Ok(Redirect { method, target: Zeroizing::new(target), host: host.to_owned(), content_type, body })
    }

    /// Whether a `Host` header means this listener.
    fn is_called(&self, host: &str) -> bool {
        let port = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        let (name, port) = match port {
            Some((name, port)) => (name, port.parse().ok()),
            None => (host, Some(80)),
        };
        let ours = ["localhost", "127.0.0.1", "[::1]"];
        port == Some(self.port) && ours.iter().any(|ours| name.eq_ignore_ascii_case(ours))
    }
}

async fn collect(mut body: Incoming) -> Result<Zeroizing<Vec<u8>>, Page> {
    let expected = body.size_hint().lower();
    if expected > LARGEST_BODY as u64 {
        return Err(Page::TOO_LARGE);
    }
    // Room for all of it at once, so that nothing is left behind in memory by growing.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST_BODY));
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        // Cut off, or no HTTP: there is nobody to tell.
        let Ok(chunk) = frame.map_err(|_| Page::NOT_OURS)?.into_data() else { continue };
        if bytes.len() + chunk.len() > LARGEST_BODY {
            return Err(Page::TOO_LARGE);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn response(page: Page) -> Response<String> {
    let mut response = Response::new(page.html());
    *response.status_mut() = StatusCode::from_u16(page.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    for (name, value) in Page::HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if page == Page::WRONG_METHOD {
        headers.insert(ALLOW, HeaderValue::from_static("GET, POST"));
    }
    response
}

/// A task's result, or `None` if this ends first.
async fn unless<T>(mut ends: Pin<&mut impl Future>, task: impl Future<Output = T>) -> Option<T> {
    let mut task = pin!(task);
    poll_fn(|context| match ends.as_mut().poll(context) {
        Poll::Ready(_) => Poll::Ready(None),
        Poll::Pending => task.as_mut().poll(context).map(Some),
    })
    .await
}

/// The listeners of one port.
struct Listeners(Vec<TcpListener>);

impl Listeners {
    async fn accept(&self) -> std::io::Result<(TcpStream, SocketAddr)> {
        let accept = |context: &mut Context<'_>| {
            let ready = self.0.iter().find_map(|listener| match listener.poll_accept(context) {
                Poll::Ready(outcome) => Some(outcome),
                Poll::Pending => None,
            });
            ready.map_or(Poll::Pending, Poll::Ready)
        };
        poll_fn(accept).await
    }
}

#[cfg(unix)]
impl Drop for Listeners {
    /// Ends the listening itself, not only our hold on it: a child that was forked meanwhile has the same sockets, and
    /// would keep the port taken and browsers waiting.
    fn drop(&mut self) {
        use std::net::{Shutdown, TcpStream};
        use std::os::fd::OwnedFd;
        for listener in self.0.drain(..) {
            let ended =
                listener.into_std().map(OwnedFd::from).and_then(|end| TcpStream::from(end).shutdown(Shutdown::Both));
            tracing::trace!(?ended, "the sign-in's listener");
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::fd::AsFd as _;

    use tokio::sync::Notify;

    use super::super::clock::RealClock;
    use super::*;

    /// Time that passes when the test says so, for all who wait at that moment.
    #[derive(Debug, Default)]
    struct Hand(Arc<Notify>);

    impl Clock for Hand {
        fn now(&self) -> i64 {
            0
        }

        fn boot(&self) -> i64 {
            0
        }

        fn sleep(&self, _: Duration) -> Boxed<'static, ()> {
            let mut over = Box::pin(Arc::clone(&self.0).notified_owned());
            // Waits from here on, not from its first poll.
            over.as_mut().enable();
            over
        }

        fn local(&self, _: &str) -> Option<i64> {
            None
        }
    }

    #[expect(clippy::unwrap_used, reason = "the tests' own client")]
    fn connected(port: u16, request: &str) -> std::net::TcpStream {
        let mut stream = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    #[expect(clippy::unwrap_used, reason = "as above")]
    async fn to_its_end(mut stream: std::net::TcpStream) -> String {
        let read = move || {
            let mut text = String::new();
            stream.read_to_string(&mut text).map(|_| text)
        };
        tokio::task::spawn_blocking(read).await.unwrap().unwrap()
    }

    #[test]
    fn whoever_is_slow_is_let_go() {
        let hand = Arc::new(Hand::default());
        let landings = RealLandings::new(Arc::clone(&hand) as Arc<dyn Clock>);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut landing = landings.open(LandingAt::default()).await.unwrap();
            let port = landing.port();
            let head = format!("POST / HTTP/1.1\r\nhost: localhost:{port}\r\ncontent-length: 4\r\n\r\n");
            let slow = ["", "POST / HT", &head, &format!("{head}abc")].map(|request| connected(port, request));
            // A visit that waits for its page is not slow: that is up to us.
            let whole = connected(port, &format!("{head}abcd"));
            let visit = landing.next().await.unwrap();
            assert_eq!(*visit.redirect.body, b"abcd");
            // By now those before it are being read, and their time has begun.
            hand.0.notify_waiters();
            for stream in slow {
                assert_eq!(to_its_end(stream).await, "");
            }
            visit.answer(Page::SIGNED_IN).await;
            assert!(to_its_end(whole).await.contains("You have signed in"));
        });
    }

    #[test]
    fn the_listening_ends_for_forked_children_too() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (port, listeners) = runtime.block_on(bind(None)).unwrap();
        let childs: Vec<_> = listeners.iter().map(|listener| listener.as_fd().try_clone_to_owned().unwrap()).collect();
        let _within = runtime.enter();
        drop(Listeners(listeners));
        assert!(std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
        assert!(std::net::TcpStream::connect((Ipv6Addr::LOCALHOST, port)).is_err());
        drop(
            runtime
                .block_on(
                    RealLandings::new(Arc::new(RealClock)).open(LandingAt { port: Some(port), path: String::new() }),
                )
                .unwrap(),
        );
        drop(childs);
    }

    #[test]
    fn hosts() {
        let door = |port| Door { port, path: "/".into(), clock: Arc::new(RealClock) };
        for host in ["localhost:8400", "LOCALHOST:8400", "127.0.0.1:8400", "[::1]:8400"] {
            assert!(door(8400).is_called(host), "{host}");
        }
        for host in [
            "",
            ":8400",
            "localhost",
            "localhost:",
            "localhost:8401",
            "localhost:08400x",
            "localhost.:8400",
            "a.localhost:8400",
            "localhost:8400:8400",
            "127.0.0.1",
            "127.0.0.2:8400",
            "[::1]",
            "::1:8400",
            "evil.example:8400",
            "localhost:73936",
            "user@localhost:8400",
        ] {
            assert!(!door(8400).is_called(host), "{host}");
        }
        assert!(door(80).is_called("localhost") && door(80).is_called("[::1]") && door(80).is_called("[::1]:80"));
    }
}
