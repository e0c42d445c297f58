//! Which of a few copies of a thing a thread uses, so that threads on different cores do not write to one cache line.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many copies there are. Threads beyond that share; a copy costs a token 128 bytes.
pub(crate) const STRIPES: usize = 8;

static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static MINE: Cell<usize> = const { Cell::new(STRIPES) };
}

/// This thread's copy, below [`STRIPES`]: threads get them in turn.
pub(crate) fn mine() -> usize {
    let mine = MINE.get();
    if mine < STRIPES { mine } else { take() }
}

#[cold]
fn take() -> usize {
    let mine = NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES;
    MINE.set(mine);
    mine
}

#[cfg(test)]
mod tests {
    use super::{STRIPES, mine};

    #[test]
    fn a_thread_keeps_its_own() {
        assert_eq!(mine(), mine());
        assert!(mine() < STRIPES);
    }
}
