//! Options of azure-identity and @azure/identity that azcred does not have, and what it does about each.

/// What happens to an option that a peer has and azcred has not.
#[derive(Clone, Copy, Debug)]
pub(super) enum Disposition {
    /// Leaving it out harms nobody: accepted with one log line that says why.
    Noted(&'static str),
    /// The caller relies on it: an error that says why.
    Refused(&'static str),
}

use Disposition::{Noted, Refused};

const RETRIES: Disposition = Noted("every source has the retry rules its documentation asks for");
const LOGS: Disposition = Noted("logs go to the logger 'azcred' and never hold a secret");
const CACHE: Disposition = Noted("tokens are cached in memory and never written to disk");
const TIMEOUTS: Disposition = Noted("every source has its own time limits; a call takes a timeout of its own");
const TRANSPORT: Disposition = Refused("azcred has its own HTTP client");

const TABLE: [(&str, Disposition); 26] = [
    ("additional_policies", TRANSPORT),
    ("allow_insecure_connection", Refused("secrets travel over TLS only")),
    ("cache_persistence_options", CACHE),
    ("connection_cert", Refused("client certificates for TLS are not used by Entra ID")),
    ("connection_timeout", TIMEOUTS),
    ("connection_verify", Refused("certificates are always checked; name your authority in SSL_CERT_FILE")),
    ("enable_support_logging", LOGS),
    ("http_client", TRANSPORT),
    ("http_logging_policy", LOGS),
    ("identity_logging", LOGS),
    ("logging_enable", LOGS),
    ("logging_options", LOGS),
    ("policies", TRANSPORT),
    ("proxies", Refused("set HTTPS_PROXY and NO_PROXY in the environment")),
    ("proxy_options", Refused("set HTTPS_PROXY and NO_PROXY in the environment")),
    ("read_timeout", TIMEOUTS),
    ("redirect_options", Refused("no request that carries a secret follows a redirect")),
    ("retry_backoff_factor", RETRIES),
    ("retry_backoff_max", RETRIES),
    ("retry_mode", RETRIES),
    ("retry_options", RETRIES),
    ("retry_total", RETRIES),
    ("token_cache_persistence_options", CACHE),
    ("transport", TRANSPORT),
    ("user_agent", Noted("requests name azcred and its version")),
    ("user_agent_options", Noted("requests name azcred and its version")),
];

/// What to do about a (snake case) name that is not in azcred's own table.
pub(super) fn disposition(name: &str) -> Option<Disposition> {
    TABLE.iter().find(|(peer, _)| *peer == name).map(|(_, disposition)| *disposition)
}
