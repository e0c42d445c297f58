//! The end of the interpreter: no thread may be on its way into Python when it comes.
//!
//! The interpreter ends a thread that asks for it during finalisation, and a thread that ends inside Rust's frames takes
//! the process along. So whoever is about to enter Python takes a pass; the hook that `atexit` runs closes the gate and
//! waits, without the interpreter lock, until every pass is back.

use std::sync::atomic::{AtomicU64, Ordering};

/// The fork generation, whether the gate is closed, and the passes that are out: one word, so that there is no moment
/// between them. A forked child starts with an open gate and no passes, whatever its parent's threads were doing.
static STATE: AtomicU64 = AtomicU64::new(0);

const CLOSED: u64 = 1 << 31;
const PASSES: u64 = CLOSED - 1;

/// Leave to enter Python.
pub(crate) struct Pass {
    generation: u64,
}

/// The state as it is for this process.
fn current(state: u64) -> u64 {
    let generation = azcred_platform::generation() << 32;
    if state >> 32 == generation >> 32 { state } else { generation }
}

/// A pass, or `None` when the interpreter is ending: then nobody is left to tell.
pub(crate) fn enter() -> Option<Pass> {
    let mut state = STATE.load(Ordering::SeqCst);
    loop {
        let now = current(state);
        if now & CLOSED != 0 {
            return None;
        }
        match STATE.compare_exchange_weak(state, now + 1, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => return Some(Pass { generation: now >> 32 }),
            Err(changed) => state = changed,
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        // A child that a signal handler forked inside Python drops its parent's pass, which it does not have.
        let mut state = STATE.load(Ordering::SeqCst);
        while state >> 32 == self.generation && state & PASSES != 0 {
            match STATE.compare_exchange_weak(state, state - 1, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => return,
                Err(changed) => state = changed,
            }
        }
    }
}

/// Closes the gate for good and waits for the passes that are out. The caller must not hold the interpreter.
pub(crate) fn close() {
    let mut state = STATE.load(Ordering::SeqCst);
    while let Err(changed) =
        STATE.compare_exchange_weak(state, current(state) | CLOSED, Ordering::SeqCst, Ordering::SeqCst)
    {
        state = changed;
    }
    while STATE.load(Ordering::SeqCst) & PASSES != 0 {
        std::thread::yield_now();
    }
}

/// Keeps this thread out of Python for ever: the process ends in a moment.
pub(crate) fn stay_out() -> ! {
    loop {
        std::thread::park();
    }
}
