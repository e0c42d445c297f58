//! Real sockets, on loopback.
#![expect(clippy::unwrap_used, reason = "servers and files of its own")]

mod arc;
mod authority;
mod bodies;
mod folder;
mod local;
mod roots;
mod servers;
mod token_proxy;
