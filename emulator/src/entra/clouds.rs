//! The names of the production authorities, so that traffic led here under them finds itself at home.

/// A cloud's hosts; the first one takes the traffic.
#[derive(Debug)]
pub(crate) struct Cloud {
    pub(crate) hosts: &'static [&'static str],
    /// The name that caches use.
    pub(crate) cache: &'static str,
}

/// The clouds whose authorities instance discovery lists.
pub(crate) const CLOUDS: [Cloud; 3] = [
    Cloud {
        hosts: &["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"],
        cache: "login.windows.net",
    },
    Cloud {
        hosts: &["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"],
        cache: "login.partner.microsoftonline.cn",
    },
    Cloud { hosts: &["login.microsoftonline.us", "login.usgovcloudapi.net"], cache: "login.microsoftonline.us" },
];

/// Names of the TLS listener's certificate besides its own.
pub(crate) const TLS_NAMES: [&str; 9] = [
    "login.microsoftonline.com",
    "login.microsoft.com",
    "login.windows.net",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
    "*.login.microsoft.com",
    "*.login.microsoftonline.us",
    "*.localhost",
];

/// Whether `host` is an authority of a cloud, or a regional one of it.
pub(crate) fn is_known(host: &str) -> bool {
    let hosts = || CLOUDS.iter().flat_map(|cloud| cloud.hosts);
    let known = |name: &str| hosts().any(|one| one.eq_ignore_ascii_case(name));
    known(host) || host.split_once('.').is_some_and(|(_, central)| known(central))
}

#[cfg(test)]
mod tests {
    use super::is_known;

    #[test]
    fn regions_are_known_by_their_cloud() {
        for (host, known) in [
            ("login.microsoftonline.com", true),
            ("LOGIN.windows.net", true),
            ("westeurope.login.microsoft.com", true),
            ("a.b.login.microsoft.com", false),
            ("login.microsoftonline.com.evil.example", false),
            ("localhost", false),
        ] {
            assert_eq!(is_known(host), known, "{host}");
        }
    }
}
