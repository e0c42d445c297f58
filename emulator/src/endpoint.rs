//! The names of the emulator's endpoints and listeners, as the log and the faults use them.

use serde::Serialize;

/// What a request asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Endpoint {
    Imds,
    AppService,
    EntraToken,
    EntraDiscovery,
    EntraKeys,
    EntraInstance,
    Unknown,
}

impl Endpoint {
    pub(crate) const ALL: [Self; 7] = [
        Self::Imds,
        Self::AppService,
        Self::EntraToken,
        Self::EntraDiscovery,
        Self::EntraKeys,
        Self::EntraInstance,
        Self::Unknown,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Imds => "imds",
            Self::AppService => "app_service",
            Self::EntraToken => "entra_token",
            Self::EntraDiscovery => "entra_discovery",
            Self::EntraKeys => "entra_keys",
            Self::EntraInstance => "entra_instance",
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
