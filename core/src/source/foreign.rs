//! A credential of another library's, as a member of a chain: azcred asks it, and knows nothing else of it.
//!
//! It keeps its own counsel about caches, retries and tenants. Whose tokens it gives nobody can tell from outside, so each
//! is an identity of its own, and shares its tokens with no other.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::{About, Ask, Fetch, Grant, Source, Tenants};
use crate::error::Error;
use crate::function::Pending;
use crate::request::TokenRequest;
use crate::token::{Provenance, Secret};

/// As long as a person may take who signs in with a device code: what the credential does meanwhile, it does not say.
const PATIENCE: Duration = Duration::from_mins(15);

/// What a credential of another library's gave.
#[derive(Debug)]
pub struct ForeignToken {
    /// The token.
    pub text: Secret,
    /// When it dies, in Unix seconds.
    pub expires_on: i64,
    /// From when on it should be renewed, in Unix seconds, if the credential said so.
    pub refresh_on: Option<i64>,
}

/// What comes of asking it.
pub type ForeignAnswer = Result<ForeignToken, Error>;

/// Starts to ask it: on azcred's own thread, so it must come back at once and ask on a thread of its own.
pub(crate) type Start = Box<dyn Fn(TokenRequest, Pending<ForeignAnswer>) + Send + Sync>;

pub(crate) struct Foreign {
    about: About,
    start: Start,
}

impl Foreign {
    pub(crate) fn new(name: &str, start: Start) -> Foreign {
        let about = About {
            cae: true,
            tenants: Tenants::Members,
            ..About::new(known(name), &["foreign", &crate::random::unique()], PATIENCE)
        };
        Foreign { about, start }
    }

    async fn ask(&self, ask: &Ask<'_>) -> Result<Grant, Error> {
        let credential = self.about.credential;
        let (pending, answer) = Pending::pair();
        (self.start)(ask.request.clone(), pending);
        let Some(answer) = answer.await else {
            return Err(Error::transient(format!("{credential}: it ended without an answer")));
        };
        let ForeignToken { text, expires_on, refresh_on } = answer?;
        let now = ask.world.clock.now();
        if expires_on <= now {
            return Err(Error::new(ask.place.garbage(), format!("{credential}: it gave a token that is dead")));
        }
        let provenance =
            Provenance { credential, source: "foreign", tenant_id: ask.request.tenant_id.clone(), client_id: None };
        Ok(Grant::new(text, expires_on, refresh_on.map(|at| at.saturating_sub(now)), provenance))
    }
}

impl Source for Foreign {
    fn about(&self) -> &About {
        &self.about
    }

    fn fetch<'a>(&'a self, ask: &'a Ask<'a>) -> Fetch<'a> {
        Box::pin(self.ask(ask))
    }
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Foreign").field(&self.about.credential).finish()
    }
}

/// A class name as names are kept here: for ever, each once.
fn known(name: &str) -> &'static str {
    static NAMES: ArcSwapOption<Vec<&'static str>> = ArcSwapOption::const_empty();
    loop {
        let names = NAMES.load();
        let before = names.as_ref().map_or(&[][..], |names| names.as_slice());
        if let Some(known) = before.iter().find(|known| **known == name) {
            return known;
        }
        let new: &'static str = Box::leak(name.to_owned().into_boxed_str());
        let more = before.iter().copied().chain([new]).collect();
        NAMES.compare_and_swap(&*names, Some(Arc::new(more)));
    }
}
