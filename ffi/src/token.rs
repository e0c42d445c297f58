//! `azcred_token`: what comes back.

use std::convert::Infallible;
use std::ffi::{CString, c_char};
use std::ptr;
use std::sync::Arc;

use azcred::{AccessToken, CacheLevel, TokenHandle};

use crate::error::text;
use crate::request;

/// A token for one resource. Its texts live as long as it does, and none is a copy of the token. Getting one from the
/// cache and freeing it allocates nothing.
///
/// `azcred_token_secret`, `azcred_token_secret_len`, `azcred_token_authorization`, `azcred_token_type`,
/// `azcred_token_expires_on`, `azcred_token_refresh_on`, `azcred_token_credential`, `azcred_token_source`,
/// `azcred_token_tenant_id`, `azcred_token_client_id`, `azcred_token_cache_level`, `azcred_token_free`.
// The header has an opaque type; cbindgen would write an alias where it sees the representation.
#[cfg_attr(not(cbindgen), repr(transparent))]
pub struct azcred_token(TokenHandle);

/// The provenance as texts for C, made when asked for.
struct Origin {
    credential: CString,
    source: CString,
    tenant_id: Option<CString>,
    client_id: Option<CString>,
}

impl azcred_token {
    /// The pointer that C has, which holds a count until `azcred_token_free`.
    pub(crate) fn given(token: AccessToken) -> *mut azcred_token {
        Arc::into_raw(token.into_handle()).cast::<azcred_token>().cast_mut()
    }

    pub(crate) fn handle(&self) -> &TokenHandle {
        &self.0
    }

    fn origin(&self) -> Option<&Origin> {
        let made: Result<Option<&Origin>, Infallible> = self.0.converted(|| {
            let provenance = self.0.provenance();
            Ok(Origin {
                credential: text(provenance.credential),
                source: text(provenance.source),
                tenant_id: provenance.tenant_id.as_deref().map(text),
                client_id: provenance.client_id.as_deref().map(text),
            })
        });
        made.unwrap_or_default()
    }
}

/// One of the provenance's texts.
fn origin(token: Option<&azcred_token>, pick: impl Fn(&Origin) -> Option<&CString>) -> *const c_char {
    token.and_then(azcred_token::origin).and_then(pick).map_or(ptr::null(), |text| text.as_ptr())
}

/// `Bearer ` before the token.
const SCHEME: usize = 7;

fn bytes(token: Option<&azcred_token>, from: usize) -> *const c_char {
    token
        .and_then(|token| token.0.authorization_with_nul().get(from..))
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
    token.map_or(0, |token| token.0.secret().len())
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
    token.map_or(0, |token| token.0.expires_on())
}

/// From when on a renewal is due, in Unix seconds; azcred renews by itself when asked for the token again.
///
/// Borrows `token`. NULL gives 0. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_token_refresh_on(token: Option<&azcred_token>) -> i64 {
    token.map_or(0, |token| token.0.refresh_on())
}

/// The credential that fetched the token, such as "ManagedIdentityCredential": in a chain, the member.
///
/// Borrows `token`; the text lives as long as it. NULL gives NULL. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_token_credential(token: Option<&azcred_token>) -> *const c_char {
    origin(token, |origin| Some(&origin.credential))
}

/// What that credential asked: "imds", "app_service", "service_fabric", "azure_arc", "azure_ml", "cloud_shell", "entra",
/// "azure_cli", "azure_powershell", "azure_developer_cli".
///
/// Borrows `token`; the text lives as long as it. NULL gives NULL. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_token_source(token: Option<&azcred_token>) -> *const c_char {
    origin(token, |origin| Some(&origin.source))
}

/// The tenant asked for; NULL where the source takes none.
///
/// Borrows `token`; the text lives as long as it. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_token_tenant_id(token: Option<&azcred_token>) -> *const c_char {
    origin(token, |origin| origin.tenant_id.as_ref())
}

/// The client id of the identity; NULL where it is not known.
///
/// Borrows `token`; the text lives as long as it. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_token_client_id(token: Option<&azcred_token>) -> *const c_char {
    origin(token, |origin| origin.client_id.as_ref())
}

/// Which cache answered this call: "source" (none), "process", or "store" (another process of the user had fetched it).
///
/// Borrows `token`; the text lives as long as the program. NULL gives NULL. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_token_cache_level(token: Option<&azcred_token>) -> *const c_char {
    token.map_or(ptr::null(), |token| match token.0.cache_level() {
        CacheLevel::Source => c"source".as_ptr(),
        CacheLevel::Process => c"process".as_ptr(),
        CacheLevel::Store => c"store".as_ptr(),
    })
}

/// Frees a token; what is freed last of its text is wiped.
///
/// Consumes `token`; NULL does nothing. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_token_free(token: *mut azcred_token) {
    drop(request::token(token));
}
