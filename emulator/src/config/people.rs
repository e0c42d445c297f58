//! The directory in the configuration: tenants, applications, users and managed identities.

use std::collections::HashSet;

use jsonwebtoken::jwk::{AlgorithmParameters, JwkSet};

use super::{
    ConfigError, guid, refuse,
    written::{WrittenApp, WrittenFederation, WrittenPerson, WrittenTenant, WrittenUser},
};
use crate::{
    identities::{App, FederatedCredential, ManagedIdentity, Tenant, User},
    jwt::{PublicKey, decode},
    registered::Registered,
};

/// What federated tokens are for.
pub(crate) const EXCHANGE: &str = "api://AzureADTokenExchange";
/// Whom the projected token of a pod speaks for.
pub(crate) const WORKLOAD: &str = "system:serviceaccount:default:workload";
/// Whom the token of a pipeline speaks for.
pub(crate) const PIPELINE: &str = "sc://contoso/emulator/connection";

const TENANT_ID: &str = "11111111-1111-1111-1111-111111111111";
const CLIENT_ID: &str = "22222222-2222-2222-2222-222222222222";
/// What the developer tools of Azure, and SDKs without a client id, sign in by.
const DEVELOPER_ID: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
const PUBLIC_ID: &str = "22222222-2222-2222-2222-222222222223";

pub(super) fn default_tenants() -> Vec<Tenant> {
    vec![Tenant::new(TENANT_ID, &["contoso.example"])]
}

/// One application that has everything, and two that keep no secrets.
pub(super) fn default_apps(home: &str) -> Vec<App> {
    let public = |client_id: &str| App {
        secrets: Vec::new(),
        federated: Vec::new(),
        public: true,
        multi_tenant: true,
        ..app(client_id, home)
    };
    vec![app(CLIENT_ID, home), public(PUBLIC_ID), public(DEVELOPER_ID)]
}

fn app(client_id: &str, home: &str) -> App {
    App {
        client_id: client_id.to_owned(),
        tenant_id: home.to_owned(),
        object_id: client_id.to_owned(),
        secrets: vec!["emulator-client-secret".to_owned()],
        certificates: Vec::new(),
        federated: default_federation(),
        public: false,
        multi_tenant: false,
        redirect_uris: default_redirects(),
    }
}

fn default_redirects() -> Vec<String> {
    ["http://localhost", "http://localhost/callback", "http://127.0.0.1"].map(str::to_owned).to_vec()
}

/// The emulator's own pods and pipelines.
fn default_federation() -> Vec<FederatedCredential> {
    [WORKLOAD, PIPELINE]
        .map(|subject| FederatedCredential {
            issuer: None,
            subject: subject.to_owned(),
            audience: EXCHANGE.to_owned(),
            keys: Vec::new(),
        })
        .to_vec()
}

pub(super) fn default_users(home: &Tenant) -> Vec<User> {
    let domain = home.domains.first().map_or("contoso.example", String::as_str);
    let user = |n: u8, who: &str, name: &str, mfa| User {
        username: format!("{who}@{domain}"),
        password: "emulator-password".to_owned(),
        object_id: format!("66666666-6666-6666-6666-66666666666{n}"),
        tenant_id: home.id.clone(),
        name: name.to_owned(),
        mfa,
    };
    vec![user(1, "alex", "Alex Emulated", false), user(2, "morgan", "Morgan Emulated", true)]
}

