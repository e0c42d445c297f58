//! `azcred_token`: what comes back.

use std::ffi::{CString, c_char};
use std::ptr;
use std::sync::OnceLock;

use azcred::AccessToken;

use crate::error::text;

/// A token for one resource. Its texts live as long as it does, and none is a copy of the token.
///
/// `azcred_token_secret`, `azcred_token_secret_len`, `azcred_token_authorization`, `azcred_token_type`,
/// `azcred_token_expires_on`, `azcred_token_refresh_on`, `azcred_token_credential`, `azcred_token_source`,
/// `azcred_token_tenant_id`, `azcred_token_client_id`, `azcred_token_cache_level`, `azcred_token_free`.
pub struct azcred_token {
    token: AccessToken,
    origin: OnceLock<Origin>,
}

/// The provenance as texts for C, made when asked for.
struct Origin {
    credential: CString,
    source: CString,
    tenant_id: Option<CString>,
    client_id: Option<CString>,
    level: CString,
}

impl azcred_token {
    pub(crate) fn boxed(token: AccessToken) -> Box<azcred_token> {
        Box::new(azcred_token { token, origin: OnceLock::new() })
    }

    fn origin(&self) -> &Origin {
        self.origin.get_or_init(|| {
            let provenance = self.token.provenance();
            Origin {
                credential: text(provenance.credential),
                source: text(provenance.source),
                tenant_id: provenance.tenant_id.as_deref().map(text),
                client_id: provenance.client_id.as_deref().map(text),
                level: text(self.token.cache_level().name()),
            }
        })
    }
}

/// `Bearer ` before the token.
const SCHEME: usize = 7;

fn bytes(token: Option<&azcred_token>, from: usize) -> *const c_char {
    token
        .and_then(|token| token.token.authorization_with_nul().get(from..))
        .map_or(ptr::null(), |bytes| bytes.as_ptr().cast())
}

/// The token's text. Don't log it.
///
/// Borrows `token`; the text lives as long as it, NUL-terminated. NULL gives NULL. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_token_secret(token: Option<&azcred_token>) -> *const c_char {
    bytes(token, SCHEME)
}

/// The length of the token's text in bytes, without the final NUL.
///
/// Borrows `token`. NULL gives 0. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_token_secret_len(token: Option<&azcred_token>) -> usize {
    token.map_or(0, |token| token.token.secret().len())
}

/// The value of an `Authorization` header: "Bearer " and the token. Don't log it.
///
/// Borrows `token`; the text lives as long as it, NUL-terminated. NULL gives NULL. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_token_authorization(token: Option<&azcred_token>) -> *const c_char {
    bytes(token, 0)
}

/// The token's type: "Bearer".
///
/// Gives text that lives as long as the program. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_token_type(token: Option<&azcred_token>) -> *const c_char {
    token.map_or(ptr::null(), |_| c"Bearer".as_ptr())
}

/// When the token dies, in Unix seconds.
///
/// Borrows `token`. NULL gives 0. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_token_expires_on(token: Option<&azcred_token>) -> i64 {
    token.map_or(0, |token| token.token.expires_on())
}

/// From when on a renewal is due, in Unix seconds; azcred renews by itself when asked for the token again.
///
/// Borrows `token`. NULL gives 0. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_token_refresh_on(token: Option<&azcred_token>) -> i64 {
    token.map_or(0, |token| token.token.refresh_on())
}

/// The credential that fetched the token, such as "ManagedIdentityCredential": in a chain, the member.
///
/// Borrows `token`; the text lives as long as it. NULL gives NULL. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_token_credential(token: Option<&azcred_token>) -> *const c_char {
    token.map_or(ptr::null(), |token| token.origin().credential.as_ptr())
}

/// What that credential asked: "imds", "app_service", "service_fabric", "azure_arc", "azure_ml", "cloud_shell", "entra",
/// "azure_cli", "azure_powershell", "azure_developer_cli".
///
/// Borrows `token`; the text lives as long as it. NULL gives NULL. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_token_source(token: Option<&azcred_token>) -> *const c_char {
    token.map_or(ptr::null(), |token| token.origin().source.as_ptr())
}

/// The tenant asked for; NULL where the source takes none.
///
/// Borrows `token`; the text lives as long as it. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_token_tenant_id(token: Option<&azcred_token>) -> *const c_char {
    token.and_then(|token| token.origin().tenant_id.as_ref()).map_or(ptr::null(), |text| text.as_ptr())
}

/// The client id of the identity; NULL where it is not known.
///
/// Borrows `token`; the text lives as long as it. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_token_client_id(token: Option<&azcred_token>) -> *const c_char {
    token.and_then(|token| token.origin().client_id.as_ref()).map_or(ptr::null(), |text| text.as_ptr())
}

/// Which cache answered this call: "source" (none) or "process".
///
/// Borrows `token`; the text lives as long as it. NULL gives NULL. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_token_cache_level(token: Option<&azcred_token>) -> *const c_char {
    token.map_or(ptr::null(), |token| token.origin().level.as_ptr())
}

/// Frees a token; what is freed last of its text is wiped.
///
/// Consumes `token`; NULL does nothing. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_token_free(token: Option<Box<azcred_token>>) {
    drop(token);
}
