//! When to ask again: a decision from an answer, without waiting for anything.

use std::time::Duration;

use super::http::{HttpError, HttpFault, Response};
use super::moment;

/// Which answers are asked for again, and after what pauses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetryPolicy {
    /// Statuses worth another try.
    statuses: fn(u16) -> bool,
    /// The pause after each failed try; their number bounds the tries.
    pauses: &'static [Duration],
    /// The pauses after a 410, with which IMDS says that it is being updated.
    gone: &'static [Duration],
    /// The pauses after a 429 of a service that many ask at once, about which their askers must spread.
    throttled: &'static [Duration],
    /// How often a connection that could not be made is tried again.
    connects: usize,
}

/// What to do with an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Take it.
    Answer,
    /// Ask again after this pause.
    Retry(Duration),
    /// Ask again after the first of these and a part of the second, by chance: others were turned away too.
    Spread(Duration, Duration),
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// No source waits longer than this between two tries; a longer `Retry-After` is the caller's to keep.
const LONGEST_PAUSE: Duration = Duration::from_secs(25);

impl RetryPolicy {
    /// One try.
    pub(crate) const NEVER: RetryPolicy =
        RetryPolicy { statuses: |_| false, pauses: &[], gone: &[], throttled: &[], connects: 0 };

    /// Entra: 408, 429 and what a gateway says, three times from 0.8 s, as azure-core does.
    pub(crate) const ENTRA: RetryPolicy = RetryPolicy {
        statuses: |status| matches!(status, 408 | 429 | 500 | 502..=504),
        pauses: &[ms(800), ms(1600), ms(3200)],
        gone: &[],
        throttled: &[],
        connects: 3,
    };

    /// Identity endpoints of App Service and its kin: as Entra; a 404 there is an answer.
    pub(crate) const APP_SERVICE: RetryPolicy = RetryPolicy { connects: 2, ..RetryPolicy::ENTRA };

    /// IMDS, whose documentation asks for retries on 404, 410 (for 70 s), 429 and 5xx.
    pub(crate) const IMDS: RetryPolicy = RetryPolicy {
        statuses: |status| matches!(status, 404 | 408 | 410 | 429 | 500..=599),
        pauses: &[ms(800), ms(1600), ms(3200), ms(6400), ms(12_800)],
        gone: &[ms(5_000), ms(10_000), ms(15_000), ms(20_000), ms(25_000)],
        // It takes 20 a second of all processes of a host: two hundred get through in a quarter of a minute.
        throttled: &[ms(1000), ms(2000), ms(4000), ms(8000), ms(12_000)],
        connects: 2,
    };

    /// The same, with at most this many retries.
    pub(crate) fn at_most(self, retries: usize) -> RetryPolicy {
        let first = |pauses: &'static [Duration]| pauses.get(..retries).unwrap_or(pauses);
        RetryPolicy {
            pauses: first(self.pauses),
            gone: first(self.gone),
            throttled: first(self.throttled),
            connects: self.connects.min(retries),
            ..self
        }
    }

    /// What to do after try number `attempt` (from 0) at `now` (Unix seconds, for `Retry-After` dates).
    pub(crate) fn next(&self, attempt: usize, answer: &Result<Response, HttpError>, now: i64) -> Next {
        let (pauses, asked) = match answer {
            Ok(response) if !(self.statuses)(response.status) => return Next::Answer,
            Ok(response) if response.status == 429 && !self.throttled.is_empty() => {
                return self.spread(attempt, retry_after(response, now));
            }
            Ok(response) if response.status == 410 => (self.gone, retry_after(response, now)),
            Ok(response) => (self.pauses, retry_after(response, now)),
            Err(error) => match error.fault {
                HttpFault::Connect | HttpFault::Exhausted => {
                    (self.pauses.get(..self.connects).unwrap_or_default(), None)
                }
                HttpFault::Timeout | HttpFault::Broken => (self.pauses, None),
                HttpFault::Tls | HttpFault::TooLarge | HttpFault::Refused => return Next::Answer,
            },
        };
        match (pauses.get(attempt), asked) {
            (None, _) => Next::Answer,
            (Some(_), Some(asked)) if asked > LONGEST_PAUSE => Next::Answer,
            (Some(pause), asked) => Next::Retry((*pause).max(asked.unwrap_or_default())),
        }
    }
}

