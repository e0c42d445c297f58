//! The one table of options: every option of every credential, with its type, unit and default.
//!
//! Python's keyword arguments, Node's option objects, C's setters and the configuration file are all read through
//! [`Options::read`], so a new option appears at every door at once and a mistake has the same words everywhere. Names
//! are those of azure-identity for Python; [`Spelling::Camel`] reads those of @azure/identity.

mod network;
#[cfg(test)]
mod page;
mod peers;
#[cfg(test)]
mod schema;
mod spelling;
mod types;
mod value;

use std::time::Duration;

use serde::Deserialize;

use crate::error::Error;
use crate::function::Function;
use crate::source::AuthenticationRecord;
use crate::source::device_code::DEVELOPER_CLIENT;
use crate::source::username_password::ORGANIZATIONS;
use crate::token::Secret;
use crate::wire::network::Network;
use network::{Proxies, ProxyOptions, RetryOptions, Verify};
use peers::Disposition;
pub use spelling::Spelling;
use spelling::{from_camel, spelled};
pub(crate) use types::{Data, IdentityConfig};
use types::{given, number};
pub use value::Value;
use value::{Misfit, Problem, Reader};

/// All options. A credential takes those that its entry in the credential table lists.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_field_names, reason = "the names are the peers'")]
pub(crate) struct Options {
    /// The tenant (directory) to sign in to: its id or a domain name.
    pub(crate) tenant_id: Option<String>,
    /// The application's or the user-assigned identity's client id.
    pub(crate) client_id: Option<String>,
    /// The application's secret.
    pub(crate) client_secret: Option<Secret>,
    /// A user-assigned managed identity by its object (principal) id.
    pub(crate) object_id: Option<String>,
    /// A user-assigned managed identity by its Azure resource id.
    pub(crate) resource_id: Option<String>,
    /// azure-identity's spelling of the three ids of a managed identity.
    pub(crate) identity_config: Option<IdentityConfig>,
    /// The authority's host. Default: `AZURE_AUTHORITY_HOST`, else `login.microsoftonline.com`.
    pub(crate) authority: Option<String>,
    /// Other tenants that a request may name; `*` for all.
    pub(crate) additionally_allowed_tenants: Option<Vec<String>>,
    /// Skips the question to the public cloud whether an authority is one. Microsoft's own hosts and this machine's are
    /// never asked about.
    pub(crate) disable_instance_discovery: Option<bool>,
    /// A file with the application's certificate and its private key, PEM or PKCS#12.
    pub(crate) certificate_path: Option<String>,
    /// The same as bytes, or as PEM text.
    pub(crate) certificate_data: Option<Data>,
    /// azure-identity's name for it where an API asks on behalf of its user.
    pub(crate) client_certificate: Option<Data>,
    /// Whether the certificates go along, so that their subject name and issuer are trusted.
    pub(crate) send_certificate_chain: Option<bool>,
    /// A file with the federated token of a workload. Default: `AZURE_FEDERATED_TOKEN_FILE`.
    pub(crate) token_file_path: Option<String>,
    /// Whether tokens are asked for at the token proxy of an AKS cluster, where its variables name one.
    pub(crate) enable_azure_proxy: Option<bool>,
    /// The Azure Resource Manager service connection of a pipeline.
    pub(crate) service_connection_id: Option<String>,
    /// A pipeline job's `System.AccessToken`.
    pub(crate) system_access_token: Option<Secret>,
    /// The access token of the user on whose behalf an API asks.
    pub(crate) user_assertion: Option<Secret>,
    /// The code that the user's browser brought.
    pub(crate) authorization_code: Option<Secret>,
    /// Where the user's browser brings the code.
    pub(crate) redirect_uri: Option<String>,
    /// The user's name, such as `user@contoso.com`.
    pub(crate) username: Option<String>,
    /// The user's password; a certificate's where there is one.
    pub(crate) password: Option<Secret>,
    /// The user who is expected to sign in, for the page to fill in.
    pub(crate) login_hint: Option<String>,
    /// The default chain's application for a sign-in with the browser. Default: that of developers' tools.
    pub(crate) interactive_browser_client_id: Option<String>,
    /// The default chain's tenant for a sign-in with the browser. Default: `AZURE_TENANT_ID`.
    pub(crate) interactive_browser_tenant_id: Option<String>,
    /// The default chain's workload identity. Default: its managed identity's client id.
    pub(crate) workload_identity_client_id: Option<String>,
    /// The default chain's tenant of its workload identity. Default: `AZURE_TENANT_ID`.
    pub(crate) workload_identity_tenant_id: Option<String>,
    /// How long a user may take to sign in, in seconds.
    #[serde(deserialize_with = "number")]
    pub(crate) timeout: Option<f64>,
    /// The account that has to sign in: a record of an earlier sign-in, whose application and tenant are used where no
    /// others are given.
    pub(crate) authentication_record: Option<AuthenticationRecord>,
    /// Whether only `authenticate` may have the user sign in.
    pub(crate) disable_automatic_authentication: Option<bool>,
    /// PEM certificates, a file or a folder, instead of the trusted roots; true for those. Read at the first request.
    pub(crate) connection_verify: Option<Verify>,
    /// The proxy to the authority, by scheme: `https`, else `all`. Default: those of the environment.
    pub(crate) proxies: Option<Proxies>,
    /// @azure/identity's spelling of it.
    pub(crate) proxy_options: Option<ProxyOptions>,
    /// Whether the proxies of the environment count. Default true.
    pub(crate) use_env_settings: Option<bool>,
    /// How long a connection to the authority may take, in seconds. Default 10.
    #[serde(deserialize_with = "number")]
    pub(crate) connection_timeout: Option<f64>,
    /// How long the authority may be silent, in seconds. Default 20 for the whole answer.
    #[serde(deserialize_with = "number")]
    pub(crate) read_timeout: Option<f64>,
    /// How often a request to the authority is sent again at most. Default, and never more than, 3.
    #[serde(deserialize_with = "number")]
    pub(crate) retry_total: Option<f64>,
    /// @azure/identity's spelling of it.
    pub(crate) retry_options: Option<RetryOptions>,
    /// What the eight before say together.
    #[serde(skip)]
    pub(crate) network: Network,
    /// The Azure CLI's subscription, by name or id.
    pub(crate) subscription: Option<String>,
    /// How long a developer tool may run, in seconds. Default 10.
    #[serde(deserialize_with = "number")]
    pub(crate) process_timeout: Option<f64>,
    /// The default chain's managed identity. Given and empty means system-assigned; default `AZURE_CLIENT_ID`.
    #[serde(deserialize_with = "given")]
    #[expect(clippy::option_option, reason = "left out, given and empty, given")]
    pub(crate) managed_identity_client_id: Option<Option<String>>,
    /// The default chain's managed identity by its Azure resource id.
    pub(crate) managed_identity_resource_id: Option<String>,
    /// The default chain's managed identity by its object id.
    pub(crate) managed_identity_object_id: Option<String>,
    /// Refuses to build the default chain unless `AZURE_TOKEN_CREDENTIALS` is set.
    pub(crate) require_envvar: Option<bool>,
    /// Leaves a member out of the default chain.
    pub(crate) exclude_environment_credential: Option<bool>,
    /// Leaves a member out of the default chain.
    pub(crate) exclude_workload_identity_credential: Option<bool>,
    /// Leaves a member out of the default chain.
    pub(crate) exclude_managed_identity_credential: Option<bool>,
    /// Leaves a member out of the default chain.
    pub(crate) exclude_shared_token_cache_credential: Option<bool>,
    /// Leaves a member out of the default chain.
    pub(crate) exclude_visual_studio_code_credential: Option<bool>,
    /// Leaves a member out of the default chain.
    pub(crate) exclude_cli_credential: Option<bool>,
    /// Leaves a member out of the default chain.
    pub(crate) exclude_powershell_credential: Option<bool>,
    /// Leaves a member out of the default chain.
    pub(crate) exclude_developer_cli_credential: Option<bool>,
    /// Leaves a member out of the default chain.
    pub(crate) exclude_broker_credential: Option<bool>,
    /// Leaves a member out of the default chain, or (false) brings it in.
    pub(crate) exclude_interactive_browser_credential: Option<bool>,
    /// Which of the host's identities it is. Default: the one that its configuration has for the resource asked for.
    pub(crate) identity: Option<String>,
    /// The tenant whose tokens alone will do, by its id: any other token is an error.
    pub(crate) expected_tenant_id: Option<String>,
    /// The identity whose tokens alone will do, by its object (principal) id: any other token is an error.
    pub(crate) expected_object_id: Option<String>,
    /// The options of [`FUNCTIONS`] that were given, by their names.
    #[serde(skip)]
    pub(crate) functions: Vec<(String, Function)>,
    /// How the caller writes names.
    #[serde(skip)]
    pub(crate) spelling: Option<Spelling>,
    /// What else the credential takes: some names mean different options of different credentials.
    #[serde(skip)]
    pub(crate) takes: Vec<String>,
}

