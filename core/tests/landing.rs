//! The place that a browser comes back to, over real sockets: who gets in, who does not, and that it ends.
#![expect(clippy::unwrap_used, clippy::panic, reason = "clients of its own")]

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use azcred::fake::{Fake, Launched, PORT};
use azcred::{LandingAt, Page, Redirect, World};
use tokio::sync::oneshot;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
const LONG: Duration = Duration::from_secs(20);

/// A landing that answers each visit and keeps it.
struct Site {
    port: u16,
    visits: Receiver<Redirect>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Site {
    fn open(path: &str) -> Site {
        let (opened, port) = channel();
        let (sender, visits) = channel();
        let (stop, mut stopped) = oneshot::channel();
        let at = LandingAt { port: None, path: path.to_owned() };
        let thread = std::thread::spawn(move || {
            runtime().block_on(async {
                let mut landing = World::real().landings.open(at).await.unwrap();
                opened.send(landing.port()).unwrap();
                loop {
                    tokio::select! {
                        visit = landing.next() => {
                            let visit = visit.unwrap();
                            let Redirect { method, target, host, content_type, body } = &visit.redirect;
                            let (target, body) = (target.clone(), body.clone());
                            let (host, content_type) = (host.clone(), content_type.clone());
                            sender.send(Redirect { method, target, host, content_type, body }).unwrap();
                            visit.answer(Page::SIGNED_IN).await;
                        }
                        _ = &mut stopped => return,
                    }
                }
            });
        });
        let port = port.recv_timeout(LONG).unwrap();
        Site { port, visits, stop: Some(stop), thread: Some(thread) }
    }

    fn connect(&self, ip: IpAddr, request: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect((ip, self.port)).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.set_write_timeout(Some(LONG)).unwrap();
        // Whoever sends too much is cut off while it does.
        drop(stream.write_all(request));
        stream
    }

    /// What comes back, with `HOST` in the request replaced by the right one.
    fn ask(&self, ip: IpAddr, request: &str) -> String {
        let request = request.replace("HOST", &format!("localhost:{}", self.port));
        to_its_end(self.connect(ip, request.as_bytes()))
    }

    /// A visit still comes through, and it is the next one.
    fn is_open(&self) {
        assert!(self.visits.try_recv().is_err(), "nothing came before");
        assert!(self.ask(V4, "GET /?good HTTP/1.1\r\nhost: HOST\r\n\r\n").starts_with("HTTP/1.1 200 "));
        assert_eq!(*self.visits.recv_timeout(LONG).unwrap().target, "/?good");
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// All that comes until the other side ends, a reset included.
fn to_its_end(mut stream: TcpStream) -> String {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => bytes.extend_from_slice(&chunk[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("no end came"),
            Err(_) => break,
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_browser_comes_back_on_either_family() {
    let site = Site::open("/back");
    for ip in [V4, V6] {
        let page = site.ask(
            ip,
            "POST /back?q=1 HTTP/1.1\r\nhost: HOST\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             connection: keep-alive\r\norigin: https://login.example\r\ncontent-length: 17\r\n\r\ncode=<b>&state=%20",
        );
        let visit = site.visits.recv_timeout(LONG).unwrap();
        assert_eq!((visit.method, visit.target.as_str()), ("POST", "/back?q=1"));
        assert_eq!(*visit.body, b"code=<b>&state=%2", "as long as it said");
        assert_eq!(visit.content_type.as_deref(), Some("application/x-www-form-urlencoded"));
        assert_eq!(visit.host, format!("localhost:{}", site.port));
        let (head, html) = page.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        for header in [
            "content-type: text/html; charset=utf-8",
            "content-security-policy: default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
            "cache-control: no-store",
            "referrer-policy: no-referrer",
            "x-content-type-options: nosniff",
            "connection: close",
        ] {
            assert!(head.lines().any(|line| line == header), "{header}: {head}");
        }
        assert_eq!(html, Page::SIGNED_IN.html());
    }
    let chunked = "POST /back HTTP/1.1\r\nhost: 127.0.0.1:PORT\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
    assert!(site.ask(V4, &chunked.replace("PORT", &site.port.to_string())).starts_with("HTTP/1.1 200 "));
    assert_eq!(*site.visits.recv_timeout(LONG).unwrap().body, b"abc");
}

#[test]
fn what_is_not_for_the_sign_in_does_not_reach_it() {
    let site = Site::open("");
    let cookies = "x".repeat(300 << 10);
    let body = "x".repeat(70 << 10);
    let cases = [
        ("GET / HTTP/1.1\r\n\r\n", "400"),
        ("GET / HTTP/1.0\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: evil.example\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: localhost:1\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: HOST\r\nhost: HOST\r\n\r\n", "400"),
        ("GET http://HOST/ HTTP/1.1\r\nhost: HOST\r\n\r\n", "400"),
        ("CONNECT HOST HTTP/1.1\r\nhost: HOST\r\n\r\n", "400"),
        ("HEAD / HTTP/1.1\r\nhost: HOST\r\n\r\n", "405"),
        ("OPTIONS * HTTP/1.1\r\nhost: HOST\r\n\r\n", "405"),
        ("PUT / HTTP/1.1\r\nhost: HOST\r\ncontent-length: 1\r\n\r\nx", "405"),
        ("GET /favicon.ico HTTP/1.1\r\nhost: HOST\r\n\r\n", "404"),
        ("GET /<script> HTTP/1.1\r\nhost: HOST\r\n\r\n", "400"),
        ("GET /%3Cscript%3E HTTP/1.1\r\nhost: HOST\r\n\r\n", "404"),
        ("GET //?code=canary HTTP/1.1\r\nhost: HOST\r\n\r\n", "404"),
        ("POST / HTTP/1.1\r\nhost: HOST\r\ncontent-length: 70000\r\n\r\nx", "413"),
        (&format!("POST / HTTP/1.1\r\nhost: HOST\r\ntransfer-encoding: chunked\r\n\r\n11800\r\n{body}"), "413"),
        (&format!("GET / HTTP/1.1\r\nhost: HOST\r\ncookie: {cookies}\r\n\r\n"), "431"),
        (&format!("GET /{cookies} HTTP/1.1\r\nhost: HOST\r\n\r\n"), "431"),
        (&format!("GET / HTTP/1.1\r\nhost: HOST\r\n{}\r\n", "a: b\r\n".repeat(500)), "431"),
        ("POST / HTTP/1.1\r\nhost: HOST\r\ntransfer-encoding: chunked\r\n\r\nnot-a-number\r\n", "400"),
        ("\x16\x03\x01\x02\r\n\r\n", "400"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""),
    ];
    for (request, status) in cases {
        let said = site.ask(V4, request);
        let start: String = request.chars().take(60).collect();
        let got = said.split(' ').nth(1).unwrap_or_default();
        // Who sends too much may be cut off before it reads why.
        let is_cut = said.is_empty() && request.len() > 60_000;
        assert!(got == status || is_cut, "{start:?}: {said}");
        assert!(!said.contains("canary") && !said.contains("script"), "{said}");
        if status == "405" {
            assert!(said.contains("allow: GET, POST\r\n"), "{said}");
        }
    }
    site.is_open();
    // The cookies of a machine with many programs are no reason to turn its user away.
    let many = format!("GET /?good HTTP/1.1\r\nhost: HOST\r\ncookie: {}\r\n\r\n", "x".repeat(60 << 10));
    assert!(site.ask(V6, &many).starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_connection_that_is_cut_brings_nothing() {
    let site = Site::open("/");
    for cut in [
        "",
        "GET / HT",
        "GET / HTTP/1.1\r\nhost: HOST\r\n",
        "POST / HTTP/1.1\r\nhost: HOST\r\ncontent-length: 10\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: HOST\r\ncontent-length: 10\r\n\r\ncode=",
        "POST / HTTP/1.1\r\nhost: HOST\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n",
    ] {
        let request = cut.replace("HOST", &format!("localhost:{}", site.port));
        let stream = site.connect(V4, request.as_bytes());
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        assert!(!to_its_end(stream).starts_with("HTTP/1.1 200 "), "{cut}");
        drop(site.connect(V4, request.as_bytes()));
    }
    site.is_open();
}

#[test]
fn many_connections_wait_their_turn() {
    let site = Site::open("/");
    let mut idle: Vec<TcpStream> = (0..16).map(|_| site.connect(V4, b"")).collect();
    let request = format!("GET /?good HTTP/1.1\r\nhost: localhost:{}\r\n\r\n", site.port);
    let mut late = site.connect(V4, request.as_bytes());
    late.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(late.read(&mut [0]).is_err(), "sixteen at once");
    assert!(site.visits.try_recv().is_err());
    late.set_read_timeout(Some(LONG)).unwrap();
    idle.pop();
    assert!(to_its_end(late).starts_with("HTTP/1.1 200 "));
    assert_eq!(*site.visits.recv_timeout(LONG).unwrap().target, "/?good");
    // A crowd that leaves again does no harm.
    drop(idle);
    drop((0..60).map(|_| site.connect(V4, b"GET / HTTP/1.1\r\n")).collect::<Vec<_>>());
    site.is_open();
}

#[test]
fn it_ends_when_it_is_dropped() {
    let runtime = runtime();
    runtime.block_on(async {
        let landings = World::real().landings;
        let mut landing = landings.open(LandingAt::default()).await.unwrap();
        let port = landing.port();
        let get = format!("GET /?x HTTP/1.1\r\nhost: localhost:{port}\r\n\r\n");
        let client = |request: String| {
            tokio::task::spawn_blocking(move || {
                let mut stream = TcpStream::connect((V4, port)).unwrap();
                stream.set_read_timeout(Some(LONG)).unwrap();
                stream.write_all(request.as_bytes()).unwrap();
                to_its_end(stream)
            })
        };
        let answered = client(get.clone());
        let visit = landing.next().await.unwrap();
        let waiting = client(get.clone());
        let unanswered = landing.next().await.unwrap();
        let (partial, queued) = (client("GET /".to_owned()), client(get.clone()));
        // Until the queued one is there; a visit is not lost when somebody stops waiting for one.
        let queued_visit = landing.next().await.unwrap();
        drop(landing);
        let page = visit.answer(Page::REFUSED);
        drop((unanswered, queued_visit));
        page.await;
        assert!(answered.await.unwrap().contains("did not succeed"));
        for ended in [waiting, queued] {
            let said = ended.await.unwrap();
            assert!(said.starts_with("HTTP/1.1 503 ") && said.contains("no longer waits"), "{said}");
        }
        assert_eq!(partial.await.unwrap(), "");
        for ip in [V4, V6] {
            assert!(TcpStream::connect_timeout(&SocketAddr::new(ip, port), LONG).is_err());
        }
        // The same port can be had again at once.
        drop(landings.open(LandingAt { port: Some(port), path: "/".into() }).await.unwrap());
    });
}

#[test]
fn a_port_is_ours_on_both_families_or_not_at_all() {
    let runtime = runtime();
    for ip in [V4, V6] {
        let other = TcpListener::bind((ip, 0)).unwrap();
        let port = other.local_addr().unwrap().port();
        let opened = runtime.block_on(World::real().landings.open(LandingAt { port: Some(port), path: "/".into() }));
        let said = opened.map(|landing| landing.port()).unwrap_err();
        assert!(said.starts_with(&format!("could not listen on port {port} of {ip}: ")), "{said}");
    }
}

#[test]
fn a_fake_browser_comes_back_to_a_fake_landing() {
    let (world, fake) = Fake::world();
    fake.browser(|launched| {
        let target = launched.arguments.concat().into();
        let host = "localhost".to_owned();
        Ok(vec![Redirect { method: "GET", target, host, content_type: None, body: Vec::new().into() }])
    });
    runtime().block_on(async {
        let at = LandingAt { port: None, path: "/x".into() };
        let mut landing = world.landings.open(at.clone()).await.unwrap();
        assert_eq!(landing.port(), PORT);
        world.processes.launch("/bin/b".into(), vec!["/x?y".into()]).await.unwrap();
        let visit = landing.next().await.unwrap();
        assert_eq!(visit.redirect.target.as_str(), "/x?y");
        visit.answer(Page::NOT_OURS).await;
        assert_eq!((fake.landed(), fake.pages()), (vec![at.clone()], vec![Page::NOT_OURS]));
        assert_eq!(fake.launched(), [Launched { program: "/bin/b".into(), arguments: vec!["/x?y".into()] }]);
        fake.refuse_landings("no port");
        assert_eq!(world.landings.open(at).await.map(|_| ()).unwrap_err(), "no port");
    });
}
