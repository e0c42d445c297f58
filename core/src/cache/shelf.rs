//! A map read without a lock: readers take a snapshot, a change shares its nodes with the last.

use std::borrow::Borrow;
use std::hash::{BuildHasher as _, Hash};
use std::sync::Arc;

use arc_swap::ArcSwap;
use foldhash::fast::FixedState;
use rpds::HashTrieMapSync;

/// Things by key, made when somebody first needs them. No lock, so a fork at any moment harms nobody.
pub(crate) struct Shelf<K: Eq + Hash, V>(ArcSwap<HashTrieMapSync<K, Arc<V>, FixedState>>);

impl<K: Clone + Eq + Hash, V> Shelf<K, V> {
    pub(crate) fn new() -> Shelf<K, V> {
        // Who chooses the keys must not know the seed. The standard library's needs no randomness that may not be there yet.
        let seed = std::hash::RandomState::new().hash_one(0);
        let hasher = FixedState::with_seed(seed);
        Shelf(ArcSwap::from_pointee(HashTrieMapSync::new_with_hasher_and_ptr_kind(hasher)))
    }

    /// Looks at what is there.
    #[inline]
    pub(crate) fn look<Q: ?Sized + Eq + Hash, R>(&self, key: &Q, look: impl FnOnce(Option<&Arc<V>>) -> R) -> R
    where
        K: Borrow<Q>,
    {
        look(self.0.load().get(key))
    }

    /// What is there.
    pub(crate) fn get<Q: ?Sized + Eq + Hash>(&self, key: &Q) -> Option<Arc<V>>
    where
        K: Borrow<Q>,
    {
        self.0.load().get(key).cloned()
    }

    /// What is there, made if nothing is. Everyone gets the same one.
    pub(crate) fn get_or_make(&self, key: &K, make: impl FnOnce() -> V) -> Arc<V> {
        if let Some(found) = self.get(key) {
            return found;
        }
        let fresh = Arc::new(make());
        let mut found = Arc::clone(&fresh);
        self.0.rcu(|things| {
            if let Some(thing) = things.get(key) {
                found = Arc::clone(thing);
                return Arc::clone(things);
            }
            found = Arc::clone(&fresh);
            Arc::new(things.insert(key.clone(), Arc::clone(&fresh)))
        });
        found
    }

    /// Takes these things away, as far as they are still there; the next one to ask gets another.
    pub(crate) fn remove(&self, gone: &[(K, Arc<V>)]) {
        self.0.rcu(|now| {
            let mut left = HashTrieMapSync::clone(now);
            for (key, thing) in gone {
                if left.get(key).is_some_and(|other| Arc::ptr_eq(other, thing)) {
                    left.remove_mut(key);
                }
            }
            left
        });
    }

    /// Everything that is there now, as far as it is wanted.
    pub(crate) fn select(&self, wanted: impl Fn(&K, &Arc<V>) -> bool) -> Vec<(K, Arc<V>)> {
        let things = self.0.load_full();
        let wanted = things.iter().filter(|(key, thing)| wanted(key, thing));
        wanted.map(|(key, thing)| (key.clone(), Arc::clone(thing))).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.load().size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_gets_the_same_one() {
        let shelf = Shelf::<u32, u32>::new();
        assert!(shelf.get(&1).is_none());
        let all: Vec<Arc<u32>> = std::thread::scope(|scope| {
            let shelf = &shelf;
            let threads: Vec<_> = (0..8).map(|value| scope.spawn(move || shelf.get_or_make(&1, || value))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(all.iter().all(|one| Arc::ptr_eq(one, &all[0])));
        assert_eq!(shelf.len(), 1);
    }

    #[test]
    fn what_is_not_wanted_goes() {
        let shelf = Shelf::<u32, u32>::new();
        let all: Vec<_> = (0..100).map(|key| shelf.get_or_make(&key, || key)).collect();
        let gone = shelf.select(|key, _| key % 3 != 0);
        // Another one came in its place meanwhile: that one stays.
        shelf.remove(&[(1, Arc::clone(&all[1]))]);
        let other = shelf.get_or_make(&1, || 1);
        shelf.remove(&gone);
        assert_eq!(shelf.len(), 35);
        assert!(Arc::ptr_eq(&shelf.get(&1).unwrap(), &other) && *all[1] == 1);
        assert!(shelf.get(&2).is_none());
        assert!(Arc::ptr_eq(&shelf.get(&99).unwrap(), &all[99]));
    }
}