/// The options that are functions of the caller's.
const FUNCTIONS: [&str; 3] = [
    // ClientAssertionCredential: gives the assertion.
    "func",
    // OnBehalfOfCredential: gives the assertion.
    "client_assertion_func",
    // DeviceCodeCredential: is told verification_uri, user_code, expires_on (Unix seconds) and message.
    "prompt_callback",
];

/// The options whose value is a secret: not for a command line, nor for a configuration that everybody may read.
const SECRETS: [&str; 7] = [
    "authorization_code",
    "certificate_data",
    "client_certificate",
    "client_secret",
    "password",
    "system_access_token",
    "user_assertion",
];

impl Options {
    /// Reads the options of `credential`, which takes those named in `takes`.
    pub(crate) fn read(
        credential: &str,
        takes: &[&str],
        given: Vec<(String, Value)>,
        spelling: Spelling,
    ) -> Result<Options, Error> {
        let mut known = Vec::with_capacity(given.len());
        let mut functions = Vec::new();
        for (name, value) in given {
            let (snake, value) = match spelling {
                Spelling::Snake => (name.clone(), value),
                Spelling::Camel => from_camel(&name, value, takes),
            };
            if takes.contains(&snake.as_str()) {
                match value {
                    // A function is no data that could be read into a type.
                    Value::Function(function) if FUNCTIONS.contains(&snake.as_str()) => {
                        functions.push((snake, function));
                    }
                    Value::Null => known.push((snake, Value::Null)),
                    value if FUNCTIONS.contains(&snake.as_str()) => {
                        let what = value.what();
                        return Err(Error::configuration(format!(
                            "{credential}: option {name}: expected a function, got {what}"
                        )));
                    }
                    value => known.push((snake, value)),
                }
                continue;
            }
            match peers::disposition(&snake) {
                Some(Disposition::Noted(reason)) => {
                    tracing::info!(credential, option = name, "accepted and not used: {reason}");
                }
                // Left out, as programs do that pass on what they may have been given.
                Some(Disposition::Refused(_)) if matches!(value, Value::Null) => {}
                Some(Disposition::Refused(reason)) => {
                    return Err(Error::configuration(format!(
                        "{credential}: option {name} is not supported: {reason}"
                    )));
                }
                None => return Err(unknown(credential, &name, takes, spelling)),
            }
        }
        let misfit = |misfit: Misfit| {
            let name = spelled(&misfit.name(), spelling, takes);
            match &misfit.problem {
                Problem::Unknown => unknown(credential, &name, takes, spelling),
                Problem::Wrong(sentence) => Error::configuration(format!("{credential}: option {name}: {sentence}")),
            }
        };
        known.retain(|(name, _)| !FUNCTIONS.contains(&name.as_str()));
        let mut options = Options::deserialize(Reader(Value::Map(known))).map_err(misfit)?;
        (options.functions, options.spelling) = (functions, Some(spelling));
        options.takes = takes.iter().map(|name| (*name).to_owned()).collect();
        options.check(credential)?;
        options.network = options.way().map_err(|(name, sentence)| options.wrong(credential, name, &sentence))?;
        Ok(options)
    }

