//! Names and options become a credential: the table of credential types.

use std::sync::Arc;

use crate::config;
use crate::error::Error;
use crate::options::{Options, Spelling, Value};
use crate::request::shown;
use crate::source::absent::{self, Absent};
use crate::source::azure_cli::{self, AzureCli};
use crate::source::azure_developer_cli::{self, AzureDeveloperCli};
use crate::source::azure_powershell::{self, AzurePowerShell};
use crate::source::environment::{self, Environment};
use crate::source::host::Host;
use crate::source::managed_identity::Ways;
use crate::source::pinned::Pins;
use crate::source::{
    Made, authorization_code, azure_pipelines, client_assertion, client_certificate, client_secret, default_azure,
    device_code, interactive_browser, managed_identity, on_behalf_of, username_password, workload_identity,
};
use crate::world::World;

/// One type of credential: its class name, the options it takes, and how it is made.
pub(crate) struct Type {
    pub(crate) name: &'static str,
    /// What the host's configuration calls it.
    pub(crate) word: &'static str,
    pub(crate) takes: &'static [&'static [&'static str]],
    build: fn(&World, Options) -> Made,
}

impl Type {
    /// All options that it takes.
    pub(crate) fn all(&self) -> Vec<&'static str> {
        let pins: &[&str] = if self.name == config::NAME { &[] } else { &PIN_OPTIONS };
        [self.takes.concat().as_slice(), pins].concat()
    }
}

/// What every credential takes that asks an authority. A managed identity does so in a pod.
pub(crate) const ENTRA_OPTIONS: &[&str] = &[
    "authority",
    "additionally_allowed_tenants",
    "disable_instance_discovery",
    "connection_verify",
    "proxies",
    "proxy_options",
    "use_env_settings",
    "connection_timeout",
    "read_timeout",
    "retry_total",
    "retry_options",
];

/// All of them.
pub(crate) static TYPES: [Type; 19] = [
    Type {
        name: managed_identity::NAME,
        word: "managed_identity",
        takes: &[&["client_id", "object_id", "resource_id", "identity_config"], ENTRA_OPTIONS],
        build: |world, options| managed_identity::from_options(world, options, Ways::default()),
    },
    Type {
        name: client_secret::NAME,
        word: "client_secret",
        takes: &[&["tenant_id", "client_id", "client_secret"], ENTRA_OPTIONS],
        build: |world, options| Ok(Arc::new(client_secret::from_options(world, &options)?)),
    },
    Type {
        name: client_certificate::NAME,
        word: "certificate",
        takes: &[
            &["tenant_id", "client_id", "certificate_path", "certificate_data", "password", "send_certificate_chain"],
            ENTRA_OPTIONS,
        ],
        build: |world, options| Ok(Arc::new(client_certificate::from_options(world, &options)?)),
    },
    Type {
        name: client_assertion::NAME,
        word: "client_assertion",
        takes: &[&["tenant_id", "client_id", "func"], ENTRA_OPTIONS],
        build: |world, options| Ok(Arc::new(client_assertion::from_options(world, &options)?)),
    },
    Type {
        name: workload_identity::NAME,
        word: "workload_identity",
        takes: &[&["tenant_id", "client_id", "token_file_path", "enable_azure_proxy"], ENTRA_OPTIONS],
        build: |world, options| Ok(Arc::new(workload_identity::from_options(world, &options)?)),
    },
    Type {
        name: azure_pipelines::NAME,
        word: "azure_pipelines",
        takes: &[&["tenant_id", "client_id", "service_connection_id", "system_access_token"], ENTRA_OPTIONS],
        build: |world, options| Ok(Arc::new(azure_pipelines::from_options(world, &options)?)),
    },
    Type {
        name: on_behalf_of::NAME,
        word: "on_behalf_of",
        takes: &[
            &[
                "tenant_id",
                "client_id",
                "user_assertion",
                "client_secret",
                "client_certificate",
                "certificate_path",
                "password",
                "send_certificate_chain",
                "client_assertion_func",
            ],
            ENTRA_OPTIONS,
        ],
        build: |world, options| Ok(Arc::new(on_behalf_of::from_options(world, &options)?)),
    },
    Type {
        name: authorization_code::NAME,
        word: "authorization_code",
        takes: &[&["tenant_id", "client_id", "authorization_code", "redirect_uri", "client_secret"], ENTRA_OPTIONS],
        build: |world, options| Ok(Arc::new(authorization_code::from_options(world, &options)?)),
    },
    Type {
        name: username_password::NAME,
        word: "username_password",
        takes: &[&["client_id", "username", "password", "tenant_id", "authentication_record"], ENTRA_OPTIONS],
        build: |world, options| Ok(Arc::new(username_password::from_options(world, &options)?)),
    },
    Type {
        name: device_code::NAME,
        word: "device_code",
        takes: &[
            &[
                "client_id",
                "tenant_id",
                "timeout",
                "prompt_callback",
                "authentication_record",
                "disable_automatic_authentication",
            ],
            ENTRA_OPTIONS,
        ],
        build: |world, options| Ok(Arc::new(device_code::from_options(world, &options)?)),
    },
    Type {
        name: interactive_browser::NAME,
        word: "interactive_browser",
        takes: &[
            &[
                "tenant_id",
                "client_id",
                "login_hint",
                "redirect_uri",
                "timeout",
                "authentication_record",
                "disable_automatic_authentication",
            ],
            ENTRA_OPTIONS,
        ],
        build: |world, options| Ok(Arc::new(interactive_browser::from_options(world, &options)?)),
    },
    Type {
        name: environment::NAME,
        word: "environment",
        takes: &[ENTRA_OPTIONS],
        build: |world, options| Ok(Arc::new(Environment::from_options(world, &options)?)),
    },
    Type {
        name: azure_cli::NAME,
        word: "azure_cli",
        takes: &[&["tenant_id", "subscription", "additionally_allowed_tenants", "process_timeout"]],
        build: |world, options| Ok(Arc::new(AzureCli::from_options(world, options)?)),
    },
    Type {
        name: azure_powershell::NAME,
        word: "azure_powershell",
        takes: &[&["tenant_id", "additionally_allowed_tenants", "process_timeout"]],
        build: |world, options| Ok(Arc::new(AzurePowerShell::from_options(world, options)?)),
    },
    Type {
        name: azure_developer_cli::NAME,
        word: "azure_developer_cli",
        takes: &[&["tenant_id", "additionally_allowed_tenants", "process_timeout"]],
        build: |world, options| Ok(Arc::new(AzureDeveloperCli::from_options(world, options)?)),
    },
    Type {
        name: absent::SHARED_TOKEN_CACHE,
        word: "shared_token_cache",
        takes: &[&["username", "tenant_id"], ENTRA_OPTIONS],
        build: |_, _| Ok(Arc::new(Absent::shared_token_cache())),
    },
    Type {
        name: absent::VISUAL_STUDIO_CODE,
        word: "visual_studio_code",
        takes: &[&["tenant_id"], ENTRA_OPTIONS],
        build: |_, _| Ok(Arc::new(Absent::visual_studio_code())),
    },
    Type {
        name: default_azure::NAME,
        word: "default_azure",
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
                "exclude_shared_token_cache_credential",
                "exclude_visual_studio_code_credential",
                "exclude_cli_credential",
                "exclude_powershell_credential",
                "exclude_developer_cli_credential",
                "exclude_interactive_browser_credential",
                "exclude_broker_credential",
                "workload_identity_client_id",
                "workload_identity_tenant_id",
                "interactive_browser_client_id",
                "interactive_browser_tenant_id",
            ],
        ],
        build: |world, options| default_azure::from_options(world, &options),
    },
    Type {
        name: config::NAME,
        // Not in the configuration itself.
        word: "",
        takes: &[&["identity"]],
        build: |world, options| Ok(Arc::new(Host::from_options(world, &options))),
    },
];

