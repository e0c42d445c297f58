//! Attacks that other libraries fell to, tried on azcred; docs/advisories.md says which is whose.
#![expect(clippy::unwrap_used, clippy::panic, reason = "the tables' own helpers")]

mod addresses;
mod arguments;
mod boundaries;
mod keys;
mod mixups;
mod shapes;
mod stage;
mod statuses;
