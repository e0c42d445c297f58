//! Developer tools: programs that hold somebody's login and print a token.
//!
//! A tool is found by absolute path and given an argument vector; what goes into it is checked first, and never reads as
//! an option. Its token is cached like any other, so it runs once per token life. What it prints is quoted only in
//! errors, bounded and masked.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::{About, Ask, Grant, Place, Tenants};
use crate::error::{Error, ErrorKind};
use crate::request::shown;
use crate::share::Sharing;
use crate::token::{Provenance, Secret};
use crate::wire::answer::check_life;
use crate::world::shortage::is_shortage;
use crate::world::{Command, Output, ProcessError, World};

/// What is known of a tool.
#[derive(Debug)]
pub(super) struct Kind {
    /// The class name of its credential.
    pub(super) credential: &'static str,
    /// What its tokens' provenance says.
    pub(super) source: &'static str,
    /// What people call it.
    pub(super) title: &'static str,
    /// Its programs; the first one found is run.
    pub(super) programs: &'static [&'static str],
    /// Where it comes from.
    pub(super) home: &'static str,
    /// The variables that say whose login it holds.
    pub(super) profile: &'static [&'static str],
    /// What a login changes.
    pub(super) login: Login,
    /// What it says when it could not try, and what to do then.
    pub(super) known: &'static [Known],
}

/// Files that are other ones after a login: an error of the tool's ends when one of them changes.
#[derive(Debug)]
pub(super) struct Login {
    /// The variables that name their folder; the first that is set counts.
    pub(super) variables: &'static [&'static str],
    /// Their folder in the home where none is set.
    pub(super) folder: &'static str,
    /// Their names.
    pub(super) files: &'static [&'static str],
}

impl Login {
    /// Where they are; nowhere without a home.
    fn paths(&self, world: &World) -> Vec<PathBuf> {
        let named = self.variables.iter().find_map(|variable| world.env.get(variable)).map(PathBuf::from);
        let home = || ["HOME", "USERPROFILE"].iter().find_map(|variable| world.env.get(variable));
        let folder = named.or_else(|| Some(PathBuf::from(home()?).join(self.folder)));
        folder.iter().flat_map(|folder| self.files.iter().map(|file| folder.join(file))).collect()
    }

    /// Has whoever watches this world see the files as they are now.
    fn note(&self, world: &World) {
        for path in self.paths(world) {
            world.files.stamp(&path);
        }
    }
}

/// Messages that have one remedy. Words of Entra ID beside them win: they often name the same commands.
#[derive(Debug)]
pub(super) struct Known {
    /// Any of these.
    pub(super) said: &'static [&'static str],
    /// What the error says.
    pub(super) meaning: &'static str,
}

/// What a tool told: a token and its times.
pub(super) struct Told {
    pub(super) text: Secret,
    pub(super) expires_on: i64,
    pub(super) tenant: Option<String>,
}

/// A tool as one credential uses it.
#[derive(Debug)]
pub(super) struct Tool {
    kind: &'static Kind,
    pub(super) about: About,
    timeout: Duration,
}

impl Tool {
    /// The tool for one tenant (`None` is the login's own); `more` is what else its tokens depend on.
    pub(super) fn new(
        kind: &'static Kind,
        world: &World,
        (tenant, allowed): (Option<String>, Option<Vec<String>>),
        timeout: Duration,
        more: &str,
    ) -> Result<Tool, Error> {
        let tenant = tenant.filter(|tenant| !tenant.is_empty());
        let tenants = Tenants::own(world, kind.credential, tenant.clone(), allowed)?;
        // Whose login it is, and how long this caller lets the tool run.
        let profile: Vec<String> =
            kind.profile.iter().map(|variable| world.env.get(variable).unwrap_or_default()).collect();
        let (permission, patience) = (tenants.permission(), timeout.as_millis().to_string());
        let mut parts: Vec<&str> = profile.iter().map(String::as_str).collect();
        parts.extend([tenant.as_deref().unwrap_or_default(), more, &permission, &patience]);
        // The tool's own deadline comes first, so that its error names it.
        let about = About::new(kind.credential, &parts, timeout + Duration::from_secs(5));
        // Whoever waits for another process's tool waits as long as for its own.
        let login: Arc<[PathBuf]> = kind.login.paths(world).into();
        let sharing = Sharing::Files { files: Arc::clone(&login), stall: timeout + Duration::from_secs(2) };
        let about = About { tenants, sharing, login, ..about };
        Ok(Tool { kind, about, timeout })
    }

