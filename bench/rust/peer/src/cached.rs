//! Cached calls, on one thread and on two, in the shape of bench/c/loop.c.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::Barrier;
use std::time::Instant;

use azure_core::credentials::TokenCredential;

use crate::credential::{SCOPE, make, runtime};

const ROUNDS: usize = 9;

/// Makes so many calls on this thread; the seconds each took.
fn calls(credential: &Arc<dyn TokenCredential>, number: u32, begin: &Barrier) -> f64 {
    runtime().block_on(async {
        begin.wait();
        let begun = Instant::now();
        for _ in 0..number {
            let token = credential.get_token(&[SCOPE], None).await.expect("a token");
            assert!(!black_box(token).token.secret().is_empty());
        }
        begun.elapsed().as_secs_f64() / f64::from(number)
    })
}

/// Has a thread stay on one of the processors that this process may use.
fn pin(place: usize) {
    // SAFETY: a cpu_set_t is plain memory, for which zeros are a value, and the calls get its size.
    unsafe {
        let mut allowed: libc::cpu_set_t = std::mem::zeroed();
        libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut allowed);
        let numbers = usize::try_from(libc::CPU_SETSIZE).unwrap_or(0);
        let own: Vec<usize> = (0..numbers).filter(|number| libc::CPU_ISSET(*number, &allowed)).collect();
        let mut one: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(own[place % own.len()], &mut one);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const one);
    }
}

/// The mean of what that many threads saw per call.
fn together(threads: usize, credential: &Arc<dyn TokenCredential>, number: u32) -> f64 {
    let begin = Barrier::new(threads);
    let all: f64 = std::thread::scope(|scope| {
        let begin = &begin;
        let start = |place| {
            scope.spawn(move || {
                pin(place);
                calls(credential, number, begin)
            })
        };
        let threads: Vec<_> = (0..threads).map(start).collect();
        threads.into_iter().map(|thread| thread.join().expect("no call failed")).sum()
    });
    let threads = threads as f64;
    all / threads
}

/// A credential that has its token.
fn warm() -> Arc<dyn TokenCredential> {
    let credential = make("managed_identity");
    calls(&credential, 1, &Barrier::new(1));
    credential
}

/// Measures.
pub fn time() -> serde_json::Value {
    let credential = warm();
    let number = (0.02 / together(1, &credential, 5000)) as u32 + 1;
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        one.push(together(1, &credential, number));
        two.push(together(2, &credential, number));
    }
    one.sort_by(f64::total_cmp);
    two.sort_by(f64::total_cmp);
    serde_json::json!({ "one": one[ROUNDS / 2], "two": two[ROUNDS / 2] })
}

/// Makes so many calls, for who counts instructions.
pub fn make_calls(number: u32) -> serde_json::Value {
    calls(&warm(), number, &Barrier::new(1));
    serde_json::json!({})
}
