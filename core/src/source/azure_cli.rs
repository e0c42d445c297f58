//! `AzureCliCredential`: the developer's own login, by asking the Azure CLI for a token.
//!
//! The tool is found by absolute path and given an argument vector; what goes into it is checked first. Its token is
//! cached like any other, so it runs once per token life.

use std::time::Duration;

use base64::Engine as _;
use serde::Deserialize;

use super::{About, Ask, Fetch, Grant, Place, Source, Tenants};
use crate::error::{Error, ErrorKind};
use crate::fingerprint::Fingerprint;
use crate::options::Options;
use crate::request::shown;
use crate::token::{Provenance, Secret};
use crate::wire::answer::check_life;
use crate::world::{Command, Output, ProcessError, World};

/// The class name.
pub(crate) const NAME: &str = "AzureCliCredential";

#[derive(Debug)]
pub(crate) struct AzureCli {
    about: About,
    subscription: Option<String>,
    timeout: Duration,
}

impl AzureCli {
    pub(crate) fn from_options(world: &World, options: Options) -> Result<AzureCli, Error> {
        let timeout = options.process_timeout();
        let subscription = options.subscription.filter(|subscription| !subscription.is_empty());
        if let Some(text) = &subscription
            && !is_plain(text, "-_. ")
        {
            return Err(Error::configuration(format!(
                "{NAME}: option subscription: expected a name or id of letters, digits, spaces, '-', '_' and '.', got '{}'",
                shown(text)
            )));
        }
        let tenant = options.tenant_id.filter(|tenant| !tenant.is_empty());
        let tenants = Tenants::own(NAME, tenant.clone(), options.additionally_allowed_tenants)?;
        // Whose login it is, and how long this caller lets the tool run.
        let profile = world.env.get("AZURE_CONFIG_DIR").or_else(|| world.env.get("HOME")).unwrap_or_default();
        let (permission, patience) = (tenants.permission(), timeout.as_millis().to_string());
        let (tenant, subscribed) = (tenant.unwrap_or_default(), subscription.as_deref().unwrap_or_default());
        let identity = Fingerprint::of(NAME, &[&profile, &tenant, subscribed, &permission, &patience]);
        // The tool's own deadline comes first, so that its error names it.
        let patience = timeout + Duration::from_secs(5);
        let about = About { credential: NAME, identity, patience, cae: false, tenants };
        Ok(AzureCli { about, subscription, timeout })
    }

    async fn ask(&self, ask: &Ask<'_>) -> Result<Grant, Error> {
        let resource = ask.request.one_resource(NAME)?;
        if !is_plain(resource, "-_.:/") {
            return Err(Error::argument(format!(
                "{NAME}: malformed scope '{}': expected letters, digits, '-', '_', '.', ':' and '/'",
                shown(resource)
            )));
        }
        let tenant = self.about.tenants.resolve(NAME, ask.request.tenant_id.as_deref())?;
        if let Some(claims) = &ask.request.claims {
            return Err(needs_login(ask, claims, tenant));
        }
        let Some(program) = ask.world.find_program("az") else {
            return Err(Error::unavailable(format!(
                "{NAME}: Azure CLI (az) was not found on PATH; install it from https://aka.ms/azure-cli"
            )));
        };
        let mut arguments: Vec<String> =
            ["account", "get-access-token", "--output", "json", "--resource", resource].map(str::to_owned).into();
        for (name, value) in [("--tenant", tenant), ("--subscription", self.subscription.as_deref())] {
            if let Some(value) = value {
                arguments.extend([name.to_owned(), value.to_owned()]);
            }
        }
        let command =
            Command { program, arguments, environment: vec![("AZURE_CORE_NO_COLOR", "true")], timeout: self.timeout };
        let output = ask.world.processes.run(command).await.map_err(|error| self.did_not_run(ask, error))?;
        let now = ask.world.clock.now();
        if output.code.is_some_and(|code| code != 0) {
            return Err(failed(ask, &output));
        }
        match read(&output, now, &|text| ask.world.clock.local(text)) {
            Ok(told) => Ok(Grant {
                text: told.text,
                expires_on: told.expires_on,
                refresh_in: None,
                provenance: Provenance {
                    credential: NAME,
                    source: "azure_cli",
                    tenant_id: tenant.map(str::to_owned).or(told.tenant),
                    client_id: None,
                },
            }),
            Err(what) => Err(Error::new(ask.place.garbage(), format!("{NAME}: the output of az {what}"))),
        }
    }

    fn did_not_run(&self, ask: &Ask<'_>, error: ProcessError) -> Error {
        match error {
            ProcessError::Start(error) => Error::unavailable(format!("{NAME}: az could not be started: {error}")),
            ProcessError::TimedOut => Error::new(
                tool(ask, ErrorKind::Transient),
                format!(
                    "{NAME}: az did not answer within {} s; the option process_timeout gives it longer",
                    self.timeout.as_secs_f64()
                ),
            ),
            ProcessError::TooMuchOutput => {
                Error::new(ask.place.garbage(), format!("{NAME}: the output of az is larger than a token can be"))
            }
        }
    }
}

/// `az` can't pass a claims challenge on; a new login can answer it.
fn needs_login(ask: &Ask<'_>, claims: &str, tenant: Option<&str>) -> Error {
    let claims = base64::engine::general_purpose::STANDARD.encode(claims);
    let mut hint = format!("az login --claims-challenge {claims} --scope {}", ask.request.scopes.join(" "));
    if let Some(tenant) = tenant {
        hint.push_str(" --tenant ");
        hint.push_str(tenant);
    }
    Error::unavailable(format!(
        "{NAME}: the Azure CLI does not take claims challenges; run (Azure CLI 2.76.0 or later): {hint}"
    ))
}

