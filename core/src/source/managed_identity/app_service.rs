//! App Service, Functions and Container Apps: an endpoint on loopback, named by the environment.

use super::{NAME, Question, about, endpoint};
use crate::error::Error;
use crate::source::{About, Ask, Fetch, Grant, Source};
use crate::token::Secret;
use crate::wire::identity_endpoint::{UserAssigned, app_service};

#[derive(Debug)]
pub(super) struct AppService {
    about: About,
    endpoint: String,
    secret: Secret,
    identity: Option<UserAssigned>,
}

impl AppService {
    pub(super) fn new(text: String, secret: Secret, identity: Option<UserAssigned>) -> Result<AppService, Error> {
        endpoint("IDENTITY_ENDPOINT", &text, "http")?;
        let about = about("app_service", &[&text, secret.expose()], identity.as_ref());
        Ok(AppService { about, endpoint: text, secret, identity })
    }

    async fn ask(&self, ask: &Ask<'_>) -> Result<Grant, Error> {
        let resource = ask.request.one_resource(NAME)?;
        let question = Question {
            endpoint: "the App Service identity endpoint (IDENTITY_ENDPOINT)",
            source: "app_service",
            identity: self.identity.as_ref(),
            secrets: &[&self.secret],
        };
        question.ask(ask, &app_service(&self.endpoint, &self.secret, resource, self.identity.as_ref())).await
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
