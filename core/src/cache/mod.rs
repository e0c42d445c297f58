//! Request → key → slot: where a process keeps its tokens, shared by all credentials with the same identity.

pub(crate) mod judge;
pub(crate) mod slot;
pub(crate) mod ticket;

use std::hash::{BuildHasher as _, Hash as _, Hasher as _};
use std::sync::Arc;

use arc_swap::ArcSwap;
use ring::digest;
use rpds::HashTrieMapSync;

use self::slot::Slot;
use crate::fingerprint::Fingerprint;

/// What decides which token is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) identity: Fingerprint,
    pub(crate) tenant: Option<String>,
    /// Sorted, without repetitions: their order and number must not matter.
    pub(crate) scopes: Vec<String>,
    pub(crate) cae: bool,
}

/// All slots of a process. Readers take a snapshot of the map; an insertion replaces it by one that shares its nodes.
pub(crate) struct Cache {
    slots: ArcSwap<HashTrieMapSync<Key, Arc<Slot>>>,
    seed: [u8; 32],
}

impl Cache {
    /// An empty cache; `host` tells hosts apart, so that a fleet does not renew in step.
    pub(crate) fn new(host: &[u8]) -> Cache {
        let mut seed = [0; 32];
        seed.copy_from_slice(digest::digest(&digest::SHA256, host).as_ref());
        Cache { slots: ArcSwap::from_pointee(HashTrieMapSync::new_sync()), seed }
    }

    /// The slot of a key, made if it is not there.
    pub(crate) fn slot(&self, key: &Key) -> Arc<Slot> {
        if let Some(slot) = self.slots.load().get(key) {
            return Arc::clone(slot);
        }
        let fresh = Arc::new(Slot::new(self.jitter(key)));
        let mut found = Arc::clone(&fresh);
        self.slots.rcu(|slots| {
            if let Some(slot) = slots.get(key) {
                found = Arc::clone(slot);
                return Arc::clone(slots);
            }
            found = Arc::clone(&fresh);
            Arc::new(slots.insert(key.clone(), Arc::clone(&fresh)))
        });
        found
    }

    fn jitter(&self, key: &Key) -> f64 {
        let mut hasher = std::hash::BuildHasherDefault::<std::hash::DefaultHasher>::default().build_hasher();
        self.seed.hash(&mut hasher);
        key.hash(&mut hasher);
        // 16 bits are plenty for a jitter, and exact in a float.
        f64::from(u16::try_from(hasher.finish() >> 48).unwrap_or(0)) / f64::from(u16::MAX)
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("slots", &self.slots.load().size()).finish_non_exhaustive()
    }
}
