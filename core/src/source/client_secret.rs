//! `ClientSecretCredential`: an application signs in to Entra ID with its secret.

use std::time::Duration;

use super::{About, Ask, Fetch, Grant, Source, Tenants};
use crate::error::{Error, ErrorKind};
use crate::fingerprint::Fingerprint;
use crate::options::Options;
use crate::random;
use crate::token::{Provenance, Secret};
use crate::wire::answer::{self, Refusal};
use crate::wire::entra::{self, Authority};
use crate::wire::http::{HttpError, HttpFault, Response};
use crate::wire::retry::RetryPolicy;
use crate::world::World;

/// The class name.
pub(crate) const NAME: &str = "ClientSecretCredential";

/// Retries included.
const PATIENCE: Duration = Duration::from_secs(90);

#[derive(Debug)]
pub(crate) struct ClientSecret {
    about: About,
    authority: Authority,
    client_id: String,
    secret: Secret,
}

impl ClientSecret {
    /// From the credential's own options.
    pub(crate) fn from_options(world: &World, options: Options) -> Result<ClientSecret, Error> {
        let missing = |name: &str| Error::configuration(format!("{NAME}: option {name}: expected a value, got none"));
        let authority = authority(NAME, world, options.authority.as_deref())?.through(&options.network);
        let tenant_id = options.tenant_id.ok_or_else(|| missing("tenant_id"))?;
        let client_id = options.client_id.filter(|id| !id.is_empty()).ok_or_else(|| missing("client_id"))?;
        let secret = options.client_secret.filter(|secret| !secret.expose().is_empty());
        let secret = secret.ok_or_else(|| missing("client_secret"))?;
        let tenants = Tenants::own(world, NAME, Some(tenant_id.clone()), options.additionally_allowed_tenants)?;
        Ok(ClientSecret::new(NAME, authority, &tenant_id, tenants, client_id, secret))
    }

    /// From its parts, under the name of the credential that found them.
    pub(crate) fn new(
        credential: &'static str,
        authority: Authority,
        tenant_id: &str,
        tenants: Tenants,
        client_id: String,
        secret: Secret,
    ) -> ClientSecret {
        let permission = tenants.permission();
        let parts = [authority.base(), tenant_id, &client_id, secret.expose(), &permission];
        let identity = Fingerprint::of(NAME, &parts);
        let about = About { credential, identity, patience: authority.patience(PATIENCE), cae: true, tenants };
        ClientSecret { about, authority, client_id, secret }
    }

    async fn ask(&self, ask: &Ask<'_>) -> Result<Grant, Error> {
        let tenant = self.about.tenants.resolve(self.about.credential, ask.request.tenant_id.as_deref())?;
        // A rule with a default resolves to one.
        let tenant = tenant.unwrap_or_default();
        let scope = ask.request.scopes.join(" ");
        let claims = entra::claims(ask.request.claims.as_deref(), ask.request.enable_cae);
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", self.client_id.as_str()),
            ("client_secret", self.secret.expose()),
            ("scope", scope.as_str()),
        ];
        form.extend(claims.as_deref().map(|claims| ("claims", claims)));
        let request_id = random::guid();
        let request = self.authority.token_request(tenant, &form, &request_id);
        let asked = ask.world.clock.now();
        let response = ask.world.send(&request, &RetryPolicy::ENTRA).await.map_err(|error| self.no_answer(&error))?;
        if response.status != 200 {
            return Err(self.refused(&response, ask.world.clock.now()));
        }
        let answer = answer::read(&response, asked).map_err(|what| {
            let message = format!("{}: the answer of {} {what}", self.about.credential, self.authority.host());
            Error::new(ask.place.garbage(), message).with_correlation_id(Some(request_id))
        })?;
        Ok(Grant {
            text: answer.text,
            expires_on: answer.expires_on,
            refresh_in: answer.refresh_in,
            provenance: Provenance {
                credential: self.about.credential,
                source: "entra",
                tenant_id: Some(tenant.to_owned()),
                client_id: Some(self.client_id.clone()),
            },
        })
    }

    fn no_answer(&self, error: &HttpError) -> Error {
        let (credential, host) = (self.about.credential, self.authority.host());
        match error.fault {
            HttpFault::Tls => Error::failed(format!(
                "{credential}: the certificate of {host} is not trusted: {error}; if a proxy or a private authority \
                 signed it, name its certificate in SSL_CERT_FILE"
            )),
            HttpFault::Refused => Error::configuration(format!("{credential}: {error}")),
            HttpFault::Connect | HttpFault::Timeout | HttpFault::Broken | HttpFault::TooLarge => {
                Error::transient(format!("{credential}: no answer from {host}: {error}"))
            }
        }
    }

    fn refused(&self, response: &Response, now: i64) -> Error {
        let (credential, host) = (self.about.credential, self.authority.host());
        let refusal = Refusal::read(response, &[&self.secret]);
        let sentence = refusal.sentence(response.status);
        let (kind, message) = match response.status {
            300..=399 => (
                ErrorKind::Failed,
                format!("{credential}: {host} redirects ({sentence}); a request with a secret follows no redirect"),
            ),
            408 | 429 | 500..=599 => (ErrorKind::Transient, format!("{credential}: {host} has trouble: {sentence}")),
            // Not an error document of Entra ID's: a proxy's page, or another server.
            _ if refusal.code.is_none() && refusal.text.is_none() => {
                (ErrorKind::Transient, format!("{credential}: {host} answered {sentence} without an error document"))
            }
            _ => (ErrorKind::Failed, format!("{credential}: {host} refused: {sentence}")),
        };
        refusal.error(kind, message, response, now)
    }
}

impl Source for ClientSecret {
    fn about(&self) -> &About {
        &self.about
    }

    fn fetch<'a>(&'a self, ask: &'a Ask<'a>) -> Fetch<'a> {
        Box::pin(self.ask(ask))
    }
}

/// The authority of an option, else of `AZURE_AUTHORITY_HOST`, else the public cloud.
pub(crate) fn authority(credential: &str, world: &World, option: Option<&str>) -> Result<Authority, Error> {
    if let Some(text) = option {
        return Authority::parse(text)
            .map_err(|sentence| Error::configuration(format!("{credential}: option authority: {sentence}")));
    }
    let variable = world.env.get("AZURE_AUTHORITY_HOST");
    Authority::parse(variable.as_deref().unwrap_or(entra::PUBLIC_CLOUD))
        .map_err(|sentence| Error::configuration(format!("{credential}: AZURE_AUTHORITY_HOST: {sentence}")))
}
