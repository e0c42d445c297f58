//! The one place that reads caller memory: texts, arrays and the request struct.

use std::ffi::{CStr, c_char};
use std::mem::{MaybeUninit, offset_of};
use std::sync::Arc;
use std::time::Duration;

use azcred::{AccessToken, Credential, Error, ErrorKind, Peek, TokenHandle, TokenRequest};

use crate::cancel::azcred_cancel;
use crate::credential::azcred_credential;
use crate::guard::null;
use crate::token::azcred_token;

/// One question to a credential. Start from `AZCRED_TOKEN_REQUEST_INIT` and set what you need; zero means "no wish".
/// Fields are only ever appended; `struct_size` says which ones the caller knows.
#[repr(C)]
pub struct azcred_token_request {
    /// `sizeof(azcred_token_request)`, set by `AZCRED_TOKEN_REQUEST_INIT`.
    pub struct_size: usize,
    /// What the token is for, such as "https://storage.azure.com/.default": `scopes_len` NUL-terminated texts.
    pub scopes: *const *const c_char,
    /// How many scopes there are; managed identities and the Azure CLI take exactly one.
    pub scopes_len: usize,
    /// Another tenant than the credential's own, or NULL.
    pub tenant_id: *const c_char,
    /// The decoded JSON of a claims challenge, or NULL.
    pub claims: *const c_char,
    /// How long this caller waits at most, in milliseconds; 0 waits as long as the source's own deadline.
    pub timeout_ms: u64,
    /// How long the token must still live, in seconds.
    pub min_ttl: i64,
    /// Lets the waiting caller go early, or NULL.
    pub cancel: *const azcred_cancel,
    /// Whether the caller handles claims challenges (continuous access evaluation).
    pub enable_cae: bool,
}

/// More scopes than any service has; a length beyond it is a mistake that must not be read.
const MOST: usize = 4096;

/// Copies a request.
pub(crate) fn read(request: *const azcred_token_request) -> Result<TokenRequest, Error> {
    let request = copy(request)?;
    if request.scopes_len > MOST {
        return Err(argument(format!("request: expected at most {MOST} scopes, got {}", request.scopes_len)));
    }
    let mut scopes = Vec::with_capacity(request.scopes_len);
    for scope in array(request.scopes, request.scopes_len, "request.scopes")? {
        scopes.push(text(scope, "request.scopes")?);
    }
    // SAFETY: by the contract of the struct it is NULL or a living `azcred_cancel`.
    let cancel = unsafe { request.cancel.as_ref() }.map(|cancel| cancel.0.clone());
    Ok(TokenRequest {
        scopes,
        tenant_id: optional(request.tenant_id, "request.tenant_id")?,
        claims: optional(request.claims, "request.claims")?,
        enable_cae: request.enable_cae,
        timeout: (request.timeout_ms > 0).then(|| Duration::from_millis(request.timeout_ms)),
        min_ttl: request.min_ttl,
        cancel,
        authenticate: false,
    })
}

