//! A function of the caller's, as an option: named texts go in, a text comes out.
//!
//! Client assertions and device-code prompts are asked for through it. It runs while somebody waits for a token, on a
//! thread of the door that made it, and never on azcred's own, which serves every other token meanwhile.

use std::fmt;
use std::sync::Arc;

use tokio::sync::oneshot;

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

    /// A function that is only started by the call, and gives its reply later, from any thread.
    pub fn deferred(start: impl Fn(Told, Pending) + Send + Sync + 'static) -> Function {
        Function::new(move |told| {
            let (pending, reply) = Pending::pair();
            start(told, pending);
            Box::pin(async move { reply.await.unwrap_or_else(|| Err("it ended without an answer".to_owned())) })
        })
    }

    /// A function that blocks its thread; it is given one of its own for the call.
    pub fn blocking(call: impl Fn(Told) -> Reply + Send + Sync + 'static) -> Function {
        let call = Arc::new(call);
        Function::deferred(move |told, pending| {
            let call = Arc::clone(&call);
            on_a_thread(move || pending.give(call(told)));
        })
    }

    /// Calls it. Only ever on the driver.
    pub(crate) fn call(&self, told: Told) -> Boxed<'static, Reply> {
        (self.0)(told)
    }
}

/// Runs what may block on a thread of its own. Not one of the runtime's, of which there are few: code that hangs would
/// take them from the requests that look up names.
pub(crate) fn on_a_thread(body: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().name("azcred-call".into());
    // A thread that can't be had drops the body, and with it what waits for the reply.
    drop(azcred_platform::without_signals(|| thread.spawn(body)));
}

/// A call under way. Dropped without a reply, it fails.
#[derive(Debug)]
pub struct Pending<R = Reply>(oneshot::Sender<R>);

impl<R> Pending<R> {
    /// A call, and its reply; `None` if it was dropped without one.
    pub(crate) fn pair() -> (Pending<R>, impl Future<Output = Option<R>> + Send)
    where
        R: Send,
    {
        let (sender, receiver) = oneshot::channel();
        (Pending(sender), async move { receiver.await.ok() })
    }

    /// Ends the call. Whoever waited may have left.
    pub fn give(self, reply: R) {
        drop(self.0.send(reply));
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
