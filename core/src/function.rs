//! A function of the caller's, as an option: named texts go in, a text comes out.
//!
//! Client assertions and device-code prompts are asked for through it. It runs while somebody waits for a token, on a
//! thread of the door that made it, and never on azcred's own, which serves every other token meanwhile.

use std::fmt;
use std::sync::Arc;

use crate::token::Secret;
use crate::world::Boxed;

/// What a call brings: a text where one is asked for, or the sentence that says why there is none.
pub type Reply = Result<Option<Secret>, String>;

/// What a call is told: names and texts, the same at every door.
pub type Told = Vec<(&'static str, String)>;

/// A function of the caller's. Two are equal if they are one.
#[derive(Clone)]
pub struct Function(Arc<dyn Fn(Told) -> Boxed<'static, Reply> + Send + Sync>);

impl Function {
    /// A function that comes back at once with a future of its reply.
    pub fn new(call: impl Fn(Told) -> Boxed<'static, Reply> + Send + Sync + 'static) -> Function {
        Function(Arc::new(call))
    }

    /// A function that blocks its thread; it is given one of its own for the call.
    pub fn blocking(call: impl Fn(Told) -> Reply + Send + Sync + 'static) -> Function {
        let call = Arc::new(call);
        Function::new(move |told| {
            let call = Arc::clone(&call);
            Box::pin(async move {
                let reply = tokio::task::spawn_blocking(move || call(told)).await;
                reply.unwrap_or_else(|_| Err("it panicked".to_owned()))
            })
        })
    }

    /// Calls it. Only ever on the driver.
    pub(crate) fn call(&self, told: Told) -> Boxed<'static, Reply> {
        (self.0)(told)
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Function) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Function")
    }
}
