//! The one wall: a result or a panic becomes a status.

use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use azcred::{Error, ErrorKind};

use crate::error::{azcred_error, azcred_status};
use crate::token::azcred_token;

/// Where a function puts a thing that the caller owns from then on.
pub(crate) type Out<'a, T> = Option<&'a mut MaybeUninit<Option<Box<T>>>>;

/// Runs the body of an exported function. Whatever happens in it, `error_out` is NULL on success and else owns an
/// error, and the caller gets a status.
pub(crate) fn guard(error_out: Out<'_, azcred_error>, body: impl FnOnce() -> Result<(), Error>) -> azcred_status {
    let result = catch_unwind(AssertUnwindSafe(body))
        .unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, "a bug in azcred was contained; please report it")));
    let (status, error) = match result {
        Ok(()) => (azcred_status::AZCRED_OK, None),
        Err(error) => (azcred_status::of(error.kind()), Some(azcred_error::boxed(error))),
    };
    if let Some(out) = error_out {
        out.write(error);
    }
    status
}

/// The place of an output that must be given, set to NULL.
pub(crate) fn given<'a, T>(out: Out<'a, T>, name: &str) -> Result<&'a mut Option<Box<T>>, Error> {
    let out = out.ok_or_else(|| null(name))?;
    Ok(out.write(None))
}

/// Where a function puts a token, which is counted and not boxed.
pub(crate) type TokenOut<'a> = Option<&'a mut MaybeUninit<*mut azcred_token>>;

/// The place of a token that must be given, set to NULL.
pub(crate) fn token_place<'a>(out: TokenOut<'a>, name: &str) -> Result<&'a mut *mut azcred_token, Error> {
    let out = out.ok_or_else(|| null(name))?;
    Ok(out.write(std::ptr::null_mut()))
}

/// An object that must be given.
pub(crate) fn object<'a, T>(given: Option<&'a T>, name: &str) -> Result<&'a T, Error> {
    given.ok_or_else(|| null(name))
}

/// The error of a NULL where there must be something.
pub(crate) fn null(name: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("{name}: expected a pointer, got NULL"))
}
