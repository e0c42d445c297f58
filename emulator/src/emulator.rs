//! An emulator from its start to its stop.

use std::{
    fmt, io,
    net::{Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_rustls::TlsAcceptor;

use crate::{
    application::{Application, Files},
    arc::Challenges,
    certificates::{Certificates, put},
    clock,
    config::{Config, EXCHANGE},
    entra::{clouds::TLS_NAMES, ledger::Ledger},
    faults::Faults,
    federation::Federation,
    limits::Limits,
    log::Log,
    ready::{Places, ready},
    routes,
    serve::serve,
    signing::Signer,
    site::Site,
};

/// What the token proxy is called when nothing else is configured.
const PROXY_NAME: &str = "token-proxy.emulator.internal";
/// Of Service Fabric's certificate.
const FABRIC_NAME: &str = "azcred-emulator-service-fabric";

/// How to start an emulator.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the metadata services listen: a loopback address; port 0 takes any free one.
    pub http: SocketAddr,
    /// Where Entra ID listens: a loopback address; port 0 takes any free one.
    pub https: SocketAddr,
    /// Who exists.
    pub config: Config,
    /// Where certificates, keys and the federated token are written; nowhere when `None`.
    pub dir: Option<PathBuf>,
}

/// A running emulator. It stops when dropped; [`Emulator::stop`] also waits for it.
#[derive(Debug)]
pub struct Emulator {
    site: Arc<Site>,
    ca_pem: String,
    places: Places,
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
}

/// Why an emulator did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The address is not a loopback one: test identities are not for the network.
    NotLoopback(SocketAddr),
    /// The address could not be listened at.
    Bind(SocketAddr, io::Error),
    /// A key or a certificate could not be made.
    Keys(String),
    /// A file of `dir`, or in Arc's folder, could not be written.
    File(PathBuf, io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLoopback(address) => {
                write!(f, "the emulator listens on loopback addresses only, such as 127.0.0.1, not {address}")
            }
            Self::Bind(address, error) => {
                write!(f, "the emulator cannot listen at {address}: {error}")
            }
            Self::Keys(reason) => write!(f, "the emulator's keys could not be made: {reason}"),
            Self::File(path, error) => write!(f, "cannot write {}: {error}", path.display()),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Bind(_, error) | Self::File(_, error) => Some(error),
            Self::NotLoopback(_) | Self::Keys(_) => None,
        }
    }
}

/// Starts an emulator on the caller's runtime, which needs its timers and I/O enabled. It answers
/// from the moment this returns.
///
/// # Errors
///
/// When an address is not a loopback one or is taken, or a file cannot be written.
///
/// # Cancel safety
///
/// Nothing listens when the future is dropped; files of `dir` may have been written.
pub async fn start(options: Options) -> Result<Emulator, StartError> {
    let Options { http, https, mut config, dir } = options;
    let doors = Doors::open(http, https).await?;
    let port = address(&doors.https, https)?.port();

    let names = config.tls_names.clone();
    let sni = config.token_proxy_sni.clone().unwrap_or_else(|| PROXY_NAME.to_owned());
    let keys_dir = dir.clone();
    // The keys take a while to find: not on the runtime's own thread.
    let keys = tokio::task::spawn_blocking(move || Keys::new(keys_dir.as_deref(), &names, &sni));
    let keys = keys.await.map_err(|error| StartError::Keys(error.to_string()))??;
    if let (Some(application), Some(app)) = (keys.application, config.apps.first_mut().filter(|app| !app.public)) {
        app.certificates.push(application.registered);
    }
    let tls = |config: Result<_, rustls::Error>| {
        config.map(TlsAcceptor::from).map_err(|error| StartError::Keys(error.to_string()))
    };
    let entra_tls = tls(keys.certificates.server_config())?;
    let fabric_tls = tls(keys.fabric.server_config())?;
    let proxy_tls = tls(match &config.token_proxy_sni {
        Some(name) => keys.proxy.server_config_for(name),
        None => keys.proxy.server_config(),
    })?;

    let arc = challenges(&config)?;
    let (stop, stopping) = watch::channel(false);
    let https_url = format!("https://localhost:{port}");
    let site = Arc::new(Site {
        imds_limits: Limits::new(config.imds_limits),
        signer: keys.signer,
        log: Log::default(),
        faults: Faults::new(),
        ledger: Ledger::default(),
        federation: Federation::new(&https_url, keys.federation, dir.as_deref()),
        arc,
        http_url: format!("http://{}", address(&doors.http, http)?),
        https_url,
        stopping: stopping.clone(),
        config,
    });
    if dir.is_some() {
        let lifetime = i64::from(site.config.federated_token_lifetime);
        site.federation.project(EXCHANGE, lifetime).map_err(|(path, error)| StartError::File(path, error))?;
    }
    let v6 = doors.https_v6.as_ref().and_then(|listener| listener.local_addr().ok());
    let places = Places {
        files: keys.files,
        arc: site.arc.is_some().then(|| address(&doors.arc, http)).transpose()?,
        fabric: address(&doors.fabric, https)?,
        fabric_thumbprint: keys.fabric.thumbprint(),
        proxy_port: address(&doors.proxy, https)?.port(),
        proxy_name: site.config.token_proxy_sni.clone().unwrap_or_else(|| PROXY_NAME.to_owned()),
        https_v6: v6,
    };
    let spawn = |listener, tls, router| tokio::spawn(serve(listener, tls, router, stopping.clone()));
    let mut listeners = vec![
        spawn(doors.http, None, routes::http(&site)),
        spawn(doors.https, Some(entra_tls.clone()), routes::https(&site)),
        spawn(doors.fabric, Some(fabric_tls), routes::service_fabric(&site)),
        spawn(doors.proxy, Some(proxy_tls), routes::token_proxy(&site)),
    ];
    if site.arc.is_some() {
        listeners.push(spawn(doors.arc, None, routes::arc(&site)));
    }
    if let Some(listener) = doors.https_v6 {
        listeners.push(spawn(listener, Some(entra_tls), routes::https(&site)));
    }
    Ok(Emulator { site, ca_pem: keys.certificates.ca_pem, places, stop, listeners })
}

