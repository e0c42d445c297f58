//! One exchange with Entra ID: a grant goes in, tokens come out.

use super::account::{self, Account};
use super::proof::Proof;
use crate::error::{Error, ErrorKind};
use crate::options::Options;
use crate::random;
use crate::source::{Ask, Grant};
use crate::token::{Provenance, Secret};
use crate::wire::answer::{self, Refusal};
use crate::wire::entra::{self, Authority, Endpoint};
use crate::wire::http::{HttpError, HttpFault, Response};
use crate::wire::retry::RetryPolicy;
use crate::world::World;

/// An application as Entra ID knows it, and where it asks.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "the name that the field has everywhere")]
pub(crate) struct Client {
    /// The class name under which it answers.
    pub(crate) credential: &'static str,
    pub(crate) authority: Authority,
    pub(crate) client_id: String,
    pub(crate) proof: Proof,
}

/// What an exchange gave.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) grant: Grant,
    pub(crate) refresh_token: Option<Secret>,
    /// Who signed in, where the answer says so.
    pub(crate) account: Option<Account>,
    /// The nonce of the sign-in that the id token is for.
    pub(crate) nonce: Option<Secret>,
}

/// The fields of a form that nobody may read in an error.
const CONFIDENTIAL: [&str; 9] = [
    "assertion",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "device_code",
    "password",
    "refresh_token",
    "username",
];

/// What a form holds that a server may repeat and an error may not.
fn confidential(form: &[(&str, &str)]) -> Vec<Secret> {
    form.iter().filter(|(name, _)| CONFIDENTIAL.contains(name)).map(|(_, value)| Secret::new(*value)).collect()
}

impl Client {
    /// Exchanges a grant for tokens of `scope` in `tenant`. The client's proof and the request's claims are added.
    pub(crate) async fn exchange(
        &self,
        ask: &Ask<'_>,
        tenant: &str,
        scope: &str,
        grant: &[(&str, &str)],
    ) -> Result<Tokens, Error> {
        let proof = self.proof.show(self, ask, tenant).await?;
        let claims = entra::claims(ask.request.claims.as_deref(), ask.request.enable_cae);
        let mut form = grant.to_vec();
        form.push(("client_id", self.client_id.as_str()));
        form.extend(proof.iter().map(|(name, value)| (*name, value.expose())));
        form.push(("scope", scope));
        form.extend(claims.as_deref().map(|claims| ("claims", claims)));
        let (response, request_id, asked) = self.post(ask, Endpoint::Token, tenant, &form).await?;
        let answer = answer::read(&response, asked).map_err(|what| {
            let what = answer::scrubbed(what, &confidential(&form).iter().collect::<Vec<_>>());
            self.garbage(ask, &what, request_id)
        })?;
        let user = answer::user(&response);
        Ok(Tokens {
            account: Account::read(&user, &self.authority, &self.client_id),
            nonce: account::nonce(&user),
            refresh_token: user.refresh_token,
            grant: Grant {
                text: answer.text,
                expires_on: answer.expires_on,
                refresh_in: answer.refresh_in,
                provenance: Provenance {
                    credential: self.credential,
                    source: "entra",
                    tenant_id: Some(tenant.to_owned()),
                    client_id: Some(self.client_id.clone()),
                },
            },
        })
    }

    /// Posts a form and gives the 200 it was answered with, the request's id, and when it was asked (Unix seconds).
    pub(crate) async fn post(
        &self,
        ask: &Ask<'_>,
        endpoint: Endpoint,
        tenant: &str,
        form: &[(&str, &str)],
    ) -> Result<(Response, String, i64), Error> {
        let request_id = random::guid();
        let request = self.authority.request(endpoint, tenant, form, &request_id);
        let asked = ask.world.clock.now();
        let response = ask.world.send(&request, &RetryPolicy::ENTRA).await.map_err(|error| self.no_answer(&error))?;
        if response.status == 200 {
            return Ok((response, request_id, asked));
        }
        let secrets = confidential(form);
        Err(self.refused(&response, &secrets.iter().collect::<Vec<_>>(), ask.world.clock.now()))
    }

    /// The error of a 200 that makes no sense.
    pub(crate) fn garbage(&self, ask: &Ask<'_>, what: &str, request_id: String) -> Error {
        let message = format!("{}: the answer of {} {what}", self.credential, self.authority.host());
        Error::new(ask.place.garbage(), message).with_correlation_id(Some(request_id))
    }

    fn no_answer(&self, error: &HttpError) -> Error {
        let (credential, host) = (self.credential, self.authority.host());
        match error.fault {
            HttpFault::Tls => Error::failed(format!(
                "{credential}: the certificate of {host} is not trusted: {error}; if a proxy or a private authority \
                 signed it, name its certificate in SSL_CERT_FILE or in the option connection_verify"
            )),
            HttpFault::Refused => Error::configuration(format!("{credential}: {error}")),
            HttpFault::Connect | HttpFault::Timeout | HttpFault::Broken | HttpFault::TooLarge => {
                Error::transient(format!("{credential}: no answer from {host}: {error}"))
            }
        }
    }

    fn refused(&self, response: &Response, secrets: &[&Secret], now: i64) -> Error {
        let (credential, host) = (self.credential, self.authority.host());
        let refusal = Refusal::read(response, secrets);
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

/// The authority of an option, else of `AZURE_AUTHORITY_HOST`, else the public cloud.
pub(crate) fn authority(credential: &str, world: &World, options: &Options) -> Result<Authority, Error> {
    let (text, setting) = match &options.authority {
        Some(text) => (Some(text.clone()), "option authority"),
        None => (world.env.get("AZURE_AUTHORITY_HOST"), "AZURE_AUTHORITY_HOST"),
    };
    let authority = Authority::parse(text.as_deref().unwrap_or(entra::PUBLIC_CLOUD))
        .map_err(|sentence| Error::configuration(format!("{credential}: {setting}: {sentence}")))?;
    Ok(authority.through(&options.network))
}
