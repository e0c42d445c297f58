//! An application asks for itself: the client credentials grant, with any proof.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::client::Client;
use crate::error::Error;
use crate::fingerprint::Fingerprint;
use crate::source::{About, Ask, Fetch, Grant, Source, Tenants};
use crate::token::Secret;
use crate::wire::entra::{Authority, is_adfs};
use crate::wire::identity_endpoint::IMDS_HOST;
use crate::wire::region::{self, Region};
use crate::wire::retry::RetryPolicy;
use crate::world::World;

/// Retries included.
const PATIENCE: Duration = Duration::from_secs(90);

#[derive(Debug)]
pub(crate) struct Application {
    about: About,
    client: Client,
    /// The region that was found.
    region: ArcSwapOption<String>,
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
        let about = About {
            cae: true,
            tenants,
            sharing: client.proof.sharing(),
            ..About::of(client.credential, identity, patience)
        };
        Application { about, client, region: ArcSwapOption::empty() }
    }

    async fn ask(&self, ask: &Ask<'_>) -> Result<Grant, Error> {
        let tenant = self.about.tenants.resolve(self.about.credential, ask.request.tenant_id.as_deref())?;
        // A rule with a default resolves to one.
        let tenant = tenant.unwrap_or_default();
        let scope = ask.request.scopes.join(" ");
        let grant = [("grant_type", "client_credentials")];
        let authority = self.authority(ask, tenant).await;
        Ok(self.client.exchange_at(&authority, ask, tenant, &scope, &grant).await?.grant)
    }

    /// The authority of the region, where one is chosen or found.
    async fn authority(&self, ask: &Ask<'_>, tenant: &str) -> Cow<'_, Authority> {
        let central = &self.client.authority;
        // AD FS has no regions.
        let region = match central.region() {
            Region::Central => None,
            _ if is_adfs(tenant) => None,
            Region::Named(region) => Some(region.clone()),
            Region::Detected => self.detected(ask.world).await,
        };
        region.map_or(Cow::Borrowed(central), |region| Cow::Owned(central.regional(&region)))
    }

    /// The region this host is in; one that was found stays.
    async fn detected(&self, world: &World) -> Option<String> {
        if let Some(region) = self.region.load_full() {
            return Some(region.as_ref().clone());
        }
        // App Service says it itself.
        let named = world.env.get("REGION_NAME").map(|name| name.trim().to_ascii_lowercase().replace(' ', ""));
        let found = if let Some(name) = named.filter(|name| region::is_label(name)) {
            Some(name)
        } else {
            let host = world.env.get("AZURE_POD_IDENTITY_AUTHORITY_HOST");
            let host = host.as_deref().filter(|host| host.starts_with("http://")).unwrap_or(IMDS_HOST);
            let answer = world.send(&region::question(host.trim_end_matches('/')), &RetryPolicy::NEVER).await;
            answer.ok().as_ref().and_then(region::answer)
        };
        if let Some(region) = &found {
            self.region.store(Some(Arc::new(region.clone())));
        } else {
            tracing::warn!("the region of this host is not to be found; the central authority is asked");
        }
        found
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
