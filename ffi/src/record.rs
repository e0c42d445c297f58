//! `azcred_record`: who signed in.

use std::ffi::{CString, c_char, c_void};
use std::mem::MaybeUninit;

use azcred::AuthenticationRecord;

use crate::credential::{azcred_credential, azcred_user_data_free};
use crate::error::{azcred_error, azcred_status, text};
use crate::guard::{given, guard, null, object};
use crate::request::{self, azcred_token_request};

/// Who signed in. It holds no secret: a program may keep its text, and pin a later credential to the same account with
/// the option "authentication_record".
///
/// `azcred_credential_authenticate`, `azcred_credential_authenticate_async`, `azcred_record_json`, `azcred_record_free`.
pub struct azcred_record {
    json: CString,
}

impl azcred_record {
    fn boxed(record: &AuthenticationRecord) -> Box<azcred_record> {
        Box::new(azcred_record { json: text(&record.to_json()) })
    }
}

/// Called once with the outcome of `azcred_credential_authenticate_async`: exactly one of `record` and `error` is not
/// NULL, and it is the callee's to free.
pub type azcred_record_callback =
    Option<extern "C" fn(user_data: *mut c_void, record: Option<Box<azcred_record>>, error: Option<Box<azcred_error>>)>;

/// Has the user sign in, whatever is cached, and blocks this thread until that is done, the request's timeout has passed
/// or its cancellation is triggered. A request without scopes asks for the cloud's management. Only credentials that a
/// user signs in to: DeviceCodeCredential, InteractiveBrowserCredential, UsernamePasswordCredential. Not from inside a
/// completion of azcred's (`AZCRED_INVALID_ARGUMENT`).
///
/// Borrows `credential` and `request`. `*record_out` owns a record for `azcred_record_free`, NULL on failure; on failure
/// `*error_out`, if given, owns an error. Any thread, any number at once. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_credential_authenticate(
    credential: Option<&azcred_credential>,
    request: *const azcred_token_request,
    record_out: Option<&mut MaybeUninit<Option<Box<azcred_record>>>>,
    error_out: Option<&mut MaybeUninit<Option<Box<azcred_error>>>>,
) -> azcred_status {
    guard(error_out, || {
        let out = given(record_out, "record_out")?;
        let credential = object(credential, "credential")?.credential();
        let request = credential.authentication(request::read(request)?)?;
        credential.get_token(&request)?;
        *out = Some(azcred_record::boxed(&credential.signed_in()?));
        Ok(())
    })
}

/// Has the user sign in without blocking: `callback` is called exactly once, on a thread of azcred's, never from inside
/// this call; `user_data_free`, if given, right after it. The callback must not block. If this call fails, neither is
/// called.
///
/// Borrows `credential` and copies `request`; both may go before the callback. On failure `*error_out`, if given, owns an
/// error. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_credential_authenticate_async(
    credential: Option<&azcred_credential>,
    request: *const azcred_token_request,
    callback: azcred_record_callback,
    user_data: *mut c_void,
    user_data_free: azcred_user_data_free,
    error_out: Option<&mut MaybeUninit<Option<Box<azcred_error>>>>,
) -> azcred_status {
    guard(error_out, || {
        let credential = object(credential, "credential")?.credential().clone();
        let callback = callback.ok_or_else(|| null("callback"))?;
        let request = credential.authentication(request::read(request)?)?;
        // An address, so that it may travel to azcred's thread, which the contract above allows.
        let user_data = user_data.expose_provenance();
        let signed_in = credential.clone();
        credential.start(request, move |answer| {
            let user_data = || std::ptr::with_exposed_provenance_mut(user_data);
            match answer.and_then(|_| signed_in.signed_in()) {
                Ok(record) => callback(user_data(), Some(azcred_record::boxed(&record)), None),
                Err(error) => callback(user_data(), None, Some(azcred_error::boxed(error))),
            }
            if let Some(free) = user_data_free {
                free(user_data());
            }
        })
    })
}

/// The record as JSON text, in azure-identity's form: "authority", "clientId", "homeAccountId", "tenantId", "username",
/// "version".
///
/// Borrows `record`; the text lives as long as it. NULL gives NULL. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_record_json(record: Option<&azcred_record>) -> *const c_char {
    record.map_or(std::ptr::null(), |record| record.json.as_ptr())
}

/// Frees a record.
///
/// Consumes `record`; NULL does nothing. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_record_free(record: Option<Box<azcred_record>>) {
    drop(record);
}
