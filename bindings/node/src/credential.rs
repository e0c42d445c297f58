//! Handles, and the questions one can ask them.
#![expect(clippy::needless_pass_by_value, reason = "napi gives its functions values of their own")]

use azcred::{AccessToken, Answer, Cancel, Credential, Error, ErrorKind, Peek, Spelling, Statistics, TokenRequest};
use napi::Result;
use napi::bindgen_prelude::{Either, External, ExternalRef, Function, Unknown};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;

use crate::callable;
use crate::error::{Failure, Stop};
use crate::lease::{self, Handle};
use crate::record::Read;
use crate::request::request;
use crate::token::Settled;
use crate::value;

/// A handle, or why there is none. The credential is freed when JavaScript lets go of the handle.
#[napi(object, object_from_js = false)]
pub(crate) struct Created {
    /// The credential.
    pub handle: Option<External<Handle>>,
    /// Why there is none.
    pub error: Option<Failure>,
}

impl Created {
    fn from(credential: std::result::Result<Credential, Stop>) -> Result<Created> {
        Ok(match credential {
            Ok(credential) => Created { handle: Some(External::new(Handle::new(credential))), error: None },
            Err(stop) => Created { handle: None, error: Some(stop.refusal()?) },
        })
    }
}

/// A credential by its class name, its positional arguments under their names, and its options.
#[napi]
pub(crate) fn create(name: String, arguments: Unknown<'_>, options: Unknown<'_>) -> Result<Created> {
    Created::from(build(&name, arguments, options))
}

fn build(name: &str, arguments: Unknown<'_>, options: Unknown<'_>) -> std::result::Result<Credential, Stop> {
    let wrong = |sentence: String| Error::new(ErrorKind::InvalidConfiguration, format!("{name}: {sentence}"));
    let plain = |what: String| wrong(format!("options: expected a plain object, got {what}"));
    let mut entries = value::entries(arguments)?.map_err(plain)?;
    for (option, value) in value::entries(options)?.map_err(plain)? {
        if entries.iter().any(|(given, _)| *given == option) {
            return Err(wrong(format!("{option} is given twice, as an argument and as an option")).into());
        }
        entries.push((option, value));
    }
    azcred::log_as_the_environment_says();
    Ok(Credential::new(name, entries, Spelling::Camel)?)
}

/// Another package's credential as a member of a chain: its class name, and a function of `js/callables.js`.
#[napi]
pub(crate) fn foreign(name: String, ask: Unknown<'_>) -> Result<External<Handle>> {
    Ok(External::new(Handle::new(Credential::foreign_deferred(&name, callable::credential(&name, ask)?))))
}

/// A chain of credentials.
#[napi]
pub(crate) fn chain(members: Vec<ExternalRef<Handle>>) -> Result<Created> {
    let members: Vec<Credential> = members.iter().map(|member| Credential::clone(member)).collect();
    Created::from(Credential::chain(&members).map_err(Stop::from))
}

/// What the cache has: `true` for the token that the caller holds already, another token, an error, or `false`.
#[napi]
pub(crate) fn cached(
    credential: &External<Handle>,
    scopes: Unknown<'_>,
    options: Unknown<'_>,
    held: Option<&External<AccessToken>>,
) -> Result<Either<bool, Settled>> {
    let answer = request(scopes, options).and_then(|request| Ok(credential.cached(&request)?));
    Ok(match answer {
        Ok(Some(token)) => match held {
            Some(held) if token.is_same(held) => Either::A(true),
            _ => Either::B(Settled::from(Ok(token))),
        },
        Ok(None) => Either::A(false),
        Err(stop) => Either::B(Settled::from(stop.refusal()?)),
    })
}

/// The number of a lease on `held`, to ask [`fresh`] with, in the place of the one `before`; nothing where that token is not
/// the one that this request gets, or is to be renewed.
#[napi]
pub(crate) fn lease(
    credential: &External<Handle>,
    scopes: Unknown<'_>,
    options: Unknown<'_>,
    held: &External<AccessToken>,
    before: Option<u32>,
) -> Option<u32> {
    // What is wrong with a request was said when it was asked.
    let request = request(scopes, options).ok()?;
    let TokenRequest { scopes, tenant_id, claims, enable_cae, min_ttl, .. } = &request;
    if claims.is_some() || *min_ttl != 0 {
        return None;
    }
    let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    let peek = Peek { scopes: &scopes, tenant_id: tenant_id.as_deref(), enable_cae: *enable_cae, min_ttl: 0 };
    let lease = credential.lease(&peek).filter(|lease| lease.token().is_same(held))?;
    credential.keep(lease, before)
}

