//! The turn to ask a source for all processes of this user, as locks of one opening of the store's file.

use std::time::Duration;

use super::folder::Locks;
use super::key::Key;
use crate::world::World;

/// Held as long as the source is asked; dropping it, or the process's end, gives it to the next.
#[derive(Debug)]
pub(super) struct Turn(Locks);

impl Turn {
    pub(super) fn new(locks: Locks) -> Turn {
        Turn(locks)
    }

    /// Waits for the moment in which nobody else replaces the entry: a stalled process may come back with a token of its
    /// own. It lasts as long as the turn.
    pub(super) async fn may_commit(&self, key: &Key, world: &World) -> bool {
        const TRIES: usize = 100;
        const PAUSE: Duration = Duration::from_millis(2);
        for _ in 0..TRIES {
            if self.0.try_lock(key.commit()).unwrap_or(false) {
                return true;
            }
            world.clock.sleep(PAUSE).await;
        }
        false
    }
}
