//! The identity endpoints of Azure hosts: requests to IMDS and to App Service.
//!
//! <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>,
//! <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>

use std::time::Duration;

use super::http::{Request, Route};
use crate::token::Secret;

/// IMDS, where a host has it: a link-local address that never leaves the machine.
pub(crate) const IMDS_HOST: &str = "http://169.254.169.254";

/// The identity that is meant, where a host has several.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum UserAssigned {
    Client(String),
    Object(String),
    Resource(String),
}

impl UserAssigned {
    /// The kind of id and its value.
    pub(crate) fn parts(&self) -> (&'static str, &str) {
        match self {
            UserAssigned::Client(id) => ("client_id", id),
            UserAssigned::Object(id) => ("object_id", id),
            UserAssigned::Resource(id) => ("resource_id", id),
        }
    }
}

/// `GET /metadata/identity/oauth2/token`.
pub(crate) fn imds(host: &str, resource: &str, identity: Option<&UserAssigned>) -> Request {
    let identity = identity.map(|identity| match identity {
        UserAssigned::Client(id) => ("client_id", id.as_str()),
        UserAssigned::Object(id) => ("object_id", id.as_str()),
        UserAssigned::Resource(id) => ("msi_res_id", id.as_str()),
    });
    Request {
        method: "GET",
        url: url(&format!("{host}/metadata/identity/oauth2/token"), "2018-02-01", resource, identity),
        headers: vec![("metadata", Secret::new("true"))],
        body: None,
        timeout: Duration::from_secs(30),
        route: Route::Local,
    }
}

/// The same question without the header that earns a token: whoever answers shows that somebody is there.
pub(crate) fn imds_probe(host: &str, resource: &str, timeout: Duration) -> Request {
    Request { headers: Vec::new(), timeout, ..imds(host, resource, None) }
}

/// `GET $IDENTITY_ENDPOINT` of App Service, Functions and Container Apps, in its version 2019-08-01.
pub(crate) fn app_service(endpoint: &str, secret: &Secret, resource: &str, identity: Option<&UserAssigned>) -> Request {
    let identity = identity.map(|identity| match identity {
        UserAssigned::Client(id) => ("client_id", id.as_str()),
        UserAssigned::Object(id) => ("object_id", id.as_str()),
        UserAssigned::Resource(id) => ("mi_res_id", id.as_str()),
    });
    Request {
        method: "GET",
        url: url(endpoint, "2019-08-01", resource, identity),
        // Azure Automation speaks the same protocol and wants `metadata` too.
        headers: vec![("x-identity-header", secret.clone()), ("metadata", Secret::new("true"))],
        body: None,
        timeout: Duration::from_secs(30),
        route: Route::Local,
    }
}

fn url(base: &str, version: &str, resource: &str, identity: Option<(&str, &str)>) -> String {
    let joint = if base.contains('?') { '&' } else { '?' };
    let mut query = form_urlencoded::Serializer::new(String::with_capacity(256));
    query.append_pair("api-version", version).append_pair("resource", resource);
    if let Some((name, id)) = identity {
        query.append_pair(name, id);
    }
    format!("{base}{joint}{}", query.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_ids() {
        let ids = [
            UserAssigned::Client("i".into()),
            UserAssigned::Object("i".into()),
            UserAssigned::Resource("/s/a b".into()),
        ];
        let secret = Secret::new("s");
        let urls: Vec<String> = ids
            .iter()
            .flat_map(|id| {
                [
                    imds(IMDS_HOST, "https://r", Some(id)).url,
                    app_service("http://h/msi?a=b", &secret, "https://r", Some(id)).url,
                ]
            })
            .collect();
        let vm =
            "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fr";
        let service = "http://h/msi?a=b&api-version=2019-08-01&resource=https%3A%2F%2Fr";
        assert_eq!(
            urls,
            [
                format!("{vm}&client_id=i"),
                format!("{service}&client_id=i"),
                format!("{vm}&object_id=i"),
                format!("{service}&object_id=i"),
                format!("{vm}&msi_res_id=%2Fs%2Fa+b"),
                format!("{service}&mi_res_id=%2Fs%2Fa+b"),
            ]
        );
    }
}
