//! Whose directory a path stands for.

use super::refusal::Refusal;
use crate::{
    config::Config,
    identities::{App, Tenant, User},
};

/// Names that stand for whichever tenant the user has.
pub(crate) const TENANTLESS: [&str; 3] = ["common", "organizations", "consumers"];

/// What the first segment of a path names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Authority<'a> {
    One(&'a Tenant),
    /// `common` and its like.
    Any,
}

impl<'a> Authority<'a> {
    /// `adfs` stands for the first tenant: an authority of that name is how azure-identity can be
    /// led here by environment variables alone, because it skips instance discovery.
    pub(crate) fn read(config: &'a Config, name: &str) -> Result<Self, Refusal> {
        if TENANTLESS.iter().any(|one| one.eq_ignore_ascii_case(name)) {
            return Ok(Self::Any);
        }
        tenant(config, name).map(Self::One).ok_or_else(|| Refusal::tenant_not_found(name))
    }

    /// The app that acts here.
    pub(super) fn app(self, config: &'a Config, name: &str, client_id: &str) -> Result<&'a App, Refusal> {
        let unknown = || Refusal::app_not_found(client_id, name);
        match self {
            Self::One(tenant) => config.app(tenant, client_id).ok_or_else(unknown),
            Self::Any => {
                let called = |app: &&App| app.client_id.eq_ignore_ascii_case(client_id);
                let app = config.apps.iter().find(called).ok_or_else(unknown)?;
                if app.multi_tenant { Ok(app) } else { Err(Refusal::single_tenant(client_id)) }
            }
        }
    }

    /// Whether that user is somebody here.
    pub(super) fn admits(self, user: &User) -> bool {
        match self {
            Self::One(tenant) => tenant.id == user.tenant_id,
            Self::Any => true,
        }
    }

    /// Whether `name` leads to the same directory.
    pub(super) fn is_called(self, config: &Config, name: &str) -> bool {
        match (self, Authority::read(config, name)) {
            (Self::One(a), Ok(Authority::One(b))) => a.id == b.id,
            (Self::Any, Ok(Authority::Any)) => true,
            _ => false,
        }
    }
}

/// The one tenant that a path names.
pub(super) fn tenant<'a>(config: &'a Config, name: &str) -> Option<&'a Tenant> {
    if name.eq_ignore_ascii_case("adfs") {
        return config.home();
    }
    config.tenant(name)
}
