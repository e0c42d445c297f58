//! `azcred_bearer_token_provider`: a credential and the request that is always asked.

use std::mem::MaybeUninit;

use azcred::Prepared;

use crate::credential::azcred_credential;
use crate::error::{azcred_error, azcred_status};
use crate::guard::{given, guard, object, token_place};
use crate::request::{self, azcred_token_request};
use crate::token::azcred_token;

/// A credential and the request it is always asked, for clients that take a function and one pointer: what azure-identity
/// calls a bearer token provider. May be used from any threads at once, save while it is being freed.
///
/// `azcred_bearer_token_provider_new`, `azcred_bearer_token_provider_get`, `azcred_bearer_token_provider_free`.
pub struct azcred_bearer_token_provider(Prepared);

/// Creates a provider of tokens for `request`, which is read once and checked.
///
/// Borrows `credential`, which may be freed afterwards, and copies `request`. `*provider_out` owns an object for
/// `azcred_bearer_token_provider_free`, NULL on failure; on failure `*error_out`, if given, owns an error. A cancellation in
/// `request` counts for all calls. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_bearer_token_provider_new(
    credential: Option<&azcred_credential>,
    request: *const azcred_token_request,
    provider_out: Option<&mut MaybeUninit<Option<Box<azcred_bearer_token_provider>>>>,
    error_out: Option<&mut MaybeUninit<Option<Box<azcred_error>>>>,
) -> azcred_status {
    guard(error_out, || {
        let out = given(provider_out, "provider_out")?;
        let credential = object(credential, "credential")?.credential().clone();
        let prepared = Prepared::new(credential, request::read(request)?)?;
        *out = Some(Box::new(azcred_bearer_token_provider(prepared)));
        Ok(())
    })
}

/// Gets a live token, as `azcred_credential_get_token` does: from the cache at once, else it blocks this thread. Its text is
/// `azcred_token_secret`, its header form `azcred_token_authorization`.
///
/// Borrows `provider`. `*token_out` owns a token for `azcred_token_free`, NULL on failure; on failure `*error_out`, if given,
/// owns an error. Any thread, any number at once. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_bearer_token_provider_get(
    provider: Option<&azcred_bearer_token_provider>,
    token_out: Option<&mut MaybeUninit<*mut azcred_token>>,
    error_out: Option<&mut MaybeUninit<Option<Box<azcred_error>>>>,
) -> azcred_status {
    guard(error_out, || {
        let out = token_place(token_out, "token_out")?;
        *out = azcred_token::given(object(provider, "provider")?.0.get()?);
        Ok(())
    })
}

/// Frees a provider. Calls in progress end by themselves.
///
/// Consumes `provider`; NULL does nothing. Never does I/O. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_bearer_token_provider_free(provider: Option<Box<azcred_bearer_token_provider>>) {
    drop(provider);
}
