//! Things handed out under a name that nobody guesses, until their time is over.

use std::collections::HashMap;

use parking_lot::Mutex;

/// More than this are not kept; the ones that end first go first.
const MOST: usize = 10_000;

/// A shelf of such things.
#[derive(Debug)]
pub(crate) struct Shelf<T>(Mutex<HashMap<String, Kept<T>>>);

#[derive(Debug)]
struct Kept<T> {
    thing: T,
    /// Unix seconds from when on nobody asks for it any more.
    forget_at: i64,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Shelf<T> {
    /// Keeps `thing` under `name`; whether the name was free.
    pub(crate) fn put(&self, name: String, thing: T, now: i64, forget_at: i64) -> bool {
        let mut kept = self.0.lock();
        if kept.len() >= MOST {
            kept.retain(|_, one| one.forget_at > now);
        }
        if kept.len() >= MOST {
            let first = kept.iter().min_by_key(|(_, one)| one.forget_at).map(|(name, _)| name.clone());
            first.and_then(|first| kept.remove(&first));
        }
        if kept.get(&name).is_some_and(|one| one.forget_at > now) {
            return false;
        }
        kept.insert(name, Kept { thing, forget_at });
        true
    }

    /// What `look` says of the thing of that name.
    pub(crate) fn with<R>(&self, name: &str, look: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.0.lock().get_mut(name).map(|one| look(&mut one.thing))
    }

    /// Takes the thing of that name away.
    pub(crate) fn take(&self, name: &str) -> Option<T> {
        self.0.lock().remove(name).map(|one| one.thing)
    }

    /// Shows all things to `look`; how many it said yes to.
    pub(crate) fn each(&self, mut look: impl FnMut(&mut T) -> bool) -> usize {
        self.0.lock().values_mut().filter_map(|one| look(&mut one.thing).then_some(())).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_free_again_after_its_time_and_the_shelf_is_finite() {
        let shelf = Shelf::default();
        assert!(shelf.put("a".to_owned(), 1, 0, 10));
        assert!(!shelf.put("a".to_owned(), 2, 9, 20));
        assert!(shelf.put("a".to_owned(), 3, 10, 20));
        assert_eq!(shelf.with("a", |one| *one), Some(3));
        for n in 0..=MOST {
            shelf.put(n.to_string(), 0, 0, 100);
        }
        assert_eq!(shelf.take("a"), None);
        assert_eq!(shelf.each(|_| true), MOST);
    }
}
