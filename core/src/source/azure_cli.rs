//! `AzureCliCredential`: the developer's own login, by asking the Azure CLI for a token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::tool::{self, Known, Told, Tool};
use super::{About, Ask, Fetch, Grant, Source};
use crate::error::Error;
use crate::options::Options;
use crate::request::shown;
use crate::token::Secret;
use crate::world::World;

/// The class name.
pub(crate) const NAME: &str = "AzureCliCredential";

static AZ: tool::Kind = tool::Kind {
    credential: NAME,
    source: "azure_cli",
    title: "Azure CLI (az)",
    programs: &["az"],
    home: "https://aka.ms/azure-cli",
    profile: &["AZURE_CONFIG_DIR", "HOME", "USERPROFILE"],
    login: tool::Login {
        variables: &["AZURE_CONFIG_DIR"],
        folder: ".azure",
        files: &["azureProfile.json", "clouds.config", "service_principal_entries.json"],
    },
    known: &[Known { said: &["az login", "az account set"], meaning: "nobody is signed in: run 'az login'" }],
};

#[derive(Debug)]
pub(crate) struct AzureCli {
    tool: Tool,
    subscription: Option<String>,
}

impl AzureCli {
    pub(crate) fn from_options(world: &World, options: Options) -> Result<AzureCli, Error> {
        let timeout = options.process_timeout();
        let subscription = options.subscription.filter(|subscription| !subscription.is_empty());
        if let Some(text) = &subscription
            && !tool::is_plain(text, "-_. ")
        {
            return Err(Error::configuration(format!(
                "{NAME}: option subscription: expected a name or id of letters, digits, spaces, '-', '_' and '.', got '{}'",
                shown(text)
            )));
        }
        let tenants = (options.tenant_id, options.additionally_allowed_tenants);
        let tool = Tool::new(&AZ, world, tenants, timeout, subscription.as_deref().unwrap_or_default())?;
        Ok(AzureCli { tool, subscription })
    }

    async fn ask(&self, ask: &Ask<'_>) -> Result<Grant, Error> {
        let resource = self.tool.resource(ask)?;
        let tenant = self.tool.tenant(ask)?;
        if let Some(claims) = &ask.request.claims {
            return Err(needs_login(ask, claims, tenant));
        }
        let mut arguments = vec!["account", "get-access-token", "--output", "json", "--resource", resource];
        for (name, value) in [("--tenant", tenant), ("--subscription", self.subscription.as_deref())] {
            if let Some(value) = value {
                arguments.extend([name, value]);
            }
        }
        let environment = vec![("AZURE_CORE_NO_COLOR", "true".to_owned())];
        let output = self.tool.run(ask, &arguments, environment).await?;
        let told = read(&output.stdout, ask.world.clock.now(), &|text| ask.world.clock.local(text));
        self.tool.outcome(ask, &output, told, None)
    }
}

/// `az` can't pass a claims challenge on; a new login can answer it.
fn needs_login(ask: &Ask<'_>, claims: &str, tenant: Option<&str>) -> Error {
    let claims = STANDARD.encode(claims);
    let mut hint = format!("az login --claims-challenge {claims} --scope {}", ask.request.scopes.join(" "));
    if let Some(tenant) = tenant {
        hint.push_str(" --tenant ");
        hint.push_str(tenant);
    }
    Error::unavailable(format!(
        "{NAME}: the Azure CLI does not take claims challenges; run (Azure CLI 2.76.0 or later): {hint}"
    ))
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

/// Reads what `az` printed.
fn read(stdout: &[u8], now: i64, local: &dyn Fn(&str) -> Option<i64>) -> Result<Told, String> {
    let mut seen = false;
    let raw = tool::objects::<Raw>(stdout).inspect(|_| seen = true).find(|raw| raw.access_token.is_some());
    let Some(raw) = raw else {
        return Err(if seen { "has no accessToken" } else { "is not the JSON of a token" }.to_owned());
    };
    let text = raw.access_token.filter(|text| !text.expose().is_empty()).ok_or("has no accessToken")?;
    let epoch = raw.expires_on.as_ref().and_then(|value| value.as_i64().or_else(|| value.as_str()?.parse().ok()));
    let expires_on = epoch
        .or_else(|| local(raw.expires_on_local.as_deref()?))
        .ok_or("has neither a readable expires_on nor expiresOn")?;
    let told = tool::told(text, expires_on, now)?;
    Ok(Told { tenant: raw.tenant.filter(|tenant| !tenant.is_empty()), ..told })
}

impl Source for AzureCli {
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

    fn told(stdout: &str) -> Result<i64, String> {
        read(stdout.as_bytes(), NOW, &|text| (text == "2023-11-15 00:00:00.000000").then_some(NOW + 99))
            .map(|told| told.expires_on)
    }

    #[test]
    fn outputs() {
        let cases = [
            (r#"{"accessToken":"t","expires_on":1700000060,"expiresOn":"x"}"#, Ok(NOW + 60)),
            (r#"{"accessToken":"t","expires_on":"1700000060"}"#, Ok(NOW + 60)),
            (r#"{"accessToken":"t","expiresOn":"2023-11-15 00:00:00.000000"}"#, Ok(NOW + 99)),
            ("WARNING: {old}\n{\"accessToken\":\"t\",\"expires_on\":1700000060}\nbye", Ok(NOW + 60)),
            ("{\n  \"accessToken\": \"t\",\n  \"expires_on\": 1700000060\n}\n", Ok(NOW + 60)),
            ("", Err("is not the JSON of a token")),
            ("{}", Err("has no accessToken")),
            (r#"{"accessToken":""}"#, Err("has no accessToken")),
            (r#"{"accessToken":"t"}"#, Err("has neither a readable expires_on nor expiresOn")),
            (r#"{"accessToken":"t","expires_on":1699999999}"#, Err("holds a token that expired 1 s ago")),
            (
                r#"{"accessToken":"a b","expires_on":1700000060}"#,
                Err("holds a token with characters that no token has"),
            ),
            (r#"{"accessToken":7}"#, Err("is not the JSON of a token")),
        ];
        for (stdout, expected) in cases {
            assert_eq!(told(stdout), expected.map_err(str::to_owned), "{stdout}");
        }
    }
}
