//! Entra ID: the token endpoint, its error documents, and the metadata that leads to it.

pub(crate) mod assertion;
pub(crate) mod authority;
pub(crate) mod authorize;
pub(crate) mod caller;
pub(crate) mod clouds;
pub(crate) mod codes;
pub(crate) mod delegation;
pub(crate) mod devices;
pub(crate) mod ledger;
pub(crate) mod metadata;
pub(crate) mod obo;
mod reasons;
pub(crate) mod refresh_tokens;
pub(crate) mod refusal;
pub(crate) mod scope;
pub(crate) mod shelf;
pub(crate) mod token;
pub(crate) mod user;
