//! 1,000 callers at once who find no token.

use std::time::Instant;

use crate::credential::{SCOPE, make, runtime};

const CALLERS: usize = 1000;

/// The seconds until the last has one.
pub fn callers() -> serde_json::Value {
    runtime().block_on(async {
        let credential = make("managed_identity");
        let begun = Instant::now();
        let ask = |_| {
            let credential = credential.clone();
            tokio::spawn(async move { credential.get_token(&[SCOPE], None).await })
        };
        let callers: Vec<_> = (0..CALLERS).map(ask).collect();
        for caller in callers {
            caller.await.expect("a caller ends").expect("a token");
        }
        serde_json::json!({ "seconds": begun.elapsed().as_secs_f64() })
    })
}
