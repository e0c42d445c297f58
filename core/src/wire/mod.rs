//! What goes over the wire, as values: build a request, read an answer. Pure; nothing here sends or waits.

pub(crate) mod address;
pub(crate) mod answer;
pub(crate) mod arc_challenge;
pub(crate) mod client_assertion;
pub(crate) mod device_code;
pub(crate) mod discovery;
pub(crate) mod entra;
pub mod http;
pub(crate) mod identity_endpoint;
pub(crate) mod moment;
pub(crate) mod network;
pub(crate) mod page;
pub(crate) mod proxies;
pub(crate) mod redirect;
pub(crate) mod region;
pub(crate) mod retry;
pub(crate) mod token_proxy;
