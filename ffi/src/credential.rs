//! `azcred_credential`: the handle.

use std::ffi::{CString, c_char, c_void};
use std::mem::MaybeUninit;

use azcred::{Credential, Spelling};

use crate::error::{azcred_error, azcred_status, text};
use crate::guard::{given, guard, null, object, token_place};
use crate::options::azcred_options;
use crate::request::{self, azcred_token_request};
use crate::token::azcred_token;

/// A source of tokens. Making one does no I/O and starts no thread; all credentials of a process with the same identity
/// share their tokens. May be used from any threads at once, save while it is being freed.
///
/// `azcred_credential_new`, `azcred_credential_new_chain`, `azcred_credential_name`, `azcred_credential_get_token`,
/// `azcred_credential_get_token_async`, `azcred_credential_authenticate`, `azcred_credential_authenticate_async`,
/// `azcred_credential_reject`, `azcred_credential_statistics`, `azcred_credential_free`.
pub struct azcred_credential {
    credential: Credential,
    name: CString,
}

impl azcred_credential {
    pub(crate) fn credential(&self) -> &Credential {
        &self.credential
    }

    fn boxed(credential: Credential) -> Box<azcred_credential> {
        Box::new(azcred_credential { name: text(credential.name()), credential })
    }
}

/// Called once with the outcome of `azcred_credential_get_token_async`: exactly one of `token` and `error` is not NULL,
/// and it is the callee's to free.
pub type azcred_token_callback =
    Option<extern "C" fn(user_data: *mut c_void, token: *mut azcred_token, error: Option<Box<azcred_error>>)>;

/// Frees what a callback or a function was given as `user_data`.
pub type azcred_user_data_free = Option<extern "C" fn(user_data: *mut c_void)>;

/// Creates a credential by its class name, such as "DefaultAzureCredential", "ManagedIdentityCredential",
/// "ClientSecretCredential", "EnvironmentCredential" or "AzureCliCredential". Environment variables are read here.
///
/// Copies `name` and `options`; `options` may be NULL. `*credential_out` owns an object for `azcred_credential_free`,
/// NULL on failure; on failure `*error_out`, if given, owns an error that names the option or variable that is wrong.
/// Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_credential_new(
    name: *const c_char,
    options: Option<&azcred_options>,
    credential_out: Option<&mut MaybeUninit<Option<Box<azcred_credential>>>>,
    error_out: Option<&mut MaybeUninit<Option<Box<azcred_error>>>>,
) -> azcred_status {
    guard(error_out, || {
        let out = given(credential_out, "credential_out")?;
        let name = request::text(name, "name")?;
        let options = options.map(azcred_options::given).unwrap_or_default();
        azcred::log_as_the_environment_says();
        *out = Some(azcred_credential::boxed(Credential::new(&name, options, Spelling::Snake)?));
        Ok(())
    })
}

/// Creates a chain (`ChainedTokenCredential`) that asks its members in their order until one is available.
///
/// Borrows the `members_len` credentials of `members` for the call; they may be freed afterwards. `*credential_out` owns
/// an object for `azcred_credential_free`, NULL on failure; on failure `*error_out`, if given, owns an error. Any thread.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_credential_new_chain(
    members: *const *const azcred_credential,
    members_len: usize,
    credential_out: Option<&mut MaybeUninit<Option<Box<azcred_credential>>>>,
    error_out: Option<&mut MaybeUninit<Option<Box<azcred_error>>>>,
) -> azcred_status {
    guard(error_out, || {
        let out = given(credential_out, "credential_out")?;
        let members = request::members(members, members_len)?;
        *out = Some(azcred_credential::boxed(Credential::chain(&members)?));
        Ok(())
    })
}

/// The credential's class name.
///
/// Borrows `credential`; the text lives as long as it. NULL gives NULL. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_credential_name(credential: Option<&azcred_credential>) -> *const c_char {
    credential.map_or(std::ptr::null(), |credential| credential.name.as_ptr())
}

/// Gets a token: from the cache at once, else it blocks this thread until the source has answered, the request's timeout
/// has passed or its cancellation is triggered. Nothing of azcred's runs on this thread meanwhile. Not from inside a
/// completion of azcred's (`AZCRED_INVALID_ARGUMENT`); a function that is an option may call it.
///
/// Borrows `credential` and `request`. `*token_out` owns a token for `azcred_token_free`, NULL on failure; on failure
/// `*error_out`, if given, owns an error. Any thread, any number at once. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_credential_get_token(
    credential: Option<&azcred_credential>,
    request: *const azcred_token_request,
    token_out: Option<&mut MaybeUninit<*mut azcred_token>>,
    error_out: Option<&mut MaybeUninit<Option<Box<azcred_error>>>>,
) -> azcred_status {
    guard(error_out, || {
        let out = token_place(token_out, "token_out")?;
        let credential = &object(credential, "credential")?.credential;
        let token = match request::peek(request, |peek| credential.peek(peek))? {
            Some(token) => token,
            None => credential.get_token(&request::read(request)?)?,
        };
        *out = azcred_token::given(token);
        Ok(())
    })
}

/// Gets a token without blocking: `callback` is called exactly once, on a thread of azcred's, never from inside this call;
/// `user_data_free`, if given, right after it. The callback must not block. If this call fails, neither is called.
///
/// Borrows `credential` and copies `request`; both may go before the callback. On failure `*error_out`, if given, owns an
/// error. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_credential_get_token_async(
    credential: Option<&azcred_credential>,
    request: *const azcred_token_request,
    callback: azcred_token_callback,
    user_data: *mut c_void,
    user_data_free: azcred_user_data_free,
    error_out: Option<&mut MaybeUninit<Option<Box<azcred_error>>>>,
) -> azcred_status {
    guard(error_out, || {
        let credential = object(credential, "credential")?;
        let callback = callback.ok_or_else(|| null("callback"))?;
        let request = request::read(request)?;
        // An address, so that it may travel to azcred's thread, which the contract above allows.
        let user_data = user_data.expose_provenance();
        credential.credential.start(request, move |answer| {
            let user_data = || std::ptr::with_exposed_provenance_mut(user_data);
            match answer {
                Ok(token) => callback(user_data(), azcred_token::given(token), None),
                Err(error) => callback(user_data(), std::ptr::null_mut(), Some(azcred_error::boxed(error))),
            }
            if let Some(free) = user_data_free {
                free(user_data());
            }
        })
    })
}

/// Says that a resource refused this token though it looks alive (HTTP 401): the next call asks the source for another
/// one. Gives whether it will: not for a token that is not the newest, nor twice for the same one, nor sooner than 30 s
/// after the one before, so that a resource that refuses everything leads to no storm upstream.
///
/// Borrows `credential` and `token`; NULL gives false. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_credential_reject(
    credential: Option<&azcred_credential>,
    token: Option<&azcred_token>,
) -> bool {
    credential.zip(token).is_some_and(|(credential, token)| credential.credential.reject(token.handle().secret()))
}

/// Frees a credential. Calls in progress end by themselves; the cache stays for others of the same identity.
///
/// Consumes `credential`; NULL does nothing. Never does I/O. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_credential_free(credential: Option<Box<azcred_credential>>) {
    drop(credential);
}
