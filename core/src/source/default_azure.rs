//! `DefaultAzureCredential`: the chain of azure-identity, from one table.

use std::sync::Arc;

use super::absent::{self, Absent};
use super::azure_cli::{self, AzureCli};
use super::azure_developer_cli::{self, AzureDeveloperCli};
use super::azure_powershell::{self, AzurePowerShell};
use super::chain::Chain;
use super::environment::{self, Environment};
use super::managed_identity::{self, Ways};
use super::{Made, interactive_browser, workload_identity};
use crate::error::Error;
use crate::options::Options;
use crate::request::{check_tenant, shown};
use crate::world::World;

/// The class name.
pub(crate) const NAME: &str = "DefaultAzureCredential";

const SELECTION: &str = "AZURE_TOKEN_CREDENTIALS";

/// What `AZURE_TOKEN_CREDENTIALS` calls a group of members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    Prod,
    Dev,
    /// Neither: a member that asks a person has to be brought in by name.
    Person,
}

/// One member: its class name, its group, and the option that leaves it out.
struct Member {
    name: &'static str,
    group: Group,
    excluded: fn(&Options) -> Option<bool>,
    build: fn(&World, &Options, bool) -> Made,
}

/// The chain, in its order.
const MEMBERS: [Member; 10] = [
    Member {
        name: environment::NAME,
        group: Group::Prod,
        excluded: |options| options.exclude_environment_credential,
        build: |world, options, _| Ok(Arc::new(Environment::from_options(world, &of_entra(options))?)),
    },
    Member {
        name: workload_identity::NAME,
        group: Group::Prod,
        excluded: |options| options.exclude_workload_identity_credential,
        build: |world, options, _| {
            let client_id = options.workload_identity_client_id.clone();
            let own = Options {
                // Given for the managed identity, it beats the environment here too.
                client_id: client_id.or_else(|| options.managed_identity_client_id.clone().flatten()),
                tenant_id: options.workload_identity_tenant_id.clone(),
                ..of_entra(options)
            };
            workload_identity::member(world, &own)
        },
    },
    Member {
        name: managed_identity::NAME,
        group: Group::Prod,
        excluded: |options| options.exclude_managed_identity_credential,
        build: |world, options, only| {
            let object_id = options.managed_identity_object_id.clone();
            let resource_id = options.managed_identity_resource_id.clone();
            let client_id = match &options.managed_identity_client_id {
                // Given, and be it empty, beats the environment.
                Some(given) => given.clone(),
                None if object_id.is_some() || resource_id.is_some() => None,
                None => world.env.get("AZURE_CLIENT_ID"),
            };
            let own = Options { client_id, object_id, resource_id, ..of_entra(options) };
            // A pod's token is the workload identity's; where that is left out, it is left out here too.
            let token_exchange = options.exclude_workload_identity_credential != Some(true);
            managed_identity::from_options(world, own, Ways { probe: !only, token_exchange })
        },
    },
    Member {
        name: absent::SHARED_TOKEN_CACHE,
        group: Group::Dev,
        excluded: |options| options.exclude_shared_token_cache_credential,
        build: |_, _, _| Ok(Arc::new(Absent::shared_token_cache())),
    },
    Member {
        name: absent::VISUAL_STUDIO_CODE,
        group: Group::Dev,
        excluded: |options| options.exclude_visual_studio_code_credential,
        build: |_, _, _| Ok(Arc::new(Absent::visual_studio_code())),
    },
    Member {
        name: azure_cli::NAME,
        group: Group::Dev,
        excluded: |options| options.exclude_cli_credential,
        build: |world, options, _| Ok(Arc::new(AzureCli::from_options(world, of_tool(options))?)),
    },
    Member {
        name: azure_powershell::NAME,
        group: Group::Dev,
        excluded: |options| options.exclude_powershell_credential,
        build: |world, options, _| Ok(Arc::new(AzurePowerShell::from_options(world, of_tool(options))?)),
    },
    Member {
        name: azure_developer_cli::NAME,
        group: Group::Dev,
        excluded: |options| options.exclude_developer_cli_credential,
        build: |world, options, _| Ok(Arc::new(AzureDeveloperCli::from_options(world, of_tool(options))?)),
    },
    Member {
        name: interactive_browser::NAME,
        group: Group::Person,
        excluded: |options| options.exclude_interactive_browser_credential,
        build: |world, options, _| {
            let tenant_id = match &options.interactive_browser_tenant_id {
                Some(given) => Some(given.clone()),
                None => tenant_of_env(world)?,
            };
            let own =
                Options { client_id: options.interactive_browser_client_id.clone(), tenant_id, ..of_entra(options) };
            Ok(Arc::new(interactive_browser::from_options(world, &own)?))
        },
    },
    Member {
        name: absent::BROKER,
        group: Group::Dev,
        excluded: |options| options.exclude_broker_credential,
        build: |_, _, _| Ok(Arc::new(Absent::broker())),
    },
];