    /// The tenant to name to the tool.
    pub(super) fn tenant<'a>(&'a self, ask: &Ask<'a>) -> Result<Option<&'a str>, Error> {
        self.about.tenants.resolve(self.kind.credential, ask.request.tenant_id.as_deref())
    }

    /// The request's one scope, as a resource.
    pub(super) fn resource<'a>(&self, ask: &Ask<'a>) -> Result<&'a str, Error> {
        let resource = ask.request.one_resource(self.kind.credential)?;
        self.checked(resource)
    }

    /// The request's scopes.
    pub(super) fn scopes<'a>(&self, ask: &Ask<'a>) -> Result<Vec<&'a str>, Error> {
        ask.request.scopes.iter().map(|scope| self.checked(scope)).collect()
    }

    fn checked<'a>(&self, scope: &'a str) -> Result<&'a str, Error> {
        if is_plain(scope, "-_.:/") {
            return Ok(scope);
        }
        Err(Error::argument(format!(
            "{}: malformed scope '{}': expected letters, digits, '-', '_', '.', ':' and '/', the first a letter or digit",
            self.kind.credential,
            shown(scope)
        )))
    }

    /// Finds the tool and runs it to its end.
    pub(super) async fn run(
        &self,
        ask: &Ask<'_>,
        arguments: &[&str],
        environment: Vec<(&'static str, String)>,
    ) -> Result<Output, Error> {
        let Kind { credential, title, programs, home, .. } = *self.kind;
        let Some(program) = programs.iter().find_map(|name| ask.world.find_program(name)) else {
            return Err(Error::unavailable(format!(
                "{credential}: {title} was not found on PATH; install it from {home}"
            )));
        };
        self.kind.login.note(ask.world);
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let command = Command { program, arguments, environment, timeout: self.timeout };
        ask.world.processes.run(command).await.map_err(|error| self.gave_nothing(ask, error))
    }

    fn gave_nothing(&self, ask: &Ask<'_>, error: ProcessError) -> Error {
        let (credential, name) = (self.kind.credential, self.name());
        match error {
            // Whether it would have a token is not known: a chain must not go on to somebody else.
            ProcessError::Start(error) if is_shortage(&error) => {
                Error::transient(format!("{credential}: {name} could not be started: {error}")).own()
            }
            ProcessError::Start(error) => {
                Error::unavailable(format!("{credential}: {name} could not be started: {error}"))
            }
            ProcessError::TimedOut => Error::new(
                own(ask, ErrorKind::Transient),
                format!(
                    "{credential}: {name} did not answer within {} s; the option process_timeout gives it longer",
                    self.timeout.as_secs_f64()
                ),
            ),
            ProcessError::TooMuchOutput => Error::new(
                ask.place.garbage(),
                format!("{credential}: the output of {name} is larger than a token can be"),
            ),
        }
    }

    /// What came of a run: `told` is its output as read (the error fits behind "the output of the tool" and quotes
    /// nothing), `reason` the tool's own words about a failure where it has a place for them.
    ///
    /// A token counts unless the exit code says otherwise; the code may be lost in a host that reaps all children.
    pub(super) fn outcome(
        &self,
        ask: &Ask<'_>,
        output: &Output,
        told: Result<Told, String>,
        reason: Option<String>,
    ) -> Result<Grant, Error> {
        let what = match told {
            Ok(told) if output.code.unwrap_or(0) == 0 => return self.grant(ask, told),
            Ok(_) => String::new(),
            Err(what) => what,
        };
        let (credential, name) = (self.kind.credential, self.name());
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let says = |words: &&str| stdout.contains(words) || stderr.contains(words);
        if !says(&"AADSTS")
            && let Some(known) = self.kind.known.iter().find(|known| known.said.iter().any(&says))
        {
            return Err(Error::unavailable(format!("{credential}: {}", known.meaning)));
        }
        if output.code == Some(127) {
            return Err(Error::unavailable(format!(
                "{credential}: {name} is there but could not be run (exit code 127)"
            )));
        }
        // Without a code, words on standard error alone are a failure as well.
        let lost = output.code.is_none() && stdout.trim().is_empty() && !stderr.trim().is_empty();
        if reason.is_none() && !lost && output.code.unwrap_or(0) == 0 {
            return Err(Error::new(ask.place.garbage(), format!("{credential}: the output of {name} {what}")));
        }
        let code = match output.code {
            Some(0) => String::new(),
            Some(code) => format!(" (exit code {code})"),
            None => " (no exit code)".to_owned(),
        };
        let reason = masked(&reason.unwrap_or_else(|| complaint(&stderr)));
        Err(Error::new(own(ask, ErrorKind::Failed), format!("{credential}: {name} failed{code}: {reason}")))
    }

    fn grant(&self, ask: &Ask<'_>, told: Told) -> Result<Grant, Error> {
        let Kind { credential, source, .. } = *self.kind;
        let tenant_id = self.tenant(ask)?.map(str::to_owned).or(told.tenant);
        let provenance = Provenance { credential, source, tenant_id, client_id: None };
        Ok(Grant::new(told.text, told.expires_on, None, provenance))
    }

    fn name(&self) -> &'static str {
        self.kind.programs.first().copied().unwrap_or_default()
    }
}

