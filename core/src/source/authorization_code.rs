//! `AuthorizationCodeCredential`: a web application redeems the code that its user's browser brought.
//!
//! A code works once; from then on the refresh token that came with the first answer is used.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow>

use std::time::Duration;

use super::Tenants;
use super::entra::user::{Needs, Setup, SignIn, SigningIn, Step};
use super::entra::{Client, Proof, User, authority};
use crate::error::Error;
use crate::options::Options;
use crate::token::Secret;
use crate::world::World;

/// The class name.
pub(crate) const NAME: &str = "AuthorizationCodeCredential";

/// The code, and where it was brought.
#[derive(Debug)]
struct Code {
    code: Secret,
    redirect_uri: String,
}

/// From the credential's own options.
pub(crate) fn from_options(world: &World, options: &Options) -> Result<User, Error> {
    let authority = authority(NAME, world, options)?;
    let tenant_id = options.need(NAME, "tenant_id", options.tenant_id.as_ref())?;
    let client_id = options.need(NAME, "client_id", options.client_id.as_ref())?;
    let code = options.need_secret(NAME, "authorization_code", options.authorization_code.as_ref())?;
    let redirect_uri = options.need(NAME, "redirect_uri", options.redirect_uri.as_ref())?;
    let tenants = Tenants::own(world, NAME, Some(tenant_id), options.additionally_allowed_tenants.clone())?;
    let secret = options.client_secret.clone().filter(|secret| !secret.expose().is_empty());
    let client = Client { credential: NAME, authority, client_id, proof: secret.map_or(Proof::Public, Proof::Secret) };
    let setup = Setup {
        tenants,
        parts: vec![code.clone(), Secret::new(redirect_uri.as_str())],
        patience: Duration::from_mins(3),
        automatic: true,
        pinned: None,
    };
    Ok(User::new(client, Box::new(Code { code, redirect_uri }), setup))
}

impl SignIn for Code {
    fn needs(&self) -> Needs {
        Needs::Once
    }

    fn sign_in<'a>(&'a self, step: Step<'a>) -> SigningIn<'a> {
        Box::pin(async move {
            let grant = [
                ("grant_type", "authorization_code"),
                ("code", self.code.expose()),
                ("redirect_uri", self.redirect_uri.as_str()),
                ("client_info", "1"),
            ];
            step.client.exchange(step.ask, step.tenant, step.scope, &grant).await
        })
    }
}
