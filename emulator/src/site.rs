//! Everything the endpoints share: who exists, the keys, the log, the faults, the limits.

use axum::http::{HeaderMap, header};
use tokio::sync::watch;

use crate::{
    arc::Challenges, config::Config, entra::ledger::Ledger, faults::Faults, federation::Federation, limits::Limits,
    log::Log, serve::stopped, signing::Signer,
};

/// One running emulator, as its handlers see it.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) config: Config,
    pub(crate) signer: Signer,
    pub(crate) log: Log,
    pub(crate) faults: Faults,
    pub(crate) imds_limits: Limits,
    pub(crate) ledger: Ledger,
    pub(crate) federation: Federation,
    /// `None` where its folder cannot be written to.
    pub(crate) arc: Option<Challenges>,
    pub(crate) http_url: String,
    pub(crate) https_url: String,
    /// Turns true when the emulator stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

impl Site {
    /// Where the caller sees the Entra endpoints: under the host it named itself, so that they
    /// keep working behind a name of the caller's hosts file.
    pub(crate) fn entra_url(&self, headers: &HeaderMap) -> String {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).filter(|host| is_authority(host));
        host.map_or_else(|| self.https_url.clone(), |host| format!("https://{host}"))
    }

    /// Returns once the emulator stops.
    pub(crate) async fn stopped(&self) {
        stopped(&mut self.stopping.clone()).await;
    }
}

fn is_authority(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 255
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte))
}
