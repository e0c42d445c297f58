//! The tenants, apps and managed identities of the emulated directory, and how a request names one.

use std::fmt;

use subtle::{Choice, ConstantTimeEq};

use crate::{ask::Pairs, config::Config, jwt::PublicKey, registered::Registered};

/// A directory, with the domains it also answers to.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    pub(crate) id: String,
    pub(crate) domains: Vec<String>,
}

impl Tenant {
    pub(crate) fn new(id: &str, domains: &[&str]) -> Self {
        Self { id: id.to_owned(), domains: domains.iter().map(|&domain| domain.to_owned()).collect() }
    }

    /// The id, then the domains.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.id).chain(&self.domains).map(String::as_str)
    }
}

/// An app registration together with its service principal.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) client_id: String,
    pub(crate) tenant_id: String,
    pub(crate) object_id: String,
    pub(crate) secrets: Vec<String>,
    pub(crate) certificates: Vec<Registered>,
    pub(crate) federated: Vec<FederatedCredential>,
    /// It keeps no secrets: whoever signs in by it proves nothing about the program.
    pub(crate) public: bool,
    /// Users of every tenant may sign in by it.
    pub(crate) multi_tenant: bool,
    pub(crate) redirect_uris: Vec<String>,
}

impl App {
    /// Whether `secret` is one of this app's; takes as long for a near miss as for a far one.
    pub(crate) fn knows(&self, secret: &str) -> bool {
        let found =
            self.secrets.iter().fold(Choice::from(0), |found, known| found | known.as_bytes().ct_eq(secret.as_bytes()));
        found.into()
    }

    /// Whether `name` is the client id or the URI made of it.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        let name = name.strip_prefix("api://").unwrap_or(name);
        name.trim_end_matches('/').eq_ignore_ascii_case(&self.client_id)
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("client_id", &self.client_id)
            .field("tenant_id", &self.tenant_id)
            .field("object_id", &self.object_id)
            .field("secrets", &format_args!("{} secret(s)", self.secrets.len()))
            .field("certificates", &self.certificates)
            .field("federated", &self.federated)
            .field("public", &self.public)
            .field("multi_tenant", &self.multi_tenant)
            .field("redirect_uris", &self.redirect_uris)
            .finish()
    }
}

/// Whose tokens an application accepts in place of a secret.
#[derive(Clone, Debug)]
pub(crate) struct FederatedCredential {
    /// `None` for the emulator's own issuer.
    pub(crate) issuer: Option<String>,
    pub(crate) subject: String,
    pub(crate) audience: String,
    /// The issuer's keys; none for the emulator's own.
    pub(crate) keys: Vec<(String, PublicKey)>,
}

/// Somebody who signs in.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) object_id: String,
    pub(crate) tenant_id: String,
    pub(crate) name: String,
    /// A password alone is not enough for this one.
    pub(crate) mfa: bool,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("username", &self.username)
            .field("object_id", &self.object_id)
            .field("tenant_id", &self.tenant_id)
            .field("name", &self.name)
            .field("mfa", &self.mfa)
            .finish_non_exhaustive()
    }
}

/// An identity that a host carries; a user-assigned one has a resource id.
#[derive(Clone, Debug)]
#[expect(clippy::struct_field_names, reason = "Azure's own words for them")]
pub(crate) struct ManagedIdentity {
    pub(crate) client_id: String,
    pub(crate) object_id: String,
    pub(crate) resource_id: Option<String>,
}

impl ManagedIdentity {
    /// The name the counters use.
    pub(crate) fn label(&self) -> &str {
        match self.resource_id {
            Some(_) => &self.client_id,
            None => "system",
        }
    }
}

/// Which parameter of a managed identity request holds which id.
#[derive(Clone, Copy, Debug)]
pub(crate) enum IdKind {
    Client,
    Object,
    Resource,
}

/// Why a request names no managed identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoIdentity {
    /// It names several at once.
    Ambiguous,
    /// It names one that this host does not carry.
    NotFound,
}

impl Config {
    /// The tenant of that id or domain, in any case of letters.
    pub(crate) fn tenant(&self, name: &str) -> Option<&Tenant> {
        self.tenants.iter().find(|tenant| tenant.names().any(|one| one.eq_ignore_ascii_case(name)))
    }

