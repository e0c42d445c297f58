//! App Service, Functions and Container Apps: an endpoint on loopback, named by the environment.

use super::{NAME, about, check_endpoint, grant, no_answer, refused};
use crate::error::{Error, ErrorKind};
use crate::source::{About, Ask, Fetch, Grant, Source};
use crate::token::Secret;
use crate::wire::identity_endpoint::{UserAssigned, app_service};
use crate::wire::retry::RetryPolicy;

const ENDPOINT: &str = "the App Service identity endpoint (IDENTITY_ENDPOINT)";

#[derive(Debug)]
pub(super) struct AppService {
    about: About,
    endpoint: String,
    secret: Secret,
    identity: Option<UserAssigned>,
}

impl AppService {
    pub(super) fn new(endpoint: String, secret: Secret, identity: Option<UserAssigned>) -> Result<AppService, Error> {
        check_endpoint(&endpoint)
            .map_err(|sentence| Error::configuration(format!("{NAME}: IDENTITY_ENDPOINT: {sentence}")))?;
        let about = about("app_service", &endpoint, secret.expose(), identity.as_ref());
        Ok(AppService { about, endpoint, secret, identity })
    }

    async fn ask(&self, ask: &Ask<'_>) -> Result<Grant, Error> {
        let resource = ask.request.one_resource(NAME)?;
        let request = app_service(&self.endpoint, &self.secret, resource, self.identity.as_ref());
        let asked = ask.world.clock.now();
        // The environment says that this endpoint is ours, so its silence is trouble and not "elsewhere": in a chain
        // the next member would be another identity.
        let response = ask
            .world
            .send(&request, &RetryPolicy::APP_SERVICE)
            .await
            .map_err(|error| no_answer(ask, ENDPOINT, &error, ErrorKind::Transient))?;
        match response.status {
            200 => grant(ask, asked, &response, ENDPOINT, "app_service", self.identity.as_ref()),
            _ => Err(refused(ENDPOINT, &response, ask.world.clock.now(), ErrorKind::Failed, &[&self.secret])),
        }
    }
}

impl Source for AppService {
    fn about(&self) -> &About {
        &self.about
    }

    fn fetch<'a>(&'a self, ask: &'a Ask<'a>) -> Fetch<'a> {
        Box::pin(self.ask(ask))
    }
}
