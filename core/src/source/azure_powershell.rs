//! `AzurePowerShellCredential`: the developer's own login, by asking Azure PowerShell for a token.
//!
//! The script is the same for every request; what it asks for enters by the environment, so that no value is ever read as
//! code.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::tool::{self, Known, Told, Tool};
use super::{About, Ask, Fetch, Grant, Source};
use crate::error::Error;
use crate::options::Options;
use crate::token::Secret;
use crate::world::World;

/// The class name.
pub(crate) const NAME: &str = "AzurePowerShellCredential";

static PWSH: tool::Kind = tool::Kind {
    credential: NAME,
    source: "azure_powershell",
    title: "PowerShell (pwsh)",
    programs: if cfg!(windows) { &["pwsh", "powershell"] } else { &["pwsh"] },
    home: "https://aka.ms/powershell",
    profile: &["HOME", "USERPROFILE"],
    login: tool::Login { variables: &[], folder: ".Azure", files: &["AzureRmContext.json"] },
    known: &[
        Known {
            said: &[
                "NO_AZ_ACCOUNT_MODULE",
                "The specified module 'Az.Accounts' with version '2.2.0' was not loaded because no valid module file was found",
            ],
            meaning: "the module Az.Accounts is not installed: run 'Install-Module Az.Accounts' in PowerShell",
        },
        Known {
            said: &["AZ_ACCOUNTS_MODULE_TOO_OLD"],
            meaning: "the module Az.Accounts is older than 2.2.0: run 'Update-Module Az.Accounts' in PowerShell",
        },
        Known {
            said: &["Run Connect-AzAccount to login"],
            meaning: "nobody is signed in: run 'Connect-AzAccount' in PowerShell",
        },
        Known {
            said: &["AuthorizationManager check failed"],
            meaning: "the execution policy does not let PowerShell load the module Az.Accounts",
        },
    ],
};

const SCRIPT: &str = include_str!("azure_powershell.ps1");

#[derive(Debug)]
pub(crate) struct AzurePowerShell {
    tool: Tool,
}

impl AzurePowerShell {
    pub(crate) fn from_options(world: &World, options: Options) -> Result<AzurePowerShell, Error> {
        let timeout = options.process_timeout();
        let tenants = (options.tenant_id, options.additionally_allowed_tenants);
        Ok(AzurePowerShell { tool: Tool::new(&PWSH, world, tenants, timeout, "")? })
    }

    async fn ask(&self, ask: &Ask<'_>) -> Result<Grant, Error> {
        let resource = self.tool.resource(ask)?;
        let tenant = self.tool.tenant(ask)?;
        if let Some(claims) = &ask.request.claims {
            return Err(needs_login(claims, tenant));
        }
        let script: Vec<u8> = SCRIPT.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let script = STANDARD.encode(script);
        let environment = vec![
            ("AZURE_IDENTITY_POWERSHELL_RESOURCE", resource.to_owned()),
            ("AZURE_IDENTITY_POWERSHELL_TENANT_ID", tenant.unwrap_or_default().to_owned()),
            ("POWERSHELL_UPDATECHECK", "Off".to_owned()),
            ("NO_COLOR", "true".to_owned()),
        ];
        let arguments = ["-NoProfile", "-NonInteractive", "-EncodedCommand", &script];
        let output = self.tool.run(ask, &arguments, environment).await?;
        let told = read(&output.stdout, ask.world.clock.now());
        self.tool.outcome(ask, &output, told, None)
    }
}

/// `Get-AzAccessToken` can't pass a claims challenge on; a new login can answer it.
fn needs_login(claims: &str, tenant: Option<&str>) -> Error {
    let mut hint = format!("Connect-AzAccount -ClaimsChallenge {}", STANDARD.encode(claims));
    if let Some(tenant) = tenant {
        hint.push_str(" -Tenant ");
        hint.push_str(tenant);
    }
    Error::unavailable(format!(
        "{NAME}: Azure PowerShell does not take claims challenges; run (Az.Accounts 5.2.0 or later): {hint}"
    ))
}

/// Reads the script's line `azsdk%token%expiry`, whatever else was printed.
fn read(stdout: &[u8], now: i64) -> Result<Told, String> {
    let mut lines = stdout.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let line = lines.find_map(|line| line.strip_prefix(b"azsdk%")).ok_or("has no line with a token")?;
    let line = std::str::from_utf8(line).map_err(|_| "holds a token with characters that no token has")?;
    let (text, expires_on) = line.split_once('%').ok_or("has a token without an expiry")?;
    if text.is_empty() {
        return Err("has an empty token".to_owned());
    }
    let expires_on = expires_on.parse().map_err(|_| "has an unreadable expiry")?;
    tool::told(Secret::new(text), expires_on, now)
}

impl Source for AzurePowerShell {
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
            ("\nazsdk%t%1700000060\n\n", Ok(NOW + 60)),
            ("WARNING: old\r\nazsdk%t%1700000060\r\nbye", Ok(NOW + 60)),
            ("", Err("has no line with a token")),
            ("x azsdk%t%1700000060", Err("has no line with a token")),
            ("azsdk%t", Err("has a token without an expiry")),
            ("azsdk%%1700000060", Err("has an empty token")),
            ("azsdk%t%", Err("has an unreadable expiry")),
            ("azsdk%t%1700000060%2", Err("has an unreadable expiry")),
            ("azsdk%System.Security.SecureString %1700000060", Err("holds a token with characters that no token has")),
            ("azsdk%t%1699999999", Err("holds a token that expired 1 s ago")),
        ];
        for (stdout, expected) in cases {
            let told = read(stdout.as_bytes(), NOW).map(|told| told.expires_on);
            assert_eq!(told, expected.map_err(str::to_owned), "{stdout}");
        }
    }

    #[test]
    fn the_script_is_plain_text_without_a_place_for_values() {
        assert!(SCRIPT.is_ascii() && !SCRIPT.contains("{}") && !SCRIPT.contains('\r'));
    }
}
