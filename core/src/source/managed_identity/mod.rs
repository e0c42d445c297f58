//! `ManagedIdentityCredential`: the identity that Azure gives to what it hosts.
//!
//! Which endpoint answers follows from the environment alone, in the order all SDKs agree on; nothing is sent to find out.
//! The variables are read when the credential is made.

mod app_service;
mod azure_arc;
mod azure_ml;
mod cloud_shell;
mod imds;
mod service_fabric;

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use self::app_service::AppService;
use self::azure_arc::AzureArc;
use self::azure_ml::AzureMl;
use self::cloud_shell::CloudShell;
use self::imds::Imds;
use self::service_fabric::ServiceFabric;
use super::entra::Application;
use super::{About, Ask, Grant, Made, workload_identity};
use crate::error::{Error, ErrorKind};
use crate::options::Options;
use crate::request::shown;
use crate::share::Sharing;
use crate::token::{Provenance, Secret};
use crate::wire::address;
use crate::wire::answer::{self, Refusal, scrubbed};
use crate::wire::http::{HttpError, HttpFault, Request, Response};
use crate::wire::identity_endpoint::UserAssigned;
use crate::wire::retry::RetryPolicy;
use crate::world::World;

/// The class name.
pub(crate) const NAME: &str = "ManagedIdentityCredential";

/// Over two minutes, since IMDS asks for 70 s of retries while it is updated.
const PATIENCE: Duration = Duration::from_secs(130);

/// What a chain may want otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ways {
    /// Whether a member of a chain asks first if an IMDS is there at all.
    pub(crate) probe: bool,
    /// Whether a pod's federated token will do, as all SDKs have it.
    pub(crate) token_exchange: bool,
}

impl Default for Ways {
    fn default() -> Ways {
        Ways { probe: true, token_exchange: true }
    }
}

/// The source for these options in this environment.
pub(crate) fn from_options(world: &World, mut options: Options, ways: Ways) -> Made {
    let of_pod = of_pod(&mut options);
    let identity = identity(options)?;
    let get = |name: &str| world.env.get(name);
    if let (Some(endpoint), Some(header)) = (get("IDENTITY_ENDPOINT"), get("IDENTITY_HEADER")) {
        let header = Secret::new(header);
        return match get("IDENTITY_SERVER_THUMBPRINT") {
            Some(thumbprint) => Ok(Arc::new(ServiceFabric::new(endpoint, header, &thumbprint, identity)?)),
            None => Ok(Arc::new(AppService::new(endpoint, header, identity)?)),
        };
    }
    if let Some(endpoint) = get("MSI_ENDPOINT") {
        return match get("MSI_SECRET") {
            Some(secret) => Ok(Arc::new(AzureMl::new(world, endpoint, Secret::new(secret), identity)?)),
            None => Ok(Arc::new(CloudShell::new(endpoint, identity)?)),
        };
    }
    if let (Some(endpoint), Some(_)) = (get("IDENTITY_ENDPOINT"), get("IMDS_ENDPOINT")) {
        return Ok(Arc::new(AzureArc::named(world, &endpoint, identity)?));
    }
    if azure_arc::has_agent(world) {
        return Ok(Arc::new(AzureArc::installed(world, identity)));
    }
    if ways.token_exchange
        && let Some(exchange) = token_exchange(world, identity.as_ref(), of_pod)?
    {
        return Ok(Arc::new(exchange));
    }
    Ok(Arc::new(Imds::new(get("AZURE_POD_IDENTITY_AUTHORITY_HOST"), identity, ways.probe)?))
}

/// A pod of AKS exchanges its service account's token. That can't choose an identity by its object or resource id: who
/// asks for one of those means the identities of the node.
fn token_exchange(
    world: &World,
    identity: Option<&UserAssigned>,
    of_pod: Options,
) -> Result<Option<Application>, Error> {
    let client_id = match identity {
        Some(UserAssigned::Client(id)) => Some(id.clone()),
        Some(UserAssigned::Object(_) | UserAssigned::Resource(_)) => return Ok(None),
        None => None,
    };
    let set = |name: &str| world.env.get(name).is_some();
    if !set("AZURE_TENANT_ID") || !set("AZURE_FEDERATED_TOKEN_FILE") {
        return Ok(None);
    }
    workload_identity::named(NAME, world, &Options { client_id, ..of_pod }).map(Some)
}

/// The options for a pod's exchange, which asks an authority. A pod without a way out can't ask about one that its
/// platform named.
fn of_pod(options: &mut Options) -> Options {
    let named_by_platform = options.authority.is_none();
    Options {
        authority: options.authority.take(),
        additionally_allowed_tenants: options.additionally_allowed_tenants.take(),
        disable_instance_discovery: Some(options.disable_instance_discovery.unwrap_or(named_by_platform)),
        network: std::mem::take(&mut options.network),
        ..Options::default()
    }
}

fn identity(options: Options) -> Result<Option<UserAssigned>, Error> {
    let config = options.identity_config;
    let nested = config.map(|config| (config.client_id, config.object_id, config.resource_id));
    let (client, object, resource) = nested.unwrap_or_default();
    let given: Vec<UserAssigned> = [
        options.client_id.map(UserAssigned::Client),
        options.object_id.map(UserAssigned::Object),
        options.resource_id.map(UserAssigned::Resource),
        client.map(UserAssigned::Client),
        object.map(UserAssigned::Object),
        resource.map(UserAssigned::Resource),
    ]
    .into_iter()
    .flatten()
    .collect();
    if given.len() > 1 {
        let names: Vec<&str> = given.iter().map(|identity| identity.parts().0).collect();
        return Err(Error::configuration(format!(
            "{NAME}: expected at most one of client_id, object_id and resource_id, got {}",
            names.join(", ")
        )));
    }
    let Some(identity) = given.into_iter().next() else { return Ok(None) };
    let (name, id) = identity.parts();
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return Err(Error::configuration(format!(
            "{NAME}: option {name}: expected an id of visible ASCII, got '{}'",
            shown(id)
        )));
    }
    Ok(Some(identity))
}

