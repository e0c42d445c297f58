//! A member of azure-identity's default chain that this version does not have.
//!
//! It stands in the chain so that the report names it, and so that a host configured for it is told, rather than given
//! another identity than the one it was set up for.

use std::time::Duration;

use super::{About, Ask, Fetch, Source};
use crate::error::Error;
use crate::world::World;

#[derive(Debug)]
pub(crate) struct Absent {
    about: About,
    error: Error,
}

impl Absent {
    /// `WorkloadIdentityCredential`, which AKS configures by `AZURE_FEDERATED_TOKEN_FILE`.
    pub(crate) fn workload_identity(world: &World) -> Absent {
        const NAME: &str = "WorkloadIdentityCredential";
        const VARIABLE: &str = "AZURE_FEDERATED_TOKEN_FILE";
        let error = if world.env.get(VARIABLE).is_some() {
            Error::configuration(format!(
                "{NAME}: {VARIABLE} is set, and workload identity is not supported by this version of azcred"
            ))
        } else {
            Error::unavailable(format!("{NAME}: {VARIABLE} is not set"))
        };
        Absent { about: About::new(NAME, &[error.kind().name()], Duration::from_secs(1)), error }
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
