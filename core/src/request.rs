//! What a caller asks for: scopes, and how long it is willing to wait.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use crate::error::Error;
use crate::generation::PerGeneration;

/// One question to a credential.
///
/// Only `scopes` is required; everything else starts as "no wish".
#[derive(Clone, Debug, Default)]
pub struct TokenRequest {
    /// What the token is for, such as `https://storage.azure.com/.default`. Managed identities and the Azure CLI
    /// take exactly one.
    pub scopes: Vec<String>,
    /// Another tenant than the credential's own; it must be among `additionally_allowed_tenants`. Empty is none.
    pub tenant_id: Option<String>,
    /// The decoded JSON of a claims challenge: the token a resource refused is replaced. Empty is none.
    pub claims: Option<String>,
    /// Whether the caller handles claims challenges (continuous access evaluation).
    pub enable_cae: bool,
    /// How long this caller waits at most; `None` waits as long as the source's own deadline.
    pub timeout: Option<Duration>,
    /// How long the token must still live, in seconds.
    pub min_ttl: i64,
    /// Lets the waiting caller go early.
    pub cancel: Option<Cancel>,
    /// Has the user sign in, whatever the cache holds; see
    /// [`Credential::authentication`](crate::Credential::authentication), which makes such a request.
    pub authenticate: bool,
}

impl TokenRequest {
    /// A request for one scope, without further wishes.
    pub fn scope(scope: impl Into<String>) -> TokenRequest {
        TokenRequest { scopes: vec![scope.into()], ..TokenRequest::default() }
    }

    /// A request for a resource, as managed identity endpoints name it: its scope is the resource and `/.default`.
    pub fn resource(resource: &str) -> TokenRequest {
        TokenRequest::scope(format!("{resource}/.default"))
    }

    /// Refuses what no source could send.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.scopes.is_empty() {
            return Err(Error::argument(
                "expected at least one scope, such as 'https://storage.azure.com/.default', got none",
            ));
        }
        for scope in &self.scopes {
            check_scope(scope)?;
        }
        if let Some(tenant) = wish(self.tenant_id.as_deref()) {
            check_tenant(tenant).map_err(Error::argument)?;
        }
        if let Some(claims) = self.claims() {
            let parsed = serde_json::from_str::<serde_json::Value>(claims);
            if !parsed.is_ok_and(|value| value.is_object()) {
                return Err(Error::argument(
                    "claims: expected a JSON object, as a claims challenge holds it after base64 decoding",
                ));
            }
        }
        if self.min_ttl < 0 {
            return Err(Error::argument(format!("min_ttl: expected seconds from 0 on, got {}", self.min_ttl)));
        }
        Ok(())
    }

    /// The claims, if there are any.
    pub(crate) fn claims(&self) -> Option<&str> {
        wish(self.claims.as_deref())
    }

    /// The one scope of sources that take one, as a resource: without one trailing `/.default`, else byte for byte.
    pub(crate) fn one_resource(&self, credential: &str) -> Result<&str, Error> {
        match self.scopes.as_slice() {
            [scope] => Ok(scope.strip_suffix("/.default").unwrap_or(scope)),
            scopes => Err(Error::argument(format!(
                "{credential} takes exactly one scope, got {}: {}",
                scopes.len(),
                scopes.join(", ")
            ))),
        }
    }
}

/// A text that a caller gave: an empty one is none, as programs pass it on that have none, and as the peers take it.
pub(crate) fn wish(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// A scope token as RFC 6749 section 3.3 has it: visible ASCII without `"` and `\`.
fn check_scope(scope: &str) -> Result<(), Error> {
    let visible = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    if !scope.is_empty() && scope.len() <= MAX_SCOPE && scope.bytes().all(visible) {
        return Ok(());
    }
    Err(Error::argument(format!(
        "malformed scope '{}': expected 1 to {MAX_SCOPE} visible ASCII characters without quotes or backslashes, \
         such as 'https://storage.azure.com/.default'",
        shown(scope)
    )))
}

const MAX_SCOPE: usize = 2048;

/// A tenant is a GUID, a domain name, or a word such as `organizations`.
pub(crate) fn check_tenant(tenant: &str) -> Result<(), String> {
    let mut bytes = tenant.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if first && tenant.len() <= 255 && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')) {
        return Ok(());
    }
    Err(format!(
        "malformed tenant '{}': expected a tenant id (GUID) or domain name of letters, digits, '.' and '-'",
        shown(tenant)
    ))
}

