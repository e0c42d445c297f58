//! Entra ID: the token endpoint, its error documents, and the metadata that leads to it.

pub(crate) mod metadata;
pub(crate) mod refusal;
pub(crate) mod scope;
pub(crate) mod token;

use crate::{config::Config, identities::Tenant};

/// The tenant that a path names. `adfs` stands for the first one: an authority of that name is how
/// azure-identity can be led here by environment variables alone, because it skips instance
/// discovery.
fn tenant<'a>(config: &'a Config, name: &str) -> Option<&'a Tenant> {
    if name.eq_ignore_ascii_case("adfs") {
        return config.home();
    }
    config.tenant(name)
}
