//! Which proxy of the environment leads to an authority: `HTTPS_PROXY`, else `ALL_PROXY`, unless `NO_PROXY` names it.
//!
//! Read here and not by the HTTP library, which goes straight to the authority where it can't read the proxy's URL.

use std::net::IpAddr;

use url::{Host, Url};

use super::network::Proxy;

/// A variable of either case; capitals win.
type Variable = [&'static str; 2];

const PROXIES: [Variable; 2] = [["HTTPS_PROXY", "https_proxy"], ["ALL_PROXY", "all_proxy"]];
const EXCEPTIONS: Variable = ["NO_PROXY", "no_proxy"];

/// The proxy to an authority, and the variable that names it. The error is a sentence that begins with the variable
/// and shows nothing of its text.
pub(crate) fn towards(
    url: &Url,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<(&'static str, Proxy)>, String> {
    let read = |names: Variable| names.into_iter().find_map(|name| Some((name, variable(name)?)));
    let Some((name, text)) = PROXIES.into_iter().find_map(read) else { return Ok(None) };
    if read(EXCEPTIONS).is_some_and(|(_, exceptions)| names(&exceptions, url)) {
        return Ok(None);
    }
    match Proxy::parse(&text) {
        Ok(proxy) => Ok(Some((name, proxy))),
        Err(sentence) => Err(format!("{name}: {sentence}")),
    }
}

/// Whether a list of exceptions, as curl reads it, names the host of this URL: entries are hosts, which stand for all
/// names below them too, addresses, networks such as `10.0.0.0/8`, any of them with a port, or `*`.
fn names(exceptions: &str, url: &Url) -> bool {
    let Some(host) = url.host() else { return false };
    let port = url.port_or_known_default();
    let entries = exceptions.split(|letter: char| letter == ',' || letter.is_whitespace());
    entries.filter(|entry| !entry.is_empty()).any(|entry| {
        let (name, meant) = with_port(entry);
        entry == "*" || ((meant.is_none() || meant == port) && is_host(name, &host))
    })
}

/// A host and the port behind it. An address of version 6 is in brackets where a port follows.
fn with_port(entry: &str) -> (&str, Option<u16>) {
    let split = entry.rsplit_once(':').and_then(|(name, port)| Some((name, port.parse().ok()?)));
    match split {
        Some((name, port)) if name.ends_with(']') || !name.contains(':') => (name, Some(port)),
        _ => (entry, None),
    }
}

fn is_host(name: &str, host: &Host<&str>) -> bool {
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    match host {
        Host::Ipv4(address) => is_address(bare, (*address).into()),
        Host::Ipv6(address) => is_address(bare, (*address).into()),
        Host::Domain(domain) => {
            let name = name.strip_prefix('.').unwrap_or(name);
            let above =
                domain.len().checked_sub(name.len()).and_then(|at| Some((domain.get(..at)?, domain.get(at..)?)));
            above.is_some_and(|(below, end)| {
                end.eq_ignore_ascii_case(name) && (below.is_empty() || below.ends_with('.')) && !name.is_empty()
            })
        }
    }
}

fn is_address(entry: &str, address: IpAddr) -> bool {
    let Some((network, length)) = entry.split_once('/') else { return entry.parse() == Ok(address) };
    let (Ok(network), Ok(length)) = (network.parse::<IpAddr>(), length.parse::<u32>()) else { return false };
    let same = |differing: u128, size: u32| length <= size && differing.checked_shr(size - length).unwrap_or(0) == 0;
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => same((network.to_bits() ^ address.to_bits()).into(), 32),
        (IpAddr::V6(network), IpAddr::V6(address)) => same(network.to_bits() ^ address.to_bits(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(url: &str, env: &[(&str, &str)]) -> Result<Option<String>, String> {
        let variable = |name: &str| env.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
        let found = towards(&Url::parse(url).unwrap(), variable)?;
        Ok(found.map(|(name, proxy)| format!("{} of {name}", proxy.url())))
    }

    #[test]
    fn the_first_variable_that_is_there_names_the_proxy() {
        let all = [
            ("HTTPS_PROXY", "http://u:p@one:1"),
            ("https_proxy", "two:2"),
            ("ALL_PROXY", "socks5://three:3"),
            ("all_proxy", "https://four:4"),
            ("HTTP_PROXY", "five:5"),
        ];
        let cases = [
            (&all[..], Some("http://one:1 of HTTPS_PROXY")),
            (&all[1..], Some("http://two:2 of https_proxy")),
            (&all[3..], Some("https://four:4 of all_proxy")),
            (&all[4..], None),
        ];
        for (env, expected) in cases {
            assert_eq!(asked("https://login.example", env), Ok(expected.map(str::to_owned)), "{env:?}");
        }
    }

    #[test]
    fn what_is_no_proxy_is_an_error_unless_nobody_needs_it() {
        for text in ["http://canary:99999", "http://u:can#ary@h", "socks5://canary", "canary://h", "http://h/canary"] {
            let env = [("HTTPS_PROXY", text), ("NO_PROXY", "other.example"), ("ALL_PROXY", "http://h")];
            let sentence = asked("https://login.example", &env).unwrap_err();
            assert!(sentence.starts_with("HTTPS_PROXY: ") && !sentence.contains("canary"), "{sentence}");
            assert_eq!(asked("https://other.example", &env), Ok(None));
        }
    }

    #[test]
    fn exceptions() {
        let cases = [
            ("*", "https://login.example", true),
            ("login.example", "https://login.example", true),
            ("LOGIN.example", "https://login.example:8443", true),
            (".login.example", "https://login.example", true),
            ("a, b  example", "https://login.example", true),
            ("gin.example", "https://login.example", false),
            ("a.login.example", "https://login.example", false),
            ("login.example:443", "https://login.example", true),
            ("login.example:444", "https://login.example", false),
            ("login.example:", "https://login.example", false),
            (".", "https://login.example", false),
            (",:443, ,", "https://login.example", false),
            ("*.example", "https://login.example", false),
            ("äx", "https://login.example", false),
            ("localhost,127.0.0.1,::1", "https://127.0.0.1:1", true),
            ("127.0.0.1:2", "https://127.0.0.1:1", false),
            ("127.0.0.1:1", "https://127.0.0.1:1", true),
            ("0.0.1", "https://127.0.0.1", false),
            ("10.0.0.0/8", "https://10.255.1.2", true),
            ("10.0.0.0/8:443", "https://10.255.1.2", true),
            ("10.0.0.0/8", "https://11.0.0.1", false),
            ("0.0.0.0/0", "https://11.0.0.1", true),
            ("10.0.0.1/32", "https://10.0.0.1", true),
            ("10.0.0.0/33", "https://10.0.0.1", false),
            ("10.0.0.0/x", "https://10.0.0.1", false),
            ("::1", "https://[::1]", true),
            ("[::1]", "https://[::1]", true),
            ("[::1]:443", "https://[::1]", true),
            ("[::1]:444", "https://[::1]", false),
            ("fd00::/8", "https://[fd12::1]", true),
            ("::/0", "https://[fd12::1]", true),
            ("::/0", "https://1.2.3.4", false),
            ("", "https://login.example", false),
        ];
        for (exceptions, url, expected) in cases {
            assert_eq!(names(exceptions, &Url::parse(url).unwrap()), expected, "{exceptions} {url}");
        }
    }
}
