//! Azure Arc: an agent on loopback that asks for the content of a file before it answers.
//!
//! Whoever can read the agent's keys may have tokens. The agent listens on a port that anybody could take while it is
//! down, so it is not believed: a key is read from its folder only, and sent to this host only.

use std::path::{Path, PathBuf};

use url::{Host, Url};

use super::{NAME, Question, about, endpoint, no_answer, refused};
use crate::error::{Error, ErrorKind};
use crate::request::shown;
use crate::source::{About, Ask, Fetch, Grant, Source};
use crate::token::Secret;
use crate::wire::address;
use crate::wire::answer::echo;
use crate::wire::arc_challenge::key_name;
use crate::wire::http::Response;
use crate::wire::identity_endpoint::{ARC_ENDPOINT, UserAssigned, azure_arc};
use crate::wire::retry::RetryPolicy;
use crate::world::World;

const ENDPOINT: &str = "the Azure Arc agent";

/// No key is larger.
const MAX_KEY: u64 = 4096;

#[derive(Debug)]
pub(super) struct AzureArc {
    about: About,
    endpoint: String,
    /// Where the agent has its keys; none where there is no agent for the system.
    folder: Option<String>,
    identity: Option<UserAssigned>,
    /// What an agent that can't be used is: trouble where a variable names it, else just not for us.
    useless: Useless,
}

#[derive(Debug)]
struct Useless {
    silent: ErrorKind,
    shut: ErrorKind,
}

/// Whether the agent is installed.
pub(super) fn has_agent(world: &World) -> bool {
    let path = if cfg!(windows) {
        world.env.get("ProgramFiles").map(|folder| Path::new(&folder).join("AzureConnectedMachineAgent\\himds.exe"))
    } else if cfg!(target_os = "linux") {
        Some(PathBuf::from("/opt/azcmagent/bin/himds"))
    } else {
        None
    };
    path.is_some_and(|path| world.files.exists(&path))
}

/// The agent's folder of keys.
fn key_folder(world: &World) -> Option<String> {
    if cfg!(windows) {
        let data = world.env.get("ProgramData")?;
        Some(format!("{}\\AzureConnectedMachineAgent\\Tokens", data.trim_end_matches('\\')))
    } else if cfg!(target_os = "linux") {
        Some("/var/opt/azcmagent/tokens".to_owned())
    } else {
        None
    }
}

impl AzureArc {
    /// The agent that the environment names.
    pub(super) fn named(world: &World, text: &str, identity: Option<UserAssigned>) -> Result<AzureArc, Error> {
        let url = on_this_host(endpoint("IDENTITY_ENDPOINT", text, "http")?).ok_or_else(|| {
            Error::configuration(format!(
                "{NAME}: IDENTITY_ENDPOINT: expected a URL of this host (127.0.0.1 or localhost), since the key of Azure \
                 Arc's agent must not leave it, got '{}'",
                address::shown(text)
            ))
        })?;
        let useless = Useless { silent: ErrorKind::Transient, shut: ErrorKind::Failed };
        Ok(AzureArc::new(world, url.to_string(), identity, useless))
    }

    /// The agent that is installed, where no variable says anything.
    pub(super) fn installed(world: &World, identity: Option<UserAssigned>) -> AzureArc {
        let useless = Useless { silent: ErrorKind::Unavailable, shut: ErrorKind::Unavailable };
        AzureArc::new(world, ARC_ENDPOINT.to_owned(), identity, useless)
    }

    fn new(world: &World, endpoint: String, identity: Option<UserAssigned>, useless: Useless) -> AzureArc {
        let folder = key_folder(world);
        let about = about("azure_arc", &[&endpoint, folder.as_deref().unwrap_or_default()], identity.as_ref());
        AzureArc { about, endpoint, folder, identity, useless }
    }

