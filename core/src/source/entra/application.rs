//! An application asks for itself: the client credentials grant, with any proof.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>

use std::time::Duration;

use super::client::Client;
use crate::error::Error;
use crate::fingerprint::Fingerprint;
use crate::source::{About, Ask, Fetch, Grant, Source, Tenants};
use crate::token::Secret;

/// Retries included.
const PATIENCE: Duration = Duration::from_secs(90);

#[derive(Debug)]
pub(crate) struct Application {
    about: About,
    client: Client,
}

impl Application {
    /// `kind` is the class whose tokens these are, whichever credential found the parts.
    pub(crate) fn new(kind: &str, client: Client, tenants: Tenants) -> Application {
        let permission = tenants.permission();
        let tenant_id = tenants.default_tenant().unwrap_or_default().to_owned();
        let proof = client.proof.parts();
        let mut parts = vec![client.authority.base(), &tenant_id, &client.client_id, &permission];
        parts.extend(proof.iter().map(Secret::expose));
        let identity = Fingerprint::of(kind, &parts);
        let patience = client.authority.patience(PATIENCE);
        let about = About { credential: client.credential, identity, patience, cae: true, tenants };
        Application { about, client }
    }

    async fn ask(&self, ask: &Ask<'_>) -> Result<Grant, Error> {
        let tenant = self.about.tenants.resolve(self.about.credential, ask.request.tenant_id.as_deref())?;
        // A rule with a default resolves to one.
        let tenant = tenant.unwrap_or_default();
        let scope = ask.request.scopes.join(" ");
        let grant = [("grant_type", "client_credentials")];
        Ok(self.client.exchange(ask, tenant, &scope, &grant).await?.grant)
    }
}

impl Source for Application {
    fn about(&self) -> &About {
        &self.about
    }

    fn fetch<'a>(&'a self, ask: &'a Ask<'a>) -> Fetch<'a> {
        Box::pin(self.ask(ask))
    }
}
