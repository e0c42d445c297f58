//! Who exists in the emulated directory, and how generous it is: read from TOML, checked once.
//!
//! Every key has a default, so the empty text is a working configuration. A list that is given
//! replaces the default list; nothing is merged into it.
//! `default.toml` writes the defaults out, and a test holds it to them.

mod people;
mod written;

use std::fmt;

use serde::Deserialize;

pub(crate) use self::people::{EXCHANGE, PIPELINE, WORKLOAD};
use self::written::Written;
use crate::identities::{App, ManagedIdentity, Tenant, User, is_guid};

const LONGEST_LIFETIME: u32 = 366 * 86_400;

/// What the emulator knows and grants. The keys are on this crate's front page.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct Config {
    pub(crate) tenants: Vec<Tenant>,
    pub(crate) apps: Vec<App>,
    pub(crate) users: Vec<User>,
    pub(crate) system_assigned: Option<ManagedIdentity>,
    pub(crate) user_assigned: Vec<ManagedIdentity>,
    pub(crate) identity_header: String,
    pub(crate) ml_secret: String,
    pub(crate) ml_expires_on: Moments,
    pub(crate) service_fabric_header: String,
    /// Empty: no Arc.
    pub(crate) arc_token_dir: String,
    pub(crate) region: String,
    pub(crate) managed_identity_lifetime: u32,
    pub(crate) app_lifetime: u32,
    pub(crate) refresh_in: Option<u32>,
    pub(crate) refresh_token_lifetime: u32,
    pub(crate) authorization_code_lifetime: u32,
    pub(crate) federated_token_lifetime: u32,
    pub(crate) refuse_replayed_assertions: bool,
    /// Given: the token proxy turns other names away.
    pub(crate) token_proxy_sni: Option<String>,
    pub(crate) tls_names: Vec<String>,
    pub(crate) device_code: DeviceCode,
    pub(crate) pipelines: Pipelines,
    pub(crate) imds_limits: Option<ImdsLimits>,
}

/// How much IMDS bears.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ImdsLimits {
    pub(crate) requests_per_second: u32,
    pub(crate) concurrent: u32,
}

/// How Azure ML writes a moment.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Moments {
    Number,
    #[default]
    String,
    /// `1/16/2020 5:24:12 AM +00:00`.
    WindowsDate,
    /// `06/20/2019 02:57:58 +00:00`.
    LinuxDate,
}

/// How a device code is waited for.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DeviceCode {
    pub(crate) lifetime: u32,
    pub(crate) interval: u32,
    /// After that many answers of "pending" the user approves by itself.
    pub(crate) approve_after: Option<u32>,
}

impl Default for DeviceCode {
    fn default() -> Self {
        Self { lifetime: 900, interval: 5, approve_after: None }
    }
}

/// What a pipeline's job knows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Pipelines {
    pub(crate) token: String,
    pub(crate) service_connection_id: String,
}

impl Default for Pipelines {
    fn default() -> Self {
        Self {
            token: "emulator-pipelines-token".to_owned(),
            service_connection_id: "77777777-7777-7777-7777-777777777777".to_owned(),
        }
    }
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

    fn of(directory: Directory, written: Written) -> Self {
        Self {
            tenants: directory.tenants,
            apps: directory.apps,
            users: directory.users,
            system_assigned: written.system_assigned.identity(),
            user_assigned: directory.user_assigned,
            identity_header: written.identity_header,
            ml_secret: written.ml_secret,
            ml_expires_on: written.ml_expires_on,
            service_fabric_header: written.service_fabric_header,
            arc_token_dir: written.arc_token_dir,
            region: written.region,
            managed_identity_lifetime: written.managed_identity_lifetime,
            app_lifetime: written.app_lifetime,
            refresh_in: written.refresh_in,
            refresh_token_lifetime: written.refresh_token_lifetime,
            authorization_code_lifetime: written.authorization_code_lifetime,
            federated_token_lifetime: written.federated_token_lifetime,
            refuse_replayed_assertions: written.refuse_replayed_assertions,
            token_proxy_sni: written.token_proxy_sni,
            tls_names: written.tls_names,
            device_code: written.device_code,
            pipelines: written.pipelines,
            imds_limits: written.imds_limits.limits(),
        }
    }
}

/// Who exists.
struct Directory {
    tenants: Vec<Tenant>,
    apps: Vec<App>,
    users: Vec<User>,
    user_assigned: Vec<ManagedIdentity>,
}

