//! `azcred_cancel`: lets waiting callers go.

use azcred::Cancel;

/// A cancellation: created, named in requests, triggered from any thread, freed.
///
/// `azcred_cancel_new`, `azcred_cancel_trigger`, `azcred_cancel_free`.
pub struct azcred_cancel(pub(crate) Cancel);

/// Creates a cancellation that nobody triggered yet.
///
/// Gives an object for `azcred_cancel_free`. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
#[expect(clippy::unnecessary_box_returns, reason = "the caller owns a pointer")]
pub extern "C" fn azcred_cancel_new() -> Box<azcred_cancel> {
    Box::new(azcred_cancel(Cancel::new()))
}

/// Lets everyone go who waits with this cancellation, and everyone who will: their calls end with `AZCRED_CANCELLED`.
/// A fetch they waited on goes on and fills the cache.
///
/// Borrows `cancel`; NULL does nothing. Any thread, signal handlers excluded. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_cancel_trigger(cancel: Option<&azcred_cancel>) {
    if let Some(cancel) = cancel {
        cancel.0.trigger();
    }
}

/// Frees a cancellation; requests that name it keep their own hold on it.
///
/// Consumes `cancel`; NULL does nothing. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_cancel_free(cancel: Option<Box<azcred_cancel>>) {
    drop(cancel);
}
