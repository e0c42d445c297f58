//! Request → name → slot: where a process keeps its tokens, shared by all credentials with the same identity.

pub(crate) mod entry;
mod failure;
mod flight;
mod gate;
pub(crate) mod hold;
pub(crate) mod judge;
pub(crate) mod key;
pub(crate) mod login;
#[cfg(test)]
mod model;
mod primitives;
pub(crate) mod shelf;
pub(crate) mod slot;
pub(crate) mod ticket;

use std::hash::{BuildHasher as _, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwapOption;

use self::key::{Key, Name, Named};
use self::login::Login;
use self::shelf::Shelf;
use self::slot::Slot;
use crate::fingerprint::Fingerprint;
use crate::moment::Moment;
use crate::source::chain::Memory;
use crate::tally::{Statistics, Tally};
use crate::world::Files;

/// This many slots are never looked through.
const ROOM: usize = 256;

/// How much a process keeps at most; whichever is reached first. A token that is still in use comes back by itself.
#[derive(Clone, Copy, Debug)]
struct Limits {
    slots: usize,
    bytes: usize,
}

const LIMITS: Limits = Limits { slots: 16_384, bytes: 64 << 20 };

/// All slots of a process, and what its default chains remember.
pub(crate) struct Cache {
    slots: Shelf<Key, Slot>,
    limits: Limits,
    /// At how many slots some are let go: a server makes a credential for each of its users.
    room: AtomicUsize,
    tallies: Shelf<Fingerprint, Tally>,
    memories: Shelf<Fingerprint, Memory>,
    host: ArcSwapOption<Fingerprint>,
}

impl Cache {
    pub(crate) fn new() -> Cache {
        Cache {
            slots: Shelf::new(),
            limits: LIMITS,
            room: AtomicUsize::new(ROOM),
            tallies: Shelf::new(),
            memories: Shelf::new(),
            host: ArcSwapOption::empty(),
        }
    }

    /// Looks at the slot of this name, if somebody waited for its token before. Asking makes none: a look costs no memory.
    #[inline]
    pub(crate) fn look<R>(&self, name: &Name<'_>, look: impl FnOnce(Option<&Arc<Slot>>) -> R) -> R {
        self.slots.look(name as &dyn Named, look)
    }

    /// The slot of this name, made if it is not there.
    pub(crate) fn slot(&self, name: &Name<'_>, login: &[PathBuf], files: &Arc<dyn Files>, now: Moment) -> Arc<Slot> {
        if let Some(slot) = self.slots.get(name as &dyn Named) {
            return slot;
        }
        if self.slots.len() >= self.room.load(Ordering::Relaxed) {
            self.make_room(now);
        }
        let key = name.to_key();
        let tally = self.tallies.get_or_make(name.identity, Tally::default);
        self.slots.get_or_make(&key, || {
            let login = (!login.is_empty()).then(|| Login::new(login, files));
            Slot::new(tally, self.jitter(&key, &**files), login, now)
        })
    }

    /// Lets go of slots that hold nothing any more, and of those not used for longest where there are too many.
    fn make_room(&self, now: Moment) {
        self.let_go(&self.slots.select(|_, slot| slot.is_spent(now)));
        let bytes: usize = self.slots.select(|_, _| true).iter().map(|(_, slot)| slot.size()).sum();
        let excess = |have: usize, most: usize| if have < most { 0.0 } else { 1.0 - ratio(most, have) * 15.0 / 16.0 };
        let share = excess(self.slots.len(), self.limits.slots).max(excess(bytes, self.limits.bytes));
        if share > 0.0 {
            let mut idle = self.slots.select(|_, slot| slot.is_idle());
            idle.sort_unstable_by_key(|(_, slot)| slot.used());
            idle.truncate(part(self.slots.len(), share));
            self.let_go(&idle);
        }
        // Not at each new slot: then looking costs it the same, however many there are.
        let left = self.slots.len();
        self.room.store(left.saturating_add(ROOM.max(left / 16)), Ordering::Relaxed);
        let of_nobody = |_: &Fingerprint, tally: &Arc<Tally>| Arc::strong_count(tally) == 1;
        self.tallies.remove(&self.tallies.select(of_nobody));
    }

    fn let_go(&self, slots: &[(Key, Arc<Slot>)]) {
        self.slots.remove(slots);
        // Whoever still has one finds it empty and looks here again.
        for (_, slot) in slots {
            slot.clear();
        }
    }

    /// Notes that a resource refused the token with this text; whether that leads to another one.
    pub(crate) fn refuse(&self, identity: &Fingerprint, text: &str, now: Moment) -> bool {
        let ours = self.slots.select(|key, _| key.name().identity == identity);
        // All of them: an identity may have one token in two slots.
        ours.iter().fold(false, |done, (_, slot)| slot.refuse(text, now) | done)
    }

    /// What happened for an identity.
    pub(crate) fn statistics(&self, identity: &Fingerprint) -> Statistics {
        self.tallies.look(identity, |tally| tally.map(|tally| tally.read()).unwrap_or_default())
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

#[expect(clippy::cast_precision_loss, reason = "sizes of a cache, for a share that need not be exact")]
fn ratio(one: usize, other: usize) -> f64 {
    one as f64 / other as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a share from 0 to 1 of a number of slots"
)]
fn part(of: usize, share: f64) -> usize {
    (of as f64 * share).ceil() as usize
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("slots", &self.slots.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
