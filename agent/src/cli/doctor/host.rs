//! The host around the sources: store, agent, clock, proxies, certificate authorities.

use std::path::Path;
use std::time::{Duration, Instant};

use azcred::World;
use azcred::http::{Network, Request, Route};
use jiff::fmt::rfc2822;

use super::super::variable;

/// Variables that decide about identities and ways; their values are not shown.
const VARIABLES: [&str; 29] = [
    "AZCRED_AGENT",
    "AZCRED_CONFIG",
    "AZCRED_LOG",
    "AZCRED_SHARING",
    "AZURE_AUTHORITY_HOST",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_CONFIG_DIR",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_PASSWORD",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "AZURE_REGIONAL_AUTHORITY_NAME",
    "AZURE_TENANT_ID",
    "AZURE_TOKEN_CREDENTIALS",
    "AZURE_USERNAME",
    "CURL_CA_BUNDLE",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "IDENTITY_SERVER_THUMBPRINT",
    "IMDS_ENDPOINT",
    "MSI_ENDPOINT",
    "MSI_SECRET",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "SYSTEM_OIDCREQUESTURI",
];

/// Variables that name certificate authorities, and whether these take the place of the system's.
const TRUST: [(&str, bool); 5] = [
    ("SSL_CERT_FILE", true),
    ("SSL_CERT_DIR", true),
    ("REQUESTS_CA_BUNDLE", false),
    ("CURL_CA_BUNDLE", false),
    ("NODE_EXTRA_CA_CERTS", false),
];

const PROXIES: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"];

/// The host.
pub(super) struct Host {
    pub(super) is_azure: bool,
    /// The names of the variables that are set.
    pub(super) variables: Vec<&'static str>,
    /// Proxies by variable, without users and passwords.
    pub(super) proxies: Vec<(&'static str, String)>,
    /// What else, or in place of what, is trusted.
    pub(super) trust: Vec<Trust>,
    /// Where the store is and how many tokens it holds, or why there is none.
    pub(super) store: Result<(String, usize), String>,
    pub(super) agent: Agent,
    pub(super) authority: Authority,
}

/// Certificate authorities that a variable names.
pub(super) struct Trust {
    pub(super) variable: &'static str,
    pub(super) path: String,
    /// Whether the system's are not trusted then.
    pub(super) replaces: bool,
    /// Whether anything is there.
    pub(super) exists: bool,
}

/// The host agent.
pub(super) enum Agent {
    /// Something is at this address.
    At(String),
    /// Nothing is at any of these.
    Nowhere(Vec<String>),
}

/// What came of a question to the authority that needs no identity.
pub(super) struct Authority {
    pub(super) host: String,
    /// By how many seconds its clock is ahead of ours, or why it gave no answer.
    pub(super) answer: Result<Option<i64>, String>,
    pub(super) took: u128,
}

impl Host {
    pub(super) fn of(world: &World) -> Host {
        Host {
            is_azure: world.is_azure(),
            variables: VARIABLES.into_iter().filter(|name| is_set(name)).collect(),
            proxies: PROXIES.into_iter().filter_map(|name| Some((name, without_user(&set(name)?)))).collect(),
            trust: TRUST.into_iter().filter_map(|(variable, replaces)| Trust::of(world, variable, replaces)).collect(),
            store: world.stored().map(|stored| (stored.folder.display().to_string(), stored.tokens.len())),
            agent: Agent::of(world),
            authority: Authority::of(world),
        }
    }
}

impl Trust {
    fn of(world: &World, variable: &'static str, replaces: bool) -> Option<Trust> {
        let path = set(variable)?;
        let exists = world.files.exists(Path::new(&path));
        Some(Trust { variable, path, replaces, exists })
    }
}

fn set(name: &str) -> Option<String> {
    variable(name).filter(|value| !value.is_empty())
}

fn is_set(name: &str) -> bool {
    set(name).is_some()
}

/// A proxy's address without who asks it.
fn without_user(proxy: &str) -> String {
    match proxy.rsplit_once('@') {
        Some((_, address)) => format!("…@{address}"),
        None => proxy.to_owned(),
    }
}

impl Agent {
    fn of(world: &World) -> Agent {
        let of_user = set("XDG_RUNTIME_DIR").map(|folder| format!("{folder}/azcred/agent.sock"));
        let all: Vec<String> =
            set("AZCRED_AGENT").into_iter().chain(of_user).chain(["/run/azcred/agent.sock".to_owned()]).collect();
        let found = all.iter().find(|path| world.files.exists(Path::new(path)));
        found.cloned().map_or(Agent::Nowhere(all), Agent::At)
    }
}

impl Authority {
    fn of(world: &World) -> Authority {
        let named = set("AZURE_AUTHORITY_HOST").unwrap_or_else(|| "login.microsoftonline.com".to_owned());
        let host = named.strip_prefix("https://").unwrap_or(&named).trim_end_matches('/').to_owned();
        #[expect(clippy::disallowed_methods, reason = "a program's own stopwatch")]
        let begun = Instant::now();
        let answer = Authority::ask(world, &host);
        Authority { host, answer, took: begun.elapsed().as_millis() }
    }

    fn ask(world: &World, host: &str) -> Result<Option<i64>, String> {
        let request = Request {
            method: "GET",
            url: format!("https://{host}/common/v2.0/.well-known/openid-configuration"),
            headers: Vec::new(),
            body: None,
            timeout: Duration::from_secs(10),
            route: Route::Authority(Network::default()),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let response = runtime.block_on(world.http.send(&request)).map_err(|error| error.to_string())?;
        let date = response.header("date").and_then(|text| rfc2822::parse(text).ok());
        Ok(date.map(|date| date.timestamp().as_second() - world.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxys_user_is_not_shown() {
        for (proxy, shown) in [
            ("http://proxy:8080", "http://proxy:8080"),
            ("http://user:p@ss@proxy:8080", "…@proxy:8080"),
            ("user:canary@proxy", "…@proxy"),
        ] {
            assert_eq!(without_user(proxy), shown);
        }
    }
}
