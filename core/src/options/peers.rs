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
const LOGS: Disposition = Noted("logs never hold a secret");
const MEMBER: Disposition = Noted("the member it is for is not in this version's default chain");
const SILENT: Disposition = Noted("the member it is for gives no tokens in azcred");
const CACHE: Disposition = Noted("tokens are cached in memory and never written to disk");
const AUTHORITY: Disposition = Noted("it is for requests to an authority, and this credential makes none");
const TRANSPORT: Disposition = Refused("azcred has its own HTTP client");

const TABLE: [(&str, Disposition); 44] = [
    ("additional_policies", TRANSPORT),
    ("agent", TRANSPORT),
    ("allow_insecure_connection", Refused("secrets travel over TLS only")),
    (
        "authentication_record",
        Noted("it names an account of a sign-in by a person, which this credential does not use"),
    ),
    ("authority", AUTHORITY),
    ("broker_client_id", SILENT),
    ("broker_options", MEMBER),
    ("broker_tenant_id", SILENT),
    ("browser_customization_options", Noted("the page that ends a sign-in is azcred's own")),
    ("cache_persistence_options", CACHE),
    ("connection_cert", Refused("client certificates for TLS are not used by Entra ID")),
    ("connection_timeout", AUTHORITY),
    ("connection_verify", AUTHORITY),
    ("enable_azure_proxy", Noted("only a WorkloadIdentityCredential of its own uses a cluster's token proxy")),
    ("enable_support_logging", LOGS),
    ("http_client", TRANSPORT),
    ("http_logging_policy", LOGS),
    ("identity_logging", LOGS),
    ("login_style", Noted("it is for pages in a browser")),
    ("logging_enable", LOGS),
    ("logging_options", LOGS),
    ("policies", TRANSPORT),
    ("proxies", AUTHORITY),
    ("proxy_options", AUTHORITY),
    ("read_timeout", AUTHORITY),
    ("redirect_options", Refused("no request that carries a secret follows a redirect")),
    (
        "required_env_vars",
        Refused("set AZURE_TOKEN_CREDENTIALS and the option that requires it, or check them in the program"),
    ),
    ("retry_backoff_factor", RETRIES),
    ("retry_backoff_max", RETRIES),
    ("retry_connect", RETRIES),
    ("retry_mode", RETRIES),
    ("retry_options", RETRIES),
    ("retry_read", RETRIES),
    ("retry_status", RETRIES),
    ("retry_total", RETRIES),
    ("shared_cache_tenant_id", SILENT),
    ("shared_cache_username", SILENT),
    ("telemetry_options", Noted("requests name azcred and its version")),
    ("tls_options", Refused("connection_verify names the certificates to trust; Entra ID takes none of a client's")),
    ("token_cache_persistence_options", CACHE),
    ("transport", TRANSPORT),
    ("user_agent", Noted("requests name azcred and its version")),
    ("user_agent_options", Noted("requests name azcred and its version")),
    ("visual_studio_code_tenant_id", SILENT),
];

/// What to do about a (snake case) name that is not in azcred's own table.
pub(super) fn disposition(name: &str) -> Option<Disposition> {
    TABLE.iter().find(|(peer, _)| *peer == name).map(|(_, disposition)| *disposition)
}
