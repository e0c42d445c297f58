//! One token source and one identity configuration for Microsoft Entra ID.
//!
//! A [`Credential`] gives tokens for Azure services: from a managed identity, an application's secret, or a developer's
//! login. All credentials of a process share one cache; a token that lives is never withheld, one that is dead is never
//! returned, and callers who ask for the same token at once cause one request.
//!
//! ```
//! use azcred::fake::{Fake, answer};
//! use azcred::{Credential, Spelling, TokenRequest};
//!
//! // A world of our own, so that this example needs no Azure; programs call `Credential::new`.
//! let (world, fake) = Fake::world();
//! fake.set("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:40342");
//! fake.serve(|_| Ok(answer(200, r#"{"access_token":"abc","expires_in":"86400"}"#)));
//!
//! let credential = Credential::in_world(world, "ManagedIdentityCredential", vec![], Spelling::Snake)?;
//! let token = credential.get_token(&TokenRequest::scope("https://storage.azure.com/.default"))?;
//! assert_eq!(token.authorization(), "Bearer abc");
//! assert_eq!(token.provenance().source, "imds");
//! # Ok::<(), azcred::Error>(())
//! ```
#![forbid(unsafe_code)]

mod builder;
mod cache;
mod certificate;
mod config;
mod credential;
mod driver;
mod error;
mod fingerprint;
mod function;
mod generation;
mod lease;
mod log;
mod moment;
mod options;
mod random;
mod request;
mod share;
mod source;
mod stripe;
mod tally;
mod token;
mod wire;
mod world;

pub use cache::ticket::Answer;
pub use config::HostIdentities;
pub use credential::Credential;
pub use driver::later;
pub use error::{Attempt, Error, ErrorKind};
pub use fingerprint::Fingerprint;
pub use function::{Function, Pending, Reply, Told};
pub use lease::{Lease, Peek, Prepared};
pub use log::{LogLevel, LogLine, LogQueue, log_as_the_environment_says, log_to, set_log_level};
pub use moment::Moment;
pub use options::{Spelling, Value, is_secret as is_secret_option};
pub use request::{Cancel, TokenRequest};
pub use share::{Stored, StoredToken};
pub use source::{
    About, Ask, Audience, AuthenticationRecord, Fetch, ForeignAnswer, ForeignToken, Grant, Interactive, Place, Source,
};
pub use tally::Statistics;
pub use token::{AccessToken, CacheLevel, Provenance, Secret, TokenHandle};
pub use wire::http;
pub use wire::page::Page;
pub use wire::redirect::Redirect;
pub use world::{
    Boxed, Clock, Command, Console, Env, Files, Http, Landing, LandingAt, Landings, Output, ProcessError, Processes,
    Stamp, Visit, World, fake,
};

/// The version of azcred, the same for the crate, the libraries, the packages and the program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
