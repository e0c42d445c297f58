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
const AGENT: Disposition = Noted("requests name azcred and its version");
const IDS: Disposition = Noted("each request has an id of its own");
const SPANS: Disposition = Noted("azcred makes no spans");
const REDIRECTS: Disposition = Noted("no request that carries a secret follows a redirect, as in azure-identity");
const POLICY: Disposition = Noted("azure-identity does not use it either");
const HOOK: Disposition = Refused("azcred has no pipeline that could call it");
const BROKER: Disposition = Noted("users sign in without the operating system's broker");
const BODIES: Disposition = Noted("answers are read whole, as JSON in UTF-8");
const ASYNC: Disposition = Noted("requests are made by a thread of azcred's, whatever the event loop");

pub(super) const TABLE: [(&str, Disposition); 93] = [
    ("additional_allowed_query_params", LOGS),
    ("additional_policies", TRANSPORT),
    ("agent", TRANSPORT),
    ("allow_broker", BROKER),
    ("allow_insecure_connection", Refused("secrets travel over TLS only")),
    ("authentication_policy", POLICY),
    (
        "authentication_record",
        Noted("it names an account of a sign-in by a person, which this credential does not use"),
    ),
    ("authority", AUTHORITY),
    ("auto_request_id", IDS),
    ("base_headers", Refused("requests hold what the authority asks for, and nothing else")),
    ("base_user_agent", AGENT),
    ("blocked_redirect_headers", REDIRECTS),
    ("broker_client_id", SILENT),
    ("broker_options", MEMBER),
    ("broker_tenant_id", SILENT),
    ("browser_customization_options", Noted("the page that ends a sign-in is azcred's own")),
    ("cache_persistence_options", CACHE),
    ("connection_cert", Refused("client certificates for TLS are not used by Entra ID")),
    ("connection_data_block_size", BODIES),
    ("connection_timeout", AUTHORITY),
    ("connection_verify", AUTHORITY),
    ("custom_hook_policy", POLICY),
    ("disable_instance_discovery", AUTHORITY),
    ("disable_redirect_cleanup", REDIRECTS),
    ("enable_azure_proxy", Noted("only a WorkloadIdentityCredential of its own uses a cluster's token proxy")),
    ("enable_msa_passthrough", BROKER),
    ("enable_support_logging", LOGS),
    ("headers", Refused("requests hold what the authority asks for, and nothing else")),
    ("headers_policy", POLICY),
    ("http_client", TRANSPORT),
    ("http_logging_level", LOGS),
    ("http_logging_policy", POLICY),
    ("identity_logging", LOGS),
    ("instrumentation_config", SPANS),
    ("logger", Noted("azcred has loggers of its own")),
    ("logging_enable", LOGS),
    ("logging_options", LOGS),
    ("logging_policy", POLICY),
    ("login_style", Noted("it is for programs that run in a browser")),
    ("loop", ASYNC),
    ("network_span_namer", SPANS),
    ("parent_window_handle", BROKER),
    ("per_call_policies", POLICY),
    ("per_retry_policies", POLICY),
    ("permit_redirects", REDIRECTS),
    ("policies", TRANSPORT),
    ("polling_interval", POLICY),
    ("proxies", AUTHORITY),
    ("proxy_options", AUTHORITY),
    ("proxy_policy", POLICY),
    ("raw_request_hook", HOOK),
    ("raw_response_hook", HOOK),
    ("read_timeout", AUTHORITY),
    ("redirect_max", REDIRECTS),
    ("redirect_on_status_codes", REDIRECTS),
    ("redirect_options", Refused("no request that carries a secret follows a redirect")),
    ("redirect_policy", POLICY),
    ("redirect_remove_headers", REDIRECTS),
    ("request_id", IDS),
    ("request_id_header_name", IDS),
    ("required_env_vars", Refused("set AZURE_TOKEN_CREDENTIALS and require_envvar, or check them in the program")),
    ("response_encoding", BODIES),
    ("retry_backoff_factor", RETRIES),
    ("retry_backoff_max", RETRIES),
    ("retry_connect", RETRIES),
    ("retry_mode", RETRIES),
    ("retry_on_status_codes", RETRIES),
    ("retry_options", RETRIES),
    ("retry_policy", POLICY),
    ("retry_policy_class", TRANSPORT),
    ("retry_read", RETRIES),
    ("retry_status", RETRIES),
    ("retry_total", RETRIES),
    ("sdk_moniker", AGENT),
    ("session", TRANSPORT),
    ("session_owner", Noted("azcred has its own HTTP client, and ends what it began")),
    ("shared_cache_tenant_id", SILENT),
    ("shared_cache_username", SILENT),
    ("telemetry_options", AGENT),
    (
        "timeout",
        Noted("connection_timeout and read_timeout limit a request, and the call's own timeout the wait for it"),
    ),
    ("tls_options", Refused("connection_verify names the certificates to trust; Entra ID takes none of a client's")),
    ("token_cache_persistence_options", CACHE),
    ("tracing_attributes", SPANS),
    ("transport", TRANSPORT),
    ("trio_limiter", ASYNC),
    ("use_default_broker_account", BROKER),
    ("use_env_settings", AUTHORITY),
    ("user_agent", AGENT),
    ("user_agent_options", AGENT),
    ("user_agent_overwrite", AGENT),
    ("user_agent_policy", POLICY),
    ("user_agent_use_env", AGENT),
    ("visual_studio_code_tenant_id", SILENT),
];

/// What to do about a (snake case) name that is not in azcred's own table.
pub(super) fn disposition(name: &str) -> Option<Disposition> {
    TABLE.iter().find(|(peer, _)| *peer == name).map(|(_, disposition)| *disposition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_once_and_in_order() {
        let names: Vec<&str> = TABLE.iter().map(|(name, _)| *name).collect();
        assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
    }
}
