//! Things with locks, threads or sockets, one for each fork generation.

use std::ops::Deref;
use std::sync::Arc;

use arc_swap::ArcSwapOption;

/// A thing that each process in a line of forks makes for itself. The parent's may be locked for ever in its child, so
/// it is neither used nor dropped there; it stays in memory.
pub(crate) struct PerGeneration<T>(ArcSwapOption<Made<T>>);

/// The thing of one generation.
pub(crate) struct Made<T> {
    generation: u64,
    thing: T,
}

impl<T> Deref for Made<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.thing
    }
}

impl<T: Default> PerGeneration<T> {
    pub(crate) const fn new() -> PerGeneration<T> {
        PerGeneration(ArcSwapOption::const_empty())
    }

    /// Looks at this process's thing, if it made one.
    pub(crate) fn look<R>(&self, look: impl FnOnce(Option<&T>) -> R) -> R {
        let generation = azcred_platform::generation();
        let made = self.0.load();
        look(made.as_ref().filter(|made| made.generation == generation).map(|made| &made.thing))
    }

    /// This process's thing.
    pub(crate) fn get(&self) -> Arc<Made<T>> {
        let generation = azcred_platform::generation();
        loop {
            let current = self.0.load_full();
            if let Some(made) = current.as_ref().filter(|made| made.generation == generation) {
                return Arc::clone(made);
            }
            // Whoever comes first puts it in; the others find it there.
            let fresh = Arc::new(Made { generation, thing: T::default() });
            let previous = arc_swap::Guard::into_inner(self.0.compare_and_swap(&current, Some(fresh)));
            let parents = |made: &Arc<Made<T>>| made.generation != generation;
            [current, previous].into_iter().flatten().filter(parents).for_each(abandon);
        }
    }
}

impl<T: Default> Default for PerGeneration<T> {
    fn default() -> PerGeneration<T> {
        PerGeneration::new()
    }
}

impl<T> std::fmt::Debug for PerGeneration<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PerGeneration")
    }
}

/// Keeps something for the life of the process. What belongs to the parent of a forked process may be locked for ever,
/// and dropping it would wake tasks of threads that are not here; it stays in memory, once per fork.
pub(crate) fn abandon<T>(parents: T) {
    Box::leak(Box::new(parents));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_one() {
        let thing = PerGeneration::<std::sync::Mutex<u32>>::new();
        *thing.get().lock().unwrap() = 7;
        assert_eq!(*thing.get().lock().unwrap(), 7);
    }
}