/// What every credential takes but the host's, whose identities have their own in the configuration.
pub(crate) const PIN_OPTIONS: [&str; 2] = ["expected_tenant_id", "expected_object_id"];

/// The class that the host's configuration means with a word, which may be the class name too.
pub(crate) fn class_of(word: &str) -> Option<&'static str> {
    let mut known = TYPES.iter().filter(|known| !known.word.is_empty());
    known.find(|known| known.word == word || known.name == word).map(|known| known.name)
}

/// The words of [`class_of`].
pub(crate) fn words() -> impl Iterator<Item = &'static str> {
    TYPES.iter().map(|known| known.word).filter(|word| !word.is_empty())
}

/// The source of a credential type with its options.
pub(crate) fn build(world: &World, name: &str, options: Vec<(String, Value)>, spelling: Spelling) -> Made {
    let (found, mut options) = read(name, options, spelling)?;
    let pin = |pin: Option<String>| pin.filter(|pin| !pin.is_empty());
    let (tenant_id, object_id) = (options.expected_tenant_id.take(), options.expected_object_id.take());
    let pins = Pins { tenant_id: pin(tenant_id), object_id: pin(object_id) };
    Ok(pins.on((found.build)(world, options)?))
}

/// Whether options can be read as those of a credential type, without looking at anything else.
pub(crate) fn check(name: &str, options: Vec<(String, Value)>, spelling: Spelling) -> Result<(), Error> {
    read(name, options, spelling).map(drop)
}

fn read(name: &str, options: Vec<(String, Value)>, spelling: Spelling) -> Result<(&'static Type, Options), Error> {
    let Some(found) = TYPES.iter().find(|known| spelling.class(known.name) == name) else {
        let names: Vec<&str> = TYPES.iter().map(|known| spelling.class(known.name)).collect();
        return Err(Error::configuration(format!(
            "unknown credential '{}': expected {}, or {} with its members",
            shown(name),
            names.join(", "),
            crate::source::chain::NAME
        )));
    };
    Ok((found, Options::read(spelling.class(found.name), &found.all(), options, spelling)?))
}
