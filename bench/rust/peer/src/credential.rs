//! The credentials, as the environment says.

use std::sync::Arc;

use azure_core::credentials::{Secret, TokenCredential};
use azure_identity::{ClientSecretCredential, ManagedIdentityCredential};
use tokio::runtime::{Builder, Runtime};

/// What all tokens here are for.
pub const SCOPE: &str = "https://storage.azure.com/.default";

/// The credential of that kind.
pub fn make(kind: &str) -> Arc<dyn TokenCredential> {
    if kind == "client_secret" {
        let setting = |name: &str| std::env::var(name).expect("the environment names an application");
        let secret = Secret::new(setting("AZURE_CLIENT_SECRET"));
        let (tenant, client) = (setting("AZURE_TENANT_ID"), setting("AZURE_CLIENT_ID"));
        ClientSecretCredential::new(&tenant, client, secret, None).expect("a credential")
    } else {
        ManagedIdentityCredential::new(None).expect("a credential")
    }
}

/// A runtime on the thread that calls it.
pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}