/// A caller's text, made safe for one line of a log: control characters escaped, length bounded.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 120;
    let mut out: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().count() > LONGEST {
        out.push('…');
    }
    out
}

/// Lets waiting callers go: trigger it from any thread. The fetch they waited on is not harmed.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<CancelState>);

#[derive(Debug, Default)]
struct CancelState {
    triggered: AtomicBool,
    /// A forked child has callers of its own, and may be forked while the parent's are in their lock.
    waiting: PerGeneration<Mutex<Vec<Weak<dyn Cancellable>>>>,
}

/// Someone who waits and can be let go.
pub(crate) trait Cancellable: std::fmt::Debug + Send + Sync {
    fn cancel(self: Arc<Self>);
}

impl Cancel {
    /// A cancellation that nobody triggered yet.
    pub fn new() -> Cancel {
        Cancel::default()
    }

    /// Lets everyone go who waits with this, and everyone who will.
    pub fn trigger(&self) {
        self.0.triggered.store(true, Ordering::SeqCst);
        let waiting = self.0.waiting.get();
        let waiting = std::mem::take(&mut *waiting.lock().unwrap_or_else(PoisonError::into_inner));
        for waiter in waiting.iter().filter_map(Weak::upgrade) {
            waiter.cancel();
        }
    }

    /// Whether it was triggered.
    pub fn is_triggered(&self) -> bool {
        self.0.triggered.load(Ordering::SeqCst)
    }

    /// Adds someone who waits; one who comes after the trigger is let go at once.
    pub(crate) fn watch(&self, waiter: &Arc<dyn Cancellable>) {
        {
            let waiting = self.0.waiting.get();
            let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.retain(|waiting| waiting.strong_count() > 0);
            waiting.push(Arc::downgrade(waiter));
        }
        // After it is on the list: a trigger from now on finds it there, one from before is seen here.
        if self.is_triggered() {
            Arc::clone(waiter).cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_scopes_and_tenants_are_named() {
        for scope in ["", "a b", "a\nb", "a\"b", "a\\b", "sk\u{e4}", "\0"] {
            let error = TokenRequest::scope(scope).check().unwrap_err();
            assert!(error.message().starts_with("malformed scope"), "{error}");
            assert!(!error.message().contains('\n'));
        }
        for tenant in ["-h", "a/b", "a b", ".x", "té"] {
            let request = TokenRequest { tenant_id: Some(tenant.into()), ..TokenRequest::scope("https://x/.default") };
            let error = request.check().unwrap_err();
            assert!(error.message().starts_with("malformed tenant"), "{error}");
        }
    }

    #[test]
    fn a_resource_loses_one_default_and_keeps_the_rest() {
        for (scope, resource) in [
            ("https://storage.azure.com/.default", "https://storage.azure.com"),
            ("https://servicebus.azure.net//.default", "https://servicebus.azure.net/"),
            ("https://x/.default/.default", "https://x/.default"),
            ("api://app", "api://app"),
        ] {
            assert_eq!(TokenRequest::scope(scope).one_resource("X").unwrap(), resource);
        }
        let two = TokenRequest { scopes: vec!["a".into(), "b".into()], ..TokenRequest::default() };
        assert!(two.one_resource("X").unwrap_err().message().contains("exactly one scope, got 2"));
    }

    #[test]
    fn claims_are_a_json_object() {
        for claims in [" ", "[]", "{", "eyJ9"] {
            let request = TokenRequest { claims: Some(claims.into()), ..TokenRequest::scope("x") };
            assert!(request.check().is_err(), "{claims}");
        }
    }

    #[test]
    fn an_empty_text_is_no_wish() {
        let (claims, tenant_id) = (Some(String::new()), Some(String::new()));
        let request = TokenRequest { tenant_id, claims, ..TokenRequest::scope("x") };
        assert!(request.check().is_ok());
        assert_eq!(request.claims(), None);
    }
}