/// The kind of a tool's failure: in the default chain nobody asked for this tool.
fn tool(ask: &Ask<'_>, kind: ErrorKind) -> ErrorKind {
    if ask.place == Place::Default { ErrorKind::Unavailable } else { kind }
}

#[derive(Deserialize)]
struct Raw {
    #[serde(rename = "accessToken")]
    access_token: Option<Secret>,
    expires_on: Option<serde_json::Value>,
    #[serde(rename = "expiresOn")]
    expires_on_local: Option<String>,
    tenant: Option<String>,
}

struct Told {
    text: Secret,
    expires_on: i64,
    tenant: Option<String>,
}

/// Reads what `az` printed; the error fits behind "the output of az" and quotes nothing.
fn read(output: &Output, now: i64, local: &dyn Fn(&str) -> Option<i64>) -> Result<Told, String> {
    // Notices may stand before the JSON.
    let start = output.stdout.iter().position(|byte| *byte == b'{');
    let json = start.and_then(|start| output.stdout.get(start..)).ok_or("is not JSON")?;
    let raw: Raw = serde_json::Deserializer::from_slice(json)
        .into_iter()
        .next()
        .and_then(Result::ok)
        .ok_or("is not the JSON of a token")?;
    let text = raw.access_token.filter(|text| !text.expose().is_empty()).ok_or("has no accessToken")?;
    if !text.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("holds an accessToken with characters that no token has".to_owned());
    }
    let epoch = raw.expires_on.as_ref().and_then(|value| value.as_i64().or_else(|| value.as_str()?.parse().ok()));
    let expires_on = epoch
        .or_else(|| local(raw.expires_on_local.as_deref()?))
        .ok_or("has neither a readable expires_on nor expiresOn")?;
    check_life(expires_on, now)?;
    Ok(Told { text, expires_on, tenant: raw.tenant.filter(|tenant| !tenant.is_empty()) })
}

/// `az` ended with an error: tell the known ones apart, and pass Entra ID's own words on.
fn failed(ask: &Ask<'_>, output: &Output) -> Error {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let asks_for_login = stderr.contains("az login") || stderr.contains("az account set");
    if asks_for_login && !stderr.contains("AADSTS") {
        return Error::unavailable(format!("{NAME}: nobody is signed in: run 'az login'"));
    }
    if output.code == Some(127) {
        return Error::unavailable(format!("{NAME}: az is there but could not be run (exit code 127)"));
    }
    // Warnings may stand before the error.
    let lines = || stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines().find(|line| line.starts_with("ERROR")).or_else(|| lines().next());
    let line = line.unwrap_or("it printed no reason");
    let code = output.code.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
    Error::new(tool(ask, ErrorKind::Failed), format!("{NAME}: az failed ({code}): {}", masked(line)))
}

/// A line of a tool's output, bounded and without anything that could be a token.
fn masked(line: &str) -> String {
    const LONGEST_WORD: usize = 100;
    let words: Vec<&str> =
        line.split_whitespace().map(|word| if word.len() > LONGEST_WORD { "***" } else { word }).collect();
    let mut text: String = words.join(" ").chars().filter(|char| !char.is_control()).take(600).collect();
    if text.contains("accessToken") {
        "***".clone_into(&mut text);
    }
    text
}

/// Letters, digits and some others, starting with a letter or digit, so that nothing reads as an option.
fn is_plain(text: &str, others: &str) -> bool {
    text.starts_with(|char: char| char.is_ascii_alphanumeric())
        && text.chars().all(|char| char.is_ascii_alphanumeric() || others.contains(char))
}

impl Source for AzureCli {
    fn about(&self) -> &About {
        &self.about
    }

    fn fetch<'a>(&'a self, ask: &'a Ask<'a>) -> Fetch<'a> {
        Box::pin(self.ask(ask))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn told(stdout: &str) -> Result<i64, String> {
        let output = Output { code: Some(0), stdout: stdout.as_bytes().to_vec().into(), stderr: Vec::new() };
        read(&output, NOW, &|text| (text == "2023-11-15 00:00:00.000000").then_some(NOW + 99))
            .map(|told| told.expires_on)
    }

    #[test]
    fn outputs() {
        let cases = [
            (r#"{"accessToken":"t","expires_on":1700000060,"expiresOn":"x"}"#, Ok(NOW + 60)),
            (r#"{"accessToken":"t","expires_on":"1700000060"}"#, Ok(NOW + 60)),
            (r#"{"accessToken":"t","expiresOn":"2023-11-15 00:00:00.000000"}"#, Ok(NOW + 99)),
            ("WARNING: upgrade\n{\"accessToken\":\"t\",\"expires_on\":1700000060}\nbye", Ok(NOW + 60)),
            ("", Err("is not JSON")),
            ("{}", Err("has no accessToken")),
            (r#"{"accessToken":"t"}"#, Err("has neither a readable expires_on nor expiresOn")),
            (r#"{"accessToken":"t","expires_on":1699999999}"#, Err("holds a token that expired 1 s ago")),
            (r#"{"accessToken":7}"#, Err("is not the JSON of a token")),
        ];
        for (stdout, expected) in cases {
            assert_eq!(told(stdout), expected.map_err(str::to_owned), "{stdout}");
        }
    }

    #[test]
    fn nothing_reads_as_an_option() {
        assert!(is_plain("https://vault.azure.net", "-_.:/"));
        for text in ["", "-h", "a;b", "a b", "a`b`", "$(a)", "ä"] {
            assert!(!is_plain(text, "-_.:/"), "{text}");
        }
    }
}
