//! Which client asks, and how it shows that it is that one.

use super::{assertion, authority::Authority, refusal::Refusal};
use crate::{ask::Ask, identities::App, site::Site, token::Proof};

/// A client that has shown who it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'a> {
    pub(crate) authority: Authority<'a>,
    pub(crate) app: &'a App,
    pub(crate) proof: Proof,
}

/// What a client may come without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    /// A public client needs no credential.
    OfItsKind,
    /// Without a user the client must show something.
    Always,
}

impl<'a> Caller<'a> {
    /// The client that the request names, once its credential is checked.
    pub(super) fn identify(
        site: &'a Site,
        ask: &Ask,
        authority: Authority<'a>,
        demand: Demand,
    ) -> Result<Self, Refusal> {
        let basic = ask.basic();
        let (basic_id, basic_secret) = match &basic {
            Some((id, secret)) => (Some(id.as_str()), Some(secret.as_str())),
            None => (None, None),
        };
        let client_id = ask.form.filled("client_id").or(basic_id).ok_or_else(|| Refusal::missing("client_id"))?;
        let app = authority.app(&site.config, ask.tenant(), client_id)?;
        let secret = ask.form.filled("client_secret").or(basic_secret);
        let assertion = ask.form.filled("client_assertion");
        let proof = match (secret, assertion) {
            (None, None) if app.public && demand == Demand::OfItsKind => Proof::Nothing,
            (None, None) if demand == Demand::Always => return Err(Refusal::no_credential()),
            (None, None) => return Err(Refusal::secret_required()),
            _ if app.public => return Err(Refusal::secret_of_a_public_client()),
            (Some(secret), _) => {
                // A header that names another client than the form proves nothing about the latter.
                let disputed = basic_id.is_some_and(|id| !id.eq_ignore_ascii_case(client_id));
                if disputed || !app.knows(secret) {
                    return Err(Refusal::wrong_secret(client_id));
                }
                Proof::Secret
            }
            (None, Some(text)) => {
                match ask.form.filled("client_assertion_type") {
                    Some(assertion::TYPE) => {}
                    Some(_) => return Err(Refusal::invalid_parameter("client_assertion_type")),
                    None => return Err(Refusal::missing("client_assertion_type")),
                }
                assertion::check(site, ask, authority, app, text)?;
                Proof::Certificate
            }
        };
        Ok(Self { authority, app, proof })
    }
}