/// Arc's challenges, where there is Arc.
fn challenges(config: &Config) -> Result<Option<Challenges>, StartError> {
    if config.arc_token_dir.is_empty() {
        return Ok(None);
    }
    let dir = PathBuf::from(&config.arc_token_dir);
    Challenges::new(dir.clone()).map(Some).map_err(|error| StartError::File(dir, error))
}

/// The listeners, not yet answering.
struct Doors {
    http: TcpListener,
    https: TcpListener,
    /// On the same port where it is free, for clients that take `localhost` for `::1`.
    https_v6: Option<TcpListener>,
    arc: TcpListener,
    fabric: TcpListener,
    proxy: TcpListener,
}

impl Doors {
    async fn open(http: SocketAddr, https: SocketAddr) -> Result<Self, StartError> {
        let any_port = |address: SocketAddr| SocketAddr::new(address.ip(), 0);
        let main = bind(https).await?;
        let v6 = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), address(&main, https)?.port());
        Ok(Self {
            http: bind(http).await?,
            https_v6: if https.is_ipv4() { TcpListener::bind(v6).await.ok() } else { None },
            https: main,
            arc: bind(any_port(http)).await?,
            fabric: bind(any_port(https)).await?,
            proxy: bind(any_port(https)).await?,
        })
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    if !address.ip().is_loopback() {
        return Err(StartError::NotLoopback(address));
    }
    TcpListener::bind(address).await.map_err(|error| StartError::Bind(address, error))
}

fn address(listener: &TcpListener, wanted: SocketAddr) -> Result<SocketAddr, StartError> {
    listener.local_addr().map_err(|error| StartError::Bind(wanted, error))
}

/// What is made anew at each start.
struct Keys {
    signer: Signer,
    federation: Option<Signer>,
    certificates: Certificates,
    fabric: Certificates,
    proxy: Certificates,
    application: Option<Application>,
    files: Option<KeyFiles>,
}

/// Where the files of `dir` are.
#[derive(Clone, Debug)]
pub(crate) struct KeyFiles {
    pub(crate) ca: PathBuf,
    pub(crate) proxy_ca: PathBuf,
    pub(crate) application: Files,
}

impl Keys {
    fn new(dir: Option<&Path>, names: &[String], proxy_name: &str) -> Result<Self, StartError> {
        let now = clock::unix_seconds();
        let broken = |error: rcgen::Error| StartError::Keys(error.to_string());
        // RSA keys take longest; some are of no use to anybody without their files.
        let gone = "a thread ended badly".to_owned();
        let (signer, federation, application) = std::thread::scope(|scope| {
            let federation = dir.map(|_| scope.spawn(Signer::new));
            let application = dir.map(|_| scope.spawn(move || Application::new(now)));
            let signer = Signer::new();
            (
                signer,
                federation.map(|thread| thread.join().unwrap_or_else(|_| Err(gone.clone()))),
                application.map(|thread| thread.join().unwrap_or_else(|_| Err(gone.clone()))),
            )
        });
        let names = TLS_NAMES.into_iter().chain(names.iter().map(String::as_str));
        let mut keys = Self {
            signer: signer.map_err(StartError::Keys)?,
            federation: federation.transpose().map_err(StartError::Keys)?,
            application: application.transpose().map_err(StartError::Keys)?,
            certificates: Certificates::new(now, "azcred emulator CA", names).map_err(broken)?,
            fabric: Certificates::alone(now, FABRIC_NAME).map_err(broken)?,
            proxy: Certificates::new(now, "azcred emulator token proxy CA", std::iter::once(proxy_name))
                .map_err(broken)?,
            files: None,
        };
        if let Some(dir) = dir {
            keys.files = keys.write(dir).map_err(|(path, error)| StartError::File(path, error))?;
        }
        Ok(keys)
    }

    fn write(&self, dir: &Path) -> Result<Option<KeyFiles>, (PathBuf, io::Error)> {
        let Some(application) = &self.application else {
            return Ok(None);
        };
        Ok(Some(KeyFiles {
            ca: self.certificates.write(dir)?,
            proxy_ca: put(dir, "token-proxy-ca.pem", self.proxy.ca_pem.as_bytes(), 0o644)?,
            application: application.write(dir)?,
        }))
    }
}

impl Emulator {
    /// Where the metadata services and the admin endpoint are: `http://127.0.0.1:PORT`.
    pub fn http_url(&self) -> String {
        self.site.http_url.clone()
    }

    /// Where Entra ID is: `https://localhost:PORT`.
    pub fn https_url(&self) -> String {
        self.site.https_url.clone()
    }

    /// The certificate that clients must trust.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// What a program needs to use this emulator, as one JSON object.
    pub fn ready(&self) -> Value {
        ready(&self.site, &self.places)
    }

    /// Stops listening, lets requests in progress finish for a second, and returns when all is
    /// over.
    ///
    /// # Cancel safety
    ///
    /// The emulator stops whether or not anyone waits for it.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for listener in self.listeners {
            if let Err(error) = listener.await {
                tracing::warn!(%error, "a listener ended badly");
            }
        }
    }
}
