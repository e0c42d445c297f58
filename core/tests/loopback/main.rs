//! Real sockets, on loopback.
#![expect(clippy::unwrap_used, reason = "servers and files of its own")]

mod authority;
mod folder;
mod local;
mod servers;
mod token_proxy;
