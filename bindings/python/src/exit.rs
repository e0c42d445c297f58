//! The end of the interpreter: no thread may be on its way into Python when it comes.
//!
//! The interpreter ends a thread that asks for it during finalisation, and a thread that ends inside Rust's frames takes
//! the process along. So whoever is about to enter Python takes a pass; the hook that `atexit` runs closes the gate and
//! waits, without the interpreter lock, until every pass is back.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pyo3::prelude::*;

/// The fork generation, whether the gate is closed, and the passes that are out: one word, so that there is no moment
/// between them. A forked child starts with an open gate and no passes, whatever its parent's threads were doing.
static STATE: AtomicU64 = AtomicU64::new(0);

const CLOSED: u64 = 1 << 31;
const PASSES: u64 = CLOSED - 1;

thread_local! {
    /// How many passes this thread has, and of which generation.
    static MINE: Cell<(u64, u32)> = const { Cell::new((0, 0)) };
    /// The generation whose gate this thread closed: it ends the interpreter itself, and what the program still does there,
    /// in hooks of its own, may ask for tokens.
    static CLOSED_HERE: Cell<u64> = const { Cell::new(u64::MAX) };
}

/// Leave to enter Python.
pub(crate) struct Pass {
    generation: u64,
}

/// The state as it is for this process.
fn current(state: u64) -> u64 {
    let generation = azcred_platform::generation() << 32;
    if state >> 32 == generation >> 32 { state } else { generation }
}

/// The passes of this thread in a generation.
fn mine(generation: u64) -> u32 {
    let (of, passes) = MINE.get();
    if of == generation { passes } else { 0 }
}

/// A pass, or `None` when the interpreter is ending: then nobody is left to tell. A thread that has one gets another
/// also then: the program's function that it runs may ask a credential, and its end is waited for.
pub(crate) fn enter() -> Option<Pass> {
    let mut state = STATE.load(Ordering::SeqCst);
    loop {
        let now = current(state);
        let generation = now >> 32;
        if now & CLOSED != 0 && mine(generation) == 0 && CLOSED_HERE.get() != generation {
            return None;
        }
        match STATE.compare_exchange_weak(state, now + 1, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => {
                MINE.set((generation, mine(generation) + 1));
                return Some(Pass { generation });
            }
            Err(changed) => state = changed,
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(left) = mine(self.generation).checked_sub(1) {
            MINE.set((self.generation, left));
        }
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

/// Whether nothing reaches Python any more from other threads.
pub(crate) fn is_closed() -> bool {
    current(STATE.load(Ordering::SeqCst)) & CLOSED != 0
}

/// Closes the gate for good and waits, without the interpreter, for the passes that are out. Most are back in a moment;
/// a function of the program's takes its time, as an executor's thread would, and Ctrl-C ends the wait.
pub(crate) fn close(python: Python<'_>) -> PyResult<()> {
    let mut state = STATE.load(Ordering::SeqCst);
    CLOSED_HERE.set(current(state) >> 32);
    while let Err(changed) =
        STATE.compare_exchange_weak(state, current(state) | CLOSED, Ordering::SeqCst, Ordering::SeqCst)
    {
        state = changed;
    }
    while STATE.load(Ordering::SeqCst) & PASSES != 0 {
        python.detach(|| std::thread::park_timeout(Duration::from_millis(1)));
        python.check_signals()?;
    }
    Ok(())
}

/// Keeps this thread out of Python for ever: the process ends in a moment.
pub(crate) fn stay_out() -> ! {
    loop {
        std::thread::park();
    }
}
