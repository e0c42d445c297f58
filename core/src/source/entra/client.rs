//! One exchange with Entra ID: a grant goes in, tokens come out.

use super::account::{self, Account};
use super::proof::Proof;
use crate::error::{Error, ErrorKind};
use crate::options::Options;
use crate::random;
use crate::source::{Ask, Grant};
use crate::token::{Provenance, Secret};
use crate::wire::answer::{self, Refusal};
use crate::wire::discovery::{self, Verdict};
use crate::wire::entra::{self, Authority, Endpoint};
use crate::wire::http::{HttpError, HttpFault, Response};
use crate::wire::region::Region;
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
        self.exchange_at(&self.authority, ask, tenant, scope, grant).await
    }

    /// [`Client::exchange`] at one of the authority's regions. The proof is for the central one, which is the same party.
    pub(crate) async fn exchange_at(
        &self,
        authority: &Authority,
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
        let (response, request_id, asked) = self.post_to(authority, ask, Endpoint::Token, tenant, &form).await?;
        let answer = answer::read(&response, asked, ask.world.clock.now()).map_err(|what| {
            let what = answer::scrubbed(what, &confidential(&form).iter().collect::<Vec<_>>());
            self.garbage_of(authority, ask, &what, request_id)
        })?;
        let user = answer::user(&response);
        let provenance = Provenance {
            credential: self.credential,
            source: "entra",
            tenant_id: Some(tenant.to_owned()),
            client_id: Some(self.client_id.clone()),
        };
        Ok(Tokens {
            account: Account::read(&user, &self.authority, &self.client_id),
            nonce: account::nonce(&user),
            refresh_token: user.refresh_token,
            grant: Grant::new(answer.text, answer.expires_on, answer.refresh_in, provenance),
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
        self.post_to(&self.authority, ask, endpoint, tenant, form).await
    }

    async fn post_to(
        &self,
        authority: &Authority,
        ask: &Ask<'_>,
        endpoint: Endpoint,
        tenant: &str,
        form: &[(&str, &str)],
    ) -> Result<(Response, String, i64), Error> {
        self.confirm(ask, tenant).await?;
        let request_id = random::guid();
        let request = authority.request(endpoint, tenant, form, &request_id);
        let asked = ask.world.clock.now();
        let response = ask
            .world
            .send(&request, &RetryPolicy::ENTRA)
            .await
            .map_err(|error| self.no_answer(&authority.shown(), &error))?;
        if response.status == 200 {
            return Ok((response, request_id, asked));
        }
        let secrets = confidential(form);
        Err(self.refused(&authority.shown(), &response, &secrets.iter().collect::<Vec<_>>(), ask.world.clock.now()))
    }

    /// Asks, before anything confidential goes there, whether a host that nobody knows is an authority.
    pub(crate) async fn confirm(&self, ask: &Ask<'_>, tenant: &str) -> Result<(), Error> {
        if !self.authority.is_unconfirmed() || entra::is_adfs(tenant) {
            return Ok(());
        }
        let (credential, host) = (self.credential, self.authority.host());
        let hint = "an authority of a private cloud needs disable_instance_discovery";
        let question = discovery::question(&self.authority, tenant);
        let answer = ask.world.send(&question, &RetryPolicy::ENTRA).await;
        match answer.map(|response| discovery::verdict(&response)) {
            Ok(Verdict::Authority) => {
                self.authority.confirm();
                Ok(())
            }
            Ok(Verdict::Unknown) => Err(Error::configuration(format!(
                "{credential}: {host} is no authority that {} knows (invalid_instance); {hint}",
                entra::PUBLIC_CLOUD
            ))),
            Ok(Verdict::Garbage) => Err(Error::transient(format!(
                "{credential}: {} gave no answer about the authority {host}; {hint}",
                entra::PUBLIC_CLOUD
            ))),
            Err(error) => {
                let error = self.no_answer(entra::PUBLIC_CLOUD, &error);
                let message = format!("{}, which was asked about the authority {host}; {hint}", error.message());
                Err(error.with_message(message))
            }
        }
    }

    /// The error of a 200 that makes no sense.
    pub(crate) fn garbage(&self, ask: &Ask<'_>, what: &str, request_id: String) -> Error {
        self.garbage_of(&self.authority, ask, what, request_id)
    }

    fn garbage_of(&self, authority: &Authority, ask: &Ask<'_>, what: &str, request_id: String) -> Error {
        let message = format!("{}: the answer of {} {what}", self.credential, authority.shown());
        Error::new(ask.place.garbage(), message).with_correlation_id(Some(request_id))
    }

    /// The error of a request to `host` that was not answered.
    pub(crate) fn no_answer(&self, host: &str, error: &HttpError) -> Error {
        let credential = self.credential;
        match error.fault {
            HttpFault::Tls if self.authority.token_proxy().is_some() => Error::failed(format!(
                "{credential}: the certificate of {host} is not trusted: {error}; AZURE_KUBERNETES_CA_FILE or \
                 AZURE_KUBERNETES_CA_DATA says who vouches for it, AZURE_KUBERNETES_SNI_NAME for which name"
            )),
            HttpFault::Tls => Error::failed(format!(
                "{credential}: the certificate of {host} is not trusted: {error}; if a proxy or a private authority \
                 signed it, name its certificate in SSL_CERT_FILE or in the option connection_verify"
            )),
            HttpFault::Refused => Error::configuration(format!("{credential}: {error}")),
            HttpFault::Exhausted => Error::transient(format!("{credential}: no answer from {host}: {error}")).own(),
            HttpFault::Connect | HttpFault::Timeout | HttpFault::Broken | HttpFault::TooLarge => {
                Error::transient(format!("{credential}: no answer from {host}: {error}"))
            }
        }
    }

    fn refused(&self, host: &str, response: &Response, secrets: &[&Secret], now: i64) -> Error {
        let credential = self.credential;
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
    if options.disable_instance_discovery == Some(true) {
        authority.confirm();
    }
    Ok(authority.through(&options.network).in_region(region(credential, world)))
}

/// The region that the environment names: the SDKs have no option for it.
fn region(credential: &str, world: &World) -> Region {
    let variables = ["AZURE_REGIONAL_AUTHORITY_NAME", "MSAL_FORCE_REGION"];
    let given = variables.iter().find_map(|name| Some((name, world.env.get(name)?)));
    let Some((name, text)) = given else { return Region::Central };
    Region::parse(&text).unwrap_or_else(|sentence| {
        let text = crate::request::shown(&text);
        tracing::warn!(credential, "{name}: {sentence}, got '{text}'; the central authority is asked");
        Region::Central
    })
}
