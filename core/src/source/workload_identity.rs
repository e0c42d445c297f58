//! `WorkloadIdentityCredential`: a workload signs in with the token that its platform leaves in a file.
//!
//! Kubernetes replaces the file before its token expires, so it is read for each exchange and never kept.
//!
//! <https://learn.microsoft.com/entra/workload-id/workload-identity-federation>

use std::path::{Path, PathBuf};

use super::Tenants;
use super::entra::{Application, Client, Proof, authority};
use crate::error::Error;
use crate::options::Options;
use crate::request::check_tenant;
use crate::token::Secret;
use crate::wire::client_assertion;
use crate::world::World;

/// The class name.
pub(crate) const NAME: &str = "WorkloadIdentityCredential";

/// The largest file that is read; a service account's token is about a kilobyte.
const LARGEST: u64 = 64 * 1024;

/// From the credential's own options, else the variables that the platform sets.
pub(crate) fn from_options(world: &World, options: &Options) -> Result<Application, Error> {
    let found = Found::look(world, options)?;
    let missing = found.missing();
    let (Some(tenant_id), Some(client_id), Some(path)) = (found.tenant_id, found.client_id, found.path) else {
        return Err(Error::configuration(format!("{NAME}: {missing}")));
    };
    let authority = authority(NAME, world, options)?;
    let tenants = Tenants::own(world, NAME, Some(tenant_id), options.additionally_allowed_tenants.clone())?;
    let client = Client { credential: NAME, authority, client_id, proof: Proof::File(path) };
    Ok(Application::new(NAME, client, tenants))
}

/// What there is of the three things it needs.
pub(crate) struct Found {
    tenant_id: Option<String>,
    client_id: Option<String>,
    path: Option<PathBuf>,
}

impl Found {
    pub(crate) fn look(world: &World, options: &Options) -> Result<Found, Error> {
        let or = |given: Option<&String>, variable: &str| {
            given.filter(|text| !text.is_empty()).cloned().or_else(|| world.env.get(variable))
        };
        let tenant_id = or(options.tenant_id.as_ref(), "AZURE_TENANT_ID");
        if let Some(tenant_id) = &tenant_id {
            check_tenant(tenant_id)
                .map_err(|sentence| Error::configuration(format!("{NAME}: AZURE_TENANT_ID: {sentence}")))?;
        }
        Ok(Found {
            tenant_id,
            client_id: or(options.client_id.as_ref(), "AZURE_CLIENT_ID"),
            path: or(options.token_file_path.as_ref(), "AZURE_FEDERATED_TOKEN_FILE").map(PathBuf::from),
        })
    }

    /// A sentence with all that is missing; empty if nothing is.
    pub(crate) fn missing(&self) -> String {
        let all = [
            (self.tenant_id.is_none(), "tenant_id (AZURE_TENANT_ID)"),
            (self.client_id.is_none(), "client_id (AZURE_CLIENT_ID)"),
            (self.path.is_none(), "token_file_path (AZURE_FEDERATED_TOKEN_FILE)"),
        ];
        let names: Vec<&str> = all.into_iter().filter(|(missing, _)| *missing).map(|(_, name)| name).collect();
        if names.is_empty() {
            return String::new();
        }
        format!("workload identity is not fully configured: {} missing", names.join(", "))
    }
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