impl Default for Config {
    fn default() -> Self {
        let tenants = people::default_tenants();
        let (apps, users) = tenants
            .first()
            .map_or_else(Default::default, |home| (people::default_apps(&home.id), people::default_users(home)));
        let user_assigned = people::default_user_assigned();
        Self::of(Directory { tenants, apps, users, user_assigned }, Written::default())
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

impl TryFrom<Written> for Config {
    type Error = ConfigError;

    fn try_from(mut written: Written) -> Result<Self, ConfigError> {
        let tenants = written.tenants.take().map_or_else(|| Ok(people::default_tenants()), people::read_tenants)?;
        let Some(home) = tenants.first() else {
            return refuse("tenants", "must name at least one tenant");
        };
        let apps = match written.apps.take() {
            None => people::default_apps(&home.id),
            Some(apps) => people::read_apps(apps, &tenants, &home.id)?,
        };
        let users = match written.users.take() {
            None => people::default_users(home),
            Some(users) => people::read_users(users, &tenants, &home.id)?,
        };
        let user_assigned = match written.user_assigned.take() {
            None => people::default_user_assigned(),
            Some(identities) => people::read_user_assigned(identities)?,
        };
        let config = Self::of(Directory { tenants, apps, users, user_assigned }, written);
        config.check()?;
        Ok(config)
    }
}

impl Config {
    /// What does not depend on who exists.
    fn check(&self) -> Result<(), ConfigError> {
        if let Some(system) = &self.system_assigned {
            guid("system_assigned.client_id", &system.client_id)?;
            guid("system_assigned.object_id", &system.object_id)?;
        }
        people::unique("managed identity", &self.user_assigned, self.system_assigned.as_ref())?;
        for (key, value) in [
            ("identity_header", &self.identity_header),
            ("ml_secret", &self.ml_secret),
            ("service_fabric_header", &self.service_fabric_header),
            ("pipelines.token", &self.pipelines.token),
            ("pipelines.service_connection_id", &self.pipelines.service_connection_id),
            ("region", &self.region),
        ] {
            if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
                return refuse(key, "must be visible ASCII without blanks");
            }
        }
        for (key, seconds) in [
            ("managed_identity_lifetime", self.managed_identity_lifetime),
            ("app_lifetime", self.app_lifetime),
            ("refresh_token_lifetime", self.refresh_token_lifetime),
            ("authorization_code_lifetime", self.authorization_code_lifetime),
            ("federated_token_lifetime", self.federated_token_lifetime),
            ("device_code.lifetime", self.device_code.lifetime),
            ("device_code.interval", self.device_code.interval),
        ] {
            if !(1..=LONGEST_LIFETIME).contains(&seconds) {
                return refuse(key, "must be 1 second to 366 days");
            }
        }
        if self.refresh_in.is_some_and(|s| s > self.app_lifetime) {
            return refuse("refresh_in", "must not be longer than app_lifetime");
        }
        let sni = self.token_proxy_sni.iter().map(|name| ("token_proxy_sni", name));
        for (key, name) in self.tls_names.iter().map(|name| ("tls_names", name)).chain(sni) {
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.*".contains(&byte)) {
                return refuse(key, "must be host names");
            }
        }
        let Some(limits) = self.imds_limits else {
            return Ok(());
        };
        for (key, number) in [
            ("imds_limits.requests_per_second", limits.requests_per_second),
            ("imds_limits.concurrent", limits.concurrent),
        ] {
            if !(1..=100_000).contains(&number) {
                return refuse(key, "must be 1 to 100000; `enabled = false` lifts the limits");
            }
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_text_is_the_default_and_so_is_the_written_one() {
        let empty = Config::from_toml("").unwrap();
        let default = Config::default();
        assert_eq!(format!("{empty:?}"), format!("{default:?}"));
        let written = Config::from_toml(include_str!("../default.toml")).unwrap();
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
            (format!("[[apps]]\nclient_id='{G}'\nsecrets=['']"), "apps[0].secrets"),
            (format!("[[apps]]\nclient_id='{G}'\npublic=true\nsecrets=['s']"), "apps[0].public"),
            (format!("[[apps]]\nclient_id='{G}'\ncertificates=['x']"), "apps[0].certificates"),
            (
                format!("[[apps]]\nclient_id='{G}'\nfederated_credentials=[{{subject='s',issuer='i'}}]"),
                "apps[0].federated_credentials",
            ),
            (format!("[[users]]\nusername='a'\npassword=''\nobject_id='{G}'"), "users[0].username"),
            (format!("[[users]]\nusername='a'\npassword='b'\nobject_id='{G}'\ntenant_id='x'"), "users[0].tenant_id"),
            ("ml_expires_on = 'x'".to_owned(), "linux_date"),
            ("region = ''".to_owned(), "region"),
            ("tls_names = ['a b']".to_owned(), "tls_names"),
            ("[device_code]\ninterval = 0".to_owned(), "device_code.interval"),
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
