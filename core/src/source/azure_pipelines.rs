//! `AzurePipelinesCredential`: a job of Azure Pipelines signs in through its service connection.
//!
//! <https://learn.microsoft.com/azure/devops/pipelines/release/configure-workload-identity>

use std::time::Duration;

use url::Url;

use super::entra::{Application, Client, Proof, authority};
use super::{Ask, Tenants};
use crate::error::{Error, ErrorKind};
use crate::options::Options;
use crate::request::shown;
use crate::token::Secret;
use crate::wire::address;
use crate::wire::answer::{self, Refusal};
use crate::wire::http::{Request, Response};
use crate::wire::retry::RetryPolicy;
use crate::world::World;

/// The class name.
pub(crate) const NAME: &str = "AzurePipelinesCredential";

const VARIABLE: &str = "SYSTEM_OIDCREQUESTURI";

/// A service connection, and what the job may ask with.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Where to ask; none outside a job.
    uri: Option<Url>,
    id: String,
    token: Secret,
}

/// From the credential's own options.
pub(crate) fn from_options(world: &World, options: &Options) -> Result<Application, Error> {
    let authority = authority(NAME, world, options)?;
    let tenant_id = options.need(NAME, "tenant_id", options.tenant_id.as_ref())?;
    let client_id = options.need(NAME, "client_id", options.client_id.as_ref())?;
    let connection = Connection {
        uri: uri(world)?,
        id: options.need(NAME, "service_connection_id", options.service_connection_id.as_ref())?,
        token: options.need_secret(NAME, "system_access_token", options.system_access_token.as_ref())?,
    };
    let tenants = Tenants::own(world, NAME, Some(tenant_id), options.additionally_allowed_tenants.clone())?;
    let client = Client { credential: NAME, authority, client_id, proof: Proof::Pipelines(connection) };
    Ok(Application::new(NAME, client, tenants))
}

fn uri(world: &World) -> Result<Option<Url>, Error> {
    let Some(text) = world.env.get(VARIABLE) else { return Ok(None) };
    // The job's token goes there.
    let url = Url::parse(text.trim()).ok().filter(|url| url.scheme() == "https" && url.host_str().is_some());
    let url = url.filter(|url| url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
    let wrong =
        || Error::configuration(format!("{NAME}: {VARIABLE}: expected an https URL, got '{}'", address::shown(&text)));
    url.map(Some).ok_or_else(wrong)
}

impl Connection {
    /// What of it belongs to a fingerprint.
    pub(super) fn parts(&self) -> Vec<Secret> {
        let uri = self.uri.as_ref().map(Url::as_str).unwrap_or_default();
        vec![Secret::new("pipelines"), Secret::new(uri), Secret::new(self.id.as_str()), self.token.clone()]
    }

    /// An assertion, made now for this exchange.
    pub(super) async fn assertion(&self, client: &Client, ask: &Ask<'_>) -> Result<Secret, Error> {
        let credential = client.credential;
        let Some(uri) = &self.uri else {
            return Err(Error::unavailable(format!(
                "{credential}: {VARIABLE} is not set: this is no job of Azure Pipelines, or its step has no \
                 'env: {VARIABLE}: $(System.OidcRequestUri)'"
            )));
        };
        let mut url = uri.clone();
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        url.query_pairs_mut().append_pair("api-version", "7.1").append_pair("serviceConnectionId", &self.id);
        let request = Request {
            method: "POST",
            url: url.into(),
            headers: vec![
                ("authorization", Secret::new(format!("Bearer {}", self.token.expose()))),
                ("content-type", Secret::new("application/json")),
                ("content-length", Secret::new("0")),
                // Otherwise a refused token leads to the page of a sign-in, not to a 401.
                ("x-tfs-fedauthredirect", Secret::new("Suppress")),
            ],
            body: None,
            timeout: Duration::from_secs(30),
            route: client.authority.route(),
        };
        let answer = ask.world.send(&request, &RetryPolicy::ENTRA).await;
        let response = answer.map_err(|error| client.no_answer("the pipeline's OIDC endpoint", &error))?;
        if response.status != 200 {
            return Err(self.refused(credential, &response, ask.world.clock.now()));
        }
        answer::echo(&response, &["oidcToken"]).map(Secret::new).ok_or_else(|| {
            let ids = self.ids(&response);
            Error::failed(format!("{credential}: the answer of the pipeline's OIDC endpoint has no oidcToken{ids}"))
        })
    }

    fn refused(&self, credential: &str, response: &Response, now: i64) -> Error {
        let refusal = Refusal::read(response, &[&self.token]);
        let sentence = refusal.sentence(response.status);
        let hint = match response.status {
            401 | 403 => "; check system_access_token and the service connection's permissions",
            300..=399 => "; it redirects, as it does for a token that it does not take",
            _ => "",
        };
        let kind = match response.status {
            408 | 429 | 500..=599 => ErrorKind::Transient,
            _ => ErrorKind::Failed,
        };
        let message =
            format!("{credential}: the pipeline's OIDC endpoint answered {sentence}{hint}{}", self.ids(response));
        refusal.error(kind, message, response, now)
    }

    /// The ids under which Azure DevOps logged an answer.
    fn ids(&self, response: &Response) -> String {
        let given = ["x-vss-e2eid", "x-msedge-ref"].iter().filter_map(|name| Some((name, response.header(name)?)));
        let ids: Vec<String> =
            given.map(|(name, id)| format!("{name} {}", shown(&answer::line(id, &[&self.token])))).collect();
        if ids.is_empty() { String::new() } else { format!(" ({})", ids.join(", ")) }
    }
}