/// Members that `AZURE_TOKEN_CREDENTIALS` can't name in azure-identity: alone, they give nobody a token.
const UNNAMED: [&str; 2] = [absent::SHARED_TOKEN_CACHE, absent::BROKER];

/// The tenant that the environment names.
fn tenant_of_env(world: &World) -> Result<Option<String>, Error> {
    let tenant = world.env.get("AZURE_TENANT_ID");
    if let Some(tenant) = &tenant {
        check_tenant(tenant)
            .map_err(|sentence| Error::configuration(format!("{NAME}: AZURE_TENANT_ID: {sentence}")))?;
    }
    Ok(tenant)
}

/// The chain's options that are for its members that speak to Entra ID.
fn of_entra(options: &Options) -> Options {
    Options {
        authority: options.authority.clone(),
        additionally_allowed_tenants: options.additionally_allowed_tenants.clone(),
        disable_instance_discovery: options.disable_instance_discovery,
        network: options.network.clone(),
        ..Options::default()
    }
}

/// The chain's options that are for its developer tools.
fn of_tool(options: &Options) -> Options {
    Options {
        tenant_id: options.tenant_id.clone(),
        additionally_allowed_tenants: options.additionally_allowed_tenants.clone(),
        process_timeout: options.process_timeout,
        ..Options::default()
    }
}

/// The chain for these options in this environment.
pub(crate) fn from_options(world: &World, options: &Options) -> Made {
    let selection = world.env.get(SELECTION).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if options.require_envvar == Some(true) && selection.is_none() {
        return Err(Error::configuration(format!(
            "{NAME}: {SELECTION} is required but is not set or is empty: expected dev, prod, or a credential's name"
        )));
    }
    let selected = select(selection.as_deref())?;
    let chosen: Vec<&Member> = MEMBERS
        .iter()
        // An explicit choice in code beats the variable, either way.
        .filter(|member| (member.excluded)(options).map_or_else(|| selected(member), |excluded| !excluded))
        .collect();
    let only = chosen.len() == 1 && selection.is_some();
    let members: Result<Vec<_>, _> = chosen.iter().map(|member| (member.build)(world, options, only)).collect();
    Ok(Arc::new(Chain::default_chain(NAME, members?)?))
}

/// Whether a member is selected.
type Selection = Box<dyn Fn(&Member) -> bool>;

/// Which members a value of `AZURE_TOKEN_CREDENTIALS` means.
fn select(selection: Option<&str>) -> Result<Selection, Error> {
    let Some(selection) = selection else { return Ok(Box::new(|member| member.group != Group::Person)) };
    let wanted = selection.to_ascii_lowercase();
    let names = || MEMBERS.iter().map(|member| member.name).filter(|name| !UNNAMED.contains(name));
    match wanted.as_str() {
        "prod" => Ok(Box::new(|member| member.group == Group::Prod)),
        "dev" => Ok(Box::new(|member| member.group == Group::Dev)),
        _ if names().any(|name| name.eq_ignore_ascii_case(&wanted)) => {
            Ok(Box::new(move |member| member.name.eq_ignore_ascii_case(&wanted)))
        }
        _ => Err(Error::configuration(format!(
            "{NAME}: {SELECTION}: expected dev, prod, {}, got '{}'",
            names().collect::<Vec<_>>().join(", "),
            shown(selection)
        ))),
    }
}
