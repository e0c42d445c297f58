//! The forms in which `azcred token` prints a token.
#![expect(clippy::doc_markdown, reason = "doc comments are the help text")]

use azcred::AccessToken;
use clap::ValueEnum;
use jiff::Timestamp;
use serde_json::json;

use super::variable;

/// Where kubectl says which version of the object it understands.
const KUBERNETES: &str = "KUBERNETES_EXEC_INFO";
/// The versions of Kubernetes' `ExecCredential`: the object is the same in both.
const VERSIONS: [&str; 2] = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

/// A form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// The token alone.
    Text,
    /// An object with the token, its times and where it came from.
    Json,
    /// A header line: `Authorization: Bearer …`.
    Header,
    /// Variables for a shell, docker's --env-file or systemd: AZCRED_TOKEN, AZCRED_TOKEN_EXPIRES_ON (Unix seconds).
    Env,
    /// Kubernetes' ExecCredential, for the users of a kubeconfig.
    ExecCredential,
    /// The bytes of the ODBC attribute SQL_COPT_SS_ACCESS_TOKEN (1256).
    Odbc,
}

impl Output {
    /// Whether this program may be asked for this form, here.
    pub(super) fn check(self) -> Result<(), String> {
        match self {
            Output::ExecCredential => version().map(drop),
            Output::Odbc if std::io::IsTerminal::is_terminal(&std::io::stdout()) => {
                Err("--output odbc: bytes for a program, not for a terminal: expected a file or a pipe".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Whether a program reads it that is known not to be a log.
    pub(super) fn is_read_by_kubectl(self) -> bool {
        self == Output::ExecCredential && variable(KUBERNETES).is_some()
    }

    /// The token in this form, to the last byte.
    pub(super) fn of(self, token: &AccessToken) -> Result<Vec<u8>, String> {
        let line = match self {
            Output::Text => token.secret().to_owned(),
            Output::Json => json(token).to_string(),
            Output::Header => format!("Authorization: {}", token.authorization()),
            Output::Env => environment(token)?,
            Output::ExecCredential => exec_credential(token)?.to_string(),
            Output::Odbc => return odbc(token.secret()),
        };
        Ok(format!("{line}\n").into_bytes())
    }
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

/// Who reads such lines disagrees about quotes, so a token that needs some can't be told this way.
fn environment(token: &AccessToken) -> Result<String, String> {
    let text = token.secret();
    if !is_plain(text) {
        return Err("--output env: the token holds characters that shells read as their own; use json".to_owned());
    }
    Ok(format!("AZCRED_TOKEN={text}\nAZCRED_TOKEN_EXPIRES_ON={}", token.expires_on()))
}

/// The characters of RFC 6750, section 2.1; a shell expands a tilde that comes first.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    text.bytes().all(plain) && !text.starts_with('~')
}

/// <https://kubernetes.io/docs/reference/config-api/client-authentication.v1/>
fn exec_credential(token: &AccessToken) -> Result<serde_json::Value, String> {
    let expires = Timestamp::from_second(token.expires_on()).map_err(|error| format!("the token's expiry: {error}"))?;
    Ok(json!({
        "apiVersion": version()?,
        "kind": "ExecCredential",
        "status": { "token": token.secret(), "expirationTimestamp": expires.to_string() },
    }))
}

/// The version that kubectl asks for; the newest where nobody asks.
fn version() -> Result<&'static str, String> {
    let Some(told) = variable(KUBERNETES) else { return Ok(VERSIONS[0]) };
    let told = serde_json::from_str::<serde_json::Value>(&told).ok();
    let asked = told.as_ref().and_then(|told| told.get("apiVersion")?.as_str());
    let found = VERSIONS.into_iter().find(|known| Some(*known) == asked);
    found.ok_or_else(|| {
        let asked = asked.map_or_else(|| "no version".to_owned(), |asked| format!("'{}'", asked.escape_debug()));
        format!("{KUBERNETES}: expected the apiVersion {}, got {asked}", VERSIONS.join(" or "))
    })
}

/// The length in bytes as four of them, the least significant first, then the token in UTF-16-LE.
/// <https://learn.microsoft.com/sql/connect/odbc/using-azure-active-directory#authenticating-with-an-access-token>
fn odbc(token: &str) -> Result<Vec<u8>, String> {
    let text: Vec<u8> = token.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let length = u32::try_from(text.len()).map_err(|_| "--output odbc: the token is too long".to_owned())?;
    Ok([length.to_le_bytes().as_slice(), &text].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_for_odbc() {
        assert_eq!(odbc("aZ.").unwrap(), [6, 0, 0, 0, b'a', 0, b'Z', 0, b'.', 0]);
    }

    #[test]
    fn what_a_shell_reads_as_it_is() {
        for (text, expected) in [("eyJ0.e30.-_", true), ("a~+/=", true), ("~a", false), ("a b", false), ("a$b", false)]
        {
            assert_eq!(is_plain(text), expected, "{text}");
        }
    }
}
