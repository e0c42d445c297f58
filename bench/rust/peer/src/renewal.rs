//! A caller whose token is cached, while the server stalls over another one.

use std::time::{Duration, Instant};

use crate::credential::{SCOPE, make, runtime};

const LOOKS: usize = 300;

/// Prints a line when the token is there and waits for one; then the seconds that the caller waited at most.
pub fn other() -> serde_json::Value {
    runtime().block_on(async {
        let credential = make("managed_identity");
        credential.get_token(&[SCOPE], None).await.expect("a token");
        println!("warm");
        std::io::stdin().read_line(&mut String::new()).expect("a line");
        let fetching = {
            let credential = credential.clone();
            tokio::spawn(async move { credential.get_token(&["https://vault.azure.net/.default"], None).await.is_ok() })
        };
        tokio::task::yield_now().await;
        let mut longest = Duration::ZERO;
        for _ in 0..LOOKS {
            let begun = Instant::now();
            credential.get_token(&[SCOPE], None).await.expect("a token");
            longest = longest.max(begun.elapsed());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(fetching.await.expect("it ends"), "the other token comes");
        serde_json::json!({ "seconds": longest.as_secs_f64() })
    })
}
