//! The shared store: the tokens that every process of this user may read, so that one of them asks for all.
//!
//! It stands between a flight and its source. Who finds no token here takes the key's lock, looks again, asks the source,
//! and leaves what came for the others. It never fails a fetch: whatever is wrong with it costs the sharing, not the token.
//! It holds no token whose source is a user's sign-in, a function or another library.

mod entry;
#[cfg(target_os = "linux")]
mod folder;
#[cfg(not(target_os = "linux"))]
#[path = "folder_elsewhere.rs"]
mod folder;
mod key;
mod seal;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
mod turn;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

pub use self::entry::StoredToken;
pub(crate) use self::entry::hash;
use self::entry::{Entry, Miss};
pub(crate) use self::folder::Folder;
use self::key::Key;
use self::turn::Turn;
use crate::cache::key::with_scopes;
use crate::driver;
use crate::error::Error;
use crate::fingerprint::Fingerprint;
use crate::source::{About, Ask, Grant, Source};
use crate::world::{Env, Files, World};

/// The variable that says where the store is.
const SETTING: &str = "AZCRED_SHARING";

/// A source of the network's that gives no answer for so long is not waited for: the next one asks.
pub(crate) const STALL: Duration = Duration::from_secs(5);

/// The largest file that belongs to an identity.
const LARGEST: u64 = 16 << 20;

/// How often the patience of a source is waited for others who ask it, before it is asked without a store.
pub(crate) const LONGEST_WAIT: u32 = 2;

/// How often a process sweeps, in seconds.
const SWEEPS: i64 = 600;

/// How long an error is left for those who waited for it, in seconds.
const MISS_STAYS: i64 = 60;

/// Whether the tokens of a source are everybody's of this user, and what says whose they are.
#[derive(Clone, Debug, Default)]
pub(crate) enum Sharing {
    /// They are this process's alone.
    #[default]
    Never,
    /// The source's identity says whose they are.
    Identity,
    /// The identity does, in the network that this process is in.
    Network,
    /// The identity does, with what these files hold. `stall` is how long the source may take without being given up.
    Files { files: Arc<[PathBuf]>, stall: Duration },
}

impl Sharing {
    /// Whose tokens a source gives now; `None` if nobody else's.
    fn owner(&self, identity: &Fingerprint, world: &World) -> Option<Fingerprint> {
        match self {
            Sharing::Never => None,
            Sharing::Identity => Some(*identity),
            Sharing::Network => Some(Fingerprint::of_chain(&folder::network(), &[*identity])),
            Sharing::Files { files, .. } => {
                Some(Fingerprint::of_chain("files", &[*identity, content(files, &*world.files)?]))
            }
        }
    }

    fn stall(&self) -> Duration {
        match self {
            Sharing::Files { stall, .. } => *stall,
            Sharing::Never | Sharing::Identity | Sharing::Network => STALL,
        }
    }
}

/// A fingerprint of what these files hold; one that is not there holds nothing. None where one can't be read.
pub(crate) fn content(paths: &[PathBuf], files: &dyn Files) -> Option<Fingerprint> {
    let read = |path: &PathBuf| match files.read(path, LARGEST) {
        Ok(content) => Some(Fingerprint::of_bytes("file", &zeroize::Zeroizing::new(content))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(Fingerprint::of("no file", &[])),
        Err(_) => None,
    };
    Some(Fingerprint::of_chain("content", &paths.iter().map(read).collect::<Option<Vec<_>>>()?))
}

/// The store of one world.
#[derive(Debug)]
pub(crate) struct Share {
    at: At,
    swept: AtomicI64,
}

#[derive(Debug)]
enum At {
    Nowhere,
    /// Where the variable says, each time.
    Setting(Arc<dyn Env>),
    Folder(String),
}

impl Share {
    fn new(at: At) -> Share {
        Share { at, swept: AtomicI64::new(0) }
    }

    /// No store.
    pub(crate) fn off() -> Share {
        Share::new(At::Nowhere)
    }

    /// Where the environment says.
    pub(crate) fn of(env: &Arc<dyn Env>) -> Share {
        Share::new(At::Setting(Arc::clone(env)))
    }

    /// In this folder.
    pub(crate) fn at(folder: &str) -> Share {
        Share::new(At::Folder(folder.to_owned()))
    }

    /// The store's folder, or why there is none.
    pub(crate) fn folder(&self) -> Result<Folder, String> {
        match &self.at {
            At::Nowhere => Err("this world has no store".to_owned()),
            At::Setting(env) => Folder::open(env.get(SETTING).as_deref()),
            At::Folder(folder) => Folder::open(Some(folder)),
        }
    }

    /// What the store holds, as the labels of its entries say, or why there is none.
    pub(crate) fn stored(&self) -> Result<Stored, String> {
        let folder = self.folder()?;
        let tokens = folder.names().iter().filter_map(|name| entry::label(&folder.read(name)?)).collect();
        Ok(Stored { folder: folder.path().to_owned(), tokens })
    }
}

/// What a store holds, without any token.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Where it is.
    pub folder: PathBuf,
    /// What is known of each token. Only processes of this user can have written it; who they are is not known.
    pub tokens: Vec<StoredToken>,
}

