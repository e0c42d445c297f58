//! Where tokens come from: one credential, one file.
//!
//! A source only fetches. It never caches, repeats itself in a loop of its own or reads a clock: the cache above it
//! and the world below it do.

pub(crate) mod absent;
pub(crate) mod azure_cli;
pub(crate) mod azure_developer_cli;
pub(crate) mod azure_powershell;
#[cfg_attr(not(test), expect(dead_code, reason = "the credential that signs in with it is to come"))]
pub(crate) mod browser;
pub(crate) mod chain;
pub(crate) mod client_secret;
pub(crate) mod default_azure;
pub(crate) mod environment;
pub(crate) mod managed_identity;
mod tenants;
mod tool;

use std::fmt::Debug;
use std::time::Duration;

pub(crate) use self::tenants::Tenants;
use crate::error::{Error, ErrorKind};
use crate::fingerprint::Fingerprint;
use crate::request::TokenRequest;
use crate::token::{Provenance, Secret};
use crate::world::{Boxed, World};

/// What a source asks, and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// All it may touch.
    pub world: &'a World,
    /// What the caller asked for.
    pub request: &'a TokenRequest,
    /// Whether it was named or is a member of a chain.
    pub place: Place,
}

/// Where a source stands when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It was asked for by name.
    Alone,
    /// A chain asks it and goes on if it is unavailable.
    Chain,
    /// The default chain asks it, which the caller did not put together: a developer tool's failure is no failure.
    Default,
}

impl Place {
    /// The kind of an answer that makes no sense: by name it may mend, in a chain somebody else sits on the address.
    pub(crate) fn garbage(self) -> ErrorKind {
        match self {
            Place::Alone => ErrorKind::Transient,
            Place::Chain | Place::Default => ErrorKind::Unavailable,
        }
    }
}

/// What a source gives: a token's text and its times.
#[derive(Debug)]
pub struct Grant {
    /// The token.
    pub text: Secret,
    /// When it dies, in Unix seconds.
    pub expires_on: i64,
    /// After how many seconds the server wants it renewed.
    pub refresh_in: Option<i64>,
    /// Where it came from.
    pub provenance: Provenance,
}

/// A source behind a pointer, or why it can't be made.
pub(crate) type Made = Result<std::sync::Arc<dyn Source>, Error>;

/// A fetch under way.
pub type Fetch<'a> = Boxed<'a, Result<Grant, Error>>;

/// What is known of a source without asking it.
#[derive(Clone, Debug)]
pub struct About {
    /// Its class name, such as `ManagedIdentityCredential`.
    pub credential: &'static str,
    /// Whose tokens it gives.
    pub identity: Fingerprint,
    /// How long one fetch may take, retries included.
    pub patience: Duration,
    /// Whether its tokens differ for callers that handle claims challenges; where they don't, both share one.
    pub(crate) cae: bool,
    /// Which tenants a request may name.
    pub(crate) tenants: Tenants,
}

impl About {
    /// A source that takes neither tenants nor claims, with a fingerprint of `parts`.
    pub fn new(credential: &'static str, parts: &[&str], patience: Duration) -> About {
        About { credential, identity: Fingerprint::of(credential, parts), patience, cae: false, tenants: Tenants::None }
    }
}

/// One credential.
pub trait Source: Debug + Send + Sync {
    /// What is known without asking.
    fn about(&self) -> &About;
    /// Asks once. Run by the driver, which drops it when the source's patience is over.
    fn fetch<'a>(&'a self, ask: &'a Ask<'a>) -> Fetch<'a>;
}
