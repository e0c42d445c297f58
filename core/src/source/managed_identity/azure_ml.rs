//! Azure Machine Learning: the older dialect of App Service, which knows identities by client id only.

use super::{NAME, Question, about, endpoint, not_chosen};
use crate::error::Error;
use crate::source::{About, Ask, Fetch, Grant, Source};
use crate::token::Secret;
use crate::wire::identity_endpoint::{UserAssigned, azure_ml};
use crate::world::World;

#[derive(Debug)]
pub(super) struct AzureMl {
    about: About,
    endpoint: String,
    secret: Secret,
    /// Whose token the workspace means when the caller names none.
    default: Option<String>,
    identity: Option<UserAssigned>,
}

impl AzureMl {
    pub(super) fn new(
        world: &World,
        text: String,
        secret: Secret,
        identity: Option<UserAssigned>,
    ) -> Result<AzureMl, Error> {
        endpoint("MSI_ENDPOINT", &text, "http")?;
        let default = match identity {
            None => world.env.get("DEFAULT_IDENTITY_CLIENT_ID"),
            Some(_) => None,
        };
        let parts = [&text, secret.expose(), default.as_deref().unwrap_or_default()];
        let about = about("azure_ml", &parts, identity.as_ref());
        Ok(AzureMl { about, endpoint: text, secret, default, identity })
    }

    async fn ask(&self, ask: &Ask<'_>) -> Result<Grant, Error> {
        const HOST: &str = "Azure Machine Learning";
        let resource = ask.request.one_resource(NAME)?;
        let client_id = match &self.identity {
            None => self.default.as_deref(),
            Some(UserAssigned::Client(id)) => Some(id.as_str()),
            Some(other) => return Err(not_chosen(HOST, "it knows identities by their client_id only", other)),
        };
        let question = Question {
            endpoint: "the Azure Machine Learning identity endpoint (MSI_ENDPOINT)",
            source: "azure_ml",
            identity: self.identity.as_ref(),
            secrets: &[&self.secret],
        };
        question.ask(ask, &azure_ml(&self.endpoint, &self.secret, resource, client_id)).await
    }
}

impl Source for AzureMl {
    fn about(&self) -> &About {
        &self.about
    }

    fn fetch<'a>(&'a self, ask: &'a Ask<'a>) -> Fetch<'a> {
        Box::pin(self.ask(ask))
    }
}
