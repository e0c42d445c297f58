//! `azcred_statistics`: what happened for an identity so far.

use std::mem::MaybeUninit;

use azcred::Statistics;

use crate::credential::azcred_credential;
use crate::error::{azcred_error, azcred_status};
use crate::guard::{given, guard, object};

/// How often an identity's tokens were asked for since the process started, and what came of it: a snapshot, which does not
/// change. A forked child goes on from its parent's numbers.
///
/// `azcred_statistics_hits`, `azcred_statistics_misses`, `azcred_statistics_waiters`, `azcred_statistics_flights`,
/// `azcred_statistics_upstream_requests`, `azcred_statistics_failures`, `azcred_statistics_free`.
pub struct azcred_statistics(Statistics);

/// Takes a snapshot of what happened for the credential's identity in this process, by all credentials that share it.
///
/// Borrows `credential`. `*statistics_out` owns an object for `azcred_statistics_free`, NULL on failure; on failure
/// `*error_out`, if given, owns an error. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_credential_statistics(
    credential: Option<&azcred_credential>,
    statistics_out: Option<&mut MaybeUninit<Option<Box<azcred_statistics>>>>,
    error_out: Option<&mut MaybeUninit<Option<Box<azcred_error>>>>,
) -> azcred_status {
    guard(error_out, || {
        let out = given(statistics_out, "statistics_out")?;
        let credential = object(credential, "credential")?.credential();
        *out = Some(Box::new(azcred_statistics(credential.statistics())));
        Ok(())
    })
}

fn of(statistics: Option<&azcred_statistics>, counter: impl Fn(&Statistics) -> u64) -> u64 {
    statistics.map_or(0, |statistics| counter(&statistics.0))
}

/// Calls that took a live token out of the cache.
///
/// Borrows `statistics`. NULL gives 0. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_statistics_hits(statistics: Option<&azcred_statistics>) -> u64 {
    of(statistics, |counters| counters.hits)
}

/// Calls that found no token they could take.
///
/// Borrows `statistics`. NULL gives 0. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_statistics_misses(statistics: Option<&azcred_statistics>) -> u64 {
    of(statistics, |counters| counters.misses)
}

/// Of the misses, those that waited for a flight which another call had started.
///
/// Borrows `statistics`. NULL gives 0. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_statistics_waiters(statistics: Option<&azcred_statistics>) -> u64 {
    of(statistics, |counters| counters.waiters)
}

/// Times that the source was asked, for a caller who waited or to renew ahead of time.
///
/// Borrows `statistics`. NULL gives 0. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_statistics_flights(statistics: Option<&azcred_statistics>) -> u64 {
    of(statistics, |counters| counters.flights)
}

/// HTTP requests that were sent and programs that were run by these flights, retries and probes included.
///
/// Borrows `statistics`. NULL gives 0. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_statistics_upstream_requests(statistics: Option<&azcred_statistics>) -> u64 {
    of(statistics, |counters| counters.upstream_requests)
}

/// Flights that brought no token.
///
/// Borrows `statistics`. NULL gives 0. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_statistics_failures(statistics: Option<&azcred_statistics>) -> u64 {
    of(statistics, |counters| counters.failures)
}

/// Frees a snapshot.
///
/// Consumes `statistics`; NULL does nothing. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_statistics_free(statistics: Option<Box<azcred_statistics>>) {
    drop(statistics);
}
