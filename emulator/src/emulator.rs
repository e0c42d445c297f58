//! An emulator from its start to its stop.

use std::{
    fmt, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_rustls::TlsAcceptor;

use crate::{
    certificates::Certificates, clock, config::Config, faults::Faults, limits::Limits, log::Log, routes, serve::serve,
    signing::Signer, site::Site,
};

/// How to start an emulator.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the metadata services listen: a loopback address; port 0 takes any free one.
    pub http: SocketAddr,
    /// Where Entra ID listens: a loopback address; port 0 takes any free one.
    pub https: SocketAddr,
    /// Who exists.
    pub config: Config,
    /// Where `ca.pem`, `server.pem` and `server.key` are written; nowhere when `None`.
    pub dir: Option<PathBuf>,
}

/// A running emulator. It stops when dropped; [`Emulator::stop`] also waits for it.
#[derive(Debug)]
pub struct Emulator {
    site: Arc<Site>,
    ca_pem: String,
    ca_file: Option<PathBuf>,
    stop: watch::Sender<bool>,
    listeners: [JoinHandle<()>; 2],
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
    /// A file of `dir` could not be written.
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
    let http = bind(options.http).await?;
    let https = bind(options.https).await?;
    let http_at = address(&http, options.http)?;
    let port = address(&https, options.https)?.port();

    let dir = options.dir;
    // The key takes a while to find: not on the runtime's own thread.
    let keys = tokio::task::spawn_blocking(move || Keys::new(dir.as_deref()));
    let keys = keys.await.map_err(|error| StartError::Keys(error.to_string()))??;
    let tls = keys.certificates.server_config();
    let tls = TlsAcceptor::from(tls.map_err(|error| StartError::Keys(error.to_string()))?);

    let (stop, stopping) = watch::channel(false);
    let site = Arc::new(Site {
        imds_limits: Limits::new(options.config.imds_limits),
        config: options.config,
        signer: keys.signer,
        log: Log::default(),
        faults: Faults::new(),
        http_url: format!("http://{http_at}"),
        https_url: format!("https://localhost:{port}"),
        stopping: stopping.clone(),
    });
    let listeners = [
        tokio::spawn(serve(http, None, routes::http(&site), stopping.clone())),
        tokio::spawn(serve(https, Some(tls), routes::https(&site), stopping)),
    ];
    Ok(Emulator { site, ca_pem: keys.certificates.ca_pem, ca_file: keys.ca_file, stop, listeners })
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

struct Keys {
    signer: Signer,
    certificates: Certificates,
    ca_file: Option<PathBuf>,
}

impl Keys {
    fn new(dir: Option<&Path>) -> Result<Self, StartError> {
        let signer = Signer::new().map_err(StartError::Keys)?;
        let certificates =
            Certificates::new(clock::unix_seconds()).map_err(|error| StartError::Keys(error.to_string()))?;
        let ca_file = dir.map(|dir| certificates.write(dir)).transpose();
        let ca_file = ca_file.map_err(|(path, error)| StartError::File(path, error))?;
        Ok(Self { signer, certificates, ca_file })
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
        let ca_file = self.ca_file.as_deref().map(Path::to_string_lossy);
        self.site.ready(ca_file.as_deref())
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
