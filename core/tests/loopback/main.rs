//! Real sockets, on loopback.
#![expect(clippy::unwrap_used, reason = "servers and files of its own")]

mod arc;
mod authority;
mod bodies;
mod local;
mod servers;