/// Asks a source by way of the store, within the source's patience.
pub(crate) async fn fetch(source: &dyn Source, ask: &Ask<'_>) -> Result<Grant, Error> {
    match Visit::new(source, ask) {
        Some(visit) => visit.fetch().await,
        None => alone(source, ask).await,
    }
}

async fn alone(source: &dyn Source, ask: &Ask<'_>) -> Result<Grant, Error> {
    let About { credential, patience, .. } = source.about();
    let late = || Err(Error::transient(format!("{credential}: no answer within {} s", patience.as_secs())));
    driver::within(*patience, source.fetch(ask)).await.unwrap_or_else(late)
}

/// One fetch in the store.
struct Visit<'a> {
    source: &'a dyn Source,
    ask: &'a Ask<'a>,
    folder: Folder,
    key: Key,
    scopes: String,
}

impl<'a> Visit<'a> {
    /// None where the source's tokens are not shared, or can't be here.
    fn new(source: &'a dyn Source, ask: &'a Ask<'a>) -> Option<Visit<'a>> {
        let about = source.about();
        let owner = about.sharing.owner(&about.identity, ask.world)?;
        // The source says what is wrong with a tenant.
        let tenant = about.tenants.resolve(about.credential, ask.request.tenant_id.as_deref()).ok()?;
        let folder = match ask.world.share.folder() {
            Ok(folder) => folder,
            Err(reason) => {
                tracing::debug!("tokens are not shared with other processes: {reason}");
                return None;
            }
        };
        let scopes: Vec<&str> = ask.request.scopes.iter().map(String::as_str).collect();
        let scopes = with_scopes(&scopes, |scopes| scopes.map(|scopes| scopes.joined.to_owned()))?;
        let key = Key::new(&owner, tenant, &scopes, ask.request.enable_cae && about.cae);
        Some(Visit { source, ask, folder, key, scopes })
    }

    async fn fetch(self) -> Result<Grant, Error> {
        if let Some(grant) = self.found() {
            return Ok(grant);
        }
        let before = self.missed();
        let turn = match self.turn().await {
            Ok(Waited::Turn(turn)) => Some(turn),
            Ok(Waited::Grant(grant)) => return Ok(grant),
            Ok(Waited::TooLong) => None,
            Err(error) => {
                tracing::debug!("the store has no locks, and tokens are not shared: {error}");
                None
            }
        };
        // Somebody may have been faster.
        if let Some(grant) = self.found() {
            return Ok(grant);
        }
        if let Some(error) = self.missed_since(before.as_ref()) {
            return Err(error);
        }
        let answer = alone(self.source, self.ask).await;
        let Some(turn) = turn else { return answer };
        match answer {
            Ok(grant) => Ok(self.commit(grant, &turn).await),
            Err(error) => {
                self.note(&error);
                Err(error)
            }
        }
    }

    fn entry(&self) -> Option<Entry> {
        Entry::open(&self.key, self.folder.boot(), &self.folder.read(self.key.name())?)
    }

    /// What another process left, if it will do.
    fn found(&self) -> Option<Grant> {
        let entry = self.entry()?;
        let suits = entry.suits(self.ask.want, self.ask.world.clock.moment());
        suits.then(|| entry.grant(self.source.about())).flatten()
    }

    /// Waits for the turn to ask the source, or for a token. Looks again every few milliseconds, since no process can be
    /// relied on to wake the others.
    async fn turn(&self) -> std::io::Result<Waited> {
        const SHORTEST: Duration = Duration::from_millis(3);
        const LONGEST: Duration = Duration::from_millis(25);
        let stall = self.source.about().sharing.stall();
        let longest = self.source.about().patience * LONGEST_WAIT;
        let locks = self.folder.locks()?;
        let (mut rung, mut on_rung, mut waited, mut pause) = (0, Duration::ZERO, Duration::ZERO, SHORTEST);
        loop {
            if locks.try_lock(self.key.rung(rung))? {
                return Ok(Waited::Turn(Turn::new(locks)));
            }
            if waited >= longest {
                return Ok(Waited::TooLong);
            }
            self.ask.world.clock.sleep(pause).await;
            (on_rung, waited) = (on_rung + pause, waited + pause);
            pause = (pause * 3 / 2).min(LONGEST);
            if let Some(grant) = self.found() {
                return Ok(Waited::Grant(grant));
            }
            if on_rung >= stall {
                tracing::debug!(rung, "another process asks the source and gets no answer; the next one asks too");
                (rung, on_rung) = (rung.saturating_add(1), Duration::ZERO);
            }
        }
    }

    /// Leaves a token for the others; what is better there already is used instead.
    async fn commit(&self, grant: Grant, turn: &Turn) -> Grant {
        if !turn.may_commit(&self.key, self.ask.world).await {
            tracing::debug!("another process is in the middle of a change; this token is not shared");
            return grant;
        }
        // Somebody else may have signed in meanwhile: whose token it is is not known then.
        let about = self.source.about();
        if about.sharing.owner(&about.identity, self.ask.world).as_ref() != Some(self.key.owner()) {
            return grant;
        }
        let now = self.ask.world.clock.moment();
        let before = self.entry();
        let entry = Entry::new(&grant, &self.scopes, self.ask.want, before.as_ref(), now);
        if let Some(before) = before.filter(|before| before.outranks(&entry, now)) {
            return before.grant(self.source.about()).unwrap_or(grant);
        }
        let sealed = crate::random::bytes().ok().and_then(|salt| entry.seal(&self.key, self.folder.boot(), &salt));
        if let Some(sealed) = sealed {
            self.write(self.key.name(), &sealed, grant.expires_on);
        }
        self.sweep(now.wall);
        grant
    }

    fn write(&self, name: &str, sealed: &[u8], until: i64) {
        if let Err(error) = self.folder.write(name, sealed, until) {
            tracing::debug!("a token is not shared: {}: {error}", self.folder.path().display());
        }
    }

    fn sweep(&self, now: i64) {
        let swept = &self.ask.world.share.swept;
        let last = swept.load(Ordering::Relaxed);
        let due = now.saturating_sub(last) >= SWEEPS || now < last;
        if due && swept.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.folder.sweep(now);
        }
    }

    fn miss_name(&self) -> String {
        format!("{}.no", self.key.name())
    }

    /// What stands for the last error that was left here.
    fn missed(&self) -> Option<[u8; 32]> {
        seal::salt(&self.folder.read(&self.miss_name())?).copied()
    }

    /// The error that somebody got while this one waited.
    fn missed_since(&self, before: Option<&[u8; 32]>) -> Option<Error> {
        let (name, boot) = (self.miss_name(), self.folder.boot());
        let sealed = self.folder.read(&name)?;
        if seal::salt(&sealed) == before {
            return None;
        }
        Miss::open(&self.key, &name, boot, &sealed)?.error(self.ask)
    }

    /// Leaves an error for those who wait now.
    fn note(&self, error: &Error) {
        let (name, boot) = (self.miss_name(), self.folder.boot());
        let sealed =
            Miss::of(error, self.ask).and_then(|miss| miss.seal(&self.key, &name, boot, &crate::random::bytes().ok()?));
        if let Some(sealed) = sealed {
            self.write(&name, &sealed, self.ask.world.clock.now() + MISS_STAYS);
        }
    }
}

/// How a wait ended.
enum Waited {
    Turn(Turn),
    Grant(Grant),
    /// So many stalled that the store is no help.
    TooLong,
}
