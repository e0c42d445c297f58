//! Functions of the program's, as options, and other packages' credentials, as members of chains: called on the thread that
//! gave them, and answered from there.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use azcred::{Error, ErrorKind, ForeignAnswer, ForeignToken, Pending, Reply, Secret, TokenRequest, Told};
use napi::Result;
use napi::bindgen_prelude::{External, FnArgs, FromNapiValue as _, Function, Unknown};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;

/// A call that waits for its reply.
type Call = Mutex<Option<Waiting>>;

/// What the reply is to be.
#[derive(Debug)]
pub(crate) enum Waiting {
    Text(Pending),
    /// Of the credential with this name.
    Token(Arc<str>, Pending<ForeignAnswer>),
}

impl Waiting {
    fn fail(self, sentence: &str) {
        match self {
            Waiting::Text(pending) => pending.give(Err(sentence.to_owned())),
            Waiting::Token(name, pending) => {
                pending.give(Err(Error::new(ErrorKind::Failed, format!("{name}: {sentence}"))));
            }
        }
    }
}

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
            if let Some(waiting) = take(&call) {
                waiting.fail("its thread ended");
            }
        }
    }
}

/// What a function of `js/callables.js` is told: what core says, by name.
#[derive(Default)]
#[napi(object, object_from_js = false)]
pub(crate) struct Question {
    /// The address where the user enters the code.
    pub verification_uri: Option<String>,
    /// The code.
    pub user_code: Option<String>,
    /// The sentence with both.
    pub message: Option<String>,
    /// What another package's credential is asked for.
    pub scopes: Option<Vec<String>>,
    /// In which tenant.
    pub tenant_id: Option<String>,
    /// With which claims.
    pub claims: Option<String>,
    /// Whether its caller handles claims challenges.
    pub enable_cae: Option<bool>,
}

impl From<Told> for Question {
    fn from(told: Told) -> Question {
        let mut told: Vec<(&str, Option<String>)> = told.into_iter().map(|(name, text)| (name, Some(text))).collect();
        let mut of = |name: &str| told.iter_mut().find(|(known, _)| *known == name).and_then(|(_, text)| text.take());
        Question {
            verification_uri: of("verification_uri"),
            user_code: of("user_code"),
            message: of("message"),
            ..Question::default()
        }
    }
}

impl From<TokenRequest> for Question {
    fn from(request: TokenRequest) -> Question {
        let TokenRequest { scopes, tenant_id, claims, enable_cae, .. } = request;
        Question {
            scopes: Some(scopes),
            tenant_id,
            claims,
            enable_cae: enable_cae.then_some(true),
            ..Question::default()
        }
    }
}

/// One call, on its way to the thread.
struct Asked {
    question: Question,
    call: Arc<Call>,
}

/// A function of `js/callables.js`, which takes a question and a handle for [`reply`].
pub(crate) fn function(given: Unknown<'_>) -> Result<azcred::Function> {
    let start = caller(given)?;
    Ok(azcred::Function::deferred(move |told, pending| start(told.into(), Waiting::Text(pending))))
}

/// A function of `js/foreign.js`, which takes a question and a handle for [`answer`].
pub(crate) fn credential(
    name: &str,
    given: Unknown<'_>,
) -> Result<impl Fn(TokenRequest, Pending<ForeignAnswer>) + Send + Sync + 'static> {
    let (start, name) = (caller(given)?, Arc::<str>::from(name));
    Ok(move |request: TokenRequest, pending| start(request.into(), Waiting::Token(Arc::clone(&name), pending)))
}

fn caller(given: Unknown<'_>) -> Result<impl Fn(Question, Waiting) + Send + Sync + 'static> {
    let given = Function::<'_, FnArgs<(Question, External<Arc<Call>>)>, Unknown<'static>>::from_unknown(given)?;
    let calls = Arc::new(Calls::default());
    let end = End(Arc::clone(&calls));
    // Weak: a function that nobody waits for keeps no process alive.
    let call_later = given.build_threadsafe_function::<Asked>().weak::<true>().build_callback(move |context| {
        let _goes_with_this = &end;
        let Asked { question, call } = context.value;
        Ok(FnArgs::from((question, External::new(call))))
    })?;
    Ok(move |question, waiting| {
        let call = Arc::new(Mutex::new(Some(waiting)));
        calls.add(&call);
        // Refused where the thread has ended; the call is dropped then, and with it what waits for the reply.
        let _status = call_later.call(Asked { question, call }, ThreadsafeFunctionCallMode::NonBlocking);
    })
}

/// Ends a call of the program's function: with its text, with nothing, or with the sentence of what it threw.
#[napi]
pub(crate) fn reply(call: &External<Arc<Call>>, text: Option<String>, sentence: Option<String>) {
    let reply: Reply = match sentence {
        Some(sentence) => Err(sentence),
        None => Ok(text.map(Secret::new)),
    };
    if let Some(Waiting::Text(pending)) = take(call) {
        pending.give(reply);
    }
}

/// What another package's credential gave.
#[napi(object, object_to_js = false)]
pub(crate) struct Theirs {
    /// The token, if there is one.
    pub token: Option<String>,
    /// When it dies, in milliseconds since 1970.
    pub expires_on: Option<f64>,
    /// From when on it should be renewed.
    pub refresh_on: Option<f64>,
    /// Why there is none: `UNAVAILABLE`, `TRANSIENT`, else failed.
    pub kind: Option<String>,
    /// In which words.
    pub message: Option<String>,
}

/// Ends a call of another package's credential.
#[napi]
pub(crate) fn answer(call: &External<Arc<Call>>, theirs: Theirs) {
    if let Some(Waiting::Token(_, pending)) = take(call) {
        pending.give(theirs.into());
    }
}

impl From<Theirs> for ForeignAnswer {
    fn from(theirs: Theirs) -> ForeignAnswer {
        let Theirs { token, expires_on, refresh_on, kind, message } = theirs;
        if let (Some(token), Some(expires_on)) = (token, expires_on) {
            let refresh_on = refresh_on.map(seconds);
            return Ok(ForeignToken { text: Secret::new(token), expires_on: seconds(expires_on), refresh_on });
        }
        let kind = [ErrorKind::Unavailable, ErrorKind::Transient]
            .into_iter()
            .find(|known| kind.as_deref() == Some(known.name()));
        Err(Error::new(kind.unwrap_or(ErrorKind::Failed), message.unwrap_or_default()))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a cast stops at the largest number; no token lives so long")]
fn seconds(milliseconds: f64) -> i64 {
    (milliseconds / 1000.0).floor() as i64
}

fn take(call: &Call) -> Option<Waiting> {
    call.lock().unwrap_or_else(PoisonError::into_inner).take()
}
