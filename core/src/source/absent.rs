//! A member of azure-identity's default chain that gives no tokens here.
//!
//! It stands in the chain so that the report names it and says what to use instead, and so that a host configured for
//! it is told, rather than given another identity than the one it was set up for. It touches nothing.

use std::time::Duration;

use super::{About, Ask, Fetch, Source};
use crate::error::Error;

/// The class name of the cache that Microsoft's applications share.
pub(crate) const SHARED_TOKEN_CACHE: &str = "SharedTokenCacheCredential";

/// The class name of Visual Studio Code's login.
pub(crate) const VISUAL_STUDIO_CODE: &str = "VisualStudioCodeCredential";

/// The class name of the operating system's broker, such as the Web Account Manager of Windows.
pub(crate) const BROKER: &str = "BrokerCredential";

#[derive(Debug)]
pub(crate) struct Absent {
    about: About,
    error: Error,
}

impl Absent {
    /// `SharedTokenCacheCredential`: the cache holds other applications' refresh tokens, and whoever redeems one of
    /// those signs in as that application.
    pub(crate) fn shared_token_cache() -> Absent {
        Absent::unavailable(
            SHARED_TOKEN_CACHE,
            "the cache that Microsoft's applications share holds their refresh tokens, and azcred does not use those",
        )
    }

    /// `VisualStudioCodeCredential`: the editor's login is kept by the broker, behind a library of Microsoft's own.
    pub(crate) fn visual_studio_code() -> Absent {
        Absent::unavailable(
            VISUAL_STUDIO_CODE,
            "the login of Visual Studio Code is kept by the operating system's broker, and azcred does not ask that",
        )
    }

    /// `BrokerCredential`: it exists on Windows alone, behind a library of Microsoft's own.
    pub(crate) fn broker() -> Absent {
        Absent::unavailable(BROKER, "azcred does not ask the operating system's broker (Web Account Manager)")
    }

    /// One whose place a developer's other logins can take.
    fn unavailable(name: &'static str, reason: &str) -> Absent {
        let error = Error::unavailable(format!(
            "{name}: {reason}; sign in with 'az login', 'azd auth login' or Azure PowerShell"
        ));
        Absent::of(name, error)
    }

    /// One that says this and nothing else.
    pub(crate) fn of(name: &'static str, error: Error) -> Absent {
        Absent { about: About::new(name, &[error.kind().name()], Duration::from_secs(1)), error }
    }
}

impl Source for Absent {
    fn about(&self) -> &About {
        &self.about
    }

    fn fetch<'a>(&'a self, _: &'a Ask<'a>) -> Fetch<'a> {
        Box::pin(std::future::ready(Err(self.error.clone())))
    }
}
