//! `EnvironmentCredential`: an application whose sign-in data are environment variables.
//!
//! The variables are read when the credential is made. An incomplete set makes it unavailable, with the names that are
//! missing, since every AKS pod has `AZURE_CLIENT_ID`; a value that is there and can't be used is an error.

use super::client_secret::{ClientSecret, authority};
use super::{About, Ask, Fetch, Source, Tenants};
use crate::error::Error;
use crate::options::Options;
use crate::request::check_tenant;
use crate::token::Secret;
use crate::world::World;

/// The class name.
pub(crate) const NAME: &str = "EnvironmentCredential";

#[derive(Debug)]
pub(crate) enum Environment {
    Secret(ClientSecret),
    Incomplete(About, String),
}

const TENANT: &str = "AZURE_TENANT_ID";
const CLIENT: &str = "AZURE_CLIENT_ID";
const SECRET: &str = "AZURE_CLIENT_SECRET";
const CERTIFICATE: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
const USER: [&str; 2] = ["AZURE_USERNAME", "AZURE_PASSWORD"];

impl Environment {
    pub(crate) fn from_options(world: &World, options: &Options) -> Result<Environment, Error> {
        let get = |name: &str| world.env.get(name);
        let (tenant, client, secret) = (get(TENANT), get(CLIENT), get(SECRET));
        for (name, value) in [(TENANT, &tenant), (CLIENT, &client), (SECRET, &secret)] {
            if value.as_ref().is_some_and(|value| value.contains(char::REPLACEMENT_CHARACTER)) {
                return Err(Error::configuration(format!("{NAME}: {name}: expected UTF-8 text")));
            }
        }
        if let Some(tenant) = &tenant {
            check_tenant(tenant).map_err(|sentence| Error::configuration(format!("{NAME}: {TENANT}: {sentence}")))?;
        }
        if let (Some(tenant), Some(client), Some(secret)) = (&tenant, &client, secret) {
            let authority = authority(NAME, world, options.authority.as_deref())?.through(&options.network);
            let tenants = Tenants::own(world, NAME, Some(tenant.clone()), allowed(world, options))?;
            let secret = Secret::new(secret);
            return Ok(Environment::Secret(ClientSecret::new(
                NAME,
                authority,
                tenant,
                tenants,
                client.clone(),
                secret,
            )));
        }
        let user = USER.iter().all(|name| get(name).is_some());
        if client.is_some() && ((tenant.is_some() && get(CERTIFICATE).is_some()) || user) {
            // Configured, so going on would mean another identity than the one that is meant.
            return Err(Error::configuration(format!(
                "{NAME}: {CERTIFICATE} and AZURE_USERNAME are not supported by this version of azcred; set {SECRET}"
            )));
        }
        let (set, missing): (Vec<&str>, Vec<&str>) =
            [TENANT, CLIENT, SECRET].into_iter().partition(|name| get(name).is_some());
        let set = if set.is_empty() { "none of them".to_owned() } else { set.join(", ") };
        let sentence =
            format!("{NAME}: the environment is not fully configured: {} missing (set: {set})", missing.join(", "));
        let about = About::new(NAME, &["incomplete"], std::time::Duration::from_secs(1));
        Ok(Environment::Incomplete(about, sentence))
    }
}

/// The option, else `AZURE_ADDITIONALLY_ALLOWED_TENANTS`, separated by semicolons.
fn allowed(world: &World, options: &Options) -> Option<Vec<String>> {
    options.additionally_allowed_tenants.clone().or_else(|| {
        let variable = world.env.get("AZURE_ADDITIONALLY_ALLOWED_TENANTS")?;
        Some(variable.split(';').map(str::trim).filter(|tenant| !tenant.is_empty()).map(str::to_owned).collect())
    })
}

impl Source for Environment {
    fn about(&self) -> &About {
        match self {
            Environment::Secret(inner) => inner.about(),
            Environment::Incomplete(about, _) => about,
        }
    }

    fn fetch<'a>(&'a self, ask: &'a Ask<'a>) -> Fetch<'a> {
        match self {
            Environment::Secret(inner) => inner.fetch(ask),
            Environment::Incomplete(_, sentence) => {
                Box::pin(std::future::ready(Err(Error::unavailable(sentence.clone()))))
            }
        }
    }
}
