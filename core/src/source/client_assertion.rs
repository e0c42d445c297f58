//! `ClientAssertionCredential`: an application signs in with an assertion that a function of the caller's makes.

use super::Tenants;
use super::entra::{Application, Client, Proof, authority};
use crate::error::Error;
use crate::options::Options;
use crate::world::World;

/// The class name.
pub(crate) const NAME: &str = "ClientAssertionCredential";

/// From the credential's own options.
pub(crate) fn from_options(world: &World, options: &Options) -> Result<Application, Error> {
    let authority = authority(NAME, world, options)?;
    let tenant_id = options.need(NAME, "tenant_id", options.tenant_id.as_ref())?;
    let client_id = options.need(NAME, "client_id", options.client_id.as_ref())?;
    let function = options.function("func").ok_or_else(|| options.missing(NAME, "func"))?;
    let tenants = Tenants::own(world, NAME, Some(tenant_id), options.additionally_allowed_tenants.clone())?;
    let client = Client { credential: NAME, authority, client_id, proof: Proof::function(function) };
    Ok(Application::new(NAME, client, tenants))
}
