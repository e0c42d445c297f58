//! The names of the emulator's endpoints and listeners, as the log and the faults use them.

use serde::Serialize;

/// What a request asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Endpoint {
    Imds,
    ImdsInstance,
    AppService,
    Arc,
    AzureMl,
    CloudShell,
    ServiceFabric,
    EntraToken,
    EntraAuthorize,
    EntraDeviceCode,
    EntraUserRealm,
    EntraDiscovery,
    EntraKeys,
    EntraInstance,
    TokenProxy,
    FederatedIssuer,
    Pipelines,
    Unknown,
}

impl Endpoint {
    pub(crate) const ALL: [Self; 18] = [
        Self::Imds,
        Self::ImdsInstance,
        Self::AppService,
        Self::Arc,
        Self::AzureMl,
        Self::CloudShell,
        Self::ServiceFabric,
        Self::EntraToken,
        Self::EntraAuthorize,
        Self::EntraDeviceCode,
        Self::EntraUserRealm,
        Self::EntraDiscovery,
        Self::EntraKeys,
        Self::EntraInstance,
        Self::TokenProxy,
        Self::FederatedIssuer,
        Self::Pipelines,
        Self::Unknown,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Imds => "imds",
            Self::ImdsInstance => "imds_instance",
            Self::AppService => "app_service",
            Self::Arc => "arc",
            Self::AzureMl => "azure_ml",
            Self::CloudShell => "cloud_shell",
            Self::ServiceFabric => "service_fabric",
            Self::EntraToken => "entra_token",
            Self::EntraAuthorize => "entra_authorize",
            Self::EntraDeviceCode => "entra_device_code",
            Self::EntraUserRealm => "entra_user_realm",
            Self::EntraDiscovery => "entra_discovery",
            Self::EntraKeys => "entra_keys",
            Self::EntraInstance => "entra_instance",
            Self::TokenProxy => "token_proxy",
            Self::FederatedIssuer => "federated_issuer",
            Self::Pipelines => "pipelines",
            Self::Unknown => "unknown",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// The socket a request came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Listener {
    Http,
    Https,
    Arc,
    ServiceFabric,
    TokenProxy,
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn the_name_is_what_serde_writes() {
        for one in Endpoint::ALL {
            assert_eq!(serde_json::to_value(one).unwrap(), one.name());
            assert_eq!(Endpoint::from_name(one.name()), Some(one));
        }
        assert_eq!(Endpoint::from_name("*"), None);
    }
}
