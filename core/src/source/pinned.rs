//! A credential whose tokens must speak for the identity that was expected.
//!
//! Every token is looked at, wherever it came from; one that can't be read is refused.

use std::sync::Arc;

use super::subject::Subject;
use super::{About, Ask, Fetch, Grant, Interactive, Source};
use crate::error::Error;
use crate::fingerprint::Fingerprint;
use crate::request::shown;
use crate::share::{self, Sharing};

/// What a token must say of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pins {
    pub(crate) tenant_id: Option<String>,
    pub(crate) object_id: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Pinned {
    about: About,
    pins: Pins,
    source: Arc<dyn Source>,
}

impl Pins {
    /// The source, held to these pins; as it is where there are none.
    pub(crate) fn on(self, source: Arc<dyn Source>) -> Arc<dyn Source> {
        if self == Pins::default() {
            return source;
        }
        let text = |pin: &Option<String>| pin.as_deref().unwrap_or_default().to_ascii_lowercase();
        let pins = Fingerprint::of("pins", &[&text(&self.tenant_id), &text(&self.object_id)]);
        let about = source.about().clone();
        let identity = Fingerprint::of_chain("pinned", &[pins, about.identity]);
        // What is shared is the source's, and checked on its way in.
        let about = About { identity, sharing: Sharing::Never, ..about };
        Arc::new(Pinned { about, pins: self, source })
    }
}

impl Pinned {
    async fn ask(&self, ask: &Ask<'_>) -> Result<Grant, Error> {
        let grant = share::fetch(&*self.source, ask).await?;
        let credential = self.about.credential;
        let Some(subject) = Subject::of(&grant) else {
            return Err(Error::failed(format!(
                "{credential}: the token does not say whom it speaks for, and expected_tenant_id or expected_object_id is set"
            )));
        };
        for (name, expected, got) in [
            ("expected_tenant_id", &self.pins.tenant_id, &subject.tid),
            ("expected_object_id", &self.pins.object_id, &subject.oid),
        ] {
            if let Some(expected) = expected.as_ref().filter(|expected| !expected.eq_ignore_ascii_case(got)) {
                return Err(Error::failed(format!(
                    "{credential}: the token speaks for another identity: {name} is {}, the token's is {}",
                    shown(expected),
                    shown(got)
                )));
            }
        }
        Ok(grant)
    }
}

impl Source for Pinned {
    fn about(&self) -> &About {
        &self.about
    }

    fn interactive(&self) -> Option<&dyn Interactive> {
        self.source.interactive()
    }

    fn fetch<'a>(&'a self, ask: &'a Ask<'a>) -> Fetch<'a> {
        Box::pin(self.ask(ask))
    }
}