/// The kind of a tool's failure: in the default chain nobody asked for this tool.
fn own(ask: &Ask<'_>, kind: ErrorKind) -> ErrorKind {
    if ask.place == Place::Default { ErrorKind::Unavailable } else { kind }
}

/// A token and its expiry, if they can be; the error fits behind "the output of the tool".
pub(super) fn told(text: Secret, expires_on: i64, now: i64) -> Result<Told, String> {
    if !text.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("holds a token with characters that no token has".to_owned());
    }
    check_life(expires_on, now)?;
    Ok(Told { text, expires_on, tenant: None })
}

/// The JSON objects of this shape in a tool's output, each from the start of a line; notices may stand around them.
pub(super) fn objects<'a, T: DeserializeOwned + 'a>(output: &'a [u8]) -> impl Iterator<Item = T> + 'a {
    // No tool prints more of them.
    const MOST: usize = 1000;
    let mut start = 0;
    let starts = output.split_inclusive(|byte| *byte == b'\n').filter_map(move |line| {
        let here = start;
        start += line.len();
        line.trim_ascii_start().starts_with(b"{").then_some(here)
    });
    starts
        .take(MOST)
        .filter_map(|start| serde_json::Deserializer::from_slice(output.get(start..)?).into_iter().next()?.ok())
}

/// The line of standard error that says why, and what follows it.
fn complaint(stderr: &str) -> String {
    let lines: Vec<&str> = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    // Warnings may stand before the error; a traceback ends with its cause.
    let start = lines.iter().position(|line| line.starts_with("ERROR")).or_else(|| {
        let first = lines.first()?;
        Some(if first.starts_with("Traceback") { lines.len() - 1 } else { 0 })
    });
    match start.and_then(|start| lines.get(start..)) {
        Some(lines) => lines.join(" "),
        None => "it printed no reason".to_owned(),
    }
}

/// A tool's words on one line, bounded, without colours and anything that could be a token.
fn masked(text: &str) -> String {
    const LONGEST_WORD: usize = 100;
    const LONGEST: usize = 600;
    let is_token = |word: &&str| word.len() > LONGEST_WORD || (word.contains("eyJ") && word.contains('.'));
    let text = without_colours(text);
    if ["accessToken", "\"token\"", "azsdk%"].iter().any(|name| text.contains(name)) {
        return "***".to_owned();
    }
    let words: Vec<&str> = text.split_whitespace().map(|word| if is_token(&word) { "***" } else { word }).collect();
    words.join(" ").chars().filter(|char| !char.is_control()).take(LONGEST).collect()
}

/// Text without the escape sequences of terminals.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.trim_start_matches(|char: char| !char.is_ascii_alphabetic()).get(1..).unwrap_or_default());
    }
    plain
}

