//! What slots are made of, so that a model checker can put its own in the place of the standard library's.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;

/// A family of primitives.
pub(crate) trait Primitives: 'static {
    /// A value that readers see whole.
    type Snapshot<T: 'static>: Snapshot<T>;
    /// A value that one thread at a time works on.
    type Lock<T: 'static>: Lock<T>;
    /// A flag that anybody may look at.
    type Flag: Flag;
}

/// A value that is replaced, never changed: readers take no lock.
pub(crate) trait Snapshot<T> {
    fn empty() -> Self;
    /// Looks at what is there.
    fn read<R>(&self, look: impl FnOnce(Option<&Arc<T>>) -> R) -> R;
    /// Puts what `next` makes of it in its place. `next` is asked again where somebody else was faster.
    fn replace(&self, next: impl FnMut(Option<&Arc<T>>) -> Option<Arc<T>>);
}

/// A value behind a lock that is held for a few lines and never across a call out of the cache.
pub(crate) trait Lock<T> {
    fn of(value: T) -> Self;
    fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R;
}

/// A flag.
pub(crate) trait Flag {
    fn lowered() -> Self;
    fn is_raised(&self) -> bool;
    fn set(&self, raised: bool);
}

/// The standard library's, and arc-swap's snapshots.
#[derive(Debug)]
pub(crate) struct Real;

impl Primitives for Real {
    type Snapshot<T: 'static> = ArcSwapOption<T>;
    type Lock<T: 'static> = Mutex<T>;
    type Flag = AtomicBool;
}

impl<T> Snapshot<T> for ArcSwapOption<T> {
    fn empty() -> Self {
        ArcSwapOption::empty()
    }

    #[inline]
    fn read<R>(&self, look: impl FnOnce(Option<&Arc<T>>) -> R) -> R {
        look(self.load().as_ref())
    }

    fn replace(&self, mut next: impl FnMut(Option<&Arc<T>>) -> Option<Arc<T>>) {
        self.rcu(|held| next(held.as_ref()));
    }
}

impl<T> Lock<T> for Mutex<T> {
    fn of(value: T) -> Self {
        Mutex::new(value)
    }

    fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        // Nothing is left half done under a lock, so that a poisoned one is simply entered.
        work(&mut self.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Flag for AtomicBool {
    fn lowered() -> Self {
        AtomicBool::new(false)
    }

    fn is_raised(&self) -> bool {
        self.load(Ordering::Acquire)
    }

    fn set(&self, raised: bool) {
        self.store(raised, Ordering::Release);
    }
}
