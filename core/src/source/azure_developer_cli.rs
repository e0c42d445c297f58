//! `AzureDeveloperCliCredential`: the developer's own login, by asking the Azure Developer CLI for a token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::tool::{self, Known, Told, Tool};
use super::{About, Ask, Fetch, Grant, Source};
use crate::error::Error;
use crate::options::Options;
use crate::token::Secret;
use crate::wire::moment;
use crate::world::{Output, World};

/// The class name.
pub(crate) const NAME: &str = "AzureDeveloperCliCredential";

static AZD: tool::Kind = tool::Kind {
    credential: NAME,
    source: "azure_developer_cli",
    title: "Azure Developer CLI (azd)",
    programs: &["azd"],
    home: "https://aka.ms/azure-dev",
    // azd may be set up to use the login of az.
    profile: &["AZD_CONFIG_DIR", "AZURE_CONFIG_DIR", "HOME", "USERPROFILE"],
    login: tool::Login { variables: &["AZD_CONFIG_DIR"], folder: ".azd", files: &["auth.json", "config.json"] },
    known: &[
        Known {
            said: &["not logged in, run `azd auth login`", "not logged in, run `azd login`"],
            meaning: "nobody is signed in: run 'azd auth login'",
        },
        Known {
            said: &["unknown flag: --claims"],
            meaning: "this Azure Developer CLI does not take claims challenges: update it to 1.18.1 or later",
        },
    ],
};

#[derive(Debug)]
pub(crate) struct AzureDeveloperCli {
    tool: Tool,
}

impl AzureDeveloperCli {
    pub(crate) fn from_options(world: &World, options: Options) -> Result<AzureDeveloperCli, Error> {
        let timeout = options.process_timeout();
        let tenants = (options.tenant_id, options.additionally_allowed_tenants);
        Ok(AzureDeveloperCli { tool: Tool::new(&AZD, world, tenants, timeout, "")? })
    }

    async fn ask(&self, ask: &Ask<'_>) -> Result<Grant, Error> {
        let scopes = self.tool.scopes(ask)?;
        let tenant = self.tool.tenant(ask)?;
        let claims = ask.request.claims.as_ref().map(|claims| STANDARD.encode(claims));
        let mut arguments = vec!["auth", "token", "--output", "json", "--no-prompt"];
        arguments.extend(scopes.iter().flat_map(|scope| ["--scope", scope]));
        for (name, value) in [("--tenant-id", tenant), ("--claims", claims.as_deref())] {
            if let Some(value) = value {
                arguments.extend([name, value]);
            }
        }
        let output = self.tool.run(ask, &arguments, vec![("NO_COLOR", "true".to_owned())]).await?;
        let told = read(&output.stdout, ask.world.clock.now());
        let reason =
            if told.is_err() || output.code.unwrap_or(0) != 0 { reason(&output, &scopes, tenant) } else { None };
        self.tool.outcome(ask, &output, told, reason)
    }
}

#[derive(Deserialize)]
struct Raw {
    token: Option<Secret>,
    #[serde(rename = "expiresOn")]
    expires_on: Option<String>,
}

/// Reads what `azd` printed.
fn read(stdout: &[u8], now: i64) -> Result<Told, String> {
    let mut seen = false;
    let raw = tool::objects::<Raw>(stdout).inspect(|_| seen = true).find(|raw| raw.token.is_some());
    let Some(raw) = raw else {
        return Err(if seen { "has no token" } else { "is not the JSON of a token" }.to_owned());
    };
    let text = raw.token.filter(|text| !text.expose().is_empty()).ok_or("has no token")?;
    let expires_on = raw.expires_on.as_deref().and_then(moment::any).ok_or("has no readable expiresOn")?;
    tool::told(text, expires_on, now)
}

/// One line of `azd`'s JSON, in each of its versions.
#[derive(Deserialize)]
struct Line {
    /// From 1.23.7 on.
    error: Option<String>,
    suggestion: Option<String>,
    /// Before, and an empty one beside `error` up to 1.23.15.
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    message: Option<String>,
}

/// Why `azd` failed, in its own words, and what to do where it is known.
fn reason(output: &Output, scopes: &[&str], tenant: Option<&str>) -> Option<String> {
    let given = |text: &String| !text.trim().is_empty();
    let structured = [output.stdout.as_slice(), &output.stderr].into_iter().find_map(|text| {
        let mut older = None;
        for line in tool::objects::<Line>(text) {
            if let Some(error) = line.error.filter(given) {
                return Some((error, line.suggestion.filter(given)));
            }
            older = older.or(line.data.and_then(|data| data.message).filter(given));
        }
        older.map(|message| (message, None))
    });
    let stderr = String::from_utf8_lossy(&output.stderr);
    let words = structured.as_ref().map_or(stderr.as_ref(), |(error, _)| error);
    if ["must use multi-factor authentication", "reauthentication required"].iter().any(|said| words.contains(said)) {
        let mut login = format!("azd auth login --scope {}", scopes.join(" --scope "));
        if let Some(tenant) = tenant {
            login.push_str(" --tenant-id ");
            login.push_str(tenant);
        }
        return Some(format!("{}; run: {login}", words.trim()));
    }
    structured.map(|(error, suggestion)| match suggestion {
        Some(suggestion) => format!("{}; {}", error.trim(), suggestion.trim()),
        None => error,
    })
}

impl Source for AzureDeveloperCli {
    fn about(&self) -> &About {
        &self.tool.about
    }

    fn fetch<'a>(&'a self, ask: &'a Ask<'a>) -> Fetch<'a> {
        Box::pin(self.ask(ask))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000;

    #[test]
    fn outputs() {
        let cases = [
            (r#"{"token":"t","expiresOn":"2023-11-14T22:14:20Z"}"#, Ok(NOW + 60)),
            (r#"{"token":"t","expiresOn":"2023-11-14T23:14:20+01:00"}"#, Ok(NOW + 60)),
            (r#"{"token":"t","expiresOn":"2023-11-14T22:14:20.999Z"}"#, Ok(NOW + 60)),
            (
                "{\"type\":\"consoleMessage\",\"data\":{}}\n{\"token\":\"t\",\"expiresOn\":\"2023-11-14T22:14:20Z\"}",
                Ok(NOW + 60),
            ),
            ("", Err("is not the JSON of a token")),
            ("{}", Err("has no token")),
            (r#"{"token":""}"#, Err("has no token")),
            (r#"{"token":"t"}"#, Err("has no readable expiresOn")),
            (r#"{"token":"t","expiresOn":"soon"}"#, Err("has no readable expiresOn")),
            (r#"{"token":"t","expiresOn":"2023-11-14T22:13:19Z"}"#, Err("holds a token that expired 1 s ago")),
            (r#"{"token":7}"#, Err("is not the JSON of a token")),
        ];
        for (stdout, expected) in cases {
            let told = read(stdout.as_bytes(), NOW).map(|told| told.expires_on);
            assert_eq!(told, expected.map_err(str::to_owned), "{stdout}");
        }
    }
}
