//! `ManagedIdentityCredential`: the identity that Azure gives to what it hosts.
//!
//! Which endpoint answers follows from the environment alone, in the order all SDKs agree on; nothing is sent to find out.
//! The variables are read when the credential is made.

mod app_service;
mod imds;

use std::sync::Arc;
use std::time::Duration;

use self::app_service::AppService;
use self::imds::Imds;
use super::{About, Ask, Fetch, Grant, Source};
use crate::error::{Error, ErrorKind};
use crate::options::Options;
use crate::request::shown;
use crate::token::{Provenance, Secret};
use crate::wire::answer::{self, Refusal};
use crate::wire::http::{HttpError, HttpFault, Response};
use crate::wire::identity_endpoint::UserAssigned;
use crate::world::World;

/// The class name.
pub(crate) const NAME: &str = "ManagedIdentityCredential";

/// Over two minutes, since IMDS asks for 70 s of retries while it is updated.
const PATIENCE: Duration = Duration::from_secs(130);

/// The source for these options in this environment. `probe` is for members of chains: whether to ask first if an IMDS
/// is there at all.
pub(crate) fn from_options(world: &World, options: Options, probe: bool) -> Result<Arc<dyn Source>, Error> {
    let identity = identity(options)?;
    let get = |name: &str| world.env.get(name);
    let (endpoint, header) = (get("IDENTITY_ENDPOINT"), get("IDENTITY_HEADER"));
    match (endpoint, header) {
        (Some(_), Some(_)) if get("IDENTITY_SERVER_THUMBPRINT").is_some() => {
            Ok(Arc::new(Elsewhere::new("Service Fabric")))
        }
        (Some(endpoint), Some(header)) => Ok(Arc::new(AppService::new(endpoint, Secret::new(header), identity)?)),
        _ if get("MSI_ENDPOINT").is_some() && get("MSI_SECRET").is_some() => {
            Ok(Arc::new(Elsewhere::new("Azure Machine Learning")))
        }
        _ if get("MSI_ENDPOINT").is_some() => Ok(Arc::new(Elsewhere::new("Cloud Shell"))),
        (Some(_), _) if get("IMDS_ENDPOINT").is_some() => Ok(Arc::new(Elsewhere::new("Azure Arc"))),
        _ => Ok(Arc::new(Imds::new(get("AZURE_POD_IDENTITY_AUTHORITY_HOST"), identity, probe)?)),
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

/// The parts of a fingerprint: an endpoint and an id.
fn about(source: &str, endpoint: &str, secret: &str, identity: Option<&UserAssigned>) -> About {
    let (kind, id) = identity.map_or(("system", ""), UserAssigned::parts);
    About::new(NAME, &[source, endpoint, secret, kind, id], PATIENCE)
}

/// A plain `http` URL that a local endpoint may have; the error fits behind the variable's name.
fn check_endpoint(text: &str) -> Result<(), String> {
    let wrong = || format!("expected an http URL such as http://127.0.0.1:41741/msi/token, got '{}'", shown(text));
    let url = url::Url::parse(text).map_err(|_| wrong())?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if matches!(url.scheme(), "http") && url.host_str().is_some() && plain { Ok(()) } else { Err(wrong()) }
}

/// Reads a 200 answer.
fn grant(
    ask: &Ask<'_>,
    asked: i64,
    response: &Response,
    endpoint: &'static str,
    source: &'static str,
    identity: Option<&UserAssigned>,
) -> Result<Grant, Error> {
    let answer = answer::read(response, asked)
        .map_err(|what| Error::new(ask.place.garbage(), format!("{NAME}: the answer of {endpoint} {what}")))?;
    let client_id = match identity {
        Some(UserAssigned::Client(id)) => Some(id.clone()),
        _ => answer.client_id,
    };
    Ok(Grant {
        text: answer.text,
        expires_on: answer.expires_on,
        refresh_in: answer.refresh_in,
        provenance: Provenance { credential: NAME, source, tenant_id: None, client_id },
    })
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
        HttpFault::Broken | HttpFault::TooLarge => Error::new(ask.place.garbage(), message),
        HttpFault::Tls | HttpFault::Refused => Error::configuration(message),
    }
}

/// A host whose endpoint this version does not speak. It never falls back to another one: that may be somebody else.
#[derive(Debug)]
struct Elsewhere {
    about: About,
    host: &'static str,
}

impl Elsewhere {
    fn new(host: &'static str) -> Elsewhere {
        Elsewhere { about: About::new(NAME, &[host], Duration::from_secs(1)), host }
    }
}

impl Source for Elsewhere {
    fn about(&self) -> &About {
        &self.about
    }

    fn fetch<'a>(&'a self, _: &'a Ask<'a>) -> Fetch<'a> {
        let sentence = format!(
            "{NAME}: the environment names the endpoint of {}, which this version of azcred does not support",
            self.host
        );
        Box::pin(std::future::ready(Err(Error::configuration(sentence))))
    }
}
