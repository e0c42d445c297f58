//! A map read without a lock: readers take a snapshot, a change shares its nodes with the last.

use std::hash::Hash;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rpds::HashTrieMapSync;

/// Things by key, made when somebody first needs them. No lock, so a fork at any moment harms nobody.
pub(crate) struct Shelf<K: Eq + Hash, V>(ArcSwap<HashTrieMapSync<K, Arc<V>>>);

impl<K: Clone + Eq + Hash, V> Shelf<K, V> {
    pub(crate) fn new() -> Shelf<K, V> {
        Shelf(ArcSwap::from_pointee(HashTrieMapSync::new_sync()))
    }

    /// What is there.
    pub(crate) fn get(&self, key: &K) -> Option<Arc<V>> {
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

    /// Takes away what is spent. Whoever holds such a thing keeps it; the next one to ask gets another.
    pub(crate) fn clear(&self, is_spent: impl Fn(&V) -> bool) {
        let things = self.0.load_full();
        let spent: Vec<(&K, &Arc<V>)> = things.iter().filter(|(_, thing)| is_spent(thing)).collect();
        self.0.rcu(|now| {
            let mut left = HashTrieMapSync::clone(now);
            for (key, thing) in &spent {
                if left.get(*key).is_some_and(|other| Arc::ptr_eq(other, thing)) {
                    left.remove_mut(*key);
                }
            }
            left
        });
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
    fn what_is_spent_goes() {
        let shelf = Shelf::<u32, u32>::new();
        let all: Vec<_> = (0..100).map(|key| shelf.get_or_make(&key, || key)).collect();
        shelf.clear(|thing| thing % 3 != 0);
        assert_eq!(shelf.len(), 34);
        assert!(shelf.get(&1).is_none() && *all[1] == 1);
        assert!(Arc::ptr_eq(&shelf.get(&99).unwrap(), &all[99]));
    }
}
