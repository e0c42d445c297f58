//! `WorkloadIdentityCredential`: a workload signs in with the token that its platform leaves in a file.
//!
//! Kubernetes replaces the file before its token expires, so it is read for each exchange and never kept.
//!
//! <https://learn.microsoft.com/entra/workload-id/workload-identity-federation>

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::absent::Absent;
use super::entra::{Application, Client, Proof, authority};
use super::{Made, Tenants};
use crate::error::Error;
use crate::options::Options;
use crate::request::check_tenant;
use crate::token::Secret;
use crate::wire::client_assertion;
use crate::wire::entra::Authority;
use crate::wire::token_proxy::TokenProxy;
use crate::world::World;

/// The class name.
pub(crate) const NAME: &str = "WorkloadIdentityCredential";

/// The largest file that is read; a service account's token is about a kilobyte.
const LARGEST: u64 = 64 * 1024;

/// From the credential's own options, else the variables that the platform sets.
pub(crate) fn from_options(world: &World, options: &Options) -> Result<Application, Error> {
    named(NAME, world, options)
}

/// Under the name of the credential that is asked.
pub(crate) fn named(credential: &'static str, world: &World, options: &Options) -> Result<Application, Error> {
    match found(credential, world, options)? {
        Ok(application) => Ok(application),
        Err(missing) => Err(Error::configuration(format!("{credential}: {missing}"))),
    }
}

/// As a member of the default chain: unavailable where it is not configured.
pub(crate) fn member(world: &World, options: &Options) -> Made {
    Ok(match found(NAME, world, options)? {
        Ok(application) => Arc::new(application),
        Err(missing) => Arc::new(Absent::of(NAME, Error::unavailable(format!("{NAME}: {missing}")))),
    })
}

/// The credential, or what it lacks.
fn found(credential: &'static str, world: &World, options: &Options) -> Result<Result<Application, String>, Error> {
    let or = |given: Option<&String>, variable: &str| {
        given.filter(|text| !text.is_empty()).cloned().or_else(|| world.env.get(variable))
    };
    let tenant_id = or(options.tenant_id.as_ref(), "AZURE_TENANT_ID");
    if let Some(tenant_id) = &tenant_id {
        check_tenant(tenant_id)
            .map_err(|sentence| Error::configuration(format!("{credential}: AZURE_TENANT_ID: {sentence}")))?;
    }
    let client_id = or(options.client_id.as_ref(), "AZURE_CLIENT_ID");
    let path = or(options.token_file_path.as_ref(), "AZURE_FEDERATED_TOKEN_FILE");
    let (Some(tenant_id), Some(client_id), Some(path)) = (&tenant_id, &client_id, &path) else {
        let all = [
            (tenant_id.is_none(), "tenant_id (AZURE_TENANT_ID)"),
            (client_id.is_none(), "client_id (AZURE_CLIENT_ID)"),
            (path.is_none(), "token_file_path (AZURE_FEDERATED_TOKEN_FILE)"),
        ];
        let names: Vec<&str> = all.into_iter().filter(|(missing, _)| *missing).map(|(_, name)| name).collect();
        return Ok(Err(format!("workload identity is not fully configured: {} missing", names.join(", "))));
    };
    let authority = asked(credential, world, options)?;
    let allowed = options.additionally_allowed_tenants.clone();
    let tenants = Tenants::own(world, credential, Some(tenant_id.clone()), allowed)?;
    let proof = Proof::File(PathBuf::from(path));
    let client = Client { credential, authority, client_id: client_id.clone(), proof };
    Ok(Ok(Application::new(NAME, client, tenants)))
}

/// The authority, by way of a cluster's token proxy where that is wished for and there is one.
fn asked(credential: &'static str, world: &World, options: &Options) -> Result<Authority, Error> {
    let authority = authority(credential, world, options)?;
    if options.enable_azure_proxy != Some(true) {
        return Ok(authority);
    }
    let token_proxy = TokenProxy::read(|name| world.env.get(name), &options.network)
        .map_err(|sentence| Error::configuration(format!("{credential}: {sentence}")))?;
    let Some(token_proxy) = token_proxy else { return Ok(authority) };
    if options.network.proxy().is_some() {
        tracing::info!(credential, "the proxy of the options is not used on the way to a cluster's token proxy");
    }
    Ok(authority.by(token_proxy))
}

/// The assertion that the file holds now.
pub(crate) fn assertion(credential: &str, world: &World, path: &Path) -> Result<Secret, Error> {
    // It may come or mend at any moment: the platform writes it.
    let wrong = |what: String| {
        let path = crate::request::shown(&path.to_string_lossy());
        Error::transient(format!("{credential}: the federated token file {path} {what}"))
    };
    let content = world.files.read(path, LARGEST).map_err(|error| wrong(format!("can't be read: {error}")))?;
    let content = zeroize::Zeroizing::new(content);
    let text = std::str::from_utf8(&content).map_err(|_| wrong("is not text".to_owned()))?.trim();
    if text.is_empty() {
        return Err(wrong("is empty".to_owned()));
    }
    if let Some(expiry) = client_assertion::expiry(text) {
        let life = expiry.saturating_sub(world.clock.now());
        if life <= 0 {
            // Entra ID would refuse it, and a refusal ends a chain; the platform is about to replace it.
            return Err(wrong(format!("holds a token that expired {} s ago", life.unsigned_abs())));
        }
    }
    Ok(Secret::new(text))
}
