//! Who exists in the emulated directory, and how generous it is: read from TOML, checked once.
//!
//! Every key has a default, so the empty text is a working configuration. A list that is given
//! replaces the default list; nothing is merged into it.
//! `default.toml` writes the defaults out, and a test holds it to them.

use std::{collections::HashSet, fmt};

use serde::Deserialize;

use crate::identities::{App, ManagedIdentity, Tenant, is_guid};

const TENANT_ID: &str = "11111111-1111-1111-1111-111111111111";
const CLIENT_ID: &str = "22222222-2222-2222-2222-222222222222";
const CLIENT_SECRET: &str = "emulator-client-secret";
const IDENTITY_HEADER: &str = "emulator-identity-header";
const LONGEST_LIFETIME: u32 = 366 * 86_400;

/// What the emulator knows and grants. The keys are on this crate's front page.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct Config {
    pub(crate) tenants: Vec<Tenant>,
    pub(crate) apps: Vec<App>,
    pub(crate) system_assigned: Option<ManagedIdentity>,
    pub(crate) user_assigned: Vec<ManagedIdentity>,
    pub(crate) identity_header: String,
    pub(crate) managed_identity_lifetime: u32,
    pub(crate) app_lifetime: u32,
    pub(crate) refresh_in: Option<u32>,
    pub(crate) imds_limits: Option<ImdsLimits>,
}

/// How much IMDS bears.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ImdsLimits {
    pub(crate) requests_per_second: u32,
    pub(crate) concurrent: u32,
}

impl Config {
    /// The configuration in `text`; the defaults where it says nothing.
    ///
    /// # Errors
    ///
    /// When the text is no TOML, has an unknown key, or a value that cannot be meant; the sentence
    /// names the key.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let written: Written = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(0, |before| before.matches('\n').count()) + 1;
            ConfigError(format!("line {line}: {}", error.message()))
        })?;
        Self::try_from(written)
    }
}

impl Default for Config {
    fn default() -> Self {
        let written = Written::default();
        Self {
            tenants: vec![Tenant::new(TENANT_ID, &["contoso.example"])],
            apps: vec![App::new(CLIENT_ID, TENANT_ID, &[CLIENT_SECRET])],
            system_assigned: written.system_assigned.identity(),
            user_assigned: default_user_assigned(),
            identity_header: written.identity_header,
            managed_identity_lifetime: written.managed_identity_lifetime,
            app_lifetime: written.app_lifetime,
            refresh_in: written.refresh_in,
            imds_limits: written.imds_limits.limits(),
        }
    }
}

/// Why a configuration was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "emulator configuration: {}", self.0)
    }
}

impl std::error::Error for ConfigError {}

