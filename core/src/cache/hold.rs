//! One token as a process has it: looked at without a lock, replaced on success only.

use std::sync::Arc;

use super::entry::{Entry, Unmet};
use super::failure::Failure;
use super::judge::{Demand, SKEW, Verdict, judge};
use super::primitives::{Primitives, Snapshot as _};
use super::ticket::Answer;
use crate::error::Error;
use crate::moment::Moment;
use crate::token::{AccessToken, TokenHandle};

/// How long after one refusal the next leads upstream, in seconds, in this process and for all of the user's.
pub(crate) const REFUSAL_PAUSE: i64 = 30;

/// How long an answer stands against a demand for a longer life, in seconds.
const ANSWER_STANDS: i64 = 5;

/// A token's place, and that of the error that came instead.
#[derive(Debug)]
pub(crate) struct Hold<P: Primitives> {
    entry: P::Snapshot<Entry>,
    failure: P::Snapshot<Failure>,
}

impl<P: Primitives> Hold<P> {
    pub(crate) fn empty() -> Hold<P> {
        Hold { entry: P::Snapshot::empty(), failure: P::Snapshot::empty() }
    }

    /// What the cache has for a caller, now.
    #[inline]
    pub(crate) fn judge(&self, demand: &Demand, now: Moment) -> Verdict {
        self.entry.read(|entry| judge(entry.map(AsRef::as_ref), demand, now))
    }

    /// Looks at the live token whose renewal is not due.
    #[inline]
    pub(crate) fn fresh<R>(&self, min_ttl: i64, now: Moment, look: impl FnOnce(&Entry) -> R) -> Option<R> {
        self.entry.read(|entry| {
            let entry = entry?;
            let demand = Demand { min_ttl, claims: None };
            (entry.meets(&demand, now) && entry.renews.left(now) > 0).then(|| look(entry))
        })
    }

    /// Whether this very token is the one to give, and no renewal of it is due.
    #[inline]
    pub(crate) fn is_fresh(&self, token: &TokenHandle, now: Moment) -> bool {
        self.entry.read(|entry| {
            entry.is_some_and(|entry| {
                entry.token().is_same(token)
                    && !entry.is_refused
                    && entry.is_alive(0, now)
                    && entry.renews.left(now) > 0
            })
        })
    }

    /// Looks at what is held.
    pub(crate) fn read<R>(&self, look: impl FnOnce(Option<&Entry>) -> R) -> R {
        self.entry.read(|entry| look(entry.map(AsRef::as_ref)))
    }

    /// Puts a token in that was got at `got`, and gives the one to use. One that outlives it stays, unless a resource
    /// refused it or it lacks the claims asked for.
    pub(crate) fn commit(
        &self,
        token: &AccessToken,
        demand: &Demand,
        got: Moment,
        now: Moment,
        rest: i64,
    ) -> AccessToken {
        let fresh = Entry::new(token, demand.claims, got);
        let mut kept = None;
        self.entry.replace(|held| {
            kept = None;
            let Some(held) = held else { return Some(Arc::new(fresh.clone())) };
            if demand.claims.is_none() && !held.is_refused && held.dies.left(now) > fresh.dies.left(now) {
                kept = Some(held.token().clone());
                let rests_until = now.boot.saturating_add(rest);
                return Some(Arc::new(Entry { rests_until, ..Entry::clone(held) }));
            }
            Some(Arc::new(Entry { refusals: held.refusals_for(token), ..fresh.clone() }))
        });
        self.failure.replace(|_| None);
        kept.unwrap_or_else(|| token.clone())
    }

    /// Notes that a renewal failed, so that the next one waits `pause` seconds.
    pub(crate) fn rest(&self, now: Moment, pause: i64) {
        let rests_until = now.boot.saturating_add(pause);
        self.entry.replace(|held| held.map(|held| Arc::new(Entry { rests_until, ..Entry::clone(held) })));
    }

    /// Notes that a resource refused the token with this text; whether that leads to another one.
    pub(crate) fn refuse(&self, text: &str, now: Moment) -> bool {
        let mut done = false;
        self.entry.replace(|held| {
            done = false;
            let held = held?;
            let refused = (held.token().secret() == text).then(|| held.refused(now, REFUSAL_PAUSE)).flatten();
            done = refused.is_some();
            Some(refused.map_or_else(|| Arc::clone(held), Arc::new))
        });
        done
    }

    /// Lets go of the token: whoever has a lease on it must look again.
    pub(crate) fn clear(&self) {
        self.entry.replace(|_| None);
        self.failure.replace(|_| None);
    }

    /// Remembers an error.
    pub(crate) fn fail(&self, failure: Failure) {
        let failure = Arc::new(failure);
        self.failure.replace(|_| Some(Arc::clone(&failure)));
    }

    /// The error that stands against this demand.
    pub(crate) fn failure(&self, demand: &Demand, now: Moment) -> Option<Arc<Failure>> {
        self.failure.read(|failure| failure.filter(|failure| failure.stands(demand, now)).cloned())
    }

    /// Why there is no token with the life that is asked for, where the source did not give it a moment ago.
    pub(crate) fn short(&self, demand: &Demand, now: Moment) -> Option<Error> {
        self.entry.read(|entry| {
            let entry = entry?;
            let unmet = entry.unmet.filter(|unmet| demand.min_ttl >= unmet.min_ttl)?;
            let just = now.boot.saturating_sub(unmet.at) < ANSWER_STANDS;
            let only_short = entry.meets(&Demand { min_ttl: 0, ..*demand }, now) && !entry.meets(demand, now);
            (just && only_short).then(|| too_short(entry.token(), entry.dies.left(now), demand.min_ttl))
        })
    }

    /// A token that has just come, if it has the life that is asked for.
    pub(crate) fn enough(&self, token: AccessToken, min_ttl: i64, now: Moment) -> Answer {
        let life = self.entry.read(|entry| match entry {
            Some(entry) if entry.token().is_same(&token) => entry.dies.left(now),
            _ => now.at(token.expires_on()).left(now),
        });
        if life > min_ttl.max(SKEW) {
            return Ok(token);
        }
        let unmet = Some(Unmet { min_ttl, at: now.boot });
        self.entry.replace(|held| held.map(|held| Arc::new(Entry { unmet, ..Entry::clone(held) })));
        Err(too_short(&token, life, min_ttl))
    }
}

fn too_short(token: &AccessToken, life: i64, min_ttl: i64) -> Error {
    let credential = token.provenance().credential;
    Error::transient(format!("{credential}: the newest token lives {life} s, less than the {min_ttl} s asked for"))
}
