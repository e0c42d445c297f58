//! Cloud Shell: an endpoint on loopback with the tokens of whoever opened the shell.

use super::{NAME, Question, about, endpoint, not_chosen};
use crate::error::Error;
use crate::source::{About, Ask, Fetch, Grant, Source};
use crate::wire::identity_endpoint::{UserAssigned, cloud_shell};

#[derive(Debug)]
pub(super) struct CloudShell {
    about: About,
    endpoint: String,
    identity: Option<UserAssigned>,
}

impl CloudShell {
    pub(super) fn new(text: String, identity: Option<UserAssigned>) -> Result<CloudShell, Error> {
        endpoint("MSI_ENDPOINT", &text, "http")?;
        let about = about("cloud_shell", &[&text], identity.as_ref());
        Ok(CloudShell { about, endpoint: text, identity })
    }

    async fn ask(&self, ask: &Ask<'_>) -> Result<Grant, Error> {
        let resource = ask.request.one_resource(NAME)?;
        if let Some(identity) = &self.identity {
            return Err(not_chosen("Cloud Shell", "it has tokens of its user only", identity));
        }
        let question = Question {
            endpoint: "the Cloud Shell identity endpoint (MSI_ENDPOINT)",
            source: "cloud_shell",
            identity: None,
            secrets: &[],
        };
        question.ask(ask, &cloud_shell(&self.endpoint, resource)).await
    }
}

impl Source for CloudShell {
    fn about(&self) -> &About {
        &self.about
    }

    fn fetch<'a>(&'a self, ask: &'a Ask<'a>) -> Fetch<'a> {
        Box::pin(self.ask(ask))
    }
}
