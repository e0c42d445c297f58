//! Tokens for the machine: what all managed identity endpoints have in common.

use crate::{
    ask::{Ask, Pairs},
    clock,
    identities::ManagedIdentity,
    site::Site,
    token::{self, Proof, Subject, Validity},
};

/// A token for one of the machine's identities.
#[derive(Debug)]
pub(crate) struct Grant<'a> {
    pub(crate) identity: &'a ManagedIdentity,
    pub(crate) access_token: String,
    pub(crate) validity: Validity,
}

/// A token for `resource`; `None` if signing fails. Capabilities that the request declares are in it.
pub(crate) fn grant<'a>(
    site: &'a Site,
    ask: &Ask,
    identity: &'a ManagedIdentity,
    resource: &str,
    parameters: &Pairs,
) -> Option<Grant<'a>> {
    let validity = Validity::new(clock::unix_seconds(), site.config.managed_identity_lifetime, ask.stale);
    let subject = Subject {
        tenant_id: &site.config.home()?.id,
        client_id: &identity.client_id,
        object_id: &identity.object_id,
        resource_id: identity.resource_id.as_deref(),
        proof: Proof::Certificate,
        person: None,
    };
    let capabilities = parameters.filled("xms_cc").unwrap_or_default().split(',');
    let capabilities: Vec<String> = capabilities.filter(|one| !one.is_empty()).map(str::to_owned).collect();
    let access_token = token::mint(&site.signer, subject, resource, &capabilities, validity)?;
    Some(Grant { identity, access_token, validity })
}

/// Whether the request says `Metadata: true`: a page in a browser can't make a victim's browser say so.
pub(crate) fn has_metadata_header(ask: &Ask) -> bool {
    ask.header("metadata").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}