    async fn ask(&self, ask: &Ask<'_>) -> Result<Grant, Error> {
        let resource = ask.request.one_resource(NAME)?;
        let identity = self.identity.as_ref();
        let send = async |key: Option<&Secret>| {
            let request = azure_arc(&self.endpoint, key, resource, identity);
            let answer = ask.world.send(&request, &RetryPolicy::APP_SERVICE).await;
            answer.map_err(|error| no_answer(ask, ENDPOINT, &error, self.useless.silent))
        };
        let challenge = send(None).await?;
        match challenge.status {
            401 => {}
            200 => {
                let sentence = format!("{NAME}: {ENDPOINT} answered without asking for its key, as none does");
                return Err(Error::new(ask.place.garbage(), sentence));
            }
            _ => return Err(refused(ENDPOINT, &challenge, ask.world.clock.now(), ErrorKind::Failed, &[])),
        }
        let key = self.key(ask.world, &challenge)?;
        let asked = ask.world.clock.now();
        let response = send(Some(&key)).await?;
        let secrets = [&key];
        if response.status != 200 {
            return Err(refused(ENDPOINT, &response, ask.world.clock.now(), ErrorKind::Failed, &secrets));
        }
        let question = Question { endpoint: ENDPOINT, source: "azure_arc", identity, secrets: &secrets };
        let grant = question.grant(ask, asked, &response)?;
        self.check_echo(&response)?;
        Ok(grant)
    }

    /// The key that the agent asks for.
    fn key(&self, world: &World, challenge: &Response) -> Result<Secret, Error> {
        let Some(folder) = &self.folder else {
            return Err(Error::configuration(format!("{NAME}: {ENDPOINT} has no folder of keys on this system")));
        };
        let name = key_name(challenge, folder, cfg!(windows))
            .map_err(|what| Error::failed(format!("{NAME}: the challenge of {ENDPOINT} {what}; nothing was read")))?;
        let content = world.files.read_guarded(Path::new(folder), &name, MAX_KEY).map_err(|error| {
            let sentence = format!("{NAME}: the key {name} in {folder} was not read: {error}");
            match error.kind() {
                std::io::ErrorKind::PermissionDenied => {
                    let hint = "; only the agent's group (himds on Linux) and administrators may";
                    Error::new(self.useless.shut, format!("{sentence}{hint}"))
                }
                _ => Error::failed(sentence),
            }
        })?;
        let text = std::str::from_utf8(&content).unwrap_or_default();
        let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
            return Err(Error::failed(format!("{NAME}: the key {name} in {folder} is not one line of text")));
        }
        Ok(Secret::new(text))
    }

    /// Older agents overlook which identity is asked for and answer with the machine's own.
    fn check_echo(&self, response: &Response) -> Result<(), Error> {
        let Some(identity) = &self.identity else { return Ok(()) };
        let names: &[&str] = match identity {
            UserAssigned::Client(_) => &["client_id"],
            UserAssigned::Object(_) => &["object_id"],
            UserAssigned::Resource(_) => &["msi_res_id", "mi_res_id"],
        };
        let (kind, id) = identity.parts();
        if echo(response, names).is_some_and(|echo| echo.eq_ignore_ascii_case(id)) {
            return Ok(());
        }
        Err(Error::failed(format!(
            "{NAME}: {ENDPOINT} did not confirm that its token is for {kind} '{}'; older agents give the machine's own \
             identity only",
            shown(id)
        )))
    }
}

/// A URL of this host, spelled as an address: what a name stands for can be changed.
fn on_this_host(mut url: Url) -> Option<Url> {
    let here = match url.host()? {
        Host::Domain("localhost") => {
            url.set_host(Some("127.0.0.1")).ok()?;
            true
        }
        Host::Domain(_) => false,
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    here.then_some(url)
}

impl Source for AzureArc {
    fn about(&self) -> &About {
        &self.about
    }

    fn fetch<'a>(&'a self, ask: &'a Ask<'a>) -> Fetch<'a> {
        Box::pin(self.ask(ask))
    }
}