impl RetryPolicy {
    /// What a service says is waited for in full, and the spread comes after it.
    fn spread(&self, attempt: usize, asked: Option<Duration>) -> Next {
        match (self.throttled.get(attempt), asked.unwrap_or_default()) {
            (Some(pause), asked) if asked <= LONGEST_PAUSE => Next::Spread(asked.max(*pause / 2), *pause),
            _ => Next::Answer,
        }
    }
}

/// `Retry-After` in either form of RFC 9110 section 10.2.3.
pub(crate) fn retry_after(response: &Response, now: i64) -> Option<Duration> {
    let text = response.header("retry-after")?.trim();
    let seconds = match text.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => u64::try_from(moment::http_date(text)?.saturating_sub(now)).unwrap_or(0),
    };
    Some(Duration::from_secs(seconds.min(24 * 3600)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "beside `fault` in one table")]
    fn answer(status: u16, retry_after: Option<&str>) -> Result<Response, HttpError> {
        let headers = retry_after.map(|value| ("retry-after".to_owned(), value.to_owned()));
        Ok(Response { status, headers: headers.into_iter().collect(), body: Vec::new().into() })
    }

    fn fault(fault: HttpFault) -> Result<Response, HttpError> {
        Err(HttpError { fault, message: String::new() })
    }

    #[test]
    fn the_table() {
        use Next::{Answer, Retry, Spread};
        let cases = [
            (RetryPolicy::ENTRA, 0, answer(200, None), Answer),
            (RetryPolicy::ENTRA, 0, answer(400, None), Answer),
            (RetryPolicy::ENTRA, 0, answer(401, None), Answer),
            (RetryPolicy::ENTRA, 0, answer(503, None), Retry(ms(800))),
            (RetryPolicy::ENTRA, 2, answer(503, None), Retry(ms(3200))),
            (RetryPolicy::ENTRA, 3, answer(503, None), Answer),
            (RetryPolicy::ENTRA, 0, answer(429, Some("7")), Retry(ms(7000))),
            (RetryPolicy::ENTRA, 0, answer(429, Some("3600")), Answer),
            (RetryPolicy::ENTRA, 0, answer(429, Some("soon")), Retry(ms(800))),
            (RetryPolicy::ENTRA, 0, answer(429, Some("Thu, 01 Jan 1970 00:01:50 GMT")), Retry(ms(10_000))),
            (RetryPolicy::ENTRA, 0, answer(404, None), Answer),
            (RetryPolicy::IMDS, 0, answer(404, None), Retry(ms(800))),
            (RetryPolicy::IMDS, 1, answer(410, None), Retry(ms(10_000))),
            (RetryPolicy::IMDS, 5, answer(410, None), Answer),
            (RetryPolicy::IMDS, 0, answer(429, None), Spread(ms(500), ms(1000))),
            (RetryPolicy::IMDS, 0, answer(429, Some("3")), Spread(ms(3000), ms(1000))),
            (RetryPolicy::IMDS, 0, answer(429, Some("30")), Answer),
            (RetryPolicy::IMDS, 4, answer(429, None), Spread(ms(6000), ms(12_000))),
            (RetryPolicy::IMDS, 5, answer(429, None), Answer),
            (RetryPolicy::IMDS, 1, fault(HttpFault::Connect), Retry(ms(1600))),
            (RetryPolicy::IMDS, 2, fault(HttpFault::Connect), Answer),
            (RetryPolicy::IMDS, 0, fault(HttpFault::TooLarge), Answer),
            (RetryPolicy::ENTRA.at_most(10), 2, answer(503, None), Retry(ms(3200))),
            (RetryPolicy::ENTRA.at_most(10), 3, answer(503, None), Answer),
            (RetryPolicy::ENTRA.at_most(1), 0, fault(HttpFault::Connect), Retry(ms(800))),
            (RetryPolicy::ENTRA.at_most(1), 1, fault(HttpFault::Connect), Answer),
            (RetryPolicy::ENTRA.at_most(1), 1, answer(503, None), Answer),
            (RetryPolicy::ENTRA.at_most(0), 0, fault(HttpFault::Timeout), Answer),
            (RetryPolicy::NEVER, 0, fault(HttpFault::Connect), Answer),
            (RetryPolicy::NEVER, 0, answer(503, None), Answer),
        ];
        for (number, (policy, attempt, given, expected)) in cases.into_iter().enumerate() {
            assert_eq!(policy.next(attempt, &given, 100), expected, "case {number}");
        }
    }

    #[test]
    fn imds_updates_are_waited_for_over_70_seconds() {
        assert!(RetryPolicy::IMDS.gone.iter().sum::<Duration>() >= Duration::from_secs(70));
    }
}