    /// The first tenant: where managed identities live and what ADFS stands for.
    pub(crate) fn home(&self) -> Option<&Tenant> {
        self.tenants.first()
    }

    pub(crate) fn app(&self, tenant: &Tenant, client_id: &str) -> Option<&App> {
        self.apps.iter().find(|app| {
            (app.multi_tenant || app.tenant_id == tenant.id) && app.client_id.eq_ignore_ascii_case(client_id)
        })
    }

    /// The user of that name in one of the tenants, in any case of letters.
    pub(crate) fn user(&self, username: &str) -> Option<&User> {
        self.users.iter().find(|user| user.username.eq_ignore_ascii_case(username))
    }

    pub(crate) fn user_by_object_id(&self, object_id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.object_id.eq_ignore_ascii_case(object_id))
    }

    /// The managed identity that `query` names by one of `parameters`; the host's own without any.
    pub(crate) fn managed_identity(
        &self,
        query: &Pairs,
        parameters: &[(&str, IdKind)],
    ) -> Result<&ManagedIdentity, NoIdentity> {
        let mut named = parameters.iter().flat_map(|&(name, kind)| query.all(name).map(move |id| (kind, id)));
        let Some((kind, id)) = named.next() else {
            return self.system_assigned.as_ref().ok_or(NoIdentity::NotFound);
        };
        if named.next().is_some() {
            return Err(NoIdentity::Ambiguous);
        }
        self.user_assigned
            .iter()
            .chain(&self.system_assigned)
            .find(|identity| {
                match kind {
                    IdKind::Client => Some(&identity.client_id),
                    IdKind::Object => Some(&identity.object_id),
                    IdKind::Resource => identity.resource_id.as_ref(),
                }
                .is_some_and(|known| known.eq_ignore_ascii_case(id))
            })
            .ok_or(NoIdentity::NotFound)
    }
}

/// Whether two byte strings are equal, in a time that tells nothing but their lengths.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// Whether `text` has the shape 8-4-4-4-12 of hexadecimal digits.
pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, byte)| match i {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_answers_to_its_id_and_domains_in_any_case() {
        let config = Config::default();
        for name in ["11111111-1111-1111-1111-111111111111", "contoso.example", "CONTOSO.Example"] {
            assert!(config.tenant(name).is_some(), "{name}");
        }
        for name in ["", "common", "contoso", "22222222-1111-1111-1111-111111111111"] {
            assert!(config.tenant(name).is_none(), "{name}");
        }
    }

    #[test]
    fn a_managed_identity_is_named_by_one_parameter_at_most() {
        const NAMES: [(&str, IdKind); 3] =
            [("client_id", IdKind::Client), ("object_id", IdKind::Object), ("msi_res_id", IdKind::Resource)];
        let config = Config::default();
        let first = config.user_assigned[0].resource_id.clone().unwrap();
        let table = [
            ("", Ok("system")),
            ("client_id=33333333-3333-3333-3333-333333333331", Ok("33333333-3333-3333-3333-333333333331")),
            ("object_id=44444444-4444-4444-4444-444444444442", Ok("33333333-3333-3333-3333-333333333332")),
            (&format!("msi_res_id={}", first.to_uppercase()), Ok("33333333-3333-3333-3333-333333333331")),
            ("client_id=33333333-3333-3333-3333-333333333330", Ok("system")),
            ("client_id=", Err(NoIdentity::NotFound)),
            ("client_id=nobody", Err(NoIdentity::NotFound)),
            ("client_id=a&object_id=b", Err(NoIdentity::Ambiguous)),
            ("client_id=a&client_id=a", Err(NoIdentity::Ambiguous)),
        ];
        for (query, expected) in table {
            let found = config.managed_identity(&Pairs::read(query.as_bytes()), &NAMES).map(ManagedIdentity::label);
            assert_eq!(found, expected, "{query}");
        }
    }

    #[test]
    fn secrets_are_compared_whole_and_never_shown() {
        let mut app = Config::default().apps.swap_remove(0);
        app.secrets = vec!["first".to_owned(), "second".to_owned()];
        assert!(app.knows("first") && app.knows("second"));
        assert!(!app.knows("firs") && !app.knows("") && !app.knows("seconds"));
        assert!(!format!("{app:?}").contains("first"));
        let user = &Config::default().users[0];
        assert!(!format!("{user:?}").contains(&user.password));
    }
}
