//! The way of nearly all calls: a look at a live token, without a request of one's own.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwapOption;
use once_cell::race::OnceBox;

use crate::cache::slot::Slot;
use crate::credential::Credential;
use crate::error::Error;
use crate::request::TokenRequest;
use crate::token::AccessToken;
use crate::world::{Clock, World};

/// What a look into the cache needs to know of a request, borrowed from the caller.
///
/// A request with claims can't be answered by a look, and how long a caller would wait does not matter for one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Peek<'a> {
    /// As in [`TokenRequest`](crate::TokenRequest).
    pub scopes: &'a [&'a str],
    /// As in [`TokenRequest`](crate::TokenRequest).
    pub tenant_id: Option<&'a str>,
    /// As in [`TokenRequest`](crate::TokenRequest).
    pub enable_cae: bool,
    /// As in [`TokenRequest`](crate::TokenRequest).
    pub min_ttl: i64,
}

/// A token, and its place in the cache: whoever asks for the same thing again finds out here whether that token is still
/// the one to give, without finding the place again.
///
/// A door that keeps what it made of a token keeps a lease with it. It is over when a renewal is due or done, when a
/// resource refused the token, and when the cache let go of it; then ask the credential, which starts what is due.
#[derive(Clone)]
pub struct Lease {
    slot: Arc<Slot>,
    clock: Arc<dyn Clock>,
    token: AccessToken,
    /// Where the host's configuration leads: the version of it under which the lease was given.
    terms: Option<(World, u64)>,
}

impl Lease {
    pub(crate) fn new(
        slot: &Arc<Slot>,
        clock: &Arc<dyn Clock>,
        token: AccessToken,
        terms: Option<(World, u64)>,
    ) -> Lease {
        Lease { slot: Arc::clone(slot), clock: Arc::clone(clock), token, terms }
    }

    /// Whether the host's configuration is as it was, for what it decides.
    #[inline]
    fn holds(&self) -> bool {
        self.terms.as_ref().is_none_or(|(world, version)| world.config.version(world) == *version)
    }

    /// The token.
    pub fn token(&self) -> &AccessToken {
        &self.token
    }

    /// Whether the token is still the one to give. Counts as a hit if so.
    #[inline]
    pub fn is_current(&self) -> bool {
        self.holds() && self.slot.is_fresh(&self.token, self.clock.moment())
    }

    /// Counts so many hits: calls that were answered since the last look, within the resolution of a door's clock.
    pub fn count(&self, calls: u64) {
        self.slot.count(calls);
    }

    /// The cache's live token at this place, be it the lease's or a later one, if no renewal is due. Counts as a hit.
    #[inline]
    pub fn fresh(&self) -> Option<AccessToken> {
        if self.holds() { self.slot.fresh(0, self.clock.moment(), AccessToken::clone) } else { None }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("token", &self.token).finish_non_exhaustive()
    }
}

/// The place of one scope, for a credential that is asked for the same one again and again: found by comparing one text.
#[derive(Debug)]
struct Lane {
    scope: Box<str>,
    enable_cae: bool,
    slot: Arc<Slot>,
}

impl Lane {
    fn new(peek: &Peek<'_>, slot: &Arc<Slot>) -> Option<Lane> {
        match peek {
            Peek { scopes: [scope], tenant_id: None, enable_cae, .. } => {
                Some(Lane { scope: (*scope).into(), enable_cae: *enable_cae, slot: Arc::clone(slot) })
            }
            _ => None,
        }
    }

    /// Its slot, if it is the one that is meant and still the cache's.
    #[inline]
    fn leads(&self, peek: &Peek<'_>) -> Option<&Slot> {
        let Peek { scopes: [scope], tenant_id: None, enable_cae, .. } = peek else { return None };
        let meant = **scope == *self.scope && *enable_cae == self.enable_cae;
        (meant && !self.slot.is_gone()).then_some(&self.slot)
    }

    fn is_at(&self, slot: &Arc<Slot>) -> bool {
        Arc::ptr_eq(&self.slot, slot)
    }
}

/// So many scopes can have been the one that a credential is asked for most.
const LANES: usize = 16;

/// The lanes of one credential, of which one is open: that of the first scope, until samples say that another one is
/// asked for more. None is ever taken back, since readers hold no lock; a program with more favourites than there are
/// lanes goes through the cache's table, as all others of its scopes do.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    all: [OnceBox<Lane>; LANES],
    open: AtomicUsize,
    /// The slot of the last sample that no lane led to, by its address, which is only compared.
    sampled: AtomicUsize,
}

