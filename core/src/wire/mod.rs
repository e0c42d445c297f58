//! What goes over the wire, as values: build a request, read an answer. Pure; nothing here sends or waits.

pub(crate) mod answer;
pub(crate) mod arc_challenge;
pub(crate) mod entra;
pub mod http;
pub(crate) mod identity_endpoint;
pub(crate) mod moment;
pub(crate) mod page;
#[cfg_attr(not(test), expect(dead_code, reason = "its reader is the credential of the browser, which is to come"))]
pub(crate) mod redirect;
pub(crate) mod retry;