/// A fingerprint of the source, of the `parts` of its environment that decide who answers, and of the id.
fn about(source: &str, parts: &[&str], identity: Option<&UserAssigned>) -> About {
    let (kind, id) = identity.map_or(("system", ""), UserAssigned::parts);
    let parts: Vec<&str> = [source].into_iter().chain(parts.iter().copied()).chain([kind, id]).collect();
    About { sharing: Sharing::Network, ..About::new(NAME, &parts, PATIENCE) }
}

/// The URL of a local endpoint; the error names the variable that holds it.
fn endpoint(variable: &str, text: &str, scheme: &str) -> Result<Url, Error> {
    let wrong = || {
        let example = format!("{scheme}://127.0.0.1:41741/msi/token");
        let got = address::shown(text);
        Error::configuration(format!("{NAME}: {variable}: expected an {scheme} URL such as {example}, got '{got}'"))
    };
    let url = Url::parse(text).map_err(|_| wrong())?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if url.scheme() == scheme && url.host_str().is_some() && plain { Ok(url) } else { Err(wrong()) }
}

/// A host where a request can't choose its identity that way, and the option says that it should.
fn not_chosen(host: &str, why: &str, identity: &UserAssigned) -> Error {
    let (kind, id) = identity.parts();
    Error::failed(format!("{NAME}: {host} does not take {kind} '{}': {why}", shown(id)))
}

/// What is asked, and what must not be seen of it.
struct Question<'a> {
    /// The endpoint, for messages.
    endpoint: &'static str,
    /// Its name at every door.
    source: &'static str,
    identity: Option<&'a UserAssigned>,
    secrets: &'a [&'a Secret],
}

impl Question<'_> {
    /// Asks an endpoint that the environment names as ours. Its silence is trouble and not "elsewhere", and its refusal
    /// is final: in a chain the next member would be another identity.
    async fn ask(&self, ask: &Ask<'_>, request: &Request) -> Result<Grant, Error> {
        let asked = ask.world.clock.now();
        let response = ask
            .world
            .send(request, &RetryPolicy::APP_SERVICE)
            .await
            .map_err(|error| no_answer(ask, self.endpoint, &error, ErrorKind::Transient))?;
        match response.status {
            200 => self.grant(ask, asked, &response),
            _ => Err(refused(self.endpoint, &response, ask.world.clock.now(), ErrorKind::Failed, self.secrets)),
        }
    }

    /// Reads a 200 answer to what was asked at `asked`.
    fn grant(&self, ask: &Ask<'_>, asked: i64, response: &Response) -> Result<Grant, Error> {
        let answer = answer::read(response, asked, ask.world.clock.now()).map_err(|what| {
            let sentence = format!("{NAME}: the answer of {} {what}", self.endpoint);
            Error::new(ask.place.garbage(), scrubbed(sentence, self.secrets))
        })?;
        let client_id = match self.identity {
            Some(UserAssigned::Client(id)) => Some(id.clone()),
            _ => answer.client_id,
        };
        let provenance = Provenance { credential: NAME, source: self.source, tenant_id: None, client_id };
        Ok(Grant::new(answer.text, answer.expires_on, answer.refresh_in, provenance))
    }
}

/// An answer that is no token, as far as all endpoints agree: trouble is transient, the rest as `otherwise` says.
fn refused(endpoint: &str, response: &Response, now: i64, otherwise: ErrorKind, secrets: &[&Secret]) -> Error {
    let refusal = Refusal::read(response, secrets);
    let sentence = refusal.sentence(response.status);
    let (kind, message) = match response.status {
        408 | 410 | 429 | 500..=599 => (ErrorKind::Transient, format!("{NAME}: {endpoint} has trouble: {sentence}")),
        300..=399 => (otherwise, format!("{NAME}: {endpoint} redirects ({sentence}), which no identity endpoint does")),
        _ => (otherwise, format!("{NAME}: {endpoint} refused: {sentence}")),
    };
    refusal.error(kind, message, response, now)
}

/// No answer at all, of `kind` where nobody could be reached.
fn no_answer(ask: &Ask<'_>, endpoint: &str, error: &HttpError, kind: ErrorKind) -> Error {
    let message = format!("{NAME}: no answer from {endpoint}: {error}");
    match error.fault {
        HttpFault::Connect | HttpFault::Timeout => Error::new(kind, message),
        // Whether somebody is there is not known: a chain must not go on to somebody else.
        HttpFault::Exhausted => Error::transient(message).own(),
        HttpFault::Broken | HttpFault::TooLarge => Error::new(ask.place.garbage(), message),
        HttpFault::Tls => Error::failed(format!(
            "{NAME}: {endpoint} is somebody else, and was sent nothing: its certificate must be the one whose thumbprint \
             is in IDENTITY_SERVER_THUMBPRINT: {error}"
        )),
        HttpFault::Refused => Error::configuration(message),
    }
}