/// Letters, digits and some others, starting with a letter or digit, so that nothing reads as an option.
pub(super) fn is_plain(text: &str, others: &str) -> bool {
    text.starts_with(|char: char| char.is_ascii_alphanumeric())
        && text.chars().all(|char| char.is_ascii_alphanumeric() || others.contains(char))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn nothing_reads_as_an_option_or_as_two() {
        for text in ["https://vault.azure.net", "api://app_1/.default", "00000000-0000-0000-0000-000000000000"] {
            assert!(is_plain(text, "-_.:/"), "{text}");
        }
        let attacks = [
            "",
            "-h",
            "--help",
            "/x",
            "a;b",
            "a b",
            "a\nb",
            "a`b`",
            "$(a)",
            "a&b",
            "a|b",
            "a>b",
            "a'b",
            "a\"b",
            "a%b",
            "a!b",
            "a^b",
            "a\\b",
            "a\0b",
            "ä",
            "а",
            "a*",
            "a?b",
            "a#b",
            "a{b}",
            "a\u{202e}b",
            "@a",
            "~a",
        ];
        for text in attacks {
            assert!(!is_plain(text, "-_.:/"), "{text}");
            assert!(!is_plain(text, "-_. ") || text == "a b", "{text}");
        }
    }

    #[test]
    fn objects_are_found_among_notices() {
        let cases: [(&str, &[&str]); 10] = [
            ("", &[]),
            ("no", &[]),
            (r#"{"a":1}"#, &[r#"{"a":1}"#]),
            ("WARNING: {x} is old\n  {\n \"a\": 1\n}\nbye", &[r#"{"a":1}"#]),
            ("{\"a\":1}\r\n{\"a\":2}", &[r#"{"a":1}"#, r#"{"a":2}"#]),
            ("{broken\n{\"a\":2}", &[r#"{"a":2}"#]),
            ("x {\"a\":2}", &[]),
            (&"\n".repeat(1 << 20), &[]),
            (&"{\n".repeat(1 << 19), &[]),
            (&"{\"a\":\n".repeat(1 << 17), &[]),
        ];
        for (output, expected) in cases {
            let found: Vec<String> = objects::<Value>(output.as_bytes()).map(|value| value.to_string()).collect();
            assert_eq!(found, expected, "{output}");
        }
    }

    #[test]
    fn complaints_are_one_masked_line() {
        let long = format!("boom {}", "x".repeat(101));
        let cases = [
            ("", "it printed no reason"),
            ("\n boom \n", "boom"),
            ("WARNING: old\nERROR: AADSTS1: no.\nPlease run:\naz login", "ERROR: AADSTS1: no. Please run: az login"),
            ("Traceback (most recent call last):\n  File\nKeyError: 'x'", "KeyError: 'x'"),
            ("\u{1b}[31;1mGet-AzAccessToken: \u{1b}[0mboom\u{1b}[0m", "Get-AzAccessToken: boom"),
            ("\u{1b}[", ""),
            (&long, "boom ***"),
            ("got eyJ0.eyJ1.sig", "got ***"),
            (r#"{"accessToken": "short"}"#, "***"),
            (r#"{"token": "short"}"#, "***"),
            ("azsdk%short%1", "***"),
        ];
        for (stderr, expected) in cases {
            assert_eq!(masked(&complaint(stderr)), expected, "{stderr}");
        }
        assert_eq!(masked(&"a b ".repeat(1000)).len(), 600);
    }
}
