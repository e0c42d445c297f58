//! What a slot holds: a token, its limits by both clocks, and what is known of it beside.

use ring::digest;

use super::judge::{ClaimsHash, Demand, SKEW};
use crate::moment::Moment;
use crate::stripe::{STRIPES, mine};
use crate::token::{AccessToken, CacheLevel};

/// How many refused tokens a slot remembers, and an entry of the shared store.
pub(crate) const REFUSALS: usize = 8;

/// A slot's content. Replaced whole, never changed.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// One handle for each stripe, so that threads that take the token count on different cache lines.
    pub(super) handles: [AccessToken; STRIPES],
    /// When it was got, here or by another process.
    pub(crate) got: Moment,
    /// When the token dies.
    pub(crate) dies: Moment,
    /// When its renewal is due.
    pub(crate) renews: Moment,
    /// No renewal before this moment, in seconds since the host started.
    pub(crate) rests_until: i64,
    /// A life that was asked for and not given.
    pub(crate) unmet: Option<Unmet>,
    /// The claims it was got with.
    pub(crate) claims: Option<ClaimsHash>,
    /// Whether a resource refused it, so that it is to be replaced.
    pub(crate) is_refused: bool,
    /// Which tokens resources refused, the newest last. A source that gives one of them again has no other.
    pub(crate) refusals: Vec<Refusal>,
}

/// A life in seconds that the source did not give, and when, in seconds since the host started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unmet {
    pub(crate) min_ttl: i64,
    pub(crate) at: i64,
}

/// One token that a resource refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    token: [u8; 32],
    /// In seconds since the host started.
    at: i64,
}

impl Entry {
    /// The entry of a token that was got at `got`.
    pub(crate) fn new(token: &AccessToken, claims: Option<ClaimsHash>, got: Moment) -> Entry {
        Entry {
            handles: std::array::from_fn(|_| token.cached()),
            got,
            dies: got.at(token.expires_on()),
            renews: got.at(token.refresh_on()),
            rests_until: i64::MIN,
            unmet: None,
            claims,
            is_refused: false,
            refusals: Vec::new(),
        }
    }

    /// The token, by this thread's handle.
    pub(crate) fn token(&self) -> &AccessToken {
        self.token_at(mine())
    }

    /// The token, by one of its handles.
    #[inline]
    pub(crate) fn token_at(&self, stripe: usize) -> &AccessToken {
        let [first, ..] = &self.handles;
        self.handles.get(stripe).unwrap_or(first)
    }

    /// Whether the token still has the life that is asked for.
    pub(crate) fn is_alive(&self, min_ttl: i64, now: Moment) -> bool {
        self.dies.left(now) > min_ttl.max(SKEW)
    }

    /// Whether the token will do.
    pub(crate) fn meets(&self, demand: &Demand, now: Moment) -> bool {
        self.is_alive(demand.min_ttl, now)
            && !self.is_refused
            && (demand.claims.is_none() || demand.claims == self.claims)
    }

    /// The entry after a resource refused its token, unless that leads nowhere: the source was asked for another one
    /// before, or less than `pause` seconds ago because of the one before it.
    pub(crate) fn refused(&self, now: Moment, pause: i64) -> Option<Entry> {
        let token = hash(self.token());
        let again = self.refusals.iter().any(|refusal| refusal.token == token);
        let soon = self.refusals.last().is_some_and(|last| now.boot.saturating_sub(last.at) < pause);
        if self.is_refused || again || soon {
            return None;
        }
        let mut refusals = self.refusals.clone();
        if refusals.len() == REFUSALS {
            refusals.remove(0);
        }
        refusals.push(Refusal { token, at: now.boot });
        Some(Entry { is_refused: true, refusals, ..self.clone() })
    }

    /// What is known of refused tokens, for `next` in this one's place. The store gives a refused token again only where
    /// that is for its own pause to say, so that it can be refused again.
    pub(crate) fn refusals_for(&self, next: &AccessToken) -> Vec<Refusal> {
        let mut refusals = self.refusals.clone();
        if next.cache_level() == CacheLevel::Store {
            let token = hash(next);
            refusals.retain(|refusal| refusal.token != token);
        }
        refusals
    }

    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        // The handles with their counts, the token's parts, and the slot around them.
        STRIPES * 128 + self.token().authorization_with_nul().len() + 1024
    }
}

fn hash(token: &AccessToken) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, token.secret().as_bytes()).as_ref());
    bytes
}