impl Lanes {
    /// The slot that is meant, if the open lane leads to it.
    #[inline]
    pub(crate) fn leads(&self, peek: &Peek<'_>) -> Option<&Slot> {
        self.all.get(self.open.load(Ordering::Relaxed))?.get()?.leads(peek)
    }

    /// Whether there is none yet.
    #[inline]
    pub(crate) fn are_none(&self) -> bool {
        self.all.first().is_some_and(|first| first.get().is_none())
    }

    /// Notes a slot that was found without a lane, and opens one to it if it is the first, or the last sample's too.
    #[cold]
    pub(crate) fn note(&self, peek: &Peek<'_>, slot: &Arc<Slot>) {
        let at = Arc::as_ptr(slot).addr();
        if self.sampled.swap(at, Ordering::Relaxed) != at && !self.are_none() {
            return;
        }
        let Some(lane) = Lane::new(peek, slot) else { return };
        let mut lane = Box::new(lane);
        for (number, place) in self.all.iter().enumerate() {
            // Whoever was faster has the place.
            match place.set(lane) {
                Ok(()) => return self.open.store(number, Ordering::Relaxed),
                Err(ours) => lane = ours,
            }
            if place.get().is_some_and(|other| other.is_at(slot) && other.enable_cae == lane.enable_cae) {
                return self.open.store(number, Ordering::Relaxed);
            }
        }
    }
}

/// A credential and the request that it is always asked: what azure-identity calls a bearer token provider.
pub struct Prepared {
    credential: Credential,
    request: TokenRequest,
    lease: ArcSwapOption<Lease>,
}

impl Prepared {
    /// Takes a request that is checked here.
    ///
    /// # Errors
    /// As [`Credential::get_token`] for a request that no source could serve.
    pub fn new(credential: Credential, request: TokenRequest) -> Result<Prepared, Error> {
        credential.check(&request)?;
        Ok(Prepared { credential, request, lease: ArcSwapOption::empty() })
    }

    /// A token, as [`Credential::get_token`] gives it; a live one without looking for its place again.
    ///
    /// # Errors
    /// As [`Credential::get_token`].
    pub fn get(&self) -> Result<AccessToken, Error> {
        if let Some(token) = self.lease.load().as_ref().and_then(|lease| lease.fresh()) {
            return Ok(token);
        }
        let token = self.credential.get_token(&self.request)?;
        let TokenRequest { scopes, tenant_id, claims, enable_cae, min_ttl, authenticate, .. } = &self.request;
        // A lease is for any live token of the place.
        if claims.is_none() && *min_ttl == 0 && !authenticate {
            let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
            let (tenant_id, enable_cae) = (tenant_id.as_deref(), *enable_cae);
            let lease = self.credential.lease(&Peek { scopes: &scopes, tenant_id, enable_cae, min_ttl: 0 });
            self.lease.store(lease.map(Arc::new));
        }
        Ok(token)
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("request", &self.request).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::Moment;
    use crate::tally::Tally;

    #[test]
    fn the_lane_follows_what_is_asked_for_most() {
        let now = Moment { wall: 0, boot: 0 };
        let slots: Vec<Arc<Slot>> =
            (0..30).map(|_| Arc::new(Slot::new(Arc::<Tally>::default(), 0.0, None, now))).collect();
        let names: Vec<String> = (0..30).map(|at| at.to_string()).collect();
        let lanes = Lanes::default();
        let leads = |at: usize| {
            let scopes = [names[at].as_str()];
            let peek = Peek { scopes: &scopes, ..Peek::default() };
            lanes.leads(&peek).is_some_and(|slot| std::ptr::eq(slot, Arc::as_ptr(&slots[at])))
        };
        let sample = |at: usize| lanes.note(&Peek { scopes: &[&names[at]], ..Peek::default() }, &slots[at]);
        assert!(lanes.are_none() && !leads(0));
        sample(0);
        assert!(leads(0), "the first at once");
        sample(1);
        assert!(leads(0) && !leads(1), "one sample is chance");
        sample(2);
        sample(1);
        assert!(leads(0));
        sample(1);
        assert!(leads(1) && !leads(0), "two in a row are not");
        for _ in 0..2 {
            sample(0);
        }
        assert!(leads(0), "a lane is used again");
        for at in 1..30 {
            (0..2).for_each(|_| sample(at));
        }
        assert!((0..30).filter(|at| leads(*at)).eq([LANES - 1]), "no more lanes than there are");
        slots[LANES - 1].clear();
        assert!((0..30).all(|at| !leads(at)), "what the cache let go of is not found");
    }
}
