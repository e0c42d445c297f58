//! Microsoft Entra ID: what its credentials have in common, and each of its grants.
//!
//! A [`Client`] makes one exchange; [`Application`] asks with it for the application itself, and [`User`] for somebody
//! who signs in. A credential of this folder's neighbours is one of the two with a proof or a sign-in of its own.

pub(crate) mod account;
pub(crate) mod application;
pub(crate) mod client;
pub(crate) mod proof;
pub(crate) mod user;

pub use account::AuthenticationRecord;
pub(crate) use application::Application;
pub(crate) use client::{Client, authority};
pub(crate) use proof::Proof;
pub(crate) use user::User;
