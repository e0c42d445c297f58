//! Where tokens come from: one credential, one file.
//!
//! A source only fetches. It never caches, repeats itself in a loop of its own or reads a clock: the cache above it
//! and the world below it do.

pub(crate) mod absent;
pub(crate) mod authorization_code;
pub(crate) mod azure_cli;
pub(crate) mod azure_developer_cli;
pub(crate) mod azure_pipelines;
pub(crate) mod azure_powershell;
pub(crate) mod browser;
pub(crate) mod chain;
pub(crate) mod client_assertion;
pub(crate) mod client_certificate;
pub(crate) mod client_secret;
pub(crate) mod default_azure;
pub(crate) mod device_code;
pub(crate) mod entra;
pub(crate) mod environment;
pub(crate) mod foreign;
pub(crate) mod host;
pub(crate) mod interactive_browser;
pub(crate) mod managed_identity;
pub(crate) mod on_behalf_of;
pub(crate) mod pinned;
mod subject;
mod tenants;
mod tool;
pub(crate) mod username_password;
pub(crate) mod workload_identity;

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use self::entra::AuthenticationRecord;
pub use self::foreign::{ForeignAnswer, ForeignToken};
pub(crate) use self::tenants::Tenants;
use crate::error::{Error, ErrorKind};
use crate::fingerprint::Fingerprint;
use crate::moment::Moment;
use crate::request::TokenRequest;
use crate::share::Sharing;
use crate::token::{CacheLevel, Provenance, Secret};
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
    /// Who waits for the answer.
    pub audience: Audience<'a>,
    /// What a token that is there already must be like to do.
    pub(crate) want: &'a Want,
}

/// What a token of another process must be like to answer a flight.
#[derive(Clone, Debug, Default)]
pub(crate) struct Want {
    /// The life it must still have, in seconds.
    pub(crate) min_ttl: i64,
    /// The hash of the claims it must have been got with.
    pub(crate) claims: Option<[u8; 32]>,
    /// The hash of the token that a resource refused.
    pub(crate) refused: Option<String>,
    /// A renewal wants one that dies after this (Unix seconds), or was got after this (seconds since the host started):
    /// a source may have no other yet.
    pub(crate) beyond: Option<(i64, i64)>,
}

/// Whether anybody waits for an answer. Nobody does where it is a renewal, or where all who came have left: no reason to
/// ask a person then, or to go on asking.
#[derive(Clone, Copy)]
pub struct Audience<'a>(&'a (dyn Fn() -> bool + Send + Sync));

impl<'a> Audience<'a> {
    /// An audience, from a look at who is there.
    pub fn new(look: &'a (dyn Fn() -> bool + Send + Sync)) -> Audience<'a> {
        Audience(look)
    }

    /// Whether somebody waits now.
    pub fn is_there(self) -> bool {
        (self.0)()
    }
}

impl Debug for Audience<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_there() { "Audience" } else { "no audience" })
    }
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
    /// When another process got it, and where it left it; `None` where the source was asked.
    pub(crate) got: Option<(Moment, CacheLevel)>,
}

impl Grant {
    /// What a source gives when it is asked. The times are as the fields say.
    pub fn new(text: Secret, expires_on: i64, refresh_in: Option<i64>, provenance: Provenance) -> Grant {
        Grant { text, expires_on, refresh_in, provenance, got: None }
    }
}

/// A source behind a pointer, or why it can't be made.
pub(crate) type Made = Result<Arc<dyn Source>, Error>;

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
    /// The members of a chain, in their order.
    pub(crate) members: Vec<Arc<dyn Source>>,
    /// Whether its tokens are other processes' too.
    pub(crate) sharing: Sharing,
    /// The files that say whose login its tokens are of; none where that can't change.
    pub(crate) login: Arc<[PathBuf]>,
    /// Which of the host's identities is asked in its place.
    pub(crate) aim: Option<host::Aim>,
}

impl About {
    /// A source that takes neither tenants nor claims, with a fingerprint of `parts`.
    pub fn new(credential: &'static str, parts: &[&str], patience: Duration) -> About {
        About::of(credential, Fingerprint::of(credential, parts), patience)
    }

    /// The same with this fingerprint.
    pub(crate) fn of(credential: &'static str, identity: Fingerprint, patience: Duration) -> About {
        let (tenants, members, login) = (Tenants::None, Vec::new(), Arc::default());
        About {
            credential,
            identity,
            patience,
            cae: false,
            tenants,
            members,
            sharing: Sharing::Never,
            login,
            aim: None,
        }
    }
}

/// What a credential of a user has beside its tokens.
pub trait Interactive {
    /// Who signed in; none before that.
    fn record(&self) -> Option<AuthenticationRecord>;
    /// What a sign-in asks for that names nothing.
    fn default_scope(&self) -> String;
    /// Whether a person is needed each time: their second try is not to be answered by what came of the first.
    fn asks_a_person(&self) -> bool;
}

/// One credential.
pub trait Source: Debug + Send + Sync {
    /// What is known without asking.
    fn about(&self) -> &About;
    /// Its sign-in, where a user signs in.
    fn interactive(&self) -> Option<&dyn Interactive> {
        None
    }
    /// Asks once. Run by the driver, which drops it when the source's patience is over.
    fn fetch<'a>(&'a self, ask: &'a Ask<'a>) -> Fetch<'a>;
}
