//! Which tenant a request may name.

use crate::error::Error;
use crate::request::{check_tenant, wish};
use crate::world::World;

/// A source's rule about tenants.
#[derive(Clone, Debug)]
pub(crate) enum Tenants {
    /// There is nothing to choose (managed identity): a request's tenant is ignored, as the peers do.
    None,
    /// The members decide (chains).
    Members,
    /// A default, and others by permission.
    Own {
        /// The configured one; `None` where the tool has one of its own.
        default: Option<String>,
        /// `additionally_allowed_tenants`.
        allowed: Vec<String>,
        /// `AZURE_IDENTITY_DISABLE_MULTITENANTAUTH`: whatever a request names, it gets the default.
        fixed: bool,
    },
}

impl Tenants {
    /// A rule from the options of `credential`, in this environment.
    pub(crate) fn own(
        world: &World,
        credential: &str,
        default: Option<String>,
        allowed: Option<Vec<String>>,
    ) -> Result<Tenants, Error> {
        let allowed = allowed.unwrap_or_default();
        for tenant in allowed.iter().filter(|tenant| *tenant != "*") {
            check_tenant(tenant).map_err(|sentence| {
                Error::configuration(format!("{credential}: option additionally_allowed_tenants: {sentence}"))
            })?;
        }
        let fixed = world.env.get("AZURE_IDENTITY_DISABLE_MULTITENANTAUTH").is_some();
        Ok(Tenants::Own { default, allowed, fixed })
    }

    /// The rule as a part of a fingerprint: who may less must not find the tokens of who may more.
    pub(crate) fn permission(&self) -> String {
        match self {
            Tenants::None | Tenants::Members => String::new(),
            Tenants::Own { allowed, .. } => {
                let mut allowed: Vec<String> = allowed.iter().map(|tenant| tenant.to_ascii_lowercase()).collect();
                allowed.sort_unstable();
                allowed.dedup();
                allowed.join(";")
            }
        }
    }

    /// The configured tenant.
    pub(crate) fn default_tenant(&self) -> Option<&str> {
        match self {
            Tenants::None | Tenants::Members => None,
            Tenants::Own { default, .. } => default.as_deref(),
        }
    }

    /// The tenant to ask, given what the request names.
    pub(crate) fn resolve<'a>(
        &'a self,
        credential: &str,
        requested: Option<&'a str>,
    ) -> Result<Option<&'a str>, Error> {
        let requested = wish(requested);
        match self {
            Tenants::None => Ok(None),
            Tenants::Members => Ok(requested),
            Tenants::Own { default, fixed: true, .. } => Ok(default.as_deref()),
            Tenants::Own { default, allowed, fixed: false } => {
                let (Some(default), Some(requested)) = (default.as_deref(), requested) else {
                    return Ok(requested.or(default.as_deref()));
                };
                let allows = |tenant: &String| tenant == "*" || tenant.eq_ignore_ascii_case(requested);
                // An ADFS host has no tenants to choose from.
                if default == "adfs" || default.eq_ignore_ascii_case(requested) {
                    return Ok(Some(default));
                }
                if allowed.iter().any(allows) || (default == "organizations" && allowed.is_empty()) {
                    return Ok(Some(requested));
                }
                Err(Error::failed(format!(
                    "{credential}: the request names tenant {requested}, the credential is for {default}; add it (or '*') \
                     to the option additionally_allowed_tenants"
                )))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        let own = |default: Option<&str>, allowed: &[&str]| {
            let allowed = allowed.iter().map(|tenant| (*tenant).to_owned()).collect();
            Tenants::Own { default: default.map(str::to_owned), allowed, fixed: false }
        };
        let fixed = |default: Option<&str>, allowed: &str| {
            let (default, allowed) = (default.map(str::to_owned), vec![allowed.to_owned()]);
            Tenants::Own { default, allowed, fixed: true }
        };
        let cases = [
            (Tenants::None, Some("b"), Ok(None)),
            (Tenants::Members, Some("b"), Ok(Some("b"))),
            (Tenants::Members, Some(""), Ok(None)),
            (own(Some("a"), &[]), Some(""), Ok(Some("a"))),
            (own(Some("a"), &[]), None, Ok(Some("a"))),
            (own(Some("a"), &[]), Some("A"), Ok(Some("a"))),
            (own(Some("a"), &[]), Some("b"), Err(())),
            (own(Some("a"), &["c"]), Some("b"), Err(())),
            (own(Some("a"), &["b"]), Some("b"), Ok(Some("b"))),
            (own(Some("a"), &["*"]), Some("b"), Ok(Some("b"))),
            (own(None, &[]), Some("b"), Ok(Some("b"))),
            (own(Some("organizations"), &[]), Some("b"), Ok(Some("b"))),
            (own(Some("adfs"), &[]), Some("b"), Ok(Some("adfs"))),
            (fixed(Some("a"), "c"), Some("b"), Ok(Some("a"))),
            (fixed(Some("a"), "*"), Some("b"), Ok(Some("a"))),
            (fixed(Some("a"), "c"), None, Ok(Some("a"))),
            (fixed(None, "c"), Some("b"), Ok(None)),
        ];
        for (rule, requested, expected) in cases {
            let resolved = rule.resolve("X", requested).map_err(|error| {
                assert!(error.message().contains("additionally_allowed_tenants"), "{error}");
            });
            assert_eq!(resolved, expected, "{rule:?} {requested:?}");
        }
    }
}
