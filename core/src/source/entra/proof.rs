//! How an application shows Entra ID who it is.

use std::path::PathBuf;

use super::client::Client;
use crate::error::Error;
use crate::function::Function;
use crate::share::{STALL, Sharing};
use crate::source::client_certificate::Held;
use crate::source::{Ask, azure_pipelines, workload_identity};
use crate::token::Secret;

/// The proof that goes with each exchange.
#[derive(Debug)]
pub(crate) enum Proof {
    /// None: a public client, such as a developer's tool.
    Public,
    /// A secret that both know.
    Secret(Secret),
    /// An assertion that is signed with the key of a certificate.
    Certificate(Held),
    /// An assertion that the caller makes.
    Function {
        function: Function,
        /// Stands for the function in fingerprints: nobody knows whose assertions another one makes.
        instance: String,
    },
    /// An assertion that the platform leaves in a file, and renews there.
    File(PathBuf),
    /// An assertion that Azure Pipelines makes for its job.
    Pipelines(azure_pipelines::Connection),
}

/// RFC 7523 section 2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl Proof {
    /// A function's assertions.
    pub(crate) fn function(function: Function) -> Proof {
        Proof::Function { function, instance: crate::random::unique() }
    }

    /// The fields of the form that are the proof.
    pub(super) async fn show(
        &self,
        client: &Client,
        ask: &Ask<'_>,
        tenant: &str,
    ) -> Result<Vec<(&'static str, Secret)>, Error> {
        let assertion = match self {
            Proof::Public => return Ok(Vec::new()),
            Proof::Secret(secret) => return Ok(vec![("client_secret", secret.clone())]),
            Proof::Certificate(held) => held.assertion(client, ask, tenant)?,
            Proof::Function { function, .. } => called(client.credential, function).await?,
            Proof::File(path) => workload_identity::assertion(client.credential, ask.world, path)?,
            Proof::Pipelines(connection) => connection.assertion(client, ask).await?,
        };
        Ok(vec![("client_assertion_type", Secret::new(ASSERTION_TYPE)), ("client_assertion", assertion)])
    }

    /// What of it belongs to a fingerprint.
    pub(crate) fn parts(&self) -> Vec<Secret> {
        match self {
            Proof::Public => vec![Secret::new("public")],
            Proof::Secret(secret) => vec![Secret::new("secret"), secret.clone()],
            Proof::Certificate(held) => vec![Secret::new("certificate"), Secret::new(held.identity())],
            Proof::Function { instance, .. } => vec![Secret::new("function"), Secret::new(instance.as_str())],
            Proof::File(path) => vec![Secret::new("file"), Secret::new(path.to_string_lossy())],
            Proof::Pipelines(connection) => connection.parts(),
        }
    }

    /// Whether an application's tokens are other processes' too, who have the same proof.
    pub(crate) fn sharing(&self) -> Sharing {
        match self {
            Proof::Secret(_) | Proof::Certificate(_) | Proof::Pipelines(_) => Sharing::Identity,
            // What the file holds now is the proof.
            Proof::File(path) => Sharing::Files { files: [path.clone()].into(), stall: STALL },
            Proof::Public | Proof::Function { .. } => Sharing::Never,
        }
    }
}

async fn called(credential: &str, function: &Function) -> Result<Secret, Error> {
    let failed = |what: String| Error::failed(format!("{credential}: the function that makes the assertion {what}"));
    match function.call(Vec::new()).await {
        Ok(Some(text)) if !text.expose().trim().is_empty() => Ok(text),
        Ok(_) => Err(failed("gave no text: expected a JWT".to_owned())),
        Err(sentence) => Err(failed(format!("failed: {}", crate::request::shown(&sentence)))),
    }
}
