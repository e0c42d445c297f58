//! `ClientSecretCredential`: an application signs in to Entra ID with its secret.

use super::Tenants;
use super::entra::{Application, Client, Proof, authority};
use crate::error::Error;
use crate::options::Options;
use crate::world::World;

/// The class name.
pub(crate) const NAME: &str = "ClientSecretCredential";

/// From the credential's own options.
pub(crate) fn from_options(world: &World, options: &Options) -> Result<Application, Error> {
    let authority = authority(NAME, world, options)?;
    let tenant_id = options.need(NAME, "tenant_id", options.tenant_id.as_ref())?;
    let client_id = options.need(NAME, "client_id", options.client_id.as_ref())?;
    let secret = options.need_secret(NAME, "client_secret", options.client_secret.as_ref())?;
    let tenants = Tenants::own(world, NAME, Some(tenant_id), options.additionally_allowed_tenants.clone())?;
    let client = Client { credential: NAME, authority, client_id, proof: Proof::Secret(secret) };
    Ok(Application::new(NAME, client, tenants))
}
