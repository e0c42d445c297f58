//! Entra ID and the Azure metadata services on loopback, for tests and offline work.
//!
//! Programs that authenticate to Azure need somebody to authenticate to. This crate is that
//! somebody without a network: it checks what Entra checks, signs tokens that verify against its
//! own published keys, answers managed identity requests as a virtual machine or App Service does,
//! counts who asked for what, and fails on demand. SDKs of other makers work with it unmodified.
//!
//! It deliberately does not decide what a token allows, keeps nothing between two runs, and does
//! not listen anywhere but on loopback addresses.
//!
//! | Where | What |
//! |---|---|
//! | `http` `/metadata/identity/oauth2/token` | IMDS, with its limits: 20 requests a second, 5 at once |
//! | `http` `/metadata/instance/compute` | the region |
//! | `http` `/msi/token`, `/ml/token`, `/cloud-shell/token` | App Service 2019-08-01, Azure ML, Cloud Shell |
//! | `http` `/_azcred/…` | the admin endpoint: see below |
//! | `https` `/{tenant}/oauth2/v2.0/token` | every grant that SDKs use |
//! | `https` `/{tenant}/oauth2/v2.0/authorize`, `/devicecode` | signing in, here and on another device |
//! | `https` `/common/userrealm/{user}` | accounts of the tenants' domains are managed |
//! | `https` `/{tenant}[/v2.0]/.well-known/openid-configuration` | where that is, and the issuer |
//! | `https` `/{tenant}/discovery[/v2.0]/keys` | the keys |
//! | `https` `/common/discovery/instance` | which names this authority has |
//! | `https` `/adfs/oauth2/token`, `/adfs/.well-known/…` | the first tenant, for clients led by environment |
//! | `https` `/federation/…` | the issuer of the cluster's and the pipeline's tokens |
//! | `https` `/pipelines/oidctoken` | Azure Pipelines |
//! | a listener each | Azure Arc, Service Fabric, the token proxy of a cluster |
//!
//! `{tenant}` is the id or a domain of a tenant, `adfs`, or, for users, `common`, `organizations` or
//! `consumers`. The TLS certificate is also good for the names of the production authorities, for
//! traffic that a proxy leads here.
//!
//! # Faults
//!
//! A fault is posted as JSON: `{"endpoint": "imds", "status": 503, "count": 2}`. `endpoint` is
//! `imds`, `imds_instance`, `app_service`, `arc`, `azure_ml`, `cloud_shell`, `service_fabric`,
//! `entra_token`, `entra_authorize`, `entra_device_code`, `entra_user_realm`, `entra_discovery`,
//! `entra_keys`, `entra_instance`, `token_proxy`, `federated_issuer`, `pipelines`, `unknown` or `*`;
//! the rest is optional: `latency_ms`, `status`, `body`, `content_type`, `headers`, `count`, and
//! `mode`, one of `respond`, `close`, `truncate`, `hang`, `expired_token`, and for `arc` a challenge
//! that is wrong: `arc_realm_outside`, `arc_wrong_extension`, `arc_large_file`, `arc_no_realm`,
//! `arc_symlink`, `arc_two_headers`. Each request takes the oldest fault that fits.
//!
//! # Configuration
//!
//! See [`Config`]. Everything has a default; a list that is given replaces the default list. The
//! defaults, written out:
//!
//! ```toml
#![doc = include_str!("default.toml")]
//! ```
//!
//! # Examples
//!
//! ```
//! use azcred_emulator::{Config, Options, start};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let emulator = start(Options {
//!     http: "127.0.0.1:0".parse()?,
//!     https: "127.0.0.1:0".parse()?,
//!     config: Config::from_toml("app_lifetime = 60")?,
//!     dir: None,
//! })
//! .await?;
//! assert!(emulator.https_url().starts_with("https://localhost:"));
//! assert_eq!(emulator.ready()["http"], emulator.http_url());
//! emulator.stop().await;
//! # Ok(())
//! # }
//! ```

mod admin;
mod answer;
mod app_service;
mod application;
mod arc;
mod ask;
mod azure_ml;
mod certificates;
mod clock;
mod cloud_shell;
mod config;
mod emulator;
mod endpoint;
mod entra;
mod faults;
mod federation;
mod identities;
mod imds;
mod jwt;
mod limits;
mod log;
mod managed;
mod pipelines;
mod ready;
mod registered;
mod routes;
mod serve;
mod service_fabric;
mod signing;
mod site;
mod token;
mod visit;

pub use config::{Config, ConfigError};
pub use emulator::{Emulator, Options, StartError, start};
