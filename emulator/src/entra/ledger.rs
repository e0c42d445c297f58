//! What Entra remembers between two requests.

use std::sync::atomic::{AtomicU32, Ordering};

use super::{codes::Code, devices::Device, refresh_tokens::Refresh, shelf::Shelf};

/// Codes, tokens and devices that are out, and what they stand for.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) codes: Shelf<Code>,
    pub(crate) devices: Shelf<Device>,
    pub(crate) refresh_tokens: Shelf<Refresh>,
    /// Client assertions that were used.
    pub(crate) assertions: Shelf<()>,
    denials: AtomicU32,
}

impl Ledger {
    /// How many of the next sign-ins the user will decline.
    pub(crate) fn deny(&self, count: u32) {
        self.denials.store(count, Ordering::Relaxed);
    }

    /// Whether the user declines this one.
    pub(crate) fn denies(&self) -> bool {
        self.denials.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }
}
