//! The one place that makes a runtime: a thread of azcred's own, started by the first flight of a process.
//!
//! Callers never run a runtime on their threads: [`wait`] blocks on a condition variable, [`start`] comes back at once.
//! The runtime belongs to one fork generation. A child makes its own; the parent's is neither used nor dropped there.

mod mailbox;

use std::any::Any;
use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, UnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::runtime::Handle;

pub(crate) use self::mailbox::{Patience, wait};
use crate::cache::ticket::Ticket;
use crate::error::{Error, ErrorKind};
use crate::generation::abandon;
use crate::request::{Cancellable, TokenRequest};

#[derive(Debug)]
struct Runtime {
    generation: u64,
    handle: Handle,
}

static CURRENT: ArcSwapOption<Runtime> = ArcSwapOption::const_empty();

thread_local! {
    /// The generation whose driver this thread is: a child forked on it is a program's own thread.
    static DRIVER_OF: Cell<u64> = const { Cell::new(0) };
}

/// Whether this is the driver's own thread, on which nobody may wait for the driver.
pub(crate) fn is_here() -> bool {
    DRIVER_OF.get() == azcred_platform::generation()
}

/// Hands a task to the driver, starting its thread if this process has none.
///
/// # Errors
/// `Transient` where the system gives no thread or descriptor just now.
pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
    // The join handle is let go: the task belongs to the runtime.
    drop(ready()?.spawn(task));
    Ok(())
}

/// Runs `work` on azcred's own thread, after what it is at.
///
/// # Errors
/// `Transient` where the system gives no thread or descriptor just now.
pub fn later(work: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    spawn(async move { work() })
}

/// The driver, running: from here on a task can be handed over without fail.
///
/// # Errors
/// As [`spawn`].
pub(crate) fn ready() -> Result<Handle, Error> {
    let generation = azcred_platform::generation();
    loop {
        let current = CURRENT.load();
        if let Some(runtime) = current.as_ref().filter(|runtime| runtime.generation == generation) {
            return Ok(runtime.handle.clone());
        }
        let (runtime, stop) = run(generation)
            .map_err(|error| Error::transient(format!("azcred's thread could not be started: {error}")))?;
        let previous = CURRENT.compare_and_swap(&*current, Some(Arc::new(runtime)));
        let previous = arc_swap::Guard::into_inner(previous);
        let swapped = match (previous.as_ref(), current.as_ref()) {
            (Some(previous), Some(current)) => Arc::ptr_eq(previous, current),
            (None, None) => true,
            _ => false,
        };
        if swapped {
            abandon(previous);
            // Never stopped: the thread ends with the process.
            stop.keep_running();
        }
    }
}

/// Ends the thread of a runtime that came second, unless told otherwise.
struct Stop(Option<tokio::sync::oneshot::Sender<()>>);

impl Stop {
    fn keep_running(mut self) {
        if let Some(sender) = self.0.take() {
            abandon(sender);
        }
    }
}

fn run(generation: u64) -> std::io::Result<(Runtime, Stop)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(16).build()?;
    let handle = runtime.handle().clone();
    let (sender, stopped) = tokio::sync::oneshot::channel();
    let body = move || {
        DRIVER_OF.set(generation);
        // Both ends of the channel mean the same: this runtime is not needed.
        drop(runtime.block_on(stopped));
    };
    azcred_platform::without_signals(|| std::thread::Builder::new().name("azcred".into()).spawn(body))?;
    Ok((Runtime { generation, handle }, Stop(Some(sender))))
}

/// A task's result, or `None` when its time is up. The task is dropped then.
pub(crate) async fn within<T>(limit: Duration, task: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, task).await.ok()
}

/// A task's result, or what it panicked with: one source's bug must not take the driver along.
pub(crate) async fn caught<T>(task: impl Future<Output = T> + UnwindSafe) -> Result<T, Box<dyn Any + Send>> {
    let mut task = pin!(task);
    std::future::poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => std::task::Poll::Ready(Err(panic)),
    })
    .await
}

/// Lets a caller go when its deadline passes or its cancellation is triggered, whichever comes first.
pub(crate) fn guard(ticket: &Arc<Ticket>, request: &TokenRequest) -> Result<(), Error> {
    if let Some(cancel) = &request.cancel {
        let waiter: Arc<dyn Cancellable> = Arc::clone(ticket) as Arc<dyn Cancellable>;
        cancel.watch(&waiter);
    }
    if let Some(timeout) = request.timeout {
        let ticket = Arc::downgrade(ticket);
        spawn(async move {
            #[expect(clippy::disallowed_methods, reason = "a caller's deadline is real time, whatever the clock says")]
            tokio::time::sleep(timeout).await;
            if let Some(ticket) = ticket.upgrade() {
                ticket.settle(Err(timed_out(timeout)));
            }
        })?;
    }
    Ok(())
}

pub(crate) fn timed_out(timeout: Duration) -> Error {
    Error::new(ErrorKind::TimedOut, format!("no token within the {} ms the caller allowed", timeout.as_millis()))
}
