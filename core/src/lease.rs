//! The way of nearly all calls: a look at a live token, without a request of one's own.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::cache::slot::Slot;
use crate::credential::Credential;
use crate::error::Error;
use crate::request::TokenRequest;
use crate::token::AccessToken;
use crate::world::Clock;

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
}

impl Lease {
    pub(crate) fn new(slot: &Arc<Slot>, clock: &Arc<dyn Clock>, token: AccessToken) -> Lease {
        Lease { slot: Arc::clone(slot), clock: Arc::clone(clock), token }
    }

    /// The token.
    pub fn token(&self) -> &AccessToken {
        &self.token
    }

    /// Whether the token is still the one to give. Counts as a hit if so.
    #[inline]
    pub fn is_current(&self) -> bool {
        self.slot.is_fresh(&self.token, self.clock.moment())
    }

    /// Counts so many hits: calls that were answered since the last look, within the resolution of a door's clock.
    pub fn count(&self, calls: u64) {
        self.slot.count(calls);
    }

    /// The cache's live token at this place, be it the lease's or a later one, if no renewal is due. Counts as a hit.
    #[inline]
    pub fn fresh(&self) -> Option<AccessToken> {
        self.slot.fresh(0, self.clock.moment(), AccessToken::clone)
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("token", &self.token).finish_non_exhaustive()
    }
}

/// The place of one scope, for a credential that is asked for the same one again and again: found by comparing one text.
#[derive(Debug)]
pub(crate) struct Lane {
    scope: Box<str>,
    enable_cae: bool,
    slot: Arc<Slot>,
}

impl Lane {
    pub(crate) fn new(peek: &Peek<'_>, slot: &Arc<Slot>) -> Option<Lane> {
        match peek {
            Peek { scopes: [scope], tenant_id: None, enable_cae, .. } => {
                Some(Lane { scope: (*scope).into(), enable_cae: *enable_cae, slot: Arc::clone(slot) })
            }
            _ => None,
        }
    }

    /// Its slot, if it is the one that is meant and still the cache's.
    #[inline]
    pub(crate) fn leads(&self, peek: &Peek<'_>) -> Option<&Slot> {
        let Peek { scopes: [scope], tenant_id: None, enable_cae, .. } = peek else { return None };
        let meant = **scope == *self.scope && *enable_cae == self.enable_cae;
        (meant && !self.slot.is_gone()).then_some(&self.slot)
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
