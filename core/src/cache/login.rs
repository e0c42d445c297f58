//! Whose login a slot's token is of: a developer signs in as somebody else, and the token of the one before ends.
//!
//! The files that say it are looked up at most once a second, by a caller, and read where they changed.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::ArcSwapOption;

use crate::fingerprint::Fingerprint;
use crate::moment::Moment;
use crate::share::content;
use crate::world::{Files, Stamp};

/// The files of a login, and what they held when the token was asked for.
pub(crate) struct Login {
    paths: Arc<[PathBuf]>,
    files: Arc<dyn Files>,
    /// When they were looked up last, in seconds since the host started.
    looked_at: AtomicI64,
    seen: ArcSwapOption<Seen>,
}

struct Seen {
    stamps: Vec<Option<Stamp>>,
    /// None where it could not be read: then any change is another login.
    content: Option<Fingerprint>,
}

impl Login {
    pub(crate) fn new(paths: &[PathBuf], files: &Arc<dyn Files>) -> Login {
        let (paths, files) = (paths.into(), Arc::clone(files));
        Login { paths, files, looked_at: AtomicI64::new(i64::MIN), seen: ArcSwapOption::empty() }
    }

    fn stamps(&self) -> Vec<Option<Stamp>> {
        self.paths.iter().map(|path| self.files.stamp(path)).collect()
    }

    /// Notes whose login it is now: what is asked for next is of that one. Gives whether it is the one before.
    pub(crate) fn note(&self) -> bool {
        // The stamps first: what changes in between is a change.
        let stamps = self.stamps();
        let content = content(&self.paths, &*self.files);
        let same = |seen: &Seen| seen.stamps == stamps || (content.is_some() && seen.content == content);
        let is_same = self.seen.load().as_ref().is_none_or(|seen| same(seen));
        self.seen.store(Some(Arc::new(Seen { stamps, content })));
        is_same
    }

    /// Whether it is still the same one.
    pub(crate) fn holds(&self, now: Moment) -> bool {
        // Nearly all calls write nothing that another thread reads.
        if self.looked_at.load(Ordering::Relaxed) == now.boot
            || self.looked_at.swap(now.boot, Ordering::Relaxed) == now.boot
        {
            return true;
        }
        let Some(seen) = self.seen.load_full() else { return true };
        if self.stamps() == seen.stamps {
            return true;
        }
        // Tools write these files again and again.
        self.note()
    }
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("paths", &self.paths).finish_non_exhaustive()
    }
}