/// The file as it is written, before anything in it is believed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    tenants: Option<Vec<WrittenTenant>>,
    apps: Option<Vec<WrittenApp>>,
    system_assigned: WrittenSystem,
    user_assigned: Option<Vec<WrittenUser>>,
    identity_header: String,
    managed_identity_lifetime: u32,
    app_lifetime: u32,
    refresh_in: Option<u32>,
    imds_limits: WrittenLimits,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            tenants: None,
            apps: None,
            system_assigned: WrittenSystem::default(),
            user_assigned: None,
            identity_header: IDENTITY_HEADER.to_owned(),
            managed_identity_lifetime: 86_400,
            app_lifetime: 3599,
            refresh_in: None,
            imds_limits: WrittenLimits::default(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTenant {
    id: String,
    #[serde(default)]
    domains: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenApp {
    client_id: String,
    tenant_id: Option<String>,
    object_id: Option<String>,
    secrets: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenSystem {
    enabled: bool,
    client_id: String,
    object_id: String,
}

impl Default for WrittenSystem {
    fn default() -> Self {
        Self {
            enabled: true,
            client_id: "33333333-3333-3333-3333-333333333330".to_owned(),
            object_id: "44444444-4444-4444-4444-444444444440".to_owned(),
        }
    }
}

impl WrittenSystem {
    fn identity(self) -> Option<ManagedIdentity> {
        self.enabled.then_some(ManagedIdentity {
            client_id: self.client_id,
            object_id: self.object_id,
            resource_id: None,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "Azure's own words for them")]
struct WrittenUser {
    client_id: String,
    object_id: String,
    resource_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenLimits {
    enabled: bool,
    requests_per_second: u32,
    concurrent: u32,
}

impl Default for WrittenLimits {
    fn default() -> Self {
        Self { enabled: true, requests_per_second: 20, concurrent: 5 }
    }
}

impl WrittenLimits {
    fn limits(&self) -> Option<ImdsLimits> {
        self.enabled
            .then_some(ImdsLimits { requests_per_second: self.requests_per_second, concurrent: self.concurrent })
    }
}

fn default_user_assigned() -> Vec<ManagedIdentity> {
    (1..=2)
        .map(|n| ManagedIdentity {
            client_id: format!("33333333-3333-3333-3333-33333333333{n}"),
            object_id: format!("44444444-4444-4444-4444-44444444444{n}"),
            resource_id: Some(format!(
                "/subscriptions/55555555-5555-5555-5555-555555555555/resourceGroups/emulator\
                 /providers/Microsoft.ManagedIdentity/userAssignedIdentities/emulator-{n}"
            )),
        })
        .collect()
}

impl TryFrom<Written> for Config {
    type Error = ConfigError;

    fn try_from(written: Written) -> Result<Self, ConfigError> {
        let tenants = written.tenants.map_or_else(|| Ok(Self::default().tenants), read_tenants)?;
        let home = first_id(&tenants)?;
        let apps = match written.apps {
            None => vec![App::new(CLIENT_ID, &home, &[CLIENT_SECRET])],
            Some(apps) => read_apps(apps, &tenants, &home)?,
        };
        let user_assigned = written.user_assigned.map_or_else(|| Ok(default_user_assigned()), read_user_assigned)?;
        let system_assigned = written.system_assigned.identity();
        if let Some(system) = &system_assigned {
            guid("system_assigned.client_id", &system.client_id)?;
            guid("system_assigned.object_id", &system.object_id)?;
        }
        unique("managed identity", &user_assigned, system_assigned.as_ref())?;

        let header = &written.identity_header;
        if header.is_empty() || !header.bytes().all(|byte| byte.is_ascii_graphic()) {
            return refuse("identity_header", "must be visible ASCII without blanks");
        }
        lifetime("managed_identity_lifetime", written.managed_identity_lifetime)?;
        lifetime("app_lifetime", written.app_lifetime)?;
        if written.refresh_in.is_some_and(|s| s > written.app_lifetime) {
            return refuse("refresh_in", "must not be longer than app_lifetime");
        }
        let limits = written.imds_limits.limits();
        if limits.is_some_and(|l| !(1..=100_000).contains(&l.requests_per_second)) {
            return refuse(
                "imds_limits.requests_per_second",
                "must be 1 to 100000; `enabled = false` lifts the limits",
            );
        }
        if limits.is_some_and(|l| !(1..=100_000).contains(&l.concurrent)) {
            return refuse("imds_limits.concurrent", "must be 1 to 100000; `enabled = false` lifts the limits");
        }
        Ok(Self {
            tenants,
            apps,
            system_assigned,
            user_assigned,
            identity_header: written.identity_header,
            managed_identity_lifetime: written.managed_identity_lifetime,
            app_lifetime: written.app_lifetime,
            refresh_in: written.refresh_in,
            imds_limits: limits,
        })
    }
}

fn refuse<T>(key: &str, why: &str) -> Result<T, ConfigError> {
    Err(ConfigError(format!("{key} {why}")))
}

fn guid(key: &str, value: &str) -> Result<(), ConfigError> {
    if is_guid(value) {
        return Ok(());
    }
    refuse(key, "must be a GUID such as 11111111-1111-1111-1111-111111111111")
}

fn lifetime(key: &str, seconds: u32) -> Result<(), ConfigError> {
    if (1..=LONGEST_LIFETIME).contains(&seconds) {
        return Ok(());
    }
    refuse(key, "must be 1 second to 366 days")
}

fn first_id(tenants: &[Tenant]) -> Result<String, ConfigError> {
    match tenants.first() {
        Some(tenant) => Ok(tenant.id.clone()),
        None => refuse("tenants", "must name at least one tenant"),
    }
}

fn read_tenants(written: Vec<WrittenTenant>) -> Result<Vec<Tenant>, ConfigError> {
    let mut names = HashSet::new();
    let mut tenants = Vec::with_capacity(written.len());
    for (i, tenant) in written.into_iter().enumerate() {
        guid(&format!("tenants[{i}].id"), &tenant.id)?;
        for domain in &tenant.domains {
            let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
            if domain.is_empty() || !domain.bytes().all(legal) {
                return refuse(&format!("tenants[{i}].domains"), "must be domain names");
            }
        }
        let tenant = Tenant { id: tenant.id.to_ascii_lowercase(), domains: tenant.domains };
        for name in tenant.names() {
            if !names.insert(name.to_ascii_lowercase()) {
                return refuse(&format!("tenants[{i}]"), &format!("repeats {name}"));
            }
        }
        tenants.push(tenant);
    }
    Ok(tenants)
}

fn read_apps(written: Vec<WrittenApp>, tenants: &[Tenant], home: &str) -> Result<Vec<App>, ConfigError> {
    let mut seen = HashSet::new();
    let mut apps = Vec::with_capacity(written.len());
    for (i, app) in written.into_iter().enumerate() {
        guid(&format!("apps[{i}].client_id"), &app.client_id)?;
        let object_id = app.object_id.unwrap_or_else(|| app.client_id.clone());
        guid(&format!("apps[{i}].object_id"), &object_id)?;
        let tenant_id = app.tenant_id.unwrap_or_else(|| home.to_owned());
        if !tenants.iter().any(|t| t.id.eq_ignore_ascii_case(&tenant_id)) {
            return refuse(&format!("apps[{i}].tenant_id"), "must be a tenant of this file");
        }
        if app.secrets.is_empty() || app.secrets.iter().any(String::is_empty) {
            return refuse(&format!("apps[{i}].secrets"), "must hold non-empty secrets");
        }
        let tenant_id = tenant_id.to_ascii_lowercase();
        if !seen.insert((tenant_id.clone(), app.client_id.to_ascii_lowercase())) {
            return refuse(&format!("apps[{i}].client_id"), "repeats an earlier app");
        }
        apps.push(App { client_id: app.client_id, tenant_id, object_id, secrets: app.secrets });
    }
    Ok(apps)
}

fn read_user_assigned(written: Vec<WrittenUser>) -> Result<Vec<ManagedIdentity>, ConfigError> {
    let mut identities = Vec::with_capacity(written.len());
    for (i, identity) in written.into_iter().enumerate() {
        guid(&format!("user_assigned[{i}].client_id"), &identity.client_id)?;
        guid(&format!("user_assigned[{i}].object_id"), &identity.object_id)?;
        if !identity.resource_id.starts_with('/') {
            return refuse(&format!("user_assigned[{i}].resource_id"), "must be a resource id: /subscriptions/…");
        }
        identities.push(ManagedIdentity {
            client_id: identity.client_id,
            object_id: identity.object_id,
            resource_id: Some(identity.resource_id),
        });
    }
    Ok(identities)
}

fn unique(what: &str, identities: &[ManagedIdentity], system: Option<&ManagedIdentity>) -> Result<(), ConfigError> {
    let mut seen = HashSet::new();
    for identity in identities.iter().chain(system) {
        for id in [&identity.client_id, &identity.object_id].into_iter().chain(&identity.resource_id) {
            if !seen.insert(id.to_ascii_lowercase()) {
                return refuse(id, &format!("names more than one {what}"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_text_is_the_default_and_so_is_the_written_one() {
        let empty = Config::from_toml("").unwrap();
        let default = Config::default();
        assert_eq!(format!("{empty:?}"), format!("{default:?}"));
        let written = Config::from_toml(include_str!("default.toml")).unwrap();
        assert_eq!(format!("{written:?}"), format!("{default:?}"));
        assert_eq!(written.apps[0].secrets, default.apps[0].secrets);
        assert_eq!(empty.user_assigned.len(), 2);
        assert!(empty.system_assigned.is_some());
    }

    #[test]
    fn a_given_list_replaces_the_default_one() {
        let config = Config::from_toml(
            r#"
            user_assigned = []
            refresh_in = 1800
            [[tenants]]
            id = "AAAAAAAA-1111-1111-1111-111111111111"
            domains = ["a.example", "b.example"]
            [system_assigned]
            enabled = false
            [imds_limits]
            enabled = false
            "#,
        )
        .unwrap();
        assert_eq!(config.tenants[0].id, "aaaaaaaa-1111-1111-1111-111111111111");
        assert_eq!(config.apps[0].tenant_id, config.tenants[0].id);
        assert!(config.system_assigned.is_none() && config.user_assigned.is_empty());
        assert!(config.imds_limits.is_none());
        assert_eq!(config.refresh_in, Some(1800));
    }

    #[test]
    fn a_refusal_names_the_key() {
        const G: &str = "11111111-1111-1111-1111-111111111111";
        let table = [
            ("colour = 1".to_owned(), "colour"),
            ("a = ".to_owned(), "line 1"),
            ("tenants = []".to_owned(), "tenants"),
            ("[[tenants]]\nid = 'x'".to_owned(), "tenants[0].id"),
            (format!("[[tenants]]\nid='{G}'\n[[tenants]]\nid='{G}'"), "tenants[1] repeats"),
            (format!("[[tenants]]\nid='{G}'\ndomains=['a b']"), "tenants[0].domains"),
            ("[[tenants]]\nname = 'x'".to_owned(), "name"),
            ("[[apps]]\nsecrets=['s']".to_owned(), "client_id"),
            ("[[apps]]\nclient_id='1'\nsecrets=['s']".to_owned(), "apps[0].client_id"),
            (format!("[[apps]]\nclient_id='{G}'\nsecrets=[]"), "apps[0].secrets"),
            (format!("[[apps]]\nclient_id='{G}'\nsecrets=['s']\ntenant_id='other'"), "apps[0].tenant_id"),
            (
                format!("[[user_assigned]]\nclient_id='{G}'\nobject_id='{G}'\nresource_id='x'"),
                "user_assigned[0].resource_id",
            ),
            (
                format!("[[user_assigned]]\nclient_id='{G}'\nobject_id='{G}'\nresource_id='/x'"),
                "more than one managed identity",
            ),
            ("identity_header = ''".to_owned(), "identity_header"),
            ("identity_header = \"a\\r\\nb\"".to_owned(), "identity_header"),
            ("app_lifetime = 0".to_owned(), "app_lifetime"),
            ("managed_identity_lifetime = 4000000000".to_owned(), "managed_identity_lifetime"),
            ("refresh_in = 3600".to_owned(), "refresh_in"),
            ("[imds_limits]\nconcurrent = 0".to_owned(), "imds_limits.concurrent"),
            ("[imds_limits]\nrequests_per_second = 0".to_owned(), "requests_per_second"),
        ];
        for (text, word) in table {
            let error = Config::from_toml(&text).unwrap_err().to_string();
            assert!(error.contains(word), "{text:?} gave {error:?}");
        }
    }
}
