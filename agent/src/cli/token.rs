//! `azcred token`: a token on standard output.
#![expect(clippy::doc_markdown, reason = "doc comments are the help text")]

use std::time::Duration;

use azcred::{AccessToken, Credential, Error, Spelling, TokenRequest};
use clap::{Args, ValueEnum};
use serde_json::json;

/// What to ask for, whom, and how to print it.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    azcred token --resource https://storage.azure.com\n  \
    azcred token --scope https://vault.azure.net/.default --output json\n  \
    curl -H \"$(azcred token --resource https://storage.azure.com --output header)\" …")]
pub(super) struct Arguments {
    #[command(flatten)]
    what: What,
    /// How to print the token.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
    /// The credential to ask, by class name; its settings come from the environment.
    #[arg(long, value_name = "NAME", default_value = "DefaultAzureCredential")]
    credential: String,
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
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// A resource, such as https://storage.azure.com.
    #[arg(long, value_name = "RESOURCE")]
    resource: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Output {
    /// The token alone.
    Text,
    /// An object with the token, its times and where it came from.
    Json,
    /// A header line: `Authorization: Bearer …`.
    Header,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), String> {
    let token = get(arguments).map_err(|error| error.message().to_owned())?;
    match arguments.output {
        Output::Text => super::say(token.secret()),
        Output::Header => super::say(&format!("Authorization: {}", token.authorization())),
        Output::Json => super::say(&json(&token).to_string()),
    }
}

fn get(arguments: &Arguments) -> Result<AccessToken, Error> {
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
    Credential::new(&arguments.credential, Vec::new(), Spelling::Snake)?.get_token(&request)
}

fn json(token: &AccessToken) -> serde_json::Value {
    let provenance = token.provenance();
    json!({
        "token": token.secret(),
        "token_type": token.token_type(),
        "expires_on": token.expires_on(),
        "refresh_on": token.refresh_on(),
        "credential": provenance.credential,
        "source": provenance.source,
        "tenant_id": provenance.tenant_id,
        "client_id": provenance.client_id,
    })
}
