//! Functions of the program's, as options: called on the thread that gave them, and answered from there.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use azcred::{Pending, Reply, Secret, Told};
use napi::Result;
use napi::bindgen_prelude::{External, FnArgs, FromNapiValue as _, Function, Unknown};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;

/// A call that waits for its reply.
type Call = Mutex<Option<Pending>>;

/// The calls that the thread's end must answer: what it has queued then is neither called nor dropped.
#[derive(Default)]
struct Calls(Mutex<Vec<Weak<Call>>>);

impl Calls {
    fn add(&self, call: &Arc<Call>) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.retain(|call| call.strong_count() > 0);
        calls.push(Arc::downgrade(call));
    }
}

/// Goes when the thread ends, or when nothing refers to the function any more.
struct End(Arc<Calls>);

impl Drop for End {
    fn drop(&mut self) {
        let calls = std::mem::take(&mut *self.0.0.lock().unwrap_or_else(PoisonError::into_inner));
        for call in calls.iter().filter_map(Weak::upgrade) {
            give(&call, Err("its thread ended".to_owned()));
        }
    }
}

/// What a function of `js/callables.js` is told: what core says, by name.
#[napi(object, object_from_js = false)]
pub(crate) struct Question {
    /// The address where the user enters the code.
    pub verification_uri: Option<String>,
    /// The code.
    pub user_code: Option<String>,
    /// The sentence with both.
    pub message: Option<String>,
}

/// One call, on its way to the thread.
struct Asked {
    told: Told,
    call: Arc<Call>,
}

/// A function of `js/callables.js`, which takes a question and a handle for [`reply`].
pub(crate) fn function(given: Unknown<'_>) -> Result<azcred::Function> {
    let given = Function::<'_, FnArgs<(Question, External<Arc<Call>>)>, Unknown<'static>>::from_unknown(given)?;
    let calls = Arc::new(Calls::default());
    let end = End(Arc::clone(&calls));
    // Weak: a function that nobody waits for keeps no process alive.
    let call_later = given.build_threadsafe_function::<Asked>().weak::<true>().build_callback(move |context| {
        let _goes_with_this = &end;
        let Asked { told, call } = context.value;
        let mut told: Vec<(&str, Option<String>)> = told.into_iter().map(|(name, text)| (name, Some(text))).collect();
        let mut of = |name: &str| told.iter_mut().find(|(known, _)| *known == name).and_then(|(_, text)| text.take());
        let question =
            Question { verification_uri: of("verification_uri"), user_code: of("user_code"), message: of("message") };
        Ok(FnArgs::from((question, External::new(call))))
    })?;
    Ok(azcred::Function::deferred(move |told, pending| {
        let call = Arc::new(Mutex::new(Some(pending)));
        calls.add(&call);
        // Refused where the thread has ended; the call is dropped then, and with it what waits for the reply.
        let _status = call_later.call(Asked { told, call }, ThreadsafeFunctionCallMode::NonBlocking);
    }))
}

/// Ends a call of the program's function: with its text, with nothing, or with the sentence of what it threw.
#[napi]
pub(crate) fn reply(call: &External<Arc<Call>>, text: Option<String>, sentence: Option<String>) {
    let answer = match sentence {
        Some(sentence) => Err(sentence),
        None => Ok(text.map(Secret::new)),
    };
    give(call, answer);
}

fn give(call: &Call, answer: Reply) {
    let pending = call.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(pending) = pending {
        pending.give(answer);
    }
}
