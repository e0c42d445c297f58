//! Azure Arc's agent: it hands a token to whoever can read a file that only the right users can.
//!
//! The first request gets the name of such a file, the second must bring what it holds. Faults make
//! the challenge a wrong one, in each way that a client has to see through.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::{
    Extension,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use parking_lot::Mutex;
use serde_json::json;

use crate::{
    answer::{self, Probe},
    ask::Ask,
    clock::{self, Moment},
    faults::Trick,
    identities::{IdKind, NoIdentity, same},
    imds, managed,
    site::Site,
    token::{new_guid, new_secret},
};

const VERSIONS: [&str; 3] = ["2019-11-01", "2020-06-01", "2021-02-01"];
const IDS: [(&str, IdKind); 4] = [
    ("client_id", IdKind::Client),
    ("object_id", IdKind::Object),
    ("msi_res_id", IdKind::Resource),
    ("mi_res_id", IdKind::Resource),
];
/// How long a challenge may be answered.
const LONGEST: Duration = Duration::from_mins(1);

/// The challenges that are out.
#[derive(Debug)]
pub(crate) struct Challenges {
    dir: PathBuf,
    out: Mutex<Vec<Challenge>>,
}

#[derive(Debug)]
struct Challenge {
    secret: String,
    files: Vec<PathBuf>,
    since: Moment,
}

impl Drop for Challenge {
    fn drop(&mut self) {
        for file in &self.files {
            if let Err(error) = fs::remove_file(file) {
                tracing::debug!(%error, "a challenge was gone already");
            }
        }
    }
}

impl Challenges {
    /// Challenges in that folder, which is made if need be.
    pub(crate) fn new(dir: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&dir)?;
        let challenges = Self { dir, out: Mutex::default() };
        // Whether files can be made there, it only shows by making one.
        challenges.pose(None)?;
        challenges.out.lock().clear();
        Ok(challenges)
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Puts a new challenge into the folder; what the `WWW-Authenticate` headers say of it.
    fn pose(&self, trick: Option<Trick>) -> io::Result<Vec<String>> {
        let secret = new_secret();
        let name = new_guid();
        let elsewhere = std::env::temp_dir().join(format!("azcred-emulator-{name}.key"));
        let own = self.dir.join(format!("{name}.key"));
        let mut text = secret.clone();
        let mut files = Vec::new();
        let named = match trick {
            Some(Trick::RealmOutside) => elsewhere,
            Some(Trick::WrongExtension) => self.dir.join(format!("{name}.txt")),
            Some(Trick::Symlink) => {
                write(&elsewhere, &text)?;
                files.push(elsewhere.clone());
                link(&elsewhere, &own)?;
                own
            }
            Some(Trick::LargeFile) => {
                // The right secret all the same, for whoever reads it.
                text = secret.repeat(4096 / secret.len() + 1);
                own
            }
            None | Some(Trick::NoRealm | Trick::TwoHeaders) => own,
        };
        if trick != Some(Trick::Symlink) {
            write(&named, &text)?;
        }
        files.push(named.clone());
        let realm = |path: &Path| format!("Basic realm={}", path.display());
        let headers = match trick {
            Some(Trick::NoRealm) => vec!["Basic".to_owned()],
            Some(Trick::TwoHeaders) => vec![realm(&named), realm(Path::new("/etc/passwd"))],
            _ => vec![realm(&named)],
        };
        self.forget_old();
        self.out.lock().push(Challenge { secret: text, files, since: clock::moment() });
        Ok(headers)
    }

    /// Whether that is what one of the files holds; its last time, if so.
    fn is_met_by(&self, secret: &str) -> bool {
        self.forget_old();
        let mut out = self.out.lock();
        let met = out.iter().position(|one| same(one.secret.as_bytes(), secret.as_bytes()));
        met.map(|at| out.swap_remove(at)).is_some()
    }

    /// Removes the challenges that nobody answered.
    fn forget_old(&self) {
        let now = clock::moment();
        self.out.lock().retain(|one| now.duration_since(one.since) < LONGEST);
    }
}

/// A new file for this user and group.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
    options.open(path)?.write_all(text.as_bytes())
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(to, at)
}

#[cfg(not(unix))]
fn link(to: &Path, at: &Path) -> io::Result<()> {
    fs::copy(to, at).map(drop)
}

/// `GET /metadata/identity/oauth2/token` of Arc's own listener.
pub(crate) async fn token(State(site): State<Arc<Site>>, Extension(ask): Extension<Arc<Ask>>) -> Response {
    if !managed::has_metadata_header(&ask) {
        return answer::noted(refuse("Required metadata header not specified"), Probe);
    }
    if !ask.query.get("api-version").is_some_and(|version| VERSIONS.contains(&version)) {
        return refuse("The api-version is missing or not supported");
    }
    let Some(resource) = ask.query.filled("resource") else {
        return refuse("Required query variable 'resource' is missing");
    };
    let identity = match site.config.managed_identity(&ask.query, &IDS) {
        Ok(identity) => identity,
        Err(NoIdentity::Ambiguous) => return refuse("Only one identity may be named"),
        Err(NoIdentity::NotFound) => return refuse("Identity not found"),
    };
    let Some(challenges) = &site.arc else {
        return answer::not_found().await;
    };
    let brought = ask.header("authorization").and_then(|value| value.strip_prefix("Basic "));
    if !brought.is_some_and(|secret| challenges.is_met_by(secret)) {
        forget_later(&site);
        return challenge(challenges, ask.trick);
    }
    match managed::grant(&site, &ask, identity, resource, &ask.query) {
        Some(grant) => imds::answer(&grant, resource),
        None => answer::error(StatusCode::INTERNAL_SERVER_ERROR, "unknown", "The token could not be signed"),
    }
}

/// Sees to it that no file outlives its time, even if nobody asks again.
fn forget_later(site: &Arc<Site>) {
    let site = Arc::downgrade(site);
    tokio::spawn(async move {
        clock::pause(LONGEST).await;
        if let Some(challenges) = site.upgrade().as_ref().and_then(|site| site.arc.as_ref()) {
            challenges.forget_old();
        }
    });
}

fn challenge(challenges: &Challenges, trick: Option<Trick>) -> Response {
    let Ok(headers) = challenges.pose(trick) else {
        return answer::error(StatusCode::INTERNAL_SERVER_ERROR, "unknown", "The challenge could not be written");
    };
    let document = json!({"error": "unauthorized", "error_description": "The key of the challenge is required"});
    let mut response = answer::json(StatusCode::UNAUTHORIZED, &document);
    for value in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().append(header::WWW_AUTHENTICATE, value);
        }
    }
    answer::noted(response, Probe)
}

fn refuse(description: &str) -> Response {
    answer::error(StatusCode::BAD_REQUEST, "invalid_request", description)
}