/// Whether the token of a lease is the one to give, and no renewal of it is due: the way of nearly every call.
#[napi]
pub(crate) fn fresh(lease: u32) -> bool {
    lease::is_current(lease)
}

/// Counts calls that the token of a lease answered without [`fresh`].
#[napi]
pub(crate) fn count(lease: u32, calls: u32) {
    lease::count(lease, calls);
}

/// Lets a lease go.
#[napi]
pub(crate) fn release(credential: &External<Handle>, lease: u32) {
    credential.release(lease);
}

/// Notes that a resource refused the token with this text; whether that leads to another one.
#[napi]
pub(crate) fn reject(credential: &External<Handle>, token: String) -> bool {
    credential.reject(&token)
}

/// What happened for an identity so far.
#[napi(object, object_from_js = false)]
pub(crate) struct Counters {
    /// Calls that took a live token out of the cache.
    pub hits: f64,
    /// Calls that found none.
    pub misses: f64,
    /// Of the misses, those that waited for another call's flight.
    pub waiters: f64,
    /// Times that the source was asked.
    pub flights: f64,
    /// Requests sent and programs run by these.
    pub upstream_requests: f64,
    /// Flights that brought no token.
    pub failures: f64,
}

/// What happened so far for a credential's identity in this process.
#[napi]
pub(crate) fn statistics(credential: &External<Handle>) -> Counters {
    let Statistics { hits, misses, waiters, flights, upstream_requests, failures } = credential.statistics();
    Counters {
        hits: number(hits),
        misses: number(misses),
        waiters: number(waiters),
        flights: number(flights),
        upstream_requests: number(upstream_requests),
        failures: number(failures),
    }
}

#[expect(clippy::cast_precision_loss, reason = "JavaScript's numbers; exact up to nine thousand billions")]
fn number(counter: u64) -> f64 {
    counter as f64
}

/// Whether two answers are one token.
#[napi]
pub(crate) fn is_same(one: &External<AccessToken>, other: &External<AccessToken>) -> bool {
    one.is_same(other)
}

/// Asks for a token; `done` is called once with a [`Settled`], later and on this thread, and keeps the process alive
/// until then. An error that is returned is the answer; `done` is not called after it.
#[napi]
pub(crate) fn start(
    credential: &External<Handle>,
    scopes: Unknown<'_>,
    options: Unknown<'_>,
    cancel: Option<&External<Cancel>>,
    done: Function<'_, Settled, ()>,
) -> Result<Option<Failure>> {
    launch(credential, request(scopes, options), cancel, &done)
}

/// [`start`] that has the user sign in; without scopes it is the cloud's management.
#[napi]
pub(crate) fn authenticate(
    credential: &External<Handle>,
    scopes: Unknown<'_>,
    options: Unknown<'_>,
    cancel: Option<&External<Cancel>>,
    done: Function<'_, Settled, ()>,
) -> Result<Option<Failure>> {
    let request = request(scopes, options).and_then(|request| Ok(credential.authentication(request)?));
    launch(credential, request, cancel, &done)
}

/// Who signed in.
#[napi]
pub(crate) fn signed_in(credential: &External<Handle>) -> Read {
    credential.signed_in().into()
}

fn launch(
    credential: &Credential,
    request: std::result::Result<TokenRequest, Stop>,
    cancel: Option<&External<Cancel>>,
    done: &Function<'_, Settled, ()>,
) -> Result<Option<Failure>> {
    let request = match request {
        Ok(request) => TokenRequest { cancel: cancel.map(|cancel| Cancel::clone(cancel)), ..request },
        Err(stop) => return Ok(Some(stop.refusal()?)),
    };
    let done = done.build_threadsafe_function::<Answer>().build_callback(|answer| Ok(Settled::from(answer.value)))?;
    let settle = move |answer| {
        // A worker that ended meanwhile has nobody left to tell.
        let _gone = done.call(answer, ThreadsafeFunctionCallMode::NonBlocking);
    };
    Ok(credential.start(request, settle).err().map(|error| Failure::from(&error)))
}

/// A cancellation for one call of [`start`].
#[napi]
pub(crate) fn canceller() -> External<Cancel> {
    External::new(Cancel::new())
}

/// Lets the call go that was started with this.
#[napi]
pub(crate) fn cancel(cancel: &External<Cancel>) {
    cancel.trigger();
}
