//! Names and options become a credential: the table of credential types.

use std::sync::Arc;

use crate::error::Error;
use crate::options::{Options, Spelling, Value};
use crate::request::shown;
use crate::source::azure_cli::{self, AzureCli};
use crate::source::azure_developer_cli::{self, AzureDeveloperCli};
use crate::source::azure_powershell::{self, AzurePowerShell};
use crate::source::client_secret::{self, ClientSecret};
use crate::source::environment::{self, Environment};
use crate::source::{Made, default_azure, managed_identity};
use crate::world::World;

/// One type of credential: its class name, the options it takes, and how it is made.
struct Type {
    name: &'static str,
    takes: &'static [&'static [&'static str]],
    build: fn(&World, Options) -> Made,
}

/// What every credential takes that asks an authority.
const ENTRA_OPTIONS: &[&str] = &[
    "authority",
    "additionally_allowed_tenants",
    "disable_instance_discovery",
    "connection_verify",
    "proxies",
    "proxy_options",
    "connection_timeout",
    "read_timeout",
    "retry_total",
    "retry_options",
];

const TYPES: [Type; 7] = [
    Type {
        name: managed_identity::NAME,
        takes: &[&["client_id", "object_id", "resource_id", "identity_config"]],
        build: |world, options| managed_identity::from_options(world, options, true),
    },
    Type {
        name: client_secret::NAME,
        takes: &[&["tenant_id", "client_id", "client_secret"], ENTRA_OPTIONS],
        build: |world, options| Ok(Arc::new(ClientSecret::from_options(world, options)?)),
    },
    Type {
        name: environment::NAME,
        takes: &[ENTRA_OPTIONS],
        build: |world, options| Ok(Arc::new(Environment::from_options(world, &options)?)),
    },
    Type {
        name: azure_cli::NAME,
        takes: &[&["tenant_id", "subscription", "additionally_allowed_tenants", "process_timeout"]],
        build: |world, options| Ok(Arc::new(AzureCli::from_options(world, options)?)),
    },
    Type {
        name: azure_powershell::NAME,
        takes: &[&["tenant_id", "additionally_allowed_tenants", "process_timeout"]],
        build: |world, options| Ok(Arc::new(AzurePowerShell::from_options(world, options)?)),
    },
    Type {
        name: azure_developer_cli::NAME,
        takes: &[&["tenant_id", "additionally_allowed_tenants", "process_timeout"]],
        build: |world, options| Ok(Arc::new(AzureDeveloperCli::from_options(world, options)?)),
    },
    Type {
        name: default_azure::NAME,
        takes: &[
            ENTRA_OPTIONS,
            &[
                "tenant_id",
                "process_timeout",
                "managed_identity_client_id",
                "managed_identity_resource_id",
                "managed_identity_object_id",
                "require_envvar",
                "exclude_environment_credential",
                "exclude_workload_identity_credential",
                "exclude_managed_identity_credential",
                "exclude_cli_credential",
                "exclude_powershell_credential",
                "exclude_developer_cli_credential",
            ],
        ],
        build: |world, options| default_azure::from_options(world, &options),
    },
];

/// The source of a credential type with its options.
pub(crate) fn build(world: &World, name: &str, options: Vec<(String, Value)>, spelling: Spelling) -> Made {
    let Some(found) = TYPES.iter().find(|known| known.name == name) else {
        let names: Vec<&str> = TYPES.iter().map(|known| known.name).collect();
        return Err(Error::configuration(format!(
            "unknown credential '{}': expected {}, or {} with its members",
            shown(name),
            names.join(", "),
            crate::source::chain::NAME
        )));
    };
    let options = Options::read(found.name, &found.takes.concat(), options, spelling)?;
    (found.build)(world, options)
}