pub(super) fn default_user_assigned() -> Vec<ManagedIdentity> {
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

pub(super) fn read_tenants(written: Vec<WrittenTenant>) -> Result<Vec<Tenant>, ConfigError> {
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

pub(super) fn read_apps(written: Vec<WrittenApp>, tenants: &[Tenant], home: &str) -> Result<Vec<App>, ConfigError> {
    let mut seen = HashSet::new();
    let mut apps = Vec::with_capacity(written.len());
    for (i, app) in written.into_iter().enumerate() {
        let key = |name: &str| format!("apps[{i}].{name}");
        guid(&key("client_id"), &app.client_id)?;
        let object_id = app.object_id.unwrap_or_else(|| app.client_id.clone());
        guid(&key("object_id"), &object_id)?;
        let tenant_id = tenant_of(&key("tenant_id"), app.tenant_id, tenants, home)?;
        if app.secrets.iter().any(String::is_empty) {
            return refuse(&key("secrets"), "must hold non-empty secrets");
        }
        let mut certificates = Vec::new();
        for pem in &app.certificates {
            match Registered::from_pem(pem) {
                Ok(certificate) => certificates.push(certificate),
                Err(reason) => return refuse(&key("certificates"), &reason),
            }
        }
        let federated = match app.federated_credentials {
            None if i == 0 && !app.public => default_federation(),
            written => read_federation(&key("federated_credentials"), written.unwrap_or_default())?,
        };
        if app.public && !(app.secrets.is_empty() && certificates.is_empty() && federated.is_empty()) {
            return refuse(&key("public"), "goes without secrets, certificates and federated credentials");
        }
        if !seen.insert((tenant_id.clone(), app.client_id.to_ascii_lowercase())) {
            return refuse(&key("client_id"), "repeats an earlier app");
        }
        apps.push(App {
            client_id: app.client_id,
            tenant_id,
            object_id,
            secrets: app.secrets,
            certificates,
            federated,
            public: app.public,
            multi_tenant: app.multi_tenant.unwrap_or(app.public),
            redirect_uris: app.redirect_uris.unwrap_or_else(default_redirects),
        });
    }
    Ok(apps)
}

fn tenant_of(key: &str, written: Option<String>, tenants: &[Tenant], home: &str) -> Result<String, ConfigError> {
    let id = written.unwrap_or_else(|| home.to_owned()).to_ascii_lowercase();
    if tenants.iter().any(|tenant| tenant.id == id) {
        return Ok(id);
    }
    refuse(key, "must be a tenant of this file")
}

fn read_federation(key: &str, written: Vec<WrittenFederation>) -> Result<Vec<FederatedCredential>, ConfigError> {
    let mut credentials = Vec::with_capacity(written.len());
    for one in written {
        let keys = match (&one.issuer, &one.jwks) {
            (None, None) => Vec::new(),
            (Some(_), Some(jwks)) => read_keys(key, jwks)?,
            (Some(_), None) => return refuse(key, "needs the jwks of a foreign issuer"),
            (None, Some(_)) => return refuse(key, "has a jwks without an issuer"),
        };
        credentials.push(FederatedCredential {
            issuer: one.issuer,
            subject: one.subject,
            audience: one.audience.unwrap_or_else(|| EXCHANGE.to_owned()),
            keys,
        });
    }
    Ok(credentials)
}

fn read_keys(key: &str, jwks: &str) -> Result<Vec<(String, PublicKey)>, ConfigError> {
    let Ok(set) = serde_json::from_str::<JwkSet>(jwks) else {
        return refuse(key, "has a jwks that is no key set");
    };
    let mut keys = Vec::new();
    for jwk in set.keys {
        let AlgorithmParameters::RSA(rsa) = &jwk.algorithm else {
            continue;
        };
        let (Some(n), Some(e)) = (decode(&rsa.n), decode(&rsa.e)) else {
            return refuse(key, "has a jwks with an unreadable key");
        };
        keys.push((jwk.common.key_id.unwrap_or_default(), PublicKey::Numbers { n, e }));
    }
    Ok(keys)
}

pub(super) fn read_users(
    written: Vec<WrittenPerson>,
    tenants: &[Tenant],
    home: &str,
) -> Result<Vec<User>, ConfigError> {
    let mut seen = HashSet::new();
    let mut users = Vec::with_capacity(written.len());
    for (i, user) in written.into_iter().enumerate() {
        let key = |name: &str| format!("users[{i}].{name}");
        guid(&key("object_id"), &user.object_id)?;
        let tenant_id = tenant_of(&key("tenant_id"), user.tenant_id, tenants, home)?;
        if user.username.is_empty() || user.password.is_empty() {
            return refuse(&key("username"), "and password must not be empty");
        }
        if !seen.insert(user.username.to_ascii_lowercase()) || !seen.insert(user.object_id.to_ascii_lowercase()) {
            return refuse(&key("username"), "or object_id repeats an earlier user's");
        }
        users.push(User {
            name: user.name.unwrap_or_else(|| user.username.clone()),
            username: user.username,
            password: user.password,
            object_id: user.object_id,
            tenant_id,
            mfa: user.mfa,
        });
    }
    Ok(users)
}

pub(super) fn read_user_assigned(written: Vec<WrittenUser>) -> Result<Vec<ManagedIdentity>, ConfigError> {
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

pub(super) fn unique(
    what: &str,
    identities: &[ManagedIdentity],
    system: Option<&ManagedIdentity>,
) -> Result<(), ConfigError> {
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