    /// A class name as the caller knows it.
    pub(crate) fn class(&self, name: &'static str) -> &'static str {
        self.spelling.unwrap_or(Spelling::Snake).class(name)
    }

    /// The name of an option as the caller writes it.
    pub(crate) fn name(&self, name: &str) -> String {
        spelled(name, self.spelling.unwrap_or(Spelling::Snake), &self.takes)
    }

    /// The error of an option that `credential` can't do without.
    pub(crate) fn missing(&self, credential: &str, name: &str) -> Error {
        self.wrong(credential, name, "expected a value, got none")
    }

    /// The error of an option with an unusable value.
    pub(crate) fn wrong(&self, credential: &str, name: &str, sentence: &str) -> Error {
        Error::configuration(format!("{credential}: option {}: {sentence}", self.name(name)))
    }

    /// The text of an option that `credential` can't do without.
    pub(crate) fn need(&self, credential: &str, name: &str, given: Option<&String>) -> Result<String, Error> {
        given.filter(|text| !text.is_empty()).cloned().ok_or_else(|| self.missing(credential, name))
    }

    /// The secret of an option that `credential` can't do without.
    pub(crate) fn need_secret(&self, credential: &str, name: &str, given: Option<&Secret>) -> Result<Secret, Error> {
        given.filter(|text| !text.expose().is_empty()).cloned().ok_or_else(|| self.missing(credential, name))
    }

    /// The function given for an option.
    pub(crate) fn function(&self, name: &str) -> Option<Function> {
        self.functions.iter().find(|(given, _)| given == name).map(|(_, function)| function.clone())
    }

    fn check(&self, credential: &str) -> Result<(), Error> {
        let wrong = |name: &str, sentence: &str| self.wrong(credential, name, sentence);
        // The tools' classes of azure-identity have "" for "its own".
        for (name, tenant) in [
            ("tenant_id", self.tenant_id.as_ref()),
            ("interactive_browser_tenant_id", self.interactive_browser_tenant_id.as_ref()),
            ("workload_identity_tenant_id", self.workload_identity_tenant_id.as_ref()),
            ("authentication_record", self.authentication_record.as_ref().map(|record| &record.tenant_id)),
        ] {
            if let Some(tenant) = tenant.filter(|tenant| !tenant.is_empty()) {
                crate::request::check_tenant(tenant).map_err(|sentence| wrong(name, &sentence))?;
            }
        }
        if let Some(seconds) = self.process_timeout
            && !(seconds > 0.0 && seconds <= 3600.0)
        {
            return Err(wrong("process_timeout", "expected more than 0 and at most 3600 seconds"));
        }
        if let Some(seconds) = self.timeout
            && !(seconds > 0.0 && seconds <= 3600.0)
        {
            return Err(wrong("timeout", "expected more than 0 and at most 3600 seconds"));
        }
        Ok(())
    }

    /// The tenant that a user signs in to: as given, else as the record has it, else any organization's.
    pub(crate) fn user_tenant(&self) -> String {
        let recorded = self.authentication_record.as_ref().map(|record| &record.tenant_id);
        first([self.tenant_id.as_ref(), recorded], ORGANIZATIONS)
    }

    /// The application that a user signs in to without one of the program's own: as the tenant.
    pub(crate) fn user_client(&self) -> String {
        let recorded = self.authentication_record.as_ref().map(|record| &record.client_id);
        first([self.client_id.as_ref(), recorded], DEVELOPER_CLIENT)
    }

    /// How long a developer tool may run.
    pub(crate) fn process_timeout(&self) -> Duration {
        Duration::from_secs_f64(self.process_timeout.unwrap_or(10.0))
    }
}

/// Whether the value of an option is a secret.
pub fn is_secret(name: &str) -> bool {
    SECRETS.contains(&name)
}

fn first(given: [Option<&String>; 2], otherwise: &str) -> String {
    given.into_iter().flatten().find(|text| !text.is_empty()).map_or_else(|| otherwise.to_owned(), String::clone)
}

fn unknown(credential: &str, name: &str, takes: &[&str], spelling: Spelling) -> Error {
    let takes: Vec<String> = takes.iter().map(|name| spelled(name, spelling, takes)).collect();
    let name = crate::request::shown(name);
    Error::configuration(format!("{credential}: unknown option {name}; it takes {}", takes.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[(&str, Value)], spelling: Spelling) -> Result<Options, String> {
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let takes = ["tenant_id", "client_secret", "process_timeout", "identity_config", "authority"];
        Options::read("X", &takes, given, spelling).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn mistakes_name_the_option_and_both_types() {
        let cases = [
            (
                vec![("tenant", Value::text("x"))],
                "X: unknown option tenant; it takes tenant_id, client_secret, process_timeout, identity_config, authority",
            ),
            (vec![("tenant_id", Value::Int(5))], "X: option tenant_id: expected a string, got a whole number"),
            (
                vec![("client_secret", Value::Int(424_242))],
                "X: option client_secret: expected a string, got a whole number",
            ),
            (
                vec![("tenant_id", Value::Other("a function".into()))],
                "X: option tenant_id: expected a string, got a function",
            ),
            (vec![("process_timeout", Value::text("ten"))], "X: option process_timeout: expected a number"),
            (
                vec![("process_timeout", Value::Int(0))],
                "X: option process_timeout: expected more than 0 and at most 3600 seconds",
            ),
            (
                vec![("process_timeout", Value::Float(f64::NAN))],
                "X: option process_timeout: expected more than 0 and at most 3600 seconds",
            ),
            (
                vec![("identity_config", Value::Map(vec![("client_id".into(), Value::Bool(true))]))],
                "X: option identity_config.client_id: expected a string, got a truth value",
            ),
            (
                vec![("identity_config", Value::text("x"))],
                "X: option identity_config: expected a map with one of client_id, object_id and resource_id, got text",
            ),
        ];
        for (given, expected) in cases {
            assert_eq!(read(&given, Spelling::Snake).unwrap_err(), expected);
        }
    }

    #[test]
    fn the_names_of_node_come_and_go_in_camel_case() {
        let options = read(
            &[
                ("tenantId", Value::text("t")),
                ("processTimeoutInMs", Value::Int(1500)),
                ("authorityHost", Value::text("h")),
            ],
            Spelling::Camel,
        )
        .unwrap();
        assert_eq!(options.tenant_id.as_deref(), Some("t"));
        assert_eq!(options.process_timeout(), Duration::from_millis(1500));
        let error = read(&[("tenantID", Value::text("t"))], Spelling::Camel).unwrap_err();
        assert!(
            error.contains("unknown option tenantID; it takes tenantId, clientSecret, processTimeoutInMs"),
            "{error}"
        );
    }

    #[test]
    fn a_users_password_is_no_certificates() {
        for (takes, expected) in [
            (["username", "password"], "X: option password: expected a value, got none"),
            (["certificate_path", "password"], "X: option certificatePassword: expected a value, got none"),
        ] {
            let options = Options::read("X", &takes, Vec::new(), Spelling::Camel).unwrap();
            assert_eq!(options.missing("X", "password").message(), expected);
        }
    }

    #[test]
    fn null_is_no_value() {
        assert!(read(&[("tenant_id", Value::Null)], Spelling::Snake).unwrap().tenant_id.is_none());
    }

    #[test]
    fn options_of_the_peers_are_noted_or_refused() {
        assert!(read(&[("logging_enable", Value::Bool(true))], Spelling::Snake).is_ok());
        let error = read(&[("transport", Value::Bool(false))], Spelling::Snake).unwrap_err();
        assert!(error.starts_with("X: option transport is not supported: "), "{error}");
        assert!(read(&[("transport", Value::Null)], Spelling::Snake).is_ok());
        assert!(read(&[("tranport", Value::Null)], Spelling::Snake).is_err());
    }
}
