//! `UsernamePasswordCredential`: a user signs in with a password, where no second factor is asked for.
//!
//! Microsoft advises against it, and so does azcred; it is here for programs that move over.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth-ropc>

use std::time::Duration;

use super::Tenants;
use super::entra::user::{Needs, Setup, SignIn, SigningIn, Step};
use super::entra::{Client, Proof, User, authority};
use crate::error::Error;
use crate::options::Options;
use crate::token::Secret;
use crate::world::World;

/// The class name.
pub(crate) const NAME: &str = "UsernamePasswordCredential";

/// Where users of any organization sign in.
pub(crate) const ORGANIZATIONS: &str = "organizations";

/// A user and the password.
#[derive(Debug)]
struct Password {
    username: String,
    password: Secret,
}

/// From the credential's own options.
pub(crate) fn from_options(world: &World, options: &Options) -> Result<User, Error> {
    let client_id = options.need(NAME, "client_id", options.client_id.as_ref())?;
    let username = options.need(NAME, "username", options.username.as_ref())?;
    let password = options.need_secret(NAME, "password", options.password.as_ref())?;
    new(NAME, world, options, client_id, username, password)
}

/// From its parts, under the name of the credential that found them.
pub(crate) fn new(
    credential: &'static str,
    world: &World,
    options: &Options,
    client_id: String,
    username: String,
    password: Secret,
) -> Result<User, Error> {
    let authority = authority(credential, world, options)?;
    let allowed = options.additionally_allowed_tenants.clone();
    let tenants = Tenants::own(world, credential, Some(options.user_tenant()), allowed)?;
    let client = Client { credential, authority, client_id, proof: Proof::Public };
    let setup = Setup {
        tenants,
        parts: vec![Secret::new(username.as_str()), password.clone()],
        patience: Duration::from_mins(3),
        automatic: true,
        pinned: options.authentication_record.clone(),
    };
    Ok(User::new(client, Box::new(Password { username, password }), setup))
}

impl SignIn for Password {
    fn needs(&self) -> Needs {
        Needs::Nobody
    }

    fn authenticates(&self) -> bool {
        true
    }

    fn sign_in<'a>(&'a self, step: Step<'a>) -> SigningIn<'a> {
        Box::pin(async move {
            let grant = [
                ("grant_type", "password"),
                ("username", self.username.as_str()),
                ("password", self.password.expose()),
                ("client_info", "1"),
            ];
            step.client.exchange(step.ask, step.tenant, step.scope, &grant).await
        })
    }
}
