//! Which path leads to which endpoint, on each of the two listeners.

use std::sync::Arc;

use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{MethodRouter, get, post},
};

use crate::{
    admin, answer, app_service,
    endpoint::{Endpoint, Listener},
    entra::{metadata, token},
    imds,
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
        .merge(room(at(Endpoint::AppService), &["/msi/token"], || get(app_service::token)))
        .nest("/_azcred", admin::routes().fallback(answer::not_found))
        .with_state(Arc::clone(site))
}

/// Entra ID.
pub(crate) fn https(site: &Arc<Site>) -> Router {
    let at = |endpoint| Post { site: Arc::clone(site), listener: Listener::Https, endpoint };
    with_rest(&at(Endpoint::Unknown))
        .merge(room(at(Endpoint::EntraToken), &["/{tenant}/oauth2/v2.0/token"], || post(token::token)))
        .merge(room(at(Endpoint::EntraToken), &["/adfs/oauth2/token"], || post(token::token)))
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

/// One endpoint at its paths.
fn room(post: Post, paths: &[&str], handler: impl Fn() -> MethodRouter<Arc<Site>>) -> Routes {
    paths
        .iter()
        .fold(Router::new(), |routes, path| routes.route(path, handler().fallback(answer::wrong_method)))
        .route_layer(from_fn_with_state(post, visit))
}

/// The answer to everything else, which is logged like the rest.
fn with_rest(post: &Post) -> Routes {
    Router::new().fallback(answer::not_found).layer(from_fn_with_state(post.clone(), visit))
}
