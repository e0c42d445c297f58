//! The first token of a process.

use crate::credential::{SCOPE, make, runtime};

/// Gets one.
pub fn token(kind: &str) -> serde_json::Value {
    runtime().block_on(async {
        let token = make(kind).get_token(&[SCOPE], None).await.expect("a token");
        serde_json::json!({ "length": token.token.secret().len() })
    })
}
