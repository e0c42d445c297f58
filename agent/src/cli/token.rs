//! `azcred token`: a token on standard output.
#![expect(clippy::doc_markdown, reason = "doc comments are the help text")]

use std::time::Duration;

use azcred::{AccessToken, CacheLevel, Credential, Error, Spelling, TokenRequest, Value};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::ci;
use super::option::Given;
use super::output::Output;

const DEFAULT: &str = "DefaultAzureCredential";

/// What to ask for, whom, and how to print it.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    azcred token --resource https://storage.azure.com\n  \
    azcred token --scope https://vault.azure.net/.default --output json\n  \
    azcred token --resource https://storage.azure.com --identity storage\n  \
    azcred token --resource https://storage.azure.com --client-id 11111111-1111-1111-1111-111111111111\n  \
    azcred token --resource https://storage.azure.com --credential AzureCliCredential --option process_timeout=30\n  \
    curl -H \"$(azcred token --resource https://storage.azure.com --output header)\" …\n  \
    docker run --env-file <(azcred token --resource https://vault.azure.net --output env) …")]
pub(super) struct Arguments {
    #[command(flatten)]
    what: What,
    /// How to print the token.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
    /// Print the token in a CI job too, where it may come into the log.
    #[arg(long)]
    allow_ci: bool,
    /// The credential to ask, by class name; the environment has the settings that no option gives.
    #[arg(long, value_name = "NAME", default_value = DEFAULT)]
    credential: String,
    /// One of the host's identities, by its name in azcred's configuration; empty for the one that the resource belongs to.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["credential", "client_id", "option"])]
    identity: Option<String>,
    /// Ask for a new token in the place of the one that processes of this user share; at most every 30 seconds.
    #[arg(long)]
    refresh: bool,
    /// The client id of a user-assigned identity, or of an application.
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    client_id: Option<String>,
    /// An option of the credential, by its name in azure-identity; may be given several times. The value is text, or as JSON
    /// has it; @FILE is the text of a file, and the only way to give a secret.
    #[arg(long, value_name = "NAME=VALUE")]
    option: Vec<Given>,
    /// Another tenant than the credential's own: an id or a domain name.
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// The JSON of a claims challenge.
    #[arg(long, value_name = "JSON")]
    claims: Option<String>,
    /// How long to wait at most, in seconds.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: Option<u64>,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct What {
    /// A scope, such as https://storage.azure.com/.default; may be given several times.
    #[arg(long, value_name = "SCOPE", value_parser = NonEmptyStringValueParser::new())]
    scope: Vec<String>,
    /// A resource, such as https://storage.azure.com.
    #[arg(long, value_name = "RESOURCE", value_parser = NonEmptyStringValueParser::new())]
    resource: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), String> {
    let output = arguments.output;
    output.check()?;
    if !arguments.allow_ci && !output.is_read_by_kubectl() {
        ci::refuse_log()?;
    }
    let options = options(arguments)?;
    let token = get(arguments, options).map_err(|error| error.message().to_owned())?;
    super::put(&output.of(&token)?)
}

fn options(arguments: &Arguments) -> Result<Vec<(String, Value)>, String> {
    let mut options = arguments.option.iter().map(Given::read).collect::<Result<Vec<_>, String>>()?;
    if let Some(id) = &arguments.client_id {
        // The chain has several members with a client id.
        let name = if arguments.credential == DEFAULT { "managed_identity_client_id" } else { "client_id" };
        options.push((name.to_owned(), Value::text(id)));
    }
    let names: Vec<&str> = options.iter().map(|(name, _)| name.as_str()).collect();
    match names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|before| before == *name)) {
        Some((_, name)) => Err(format!("option {name} is given twice")),
        None => Ok(options),
    }
}

fn get(arguments: &Arguments, options: Vec<(String, Value)>) -> Result<AccessToken, Error> {
    let what = match &arguments.what.resource {
        Some(resource) => TokenRequest::resource(resource),
        None => TokenRequest { scopes: arguments.what.scope.clone(), ..TokenRequest::default() },
    };
    let request = TokenRequest {
        tenant_id: arguments.tenant.clone(),
        claims: arguments.claims.clone(),
        timeout: arguments.timeout.map(Duration::from_secs),
        ..what
    };
    let credential = match &arguments.identity {
        Some(name) => {
            let options = vec![("identity".to_owned(), Value::text(name))];
            Credential::new("HostCredential", options, Spelling::Snake)?
        }
        None => Credential::new(&arguments.credential, options, Spelling::Snake)?,
    };
    let token = credential.get_token(&request)?;
    // One that was fetched for this call is new.
    if arguments.refresh && token.cache_level() != CacheLevel::Source && credential.reject(token.secret()) {
        return credential.get_token(&request);
    }
    Ok(token)
}
