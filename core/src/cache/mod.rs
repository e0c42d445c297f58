//! Request → key → slot: where a process keeps its tokens, shared by all credentials with the same identity.

pub(crate) mod judge;
pub(crate) mod shelf;
pub(crate) mod slot;
pub(crate) mod ticket;

use std::hash::{BuildHasher as _, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwapOption;

use self::shelf::Shelf;
use self::slot::Slot;
use crate::fingerprint::Fingerprint;
use crate::source::chain::Memory;
use crate::world::Files;

/// What decides which token is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) identity: Fingerprint,
    pub(crate) tenant: Option<String>,
    /// Sorted, without repetitions: their order and number must not matter.
    pub(crate) scopes: Vec<String>,
    pub(crate) cae: bool,
}

/// This many slots are never looked through.
const ROOM: usize = 256;

/// All slots of a process, and what its default chains remember.
pub(crate) struct Cache {
    slots: Shelf<Key, Slot>,
    /// At how many slots those that hold nothing are looked for: a server makes a credential for each of its users.
    room: AtomicUsize,
    memories: Shelf<Fingerprint, Memory>,
    host: ArcSwapOption<Fingerprint>,
}

impl Cache {
    pub(crate) fn new() -> Cache {
        Cache {
            slots: Shelf::new(),
            room: AtomicUsize::new(ROOM),
            memories: Shelf::new(),
            host: ArcSwapOption::empty(),
        }
    }

    /// The slot of a key, if somebody waited for its token before. Asking makes none: a look costs no memory.
    pub(crate) fn find(&self, key: &Key) -> Option<Arc<Slot>> {
        self.slots.get(key)
    }

    /// The slot of a key, made if it is not there.
    pub(crate) fn slot(&self, key: &Key, files: &dyn Files, now: i64) -> Arc<Slot> {
        if let Some(slot) = self.find(key) {
            return slot;
        }
        if self.slots.len() >= self.room.load(Ordering::Relaxed) {
            self.slots.clear(|slot| slot.is_spent(now));
            // Twice what is left, so that looking costs each new slot the same, however many there are.
            self.room.store(self.slots.len().saturating_mul(2).max(ROOM), Ordering::Relaxed);
        }
        self.slots.get_or_make(key, || Slot::new(self.jitter(key, files)))
    }

    /// What all default chains of this identity remember together.
    pub(crate) fn memory(&self, identity: &Fingerprint) -> Arc<Memory> {
        self.memories.get_or_make(identity, Memory::default)
    }

    /// 0 to 1, from the host and the key, so that a fleet that was started together does not renew together.
    fn jitter(&self, key: &Key, files: &dyn Files) -> f64 {
        let mut hasher = std::hash::BuildHasherDefault::<std::hash::DefaultHasher>::default().build_hasher();
        self.host(files).hash(&mut hasher);
        key.hash(&mut hasher);
        // 16 bits are plenty for a jitter, and exact in a float.
        f64::from(u16::try_from(hasher.finish() >> 48).unwrap_or(0)) / f64::from(u16::MAX)
    }

    /// What tells this host from others: images share their machine id, and containers their boot, so all of them.
    fn host(&self, files: &dyn Files) -> Fingerprint {
        if let Some(host) = self.host.load_full() {
            return *host;
        }
        let paths = ["/etc/machine-id", "/proc/sys/kernel/random/boot_id", "/proc/sys/kernel/hostname"];
        let [machine, boot, name] = paths.map(|path| files.read(Path::new(path), 1024).unwrap_or_default());
        let parts = [&machine, &boot, &name].map(|part| String::from_utf8_lossy(part));
        let host = Fingerprint::of("host", &parts.each_ref().map(AsRef::as_ref));
        self.host.store(Some(Arc::new(host)));
        host
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("slots", &self.slots.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::Credential;
    use crate::options::{Spelling, Value};
    use crate::request::TokenRequest;
    use crate::world::fake::Fake;

    #[test]
    fn users_who_left_make_room_for_others() {
        let (world, fake) = Fake::world();
        fake.answer(200, r#"{"access_token":"t","expires_in":3600}"#);
        let ask = |user: usize| {
            let user = user.to_string();
            let given =
                [("tenant_id", "t"), ("client_id", "c"), ("client_secret", "s"), ("user_assertion", user.as_str())];
            let given = given.map(|(name, text)| (name.to_owned(), Value::text(text))).to_vec();
            let made = Credential::in_world(world.clone(), "OnBehalfOfCredential", given, Spelling::Snake).unwrap();
            made.get_token(&TokenRequest::scope("s")).unwrap();
        };
        (0..=ROOM).for_each(ask);
        assert_eq!(world.cache.slots.len(), ROOM + 1, "live tokens stay");
        let asked = fake.sent().len();
        ask(0);
        assert_eq!(fake.sent().len(), asked, "served from the cache");
        fake.advance(3600);
        (ROOM + 1..10 * ROOM).for_each(|user| {
            fake.advance(60);
            ask(user);
        });
        assert!(world.cache.slots.len() <= 2 * ROOM, "{}", world.cache.slots.len());
    }
}
