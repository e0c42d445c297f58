//! `EnvironmentCredential`: an application whose sign-in data are environment variables.
//!
//! The variables are read when the credential is made. An incomplete set makes it unavailable, with the names that are
//! missing, since every AKS pod has `AZURE_CLIENT_ID`; a value that is there and can't be used is an error.

use super::client_certificate::{self, Held};
use super::entra::{Application, Client, Proof, User, authority};
use super::{About, Ask, Fetch, Source, Tenants, client_secret, username_password};
use crate::error::Error;
use crate::options::Options;
use crate::request::check_tenant;
use crate::token::Secret;
use crate::world::World;

/// The class name.
pub(crate) const NAME: &str = "EnvironmentCredential";

#[derive(Debug)]
pub(crate) enum Environment {
    Application(Application),
    User(User),
    Incomplete(About, String),
}

const TENANT: &str = "AZURE_TENANT_ID";
const CLIENT: &str = "AZURE_CLIENT_ID";
const SECRET: &str = "AZURE_CLIENT_SECRET";
const CERTIFICATE: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
const CERTIFICATE_PASSWORD: &str = "AZURE_CLIENT_CERTIFICATE_PASSWORD";
const SEND_CHAIN: &str = "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN";
const USERNAME: &str = "AZURE_USERNAME";
const PASSWORD: &str = "AZURE_PASSWORD";

impl Environment {
    pub(crate) fn from_options(world: &World, options: &Options) -> Result<Environment, Error> {
        let get = |name: &str| world.env.get(name);
        for name in [TENANT, CLIENT, SECRET, CERTIFICATE, CERTIFICATE_PASSWORD, USERNAME, PASSWORD] {
            if get(name).is_some_and(|value| value.contains(char::REPLACEMENT_CHARACTER)) {
                return Err(Error::configuration(format!("{NAME}: {name}: expected UTF-8 text")));
            }
        }
        let tenant = get(TENANT);
        if let Some(tenant) = &tenant {
            check_tenant(tenant).map_err(|sentence| Error::configuration(format!("{NAME}: {TENANT}: {sentence}")))?;
        }
        let application = |kind, tenant: String, client_id, proof| {
            let authority = authority(NAME, world, options)?;
            let tenants = Tenants::own(world, NAME, Some(tenant), allowed(world, options))?;
            let client = Client { credential: NAME, authority, client_id, proof };
            Ok(Environment::Application(Application::new(kind, client, tenants)))
        };
        // The order is azure-identity's: secret, certificate, user.
        if let (Some(tenant), Some(client), Some(secret)) = (&tenant, get(CLIENT), get(SECRET)) {
            return application(client_secret::NAME, tenant.clone(), client, Proof::Secret(Secret::new(secret)));
        }
        if let (Some(tenant), Some(client), Some(path)) = (&tenant, get(CLIENT), get(CERTIFICATE)) {
            let password = get(CERTIFICATE_PASSWORD).map(Secret::new);
            let held = Held::of_file(NAME, CERTIFICATE, world, &path, password, sends_chain(world)?)?;
            return application(client_certificate::NAME, tenant.clone(), client, Proof::Certificate(held));
        }
        if let (Some(client), Some(username), Some(password)) = (get(CLIENT), get(USERNAME), get(PASSWORD)) {
            let options = Options {
                tenant_id: tenant,
                authority: options.authority.clone(),
                disable_instance_discovery: options.disable_instance_discovery,
                network: options.network.clone(),
                additionally_allowed_tenants: allowed(world, options),
                ..Options::default()
            };
            let user = username_password::new(NAME, world, &options, client, username, Secret::new(password))?;
            return Ok(Environment::User(user));
        }
        let set = |name: &&str| get(name).is_some();
        // What is meant, by what is there.
        let meant = match [CERTIFICATE, USERNAME, PASSWORD].iter().find(|name| set(name)) {
            Some(&CERTIFICATE) if !set(&SECRET) => [TENANT, CLIENT, CERTIFICATE],
            Some(_) if !set(&SECRET) => [CLIENT, USERNAME, PASSWORD],
            _ => [TENANT, CLIENT, SECRET],
        };
        let missing: Vec<&str> = meant.into_iter().filter(|name| !set(name)).collect();
        let set: Vec<&str> =
            [TENANT, CLIENT, SECRET, CERTIFICATE, USERNAME, PASSWORD].into_iter().filter(set).collect();
        let set = if set.is_empty() { "none of them".to_owned() } else { set.join(", ") };
        let sentence =
            format!("{NAME}: the environment is not fully configured: {} missing (set: {set})", missing.join(", "));
        let about = About::new(NAME, &["incomplete"], std::time::Duration::from_secs(1));
        Ok(Environment::Incomplete(about, sentence))
    }
}

/// Whether the variable says that the certificates go along.
fn sends_chain(world: &World) -> Result<bool, Error> {
    let Some(text) = world.env.get(SEND_CHAIN) else { return Ok(false) };
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(Error::configuration(format!(
            "{NAME}: {SEND_CHAIN}: expected 1, true, 0 or false, got '{}'",
            crate::request::shown(&text)
        ))),
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
            Environment::Application(inner) => inner.about(),
            Environment::User(inner) => inner.about(),
            Environment::Incomplete(about, _) => about,
        }
    }

    fn fetch<'a>(&'a self, ask: &'a Ask<'a>) -> Fetch<'a> {
        match self {
            Environment::Application(inner) => inner.fetch(ask),
            Environment::User(inner) => inner.fetch(ask),
            Environment::Incomplete(_, sentence) => {
                Box::pin(std::future::ready(Err(Error::unavailable(sentence.clone()))))
            }
        }
    }
}
