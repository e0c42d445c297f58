//! `HostCredential`: the identity that the host's configuration has for a name, or for the resource asked for.

use std::time::Duration;

use super::{About, Ask, Fetch, Grant, Source, Tenants};
use crate::config::{NAME, place};
use crate::error::Error;
use crate::options::Options;
use crate::share;
use crate::world::World;

/// Longer than any identity's own.
const PATIENCE: Duration = Duration::from_mins(5);

/// Nothing is read before the first request: the file may come later.
#[derive(Debug)]
pub(crate) struct Host {
    about: About,
}

/// Which of the host's identities a credential stands for.
#[derive(Clone, Debug)]
pub(crate) struct Aim {
    /// The one of this name; else the resource's.
    pub(crate) identity: Option<String>,
}

impl Host {
    pub(crate) fn from_options(world: &World, options: &Options) -> Host {
        let identity = options.identity.clone().filter(|name| !name.is_empty());
        let about = About::new(NAME, &[identity.as_deref().unwrap_or_default()], PATIENCE);
        // The identities have rules of their own.
        // A chain has tokens of its own, which end when the configuration is another one.
        let login = place::candidates(world).into();
        Host { about: About { tenants: Tenants::Members, login, aim: Some(Aim { identity }), ..about } }
    }

    /// As a member of a chain. A handle asks the identity itself, in whose name its tokens are kept.
    async fn ask(&self, ask: &Ask<'_>) -> Result<Grant, Error> {
        let name = self.about.aim.as_ref().and_then(|aim| aim.identity.as_deref());
        let scopes: Vec<&str> = ask.request.scopes.iter().map(String::as_str).collect();
        let source = ask.world.config.aim(ask.world, name, &scopes, std::sync::Arc::clone)?;
        share::fetch(&*source, ask).await
    }
}

impl Source for Host {
    fn about(&self) -> &About {
        &self.about
    }

    fn fetch<'a>(&'a self, ask: &'a Ask<'a>) -> Fetch<'a> {
        Box::pin(self.ask(ask))
    }
}
