//! The instance metadata service of Azure VMs and scale sets.
//!
//! In a chain it is asked first whether anybody is there, with a patience that depends on the host: an Azure VM says
//! so in its SMBIOS chassis tag. Asked for by name it is never probed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{NAME, Question, about, endpoint, no_answer, refused};
use crate::error::{Error, ErrorKind};
use crate::source::{About, Ask, Fetch, Grant, Place, Source};
use crate::wire::http::{HttpFault, Response};
use crate::wire::identity_endpoint::{IMDS_HOST, UserAssigned, imds, imds_probe};
use crate::wire::retry::RetryPolicy;

const ENDPOINT: &str = "the instance metadata service (IMDS)";

#[derive(Debug)]
pub(super) struct Imds {
    about: About,
    host: String,
    identity: Option<UserAssigned>,
    probe: bool,
    answered: AtomicBool,
}

impl Imds {
    pub(super) fn new(host: Option<String>, identity: Option<UserAssigned>, probe: bool) -> Result<Imds, Error> {
        if let Some(host) = &host {
            const VARIABLE: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";
            if endpoint(VARIABLE, host, "http")?.query().is_some() {
                return Err(Error::configuration(format!("{NAME}: {VARIABLE}: expected a URL without a query")));
            }
        }
        // Where the environment names a host there is one.
        let probe = probe && host.is_none();
        let host = host.unwrap_or_else(|| IMDS_HOST.to_owned());
        let host = host.trim_end_matches('/').to_owned();
        let about = about("imds", &[&host], identity.as_ref());
        Ok(Imds { about, host, identity, probe, answered: AtomicBool::new(false) })
    }

    async fn ask(&self, ask: &Ask<'_>) -> Result<Grant, Error> {
        let resource = ask.request.one_resource(NAME)?;
        if self.probe && ask.place != Place::Alone && !self.answered.load(Ordering::Relaxed) {
            self.probe(ask, resource).await?;
        }
        let request = imds(&self.host, resource, self.identity.as_ref());
        let asked = ask.world.clock.now();
        let response = ask
            .world
            .send(&request, &RetryPolicy::IMDS)
            .await
            .map_err(|error| no_answer(ask, ENDPOINT, &error, ErrorKind::Unavailable))?;
        self.answered.store(true, Ordering::Relaxed);
        let now = ask.world.clock.now();
        match response.status {
            200 => {
                let identity = self.identity.as_ref();
                Question { endpoint: ENDPOINT, source: "imds", identity, secrets: &[] }.grant(ask, asked, &response)
            }
            400 => Err(self.bad_request(&response, now)),
            403 if is_unreachable(&response) => Err(nobody("a container runtime's proxy says it is unreachable")),
            404 => Err(refused(ENDPOINT, &response, now, ErrorKind::Transient, &[])),
            _ => Err(refused(ENDPOINT, &response, now, ErrorKind::Failed, &[])),
        }
    }

    async fn probe(&self, ask: &Ask<'_>, resource: &str) -> Result<(), Error> {
        let azure = ask.world.is_azure();
        // On Azure as long as a busy host needs, elsewhere a moment.
        let patience = if azure { Duration::from_secs(3) } else { Duration::from_millis(200) };
        let request = imds_probe(&self.host, resource, patience);
        match ask.world.send(&request, &RetryPolicy::NEVER).await {
            Ok(response) if is_unreachable(&response) => {
                Err(nobody("a container runtime's proxy says it is unreachable"))
            }
            // IMDS answers 400 to a question without its header. Other clouds have services of their own at that
            // address; an Azure VM's may be busy.
            Ok(response) if response.status == 400 || azure => {
                self.answered.store(true, Ordering::Relaxed);
                Ok(())
            }
            Ok(response) => Err(nobody(&format!("HTTP {} is not its answer to a probe", response.status))),
            Err(error) if error.fault == HttpFault::Timeout => {
                Err(nobody(&format!("no answer within {} ms: {error}", patience.as_millis())))
            }
            Err(error) if error.fault == HttpFault::Exhausted => {
                Err(no_answer(ask, ENDPOINT, &error, ErrorKind::Transient))
            }
            Err(error) => Err(nobody(&format!("no answer: {error}"))),
        }
    }

    /// 400: no such identity here, which others may have; or a request that no identity could make.
    fn bad_request(&self, response: &Response, now: i64) -> Error {
        let error = refused(ENDPOINT, response, now, ErrorKind::Failed, &[]);
        if !error.message().to_ascii_lowercase().contains("identity not found") {
            return error;
        }
        let hint = match &self.identity {
            None => "this host has no system-assigned identity".to_owned(),
            Some(identity) => {
                let (kind, id) = identity.parts();
                format!("the identity with {kind} {id} is not assigned to this host")
            }
        };
        let message = format!("{}; {hint}", error.message());
        error.with_kind(ErrorKind::Unavailable).with_message(message)
    }
}

fn nobody(why: &str) -> Error {
    Error::unavailable(format!("{NAME}: {ENDPOINT} is not here: {why}"))
}

/// Docker Desktop answers for hosts that do not exist.
fn is_unreachable(response: &Response) -> bool {
    let text = String::from_utf8_lossy(&response.body);
    response.status == 403 && text.contains("unreachable")
}

impl Source for Imds {
    fn about(&self) -> &About {
        &self.about
    }

    fn fetch<'a>(&'a self, ask: &'a Ask<'a>) -> Fetch<'a> {
        Box::pin(self.ask(ask))
    }
}
