//! The ready line: everything that a program needs to use the emulator, as one JSON object.

use std::{net::SocketAddr, path::Path};

use serde_json::{Map, Value};

use crate::{application::PASSWORD, ask::PROXY, emulator::KeyFiles, identities::App, site::Site};

/// Where things are that no handler needs to know.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    pub(crate) files: Option<KeyFiles>,
    pub(crate) arc: Option<SocketAddr>,
    pub(crate) fabric: SocketAddr,
    pub(crate) fabric_thumbprint: String,
    pub(crate) proxy_port: u16,
    pub(crate) proxy_name: String,
    pub(crate) https_v6: Option<SocketAddr>,
}

/// The line. What is off is left out, save for `ca_file`, which is null then.
pub(crate) fn ready(site: &Site, places: &Places) -> Value {
    let mut line = Map::new();
    let mut say = |name: &str, value: &str| line.insert(name.to_owned(), value.into());
    let config = &site.config;
    let (http, https) = (&site.http_url, &site.https_url);
    say("http", http);
    say("https", https);
    say("admin", &format!("{http}/_azcred"));
    say("imds", http);
    say("identity_endpoint", &format!("{http}/msi/token"));
    say("identity_header", &config.identity_header);
    say("ml_endpoint", &format!("{http}/ml/token"));
    say("ml_secret", &config.ml_secret);
    say("cloud_shell_endpoint", &format!("{http}/cloud-shell/token"));
    say("service_fabric_endpoint", &format!("https://{}/metadata/identity/oauth2/token", places.fabric));
    say("service_fabric_header", &config.service_fabric_header);
    say("service_fabric_thumbprint", &places.fabric_thumbprint);
    say("token_proxy", &format!("https://localhost:{}/{PROXY}", places.proxy_port));
    say("token_proxy_sni", &places.proxy_name);
    say("federated_issuer", site.federation.issuer());
    say("pipelines_uri", &format!("{https}/pipelines/oidctoken"));
    say("pipelines_token", &config.pipelines.token);
    say("pipelines_service_connection_id", &config.pipelines.service_connection_id);
    say("region", &config.region);
    if let Some(tenant) = config.home() {
        say("tenant_id", &tenant.id);
    }
    if let Some(app) = config.apps.first() {
        say("client_id", &app.client_id);
        if let Some(secret) = app.secrets.first() {
            say("client_secret", secret);
        }
    }
    let own = |app: &&App| app.federated.iter().any(|one| one.issuer.is_none());
    if let Some(app) = config.apps.iter().find(own) {
        say("workload_client_id", &app.client_id);
        say("pipelines_client_id", &app.client_id);
    }
    if let Some(app) = config.apps.iter().find(|app| app.public) {
        say("public_client_id", &app.client_id);
    }
    for (name, mfa) in [("username", false), ("mfa_username", true)] {
        if let Some(user) = config.users.iter().find(|user| user.mfa == mfa) {
            say(name, &user.username);
            if !mfa {
                say("password", &user.password);
            }
        }
    }
    if let Some(address) = places.arc {
        say("arc_endpoint", &format!("http://{address}/metadata/identity/oauth2/token"));
    }
    if let (Some(_), Some(arc)) = (places.arc, &site.arc) {
        say("arc_token_dir", &shown(arc.dir()));
    }
    if let Some(address) = places.https_v6 {
        say("https_v6", &format!("https://{address}"));
    }
    if let Some(file) = site.federation.file() {
        say("federated_token_file", &shown(file));
    }
    if let Some(files) = &places.files {
        say("ca_file", &shown(&files.ca));
        say("token_proxy_ca_file", &shown(&files.proxy_ca));
        if let Some(app) = config.apps.first().filter(|app| !app.public) {
            say("certificate_client_id", &app.client_id);
            say("certificate_file", &shown(&files.application.pem));
            say("certificate_successor_file", &shown(&files.application.successor));
            say("certificate_pfx", &shown(&files.application.pfx));
            say("certificate_password", PASSWORD);
        }
    }
    line.entry("ca_file").or_insert(Value::Null);
    Value::Object(line)
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
