//! The identity endpoints of Azure hosts: what each is asked, in its own dialect.
//!
//! <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>,
//! <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>,
//! <https://learn.microsoft.com/azure/service-fabric/how-to-managed-identity-service-fabric-app-code>,
//! <https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication>

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
    let url = url(&format!("{host}{IMDS_PATH}"), "2018-02-01", resource, identity.map(of_a_machine));
    get(url, vec![("metadata", Secret::new("true"))])
}

/// The path of IMDS, which Azure Arc's agent has too.
const IMDS_PATH: &str = "/metadata/identity/oauth2/token";

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
    // Azure Automation speaks the same protocol and wants `metadata` too.
    let headers = vec![("x-identity-header", secret.clone()), ("metadata", Secret::new("true"))];
    get(url(endpoint, "2019-08-01", resource, identity), headers)
}

/// `GET $IDENTITY_ENDPOINT` of Service Fabric, of the server whose certificate has this thumbprint.
pub(crate) fn service_fabric(endpoint: &str, secret: &Secret, thumbprint: [u8; 20], resource: &str) -> Request {
    let url = url(endpoint, "2019-07-01-preview", resource, None);
    Request { route: Route::Pinned(thumbprint), ..get(url, vec![("secret", secret.clone())]) }
}

/// `GET $MSI_ENDPOINT` of Azure Machine Learning, which knows identities by client id only.
pub(crate) fn azure_ml(endpoint: &str, secret: &Secret, resource: &str, client_id: Option<&str>) -> Request {
    let identity = client_id.map(|id| ("clientid", id));
    get(url(endpoint, "2017-09-01", resource, identity), vec![("secret", secret.clone())])
}

/// `POST $MSI_ENDPOINT` of Cloud Shell, which has one identity.
pub(crate) fn cloud_shell(endpoint: &str, resource: &str) -> Request {
    let form = form_urlencoded::Serializer::new(String::new()).append_pair("resource", resource).finish();
    let request = get(endpoint.to_owned(), vec![("metadata", Secret::new("true"))]);
    Request { method: "POST", body: Some(Secret::new(form)), ..request }
}

/// Where Azure Arc's agent listens when no variable names it.
pub(crate) const ARC_ENDPOINT: &str = "http://127.0.0.1:40342/metadata/identity/oauth2/token";

/// `GET $IDENTITY_ENDPOINT` of Azure Arc's agent: without a key to learn which one it wants, then with it.
pub(crate) fn azure_arc(
    endpoint: &str,
    key: Option<&Secret>,
    resource: &str,
    identity: Option<&UserAssigned>,
) -> Request {
    // The agent takes IMDS's names; others it overlooks, and answers with the machine's own identity.
    let url = url(endpoint, "2020-06-01", resource, identity.map(of_a_machine));
    let key = key.map(|key| ("authorization", Secret::new(format!("Basic {}", key.expose()))));
    get(url, [("metadata", Secret::new("true"))].into_iter().chain(key).collect())
}

/// The parameters of IMDS and its like.
fn of_a_machine(identity: &UserAssigned) -> (&'static str, &str) {
    match identity {
        UserAssigned::Client(id) => ("client_id", id),
        UserAssigned::Object(id) => ("object_id", id),
        UserAssigned::Resource(id) => ("msi_res_id", id),
    }
}

fn get(url: String, headers: Vec<(&'static str, Secret)>) -> Request {
    let timeout = Duration::from_secs(30);
    Request { method: "GET", url, headers, body: None, timeout, route: Route::Local }
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
                    azure_arc(ARC_ENDPOINT, None, "https://r", Some(id)).url,
                ]
            })
            .collect();
        let vm =
            "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fr";
        let arc =
            "http://127.0.0.1:40342/metadata/identity/oauth2/token?api-version=2020-06-01&resource=https%3A%2F%2Fr";
        let service = "http://h/msi?a=b&api-version=2019-08-01&resource=https%3A%2F%2Fr";
        assert_eq!(
            urls,
            [
                format!("{vm}&client_id=i"),
                format!("{service}&client_id=i"),
                format!("{arc}&client_id=i"),
                format!("{vm}&object_id=i"),
                format!("{service}&object_id=i"),
                format!("{arc}&object_id=i"),
                format!("{vm}&msi_res_id=%2Fs%2Fa+b"),
                format!("{service}&mi_res_id=%2Fs%2Fa+b"),
                format!("{arc}&msi_res_id=%2Fs%2Fa+b"),
            ]
        );
    }
}
