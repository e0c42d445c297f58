//! Which path leads to which endpoint, on each of the two listeners.

use std::sync::Arc;

use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{MethodRouter, get, post},
};

use crate::{
    admin, answer, app_service, arc, azure_ml, cloud_shell,
    endpoint::{Endpoint, Listener},
    entra::{authorize, devices, metadata, refusal, token, user},
    federation, imds, pipelines, service_fabric,
    site::Site,
    visit::{Post, visit},
};

type Routes = Router<Arc<Site>>;

/// The metadata services and the admin endpoint.
pub(crate) fn http(site: &Arc<Site>) -> Router {
    let at = |endpoint| Post { site: Arc::clone(site), listener: Listener::Http, endpoint };
    with_rest(&at(Endpoint::Unknown))
        .merge(room(
            at(Endpoint::Imds),
            &["/metadata/identity/oauth2/token", "/metadata/identity/oauth2/token/"],
            || get(imds::token),
        ))
        .merge(room(at(Endpoint::ImdsInstance), &["/metadata/instance/compute"], || get(imds::compute)))
        .merge(room(at(Endpoint::AppService), &["/msi/token"], || get(app_service::token)))
        .merge(room(at(Endpoint::AzureMl), &["/ml/token"], || get(azure_ml::token)))
        .merge(room(at(Endpoint::CloudShell), &["/cloud-shell/token"], || post(cloud_shell::token)))
        .nest("/_azcred", admin::routes().fallback(answer::not_found))
        .with_state(Arc::clone(site))
}

/// Entra ID.
pub(crate) fn https(site: &Arc<Site>) -> Router {
    let at = |endpoint| Post { site: Arc::clone(site), listener: Listener::Https, endpoint };
    with_rest(&at(Endpoint::Unknown))
        // MSAL for Node ends the paths of a region's authority with a stroke.
        .merge(room(
            at(Endpoint::EntraToken),
            &["/{tenant}/oauth2/v2.0/token", "/{tenant}/oauth2/v2.0/token/"],
            || post(token::token),
        ))
        .merge(room(at(Endpoint::EntraToken), &["/adfs/oauth2/token"], || post(token::token)))
        .merge(room(
            at(Endpoint::EntraAuthorize),
            &["/{tenant}/oauth2/v2.0/authorize", "/adfs/oauth2/authorize"],
            || get(authorize::authorize).post(authorize::authorize),
        ))
        .merge(room(
            at(Endpoint::EntraDeviceCode),
            &["/{tenant}/oauth2/v2.0/devicecode", "/adfs/oauth2/devicecode"],
            || post(devices::begin),
        ))
        .merge(room(at(Endpoint::EntraUserRealm), &["/common/userrealm/{user}"], || get(user::realm)))
        .merge(room(at(Endpoint::FederatedIssuer), &["/federation/.well-known/openid-configuration"], || {
            get(federation::openid)
        }))
        .merge(room(at(Endpoint::FederatedIssuer), &["/federation/openid/v1/jwks"], || get(federation::keys)))
        .merge(room(at(Endpoint::Pipelines), &["/pipelines/oidctoken"], || post(pipelines::token)))
        .merge(room(at(Endpoint::EntraDiscovery), &["/{tenant}/v2.0/.well-known/openid-configuration"], || {
            get(metadata::openid_v2)
        }))
        .merge(room(at(Endpoint::EntraDiscovery), &["/{tenant}/.well-known/openid-configuration"], || {
            get(metadata::openid_v1)
        }))
        .merge(room(at(Endpoint::EntraKeys), &["/{tenant}/discovery/v2.0/keys", "/{tenant}/discovery/keys"], || {
            get(metadata::keys)
        }))
        .merge(room(at(Endpoint::EntraInstance), &["/common/discovery/instance"], || get(metadata::instance)))
        .with_state(Arc::clone(site))
}

/// Azure Arc.
pub(crate) fn arc(site: &Arc<Site>) -> Router {
    let at = |endpoint| Post { site: Arc::clone(site), listener: Listener::Arc, endpoint };
    with_rest(&at(Endpoint::Unknown))
        .merge(room(at(Endpoint::Arc), &["/metadata/identity/oauth2/token"], || get(arc::token)))
        .with_state(Arc::clone(site))
}

/// Service Fabric.
pub(crate) fn service_fabric(site: &Arc<Site>) -> Router {
    let at = |endpoint| Post { site: Arc::clone(site), listener: Listener::ServiceFabric, endpoint };
    with_rest(&at(Endpoint::Unknown))
        .merge(room(at(Endpoint::ServiceFabric), &["/metadata/identity/oauth2/token"], || get(service_fabric::token)))
        .with_state(Arc::clone(site))
}

/// The token proxy of a cluster.
pub(crate) fn token_proxy(site: &Arc<Site>) -> Router {
    let at = |endpoint| Post { site: Arc::clone(site), listener: Listener::TokenProxy, endpoint };
    with_rest(&at(Endpoint::Unknown))
        .merge(room(at(Endpoint::TokenProxy), &["/token-proxy/{tenant}/oauth2/v2.0/token"], || post(token::proxied)))
        .merge(room(at(Endpoint::TokenProxy), &["/token-proxy/{tenant}/v2.0/.well-known/openid-configuration"], || {
            get(metadata::openid_proxied)
        }))
        .with_state(Arc::clone(site))
}

/// One endpoint at its paths.
fn room(post: Post, paths: &[&str], handler: impl Fn() -> MethodRouter<Arc<Site>>) -> Routes {
    let is_form = [Endpoint::EntraToken, Endpoint::EntraDeviceCode, Endpoint::TokenProxy].contains(&post.endpoint);
    let whole = || {
        if is_form { handler().fallback(refusal::post_only) } else { handler().fallback(answer::wrong_method) }
    };
    paths
        .iter()
        .fold(Router::new(), |routes, path| routes.route(path, whole()))
        .route_layer(from_fn_with_state(post, visit))
}

/// The answer to everything else, which is logged like the rest.
fn with_rest(post: &Post) -> Routes {
    Router::new().fallback(answer::not_found).layer(from_fn_with_state(post.clone(), visit))
}
