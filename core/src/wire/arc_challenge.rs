//! Azure Arc's challenge: the agent names a key file, and whoever can read it gets a token.
//!
//! Anybody can listen on the agent's port while the agent is down, so the name is not trusted: a listener could otherwise
//! have any file of the caller read and sent to it (CVE-2024-35255). Only a plainly named key directly in the agent's
//! folder is accepted; that the file itself is no link is checked when it is opened.

use super::http::Response;
use crate::request::shown;

/// The name of the key file in `folder` that a 401 asks for, or what is wrong with it, in words that fit behind "the
/// challenge". On Windows names have no case and either slash separates.
pub(crate) fn key_name(response: &Response, folder: &str, windows: bool) -> Result<String, String> {
    let mut challenges = response.headers.iter().filter(|(name, _)| name == "www-authenticate");
    let (Some((_, challenge)), None) = (challenges.next(), challenges.next()) else {
        return Err("is not exactly one WWW-Authenticate header".to_owned());
    };
    let path = realm(challenge).ok_or("is not of the form 'Basic realm=<file>'")?;
    let foreign = || format!("names '{}', expected a .key file directly in {folder}", shown(path));
    let name = if windows {
        let within = |prefix: &str| prefix.replace('/', "\\").eq_ignore_ascii_case(&folder.replace('/', "\\"));
        path.rsplit_once(['\\', '/']).filter(|(prefix, _)| within(prefix)).map(|(_, name)| name)
    } else {
        path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'))
    };
    let name = name.ok_or_else(foreign)?;
    if is_key(name) { Ok(name.to_owned()) } else { Err(foreign()) }
}

/// The realm of a Basic challenge, quoted or not; nothing may follow.
fn realm(challenge: &str) -> Option<&str> {
    let (scheme, rest) = challenge.trim().split_once(' ')?;
    let (name, value) = rest.split_once('=')?;
    if !scheme.eq_ignore_ascii_case("basic") || !name.trim().eq_ignore_ascii_case("realm") {
        return None;
    }
    let value = value.trim();
    let bare = match value.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"')?,
        None => value,
    };
    (!bare.is_empty() && !bare.contains('"')).then_some(bare)
}

/// A file name of letters, digits, `-` and `_`, with the one ending: no folder, stream, device or hidden file.
fn is_key(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    name.strip_suffix(".key").is_some_and(|stem| (1..=200).contains(&stem.len()) && stem.bytes().all(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINUX: &str = "/var/opt/azcmagent/tokens";
    const WINDOWS: &str = r"C:\ProgramData\AzureConnectedMachineAgent\Tokens";

    fn answer(challenges: &[&str]) -> Response {
        let header = |value: &&str| ("www-authenticate".to_owned(), (*value).to_owned());
        Response { status: 401, headers: challenges.iter().map(header).collect(), body: Vec::new().into() }
    }

    #[test]
    fn what_an_agent_says() {
        let id = "0f8fad5b-d9cb-469f-a165-70867728950e.key";
        for form in ["Basic realm=$", "basic realm=$", "BASIC REALM=\"$\"", "Basic  realm = $ "] {
            let linux = form.replace('$', &format!("{LINUX}/{id}"));
            assert_eq!(key_name(&answer(&[&linux]), LINUX, false).unwrap(), id, "{linux}");
            for folder in [WINDOWS, &WINDOWS.to_uppercase(), &WINDOWS.replace('\\', "/")] {
                let windows = form.replace('$', &format!("{folder}\\{id}"));
                assert_eq!(key_name(&answer(&[&windows]), WINDOWS, true).unwrap(), id, "{windows}");
            }
        }
    }

    #[test]
    fn what_an_impostor_says() {
        let own = format!("Basic realm={LINUX}/a.key");
        let mut cases: Vec<Vec<String>> = vec![vec![], vec![own.clone(), own.clone()]];
        for path in [
            "/etc/shadow",
            "/etc/a.key",
            "a.key",
            "~/a.key",
            "/var/opt/azcmagent/tokens",
            "/var/opt/azcmagent/tokens/",
            "/var/opt/azcmagent/tokens/a.pem",
            "/var/opt/azcmagent/tokens/a.KEY",
            "/var/opt/azcmagent/tokens/.key",
            "/var/opt/azcmagent/tokens/..key",
            "/var/opt/azcmagent/tokens/a.key.txt",
            "/var/opt/azcmagent/tokens/a.b.key",
            "/var/opt/azcmagent/tokens/../a.key",
            "/var/opt/azcmagent/tokens/../tokens/a.key",
            "/var/opt/azcmagent/tokens/./a.key",
            "/var/opt/azcmagent/tokens//a.key",
            "/var/opt/azcmagent/tokens/sub/a.key",
            "/var/opt/azcmagent/tokens\\a.key",
            "/var/opt/azcmagent/tokens/a%2e.key",
            "/var/opt/azcmagent/tokens/a b.key",
            "/var/opt/azcmagent/tokens/a\0.key",
            "/var/opt/azcmagent/tokens/ä.key",
            "/var/opt/azcmagent/tokens-evil/a.key",
            "/var/opt/azcmagent/./tokens/a.key",
            "//var/opt/azcmagent/tokens/a.key",
            "/VAR/OPT/azcmagent/tokens/a.key",
            "/var/opt/azcmagent/tokens/a.key, Basic realm=/etc/shadow",
            "/var/opt/azcmagent/tokens/a.key, charset=utf-8",
            "\"/var/opt/azcmagent/tokens/a.key",
            "\"/var/opt/azcmagent/tokens/a.key\", x=\"y\"",
            "",
        ] {
            cases.push(vec![format!("Basic realm={path}")]);
        }
        cases.push(vec![format!("Basic realm={LINUX}/{}.key", "a".repeat(201))]);
        cases.push(vec![own.replace("Basic", "Bearer")]);
        cases.push(vec![own.replace("realm", "file")]);
        cases.push(vec![own.replace("Basic ", "")]);
        for case in cases {
            let challenges: Vec<&str> = case.iter().map(String::as_str).collect();
            let said = key_name(&answer(&challenges), LINUX, false).unwrap_err();
            assert!(said.len() < 300 && !said.contains('\0'), "{said}");
        }
        for path in [
            r"C:\ProgramData\AzureConnectedMachineAgent\Tokens\..\a.key",
            r"C:\ProgramData\AzureConnectedMachineAgent\Tokens\a.txt:b.key",
            r"\\evil\share\a.key",
            r"\\?\C:\ProgramData\AzureConnectedMachineAgent\Tokens\a.key",
            r"C:a.key",
            r"a.key",
        ] {
            let challenge = format!("Basic realm={path}");
            assert!(key_name(&answer(&[&challenge]), WINDOWS, true).is_err(), "{path}");
        }
    }
}