/// Looks for a live token, in the caller's own memory: a request without claims and with few scopes needs no copy for
/// that. Whatever is wrong with its parts is [`read`]'s to say.
pub(crate) fn peek<T>(
    request: *const azcred_token_request,
    look: impl FnOnce(&Peek<'_>) -> Option<T>,
) -> Result<Option<T>, Error> {
    const FEW: usize = 8;
    if request.is_null() {
        return Err(null("request"));
    }
    // SAFETY: `struct_size` is the first field in every version, so a pointer to any version points to it.
    let given = unsafe { request.cast::<usize>().read() };
    if given != size_of::<azcred_token_request>() {
        return Ok(None);
    }
    // Field by field: a copy of the whole waits for the caller's stores, and its flag must not be read as a `bool`.
    let scopes_at: *const *const c_char = field(request, offset_of!(azcred_token_request, scopes));
    let scopes_len: usize = field(request, offset_of!(azcred_token_request, scopes_len));
    let tenant_id: *const c_char = field(request, offset_of!(azcred_token_request, tenant_id));
    let claims: *const c_char = field(request, offset_of!(azcred_token_request, claims));
    let min_ttl: i64 = field(request, offset_of!(azcred_token_request, min_ttl));
    let enable_cae = field::<u8>(request, offset_of!(azcred_token_request, enable_cae)) != 0;
    if !claims.is_null() || scopes_at.is_null() || scopes_len > FEW {
        return Ok(None);
    }
    let mut scopes = [""; FEW];
    for (at, scope) in scopes.iter_mut().enumerate().take(scopes_len) {
        // SAFETY: by contract there are `scopes_len` readable elements, and `at` is below.
        let given = unsafe { scopes_at.add(at) };
        // SAFETY: as above.
        let Some(given) = borrowed(unsafe { given.read() }) else { return Ok(None) };
        *scope = given;
    }
    let wanted = borrowed(tenant_id);
    if wanted.is_none() && !tenant_id.is_null() {
        return Ok(None);
    }
    let scopes = scopes.get(..scopes_len).unwrap_or_default();
    Ok(look(&Peek { scopes, tenant_id: wanted, enable_cae, min_ttl }))
}

/// A field of a request of this version, which the caller has seen to be one.
#[inline]
fn field<T: Copy>(request: *const azcred_token_request, offset: usize) -> T {
    let at = request.wrapping_byte_add(offset).cast::<T>();
    // SAFETY: by contract the caller has a whole struct of this version there, and `T` is the field's type at that offset, or
    // the byte that a `bool` is.
    unsafe { at.read() }
}

/// A text for the length of a call.
fn borrowed<'a>(given: *const c_char) -> Option<&'a str> {
    if given.is_null() {
        return None;
    }
    // SAFETY: by contract it is NUL-terminated and stays as it is during the call; nothing keeps it longer.
    unsafe { CStr::from_ptr(given) }.to_str().ok()
}

/// The token that C gives back.
pub(crate) fn token(given: *mut azcred_token) -> Option<AccessToken> {
    if given.is_null() {
        return None;
    }
    // SAFETY: by contract it came from `azcred_token::given`, which left one count to the caller, and it is gone after this.
    let handle = unsafe { Arc::from_raw(given.cast_const().cast::<TokenHandle>()) };
    Some(AccessToken::from(handle))
}

/// Copies as much of the caller's struct as it has; the rest stays zero, which is "no wish" for every field.
fn copy(request: *const azcred_token_request) -> Result<azcred_token_request, Error> {
    if request.is_null() {
        return Err(null("request"));
    }
    // SAFETY: `struct_size` is the first field in every version, so a pointer to any version points to it.
    let given = unsafe { request.cast::<usize>().read() };
    // The fields up to `scopes_len` were there from the start.
    let least = std::mem::offset_of!(azcred_token_request, scopes_len) + size_of::<usize>();
    if !(least..=1 << 16).contains(&given) {
        return Err(argument(format!(
            "request.struct_size: expected sizeof(azcred_token_request) as AZCRED_TOKEN_REQUEST_INIT sets it, got {given}"
        )));
    }
    check_unknown(request, given)?;
    let mut ours = MaybeUninit::<azcred_token_request>::zeroed();
    // SAFETY: the caller has `struct_size` bytes there, ours has its own size; all zeros is a valid value of every field.
    unsafe {
        std::ptr::copy_nonoverlapping(
            request.cast::<u8>(),
            ours.as_mut_ptr().cast::<u8>(),
            given.min(size_of::<azcred_token_request>()),
        );
    }
    // A `bool` that is neither 0 nor 1 must not be read as one.
    let at = std::mem::offset_of!(azcred_token_request, enable_cae);
    // SAFETY: the offset lies within `ours`, and every byte of it is initialised.
    let flag = unsafe { ours.as_mut_ptr().cast::<u8>().add(at) };
    // SAFETY: as above.
    let value = unsafe { flag.read() };
    // SAFETY: as above.
    unsafe { flag.write(u8::from(value != 0)) };
    // SAFETY: all bytes are initialised and the one field with invalid values has a valid one.
    Ok(unsafe { ours.assume_init() })
}

/// Refuses wishes of a newer header that this library does not know; ignoring them could mean less safety than asked for.
fn check_unknown(request: *const azcred_token_request, given: usize) -> Result<(), Error> {
    let known = size_of::<azcred_token_request>();
    let unknown = given.saturating_sub(known);
    // SAFETY: the caller has `given` bytes there, so `known + unknown` of them when there are unknown ones.
    let tail = unsafe { std::slice::from_raw_parts(request.cast::<u8>().wrapping_add(known), unknown) };
    if tail.iter().any(|byte| *byte != 0) {
        return Err(argument("request: it holds wishes of a newer azcred.h than this library's".to_owned()));
    }
    Ok(())
}

/// The pointers of an array.
fn array<T: Copy>(first: *const T, len: usize, name: &str) -> Result<Vec<T>, Error> {
    if len == 0 {
        return Ok(Vec::new());
    }
    if first.is_null() {
        return Err(null(name));
    }
    // SAFETY: by contract there are `len` readable elements; they are copied before the call returns.
    Ok(unsafe { std::slice::from_raw_parts(first, len) }.to_vec())
}

/// The members of a chain.
pub(crate) fn members(first: *const *const azcred_credential, len: usize) -> Result<Vec<Credential>, Error> {
    if len > MOST {
        return Err(argument(format!("members: expected at most {MOST} credentials, got {len}")));
    }
    let mut members = Vec::with_capacity(len);
    for member in array(first, len, "members")? {
        // SAFETY: by contract each is a living `azcred_credential`; NULL is caught.
        let member = unsafe { member.as_ref() }.ok_or_else(|| null("members"))?;
        members.push(member.credential().clone());
    }
    Ok(members)
}

/// A copy of a text that must be given.
pub(crate) fn text(given: *const c_char, name: &str) -> Result<String, Error> {
    if given.is_null() {
        return Err(null(name));
    }
    // SAFETY: by contract it is NUL-terminated, and it is copied before the call returns.
    let given = unsafe { CStr::from_ptr(given) };
    let text = given.to_str().map_err(|_| argument(format!("{name}: expected UTF-8 text")))?;
    Ok(text.to_owned())
}

/// A copy of bytes.
pub(crate) fn bytes(first: *const u8, len: usize, name: &str) -> Result<Vec<u8>, Error> {
    /// More than any certificate's file; a length beyond it is a mistake that must not be read.
    const LONGEST: usize = 1 << 20;
    if len > LONGEST {
        return Err(argument(format!("{name}: expected at most {LONGEST} bytes, got {len}")));
    }
    array(first, len, name)
}

/// Whether a text is the given name; a NULL is none.
pub(crate) fn is_name(given: *const c_char, name: &str) -> bool {
    // SAFETY: by contract it is NUL-terminated.
    !given.is_null() && unsafe { CStr::from_ptr(given) }.to_bytes() == name.as_bytes()
}

fn optional(given: *const c_char, name: &str) -> Result<Option<String>, Error> {
    if given.is_null() { Ok(None) } else { text(given, name).map(Some) }
}

pub(crate) fn argument(sentence: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, sentence)
}
