//! The configuration file as it is written, before anything in it is believed.

use serde::Deserialize;

use super::{DeviceCode, ImdsLimits, Moments, Pipelines};
use crate::identities::ManagedIdentity;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Written {
    pub(super) tenants: Option<Vec<WrittenTenant>>,
    pub(super) apps: Option<Vec<WrittenApp>>,
    pub(super) users: Option<Vec<WrittenPerson>>,
    pub(super) system_assigned: WrittenSystem,
    pub(super) user_assigned: Option<Vec<WrittenUser>>,
    pub(super) identity_header: String,
    pub(super) ml_secret: String,
    pub(super) ml_expires_on: Moments,
    pub(super) service_fabric_header: String,
    pub(super) arc_token_dir: String,
    pub(super) region: String,
    pub(super) managed_identity_lifetime: u32,
    pub(super) app_lifetime: u32,
    pub(super) refresh_in: Option<u32>,
    pub(super) refresh_token_lifetime: u32,
    pub(super) authorization_code_lifetime: u32,
    pub(super) federated_token_lifetime: u32,
    pub(super) refuse_replayed_assertions: bool,
    pub(super) token_proxy_sni: Option<String>,
    pub(super) tls_names: Vec<String>,
    pub(super) device_code: DeviceCode,
    pub(super) pipelines: Pipelines,
    pub(super) imds_limits: WrittenLimits,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            tenants: None,
            apps: None,
            users: None,
            system_assigned: WrittenSystem::default(),
            user_assigned: None,
            identity_header: "emulator-identity-header".to_owned(),
            ml_secret: "emulator-ml-secret".to_owned(),
            ml_expires_on: Moments::default(),
            service_fabric_header: "emulator-service-fabric-header".to_owned(),
            arc_token_dir: String::new(),
            region: "westeurope".to_owned(),
            managed_identity_lifetime: 86_400,
            app_lifetime: 3599,
            refresh_in: None,
            refresh_token_lifetime: 90 * 86_400,
            authorization_code_lifetime: 600,
            federated_token_lifetime: 86_400,
            refuse_replayed_assertions: false,
            token_proxy_sni: None,
            tls_names: Vec::new(),
            device_code: DeviceCode::default(),
            pipelines: Pipelines::default(),
            imds_limits: WrittenLimits::default(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenTenant {
    pub(super) id: String,
    #[serde(default)]
    pub(super) domains: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenApp {
    pub(super) client_id: String,
    pub(super) tenant_id: Option<String>,
    pub(super) object_id: Option<String>,
    #[serde(default)]
    pub(super) secrets: Vec<String>,
    #[serde(default)]
    pub(super) certificates: Vec<String>,
    pub(super) federated_credentials: Option<Vec<WrittenFederation>>,
    #[serde(default)]
    pub(super) public: bool,
    pub(super) multi_tenant: Option<bool>,
    pub(super) redirect_uris: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenFederation {
    pub(super) issuer: Option<String>,
    pub(super) subject: String,
    pub(super) audience: Option<String>,
    pub(super) jwks: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenPerson {
    pub(super) username: String,
    pub(super) password: String,
    pub(super) object_id: String,
    pub(super) tenant_id: Option<String>,
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) mfa: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WrittenSystem {
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
    pub(super) fn identity(self) -> Option<ManagedIdentity> {
        self.enabled.then_some(ManagedIdentity {
            client_id: self.client_id,
            object_id: self.object_id,
            resource_id: None,
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "Azure's own words for them")]
pub(super) struct WrittenUser {
    pub(super) client_id: String,
    pub(super) object_id: String,
    pub(super) resource_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WrittenLimits {
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
    pub(super) fn limits(&self) -> Option<ImdsLimits> {
        self.enabled
            .then_some(ImdsLimits { requests_per_second: self.requests_per_second, concurrent: self.concurrent })
    }
}
