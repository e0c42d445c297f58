//! Who signed in: an account of Entra ID, and the record of it that programs keep.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::token::Secret;
use crate::wire::answer::UserAnswer;
use crate::wire::entra::Authority;

/// An account, as the record of a sign-in. It holds no secret: programs may write it to a file, and pin a later
/// credential to the same account with it. The form is azure-identity's, version 1.0.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthenticationRecord {
    /// The authority's host.
    pub authority: String,
    /// The application that the account signed in to.
    pub client_id: String,
    /// The account, in the form `object id.tenant id` of its home tenant.
    pub home_account_id: String,
    /// The tenant it signed in to.
    pub tenant_id: String,
    /// Its name, such as `user@contoso.com`.
    pub username: String,
    version: &'static str,
}

/// The one version there is.
const VERSION: &str = "1.0";

/// A record as a text gives it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    authority: String,
    client_id: String,
    home_account_id: String,
    tenant_id: String,
    username: String,
    version: Option<String>,
}

/// Within the sources: whose tokens these are.
pub(crate) type Account = AuthenticationRecord;

impl AuthenticationRecord {
    /// Reads a record's JSON text.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn from_json(text: &str) -> Result<AuthenticationRecord, String> {
        const EXPECTED: &str = "expected the JSON text of an authentication record: authority, clientId, homeAccountId, \
                                tenantId, username and version 1.0";
        let Written { authority, client_id, home_account_id, tenant_id, username, version } =
            serde_json::from_str(text).map_err(|_| EXPECTED.to_owned())?;
        if let Some(version) = version.filter(|version| version != VERSION) {
            let version = crate::request::shown(&version);
            return Err(format!("expected a record of version {VERSION}, got version '{version}'"));
        }
        Ok(AuthenticationRecord { authority, client_id, home_account_id, tenant_id, username, version: VERSION })
    }

    /// Its JSON text.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The account of an answer with an id token; claims of an answer over TLS need no signature check
    /// (OpenID Connect Core section 3.1.3.7).
    pub(super) fn read(user: &UserAnswer, authority: &Authority, client_id: &str) -> Option<Account> {
        let claims = decoded(user.id_token.as_ref()?.expose().split('.').nth(1)?)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        let home = user
            .client_info
            .as_deref()
            .and_then(decoded)
            .and_then(|info| Some(format!("{}.{}", info.get("uid")?.as_str()?, info.get("utid")?.as_str()?)));
        let issuer = text("iss").and_then(|issuer| Url::parse(&issuer).ok());
        let host = issuer.as_ref().and_then(|issuer| {
            let host = issuer.host_str()?;
            Some(issuer.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
        });
        Some(AuthenticationRecord {
            authority: host.unwrap_or_else(|| authority.host().to_owned()),
            client_id: client_id.to_owned(),
            home_account_id: home.or_else(|| text("sub"))?,
            tenant_id: text("tid").unwrap_or_default(),
            username: text("preferred_username").or_else(|| text("upn")).unwrap_or_default(),
            version: VERSION,
        })
    }
}

/// The nonce that an answer's id token holds.
pub(super) fn nonce(user: &UserAnswer) -> Option<Secret> {
    let claims = decoded(user.id_token.as_ref()?.expose().split('.').nth(1)?)?;
    Some(Secret::new(claims.get("nonce")?.as_str()?))
}

fn decoded(part: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_read_from_an_answer() {
        let claims = r#"{"iss":"https://localhost:8443/t/v2.0","tid":"t","sub":"s","preferred_username":"u@x"}"#;
        let id_token = Some(Secret::new(format!("h.{}.s", URL_SAFE_NO_PAD.encode(claims))));
        let client_info = Some(URL_SAFE_NO_PAD.encode(r#"{"uid":"o","utid":"h"}"#));
        let authority = Authority::parse("https://localhost:8443").unwrap();
        let user = UserAnswer { refresh_token: None, id_token, client_info };
        let account = Account::read(&user, &authority, "c").unwrap();
        assert_eq!(account.home_account_id, "o.h");
        assert_eq!(account.authority, "localhost:8443");
        let text = account.to_json();
        assert_eq!(
            text,
            r#"{"authority":"localhost:8443","clientId":"c","homeAccountId":"o.h","tenantId":"t","username":"u@x","version":"1.0"}"#
        );
        assert_eq!(AuthenticationRecord::from_json(&text).unwrap(), account);
        let without = UserAnswer { client_info: Some("%%".into()), ..user };
        assert_eq!(Account::read(&without, &authority, "c").unwrap().home_account_id, "s");
        for id_token in ["", "a", "a.%.b", "a.e30.b"] {
            let user = UserAnswer { refresh_token: None, id_token: Some(Secret::new(id_token)), client_info: None };
            assert!(Account::read(&user, &authority, "c").is_none(), "{id_token}");
        }
    }

    #[test]
    fn records_that_are_none_are_refused() {
        let old =
            r#"{"authority":"a","clientId":"c","homeAccountId":"h","tenantId":"t","username":"u","version":"2.0"}"#;
        assert_eq!(
            AuthenticationRecord::from_json(old).unwrap_err(),
            "expected a record of version 1.0, got version '2.0'"
        );
        for text in ["", "{}", "[]", r#"{"authority":1}"#] {
            assert!(AuthenticationRecord::from_json(text).unwrap_err().starts_with("expected the JSON text"));
        }
    }
}
