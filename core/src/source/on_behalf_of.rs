//! `OnBehalfOfCredential`: an API asks for a token of the user who called it.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow>

use std::time::Duration;

use super::Tenants;
use super::client_certificate::Held;
use super::entra::user::{Needs, Setup, SignIn, SigningIn, Step};
use super::entra::{Client, Proof, User, authority};
use crate::error::Error;
use crate::options::Options;
use crate::token::Secret;
use crate::world::World;

/// The class name.
pub(crate) const NAME: &str = "OnBehalfOfCredential";

/// The token that the user called with.
#[derive(Debug)]
struct OnBehalfOf {
    assertion: Secret,
}

/// From the credential's own options.
pub(crate) fn from_options(world: &World, options: &Options) -> Result<User, Error> {
    let authority = authority(NAME, world, options)?;
    let tenant_id = options.need(NAME, "tenant_id", options.tenant_id.as_ref())?;
    let client_id = options.need(NAME, "client_id", options.client_id.as_ref())?;
    let assertion = options.need_secret(NAME, "user_assertion", options.user_assertion.as_ref())?;
    let tenants = Tenants::own(world, NAME, Some(tenant_id), options.additionally_allowed_tenants.clone())?;
    let client = Client { credential: NAME, authority, client_id, proof: proof(world, options)? };
    let setup = Setup {
        tenants,
        // Never the token of another user.
        parts: vec![assertion.clone()],
        patience: Duration::from_mins(3),
        automatic: true,
        pinned: None,
    };
    Ok(User::new(client, Box::new(OnBehalfOf { assertion }), setup))
}

/// The one proof that the options name.
fn proof(world: &World, options: &Options) -> Result<Proof, Error> {
    let secret = options.client_secret.clone().filter(|secret| !secret.expose().is_empty()).map(Proof::Secret);
    let function = options.function("client_assertion_func").map(Proof::function);
    let data = options.client_certificate.as_ref();
    let path = options.certificate_path.as_ref();
    let send_chain = options.send_certificate_chain == Some(true);
    let wrong = |what: &str| {
        let [secret, data, path, function] =
            ["client_secret", "client_certificate", "certificate_path", "client_assertion_func"]
                .map(|name| options.name(name));
        let names = format!("{secret}, {data} ({path}) and {function}");
        Error::configuration(format!("{NAME}: expected one of {names}, got {what}"))
    };
    let certificate = match (data, path) {
        (None, None) => None,
        (Some(_), Some(_)) => return Err(wrong("several")),
        (Some(data), None) => Some(Held::of_data(NAME, "client_certificate", options, data, send_chain)?),
        (None, Some(path)) => {
            let setting = format!("option {}", options.name("certificate_path"));
            Some(Held::of_file(NAME, &setting, world, path, options.password.clone(), send_chain)?)
        }
    };
    let mut given = [secret, certificate.map(Proof::Certificate), function].into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(proof), None) => Ok(proof),
        (None, _) => Err(wrong("none")),
        (Some(_), Some(_)) => Err(wrong("several")),
    }
}

impl SignIn for OnBehalfOf {
    fn needs(&self) -> Needs {
        Needs::Nobody
    }

    fn sign_in<'a>(&'a self, step: Step<'a>) -> SigningIn<'a> {
        Box::pin(async move {
            let grant = [
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("assertion", self.assertion.expose()),
                ("requested_token_use", "on_behalf_of"),
                ("client_info", "1"),
            ];
            step.client.exchange(step.ask, step.tenant, step.scope, &grant).await
        })
    }
}
