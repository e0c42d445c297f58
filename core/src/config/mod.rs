//! The host's identities: one file that every language reads, by name and by resource.
//!
//! A caller looks at the file at most once a second; there is no watcher. What it depends on, files of secrets and
//! variables included, is noted when it is read, and read again when any of it changes. A bad edit keeps the last good
//! configuration.

mod document;
mod pattern;
pub(crate) mod place;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::ArcSwapOption;

use self::document::{Document, Given, Mistake, Owner, Place, Setting};
use self::pattern::Patterns;
use crate::builder;
use crate::error::{Error, ErrorKind};
use crate::fingerprint::Fingerprint;
use crate::options::{Spelling, Value};
use crate::request::shown;
use crate::source::chain::Chain;
use crate::source::{Made, Source};
use crate::tally::Tally;
use crate::world::World;
use crate::world::witness::{Looked, Witness};

/// The class name of the credential that takes its identity from here.
pub(crate) const NAME: &str = "HostCredential";

/// What a chain of identities is called here.
const CHAIN: &str = "chain";

/// How long what could not be read rests, in seconds, before it is read again though nothing seems to have changed.
const ERROR_STANDS: i64 = 5;

/// The largest file with a secret.
const LARGEST_SECRET: u64 = 64 * 1024;

/// The configuration of one world, as it was read last.
#[derive(Debug, Default)]
pub(crate) struct Configuration(ArcSwapOption<Loaded>);

/// What reading it gave.
#[derive(Debug)]
struct Loaded {
    /// The newest that could be read.
    identities: Option<Arc<Identities>>,
    /// Why the newest edit is not in use.
    error: Option<Error>,
    looked: Looked,
    /// When it was read, and when it was looked at last, in seconds since the host started.
    read_at: i64,
    looked_at: AtomicI64,
    /// Another number for each change.
    version: u64,
}

/// Names, what they stand for, and which resources are whose.
#[derive(Debug)]
struct Identities {
    path: PathBuf,
    named: Vec<Named>,
    resources: Patterns<String>,
}

/// One identity.
#[derive(Debug)]
struct Named {
    name: String,
    /// What it was made of, its secrets read.
    class: &'static str,
    options: Vec<(String, Value)>,
    /// An identity that lacks something is an error of its own.
    source: Made,
}

impl Configuration {
    /// The number of what is in use now: another one after a change.
    pub(crate) fn version(&self, world: &World) -> u64 {
        self.look(world, |loaded| loaded.version)
    }

    /// Gives `with` the source of this name, or the one that these scopes belong to.
    pub(crate) fn aim<R>(
        &self,
        world: &World,
        name: Option<&str>,
        scopes: &[&str],
        with: impl FnOnce(&Arc<dyn Source>) -> R,
    ) -> Result<R, Error> {
        self.look(world, |loaded| match (&loaded.identities, &loaded.error) {
            (Some(identities), _) => identities.aim(name, scopes).map(with),
            (None, Some(error)) => Err(error.clone()),
            (None, None) => Err(Error::new(ErrorKind::Internal, "a configuration is neither there nor not")),
        })
    }

    /// Whose tokens come of it: of the identity of this name, or of all.
    pub(crate) fn identities(&self, world: &World, name: Option<&str>) -> Vec<Fingerprint> {
        let mut all: Vec<Fingerprint> = self.look(world, |loaded| {
            let all = loaded.identities.iter().flat_map(|identities| &identities.named);
            let meant = all.filter(|named| name.is_none_or(|name| named.name == name));
            meant.filter_map(|named| Some(named.source.as_ref().ok()?.about().identity)).collect()
        });
        // Two names may be one identity.
        all.sort_unstable_by_key(|identity| *identity.bytes());
        all.dedup();
        all
    }

    /// Where the file is, which identities it has, and what is wrong with it.
    pub(crate) fn report(&self, world: &World) -> HostIdentities {
        self.look(world, |loaded| {
            let identities = loaded.identities.as_ref();
            HostIdentities {
                path: identities.map(|identities| identities.path.clone()),
                names: identities.iter().flat_map(|these| these.named.iter().map(|named| named.name.clone())).collect(),
                error: loaded.error.clone(),
            }
        })
    }

    /// Looks at what is in use now. The way of nearly all calls writes nothing.
    #[inline]
    fn look<R>(&self, world: &World, look: impl FnOnce(&Loaded) -> R) -> R {
        let now = world.clock.boot();
        let loaded = self.0.load();
        match loaded.as_ref().filter(|loaded| loaded.looked_at.load(Ordering::Relaxed) == now) {
            Some(loaded) => look(loaded),
            None => look(&self.again(world, now)),
        }
    }

    /// What is in use after another look at the file.
    fn again(&self, world: &World, now: i64) -> Arc<Loaded> {
        let before = self.0.load_full();
        let Some(before) = before else {
            return self.put(Loaded::of(world, None, now), None);
        };
        before.looked_at.store(now, Ordering::Relaxed);
        let is_unchanged = before.looked.is_unchanged(world);
        // What could not be read may be readable by now: not all that is why shows in what was looked at.
        let rests = before.is_whole() || now.saturating_sub(before.read_at) < ERROR_STANDS;
        if is_unchanged && rests {
            return before;
        }
        let next = Loaded::of(world, Some(&before), now);
        if is_unchanged && next.says_the_same_as(&before) {
            // It is as broken as before: whoever has a token of an identity that is whole goes on with it.
            return self
                .put(Loaded { version: before.version, identities: before.identities.clone(), ..next }, Some(&before));
        }
        self.put(next, Some(&before))
    }

    fn put(&self, next: Loaded, before: Option<&Loaded>) -> Arc<Loaded> {
        let said = |loaded: &Loaded| loaded.error.as_ref().map(|error| error.message().to_owned());
        if let Some(sentence) = said(&next)
            && before.and_then(said).as_ref() != Some(&sentence)
        {
            tracing::warn!("the host's identities: {sentence}");
        }
        let next = Arc::new(next);
        self.0.store(Some(Arc::clone(&next)));
        next
    }
}

/// What is known of the host's identities.
#[derive(Clone, Debug)]
pub struct HostIdentities {
    /// The file that is in use.
    pub path: Option<PathBuf>,
    /// The names in it.
    pub names: Vec<String>,
    /// Why there is none, or why the newest edit is not in use.
    pub error: Option<Error>,
}

impl Loaded {
    /// Whether all of it could be read.
    fn is_whole(&self) -> bool {
        let whole = |identities: &Arc<Identities>| identities.named.iter().all(|named| named.source.is_ok());
        self.error.is_none() && self.identities.as_ref().is_some_and(whole)
    }

    /// Whether nothing is better or worse than it was.
    fn says_the_same_as(&self, other: &Loaded) -> bool {
        let message = |error: &Error| error.message().to_owned();
        let told = |loaded: &Loaded| {
            let named = loaded.identities.iter().flat_map(|identities| &identities.named);
            let sources: Vec<_> = named.map(|named| named.source.as_ref().err().map(message)).collect();
            (loaded.error.as_ref().map(message), sources)
        };
        told(self) == told(other)
    }

    fn of(world: &World, before: Option<&Loaded>, now: i64) -> Loaded {
        let (seen, witness) = Witness::of(world, &Arc::<Tally>::default());
        let kept = before.and_then(|before| before.identities.as_deref());
        let read = Identities::read(&seen, kept);
        let looked = witness.looked();
        let (version, kept) = before.map_or((0, None), |before| (before.version, before.identities.clone()));
        let (identities, error, version) = match read {
            Ok((identities, trouble)) => (Some(Arc::new(identities)), trouble, version + 1),
            Err(error) => (kept, Some(error), version),
        };
        Loaded { identities, error, looked, read_at: now, looked_at: AtomicI64::new(now), version }
    }
}

impl Identities {
    fn read(world: &World, before: Option<&Identities>) -> Result<(Identities, Option<Error>), Error> {
        let path = place::find(world).map_err(|sentence| Error::configuration(format!("{NAME}: {sentence}")))?;
        let name = shown(&path.to_string_lossy());
        let text = world.files.read_trusted(&path, place::LARGEST);
        let text = text.map_err(|error| Error::configuration(format!("{NAME}: {name}: {error}")))?;
        let wrong = |Mistake { place, sentence }: Mistake| Error::configuration(format!("{name}:{place}: {sentence}"));
        let text = std::str::from_utf8(&text).map_err(|error| {
            let place = document::place_at(&text, error.valid_up_to());
            wrong(Mistake { place, sentence: "expected UTF-8".to_owned() })
        })?;
        let document = document::read(text).map_err(wrong)?;
        let (identities, trouble) = Identities::of(world, &path, document, before).map_err(wrong)?;
        Ok((identities, trouble.map(wrong)))
    }

    /// The identities, and what is wrong with one that is kept as it was before.
    fn of(
        world: &World,
        path: &Path,
        document: Document,
        before: Option<&Identities>,
    ) -> Result<(Identities, Option<Mistake>), Mistake> {
        let known: Vec<&str> = document.identities.iter().map(|identity| identity.name.as_str()).collect();
        for (pattern, Owner { name, place }) in &document.resources {
            if !known.contains(&name.as_str()) {
                let sentence = format!("resources.\"{}\": {}", pattern.text(), unknown(name, &known));
                return Err(Mistake { place: *place, sentence });
            }
        }
        let (chains, others): (Vec<_>, Vec<_>) =
            document.identities.iter().partition(|identity| identity.credential == CHAIN);
        let mut trouble = None;
        let mut named = Vec::with_capacity(document.identities.len());
        for identity in others {
            let of_old = before.and_then(|before| before.named.iter().find(|old| old.name == identity.name));
            let (mut made, mistake) = one(world, path, identity, of_old)?;
            if let (Err(_), Some(mistake), Some(Named { source: Ok(source), .. })) = (&made.source, mistake, of_old) {
                // A bad edit of this one; the last good one stays.
                made.source = Ok(Arc::clone(source));
                trouble.get_or_insert(mistake);
            }
            named.push(made);
        }
        for chain in chains {
            let source = chained(chain, &named, &known)?;
            named.push(Named { name: chain.name.clone(), class: CHAIN, options: Vec::new(), source });
        }
        let resources = document.resources.into_iter().map(|(pattern, owner)| (pattern, owner.name)).collect();
        let resources = Patterns::new(resources);
        Ok((Identities { path: path.to_owned(), named, resources }, trouble))
    }

    fn aim(&self, name: Option<&str>, scopes: &[&str]) -> Result<&Arc<dyn Source>, Error> {
        let path = || shown(&self.path.to_string_lossy());
        let names = || self.named.iter().map(|named| named.name.as_str()).collect::<Vec<_>>();
        let name = match name {
            Some(name) => name,
            None => self.of_scopes(scopes)?,
        };
        let found = self.named.iter().find(|named| named.name == name);
        let made = found
            .map(|named| &named.source)
            .ok_or_else(|| Error::configuration(format!("{NAME}: {}, in {}", unknown(name, &names()), path())))?;
        made.as_ref().map_err(Error::clone)
    }

    fn of_scopes(&self, scopes: &[&str]) -> Result<&str, Error> {
        let path = || shown(&self.path.to_string_lossy());
        if let [only] = self.named.as_slice()
            && self.resources.is_empty()
        {
            return Ok(&only.name);
        }
        let mut found = None;
        for scope in scopes {
            let Some(name) = self.resources.find(scope) else {
                return Err(Error::configuration(format!(
                    "{NAME}: no identity for '{}': expected a pattern for it in [resources] of {}, or the option identity",
                    shown(scope),
                    path()
                )));
            };
            if found.is_some_and(|before| before != name.as_str()) {
                return Err(Error::argument(format!(
                    "{NAME}: the scopes {} belong to several identities, by [resources] of {}; ask for each on its own",
                    scopes.join(", "),
                    path()
                )));
            }
            found = Some(name.as_str());
        }
        found.ok_or_else(|| Error::argument(format!("{NAME}: expected at least one scope, got none")))
    }
}

fn unknown(name: &str, names: &[&str]) -> String {
    let names = if names.is_empty() { "none is configured".to_owned() } else { names.join(", ") };
    format!("no identity is called '{}': expected one of {names}", shown(name))
}

/// One identity. What it lacks may come any time, and is its own error; what its text has wrong, the whole file's. Where it
/// could not be made, that is what is wrong with it.
fn one(
    world: &World,
    path: &Path,
    identity: &document::Identity,
    before: Option<&Named>,
) -> Result<(Named, Option<Mistake>), Mistake> {
    let of = |place: Place, sentence: &str| Mistake {
        place,
        sentence: format!("identities.{}: {sentence}", shown(&identity.name)),
    };
    let path = shown(&path.to_string_lossy());
    let own = |mistake: &Mistake| {
        let Mistake { place, sentence } = mistake;
        Error::configuration(format!("{path}:{place}: {sentence}"))
    };
    let Some(class) = builder::class_of(&identity.credential) else {
        let words = builder::words().chain([CHAIN]).collect::<Vec<_>>().join(", ");
        let sentence = format!("credential: unknown '{}': expected {words}", shown(&identity.credential));
        return Err(of(identity.place, &sentence));
    };
    if let Some((_, place)) = identity.members.first() {
        return Err(of(*place, "members are for credential = \"chain\""));
    }
    let made =
        |options: Vec<(String, Value)>, source: Made| Named { name: identity.name.clone(), class, options, source };
    let mut options = Vec::with_capacity(identity.options.len());
    for Given { name, place, value } in &identity.options {
        let value = match value {
            Setting::Value(value) => Ok(value.clone()),
            Setting::File(path) => of_file(world, path),
            Setting::Variable(variable) => {
                let text = world.env.get(variable).map(Value::text);
                text.ok_or_else(|| format!("the variable {} is not set", shown(variable)))
            }
        };
        match value {
            Ok(value) => options.push((name.clone(), value)),
            Err(sentence) => {
                let error = own(&of(*place, &format!("option {name}: {sentence}")));
                return Ok((made(Vec::new(), Err(error)), None));
            }
        }
    }
    let placed = |error: &Error| {
        let about = identity.options.iter().find(|given| error.message().contains(&format!("option {}", given.name)));
        of(about.map_or(identity.place, |given| given.place), error.message())
    };
    builder::check(class, options.clone(), Spelling::Snake).map_err(|error| placed(&error))?;
    // Whoever signed in to it stays signed in, whatever else is edited.
    if let Some(Named { source: Ok(source), .. }) =
        before.filter(|before| before.class == class && before.options == options)
        && source.interactive().is_some()
    {
        return Ok((made(options, Ok(Arc::clone(source))), None));
    }
    Ok(match builder::build(world, class, options.clone(), Spelling::Snake) {
        Ok(source) => (made(options, Ok(source)), None),
        Err(error) => {
            let mistake = placed(&error);
            (made(options, Err(own(&mistake))), Some(mistake))
        }
    })
}

fn of_file(world: &World, path: &str) -> Result<Value, String> {
    let failed = |error: String| format!("{}: {error}", shown(path));
    if !Path::new(path).is_absolute() {
        return Err(failed("expected an absolute path".to_owned()));
    }
    let content = world.files.read(Path::new(path), LARGEST_SECRET).map_err(|error| failed(error.to_string()))?;
    let content = zeroize::Zeroizing::new(content);
    let text = std::str::from_utf8(&content).map_err(|_| failed("expected text".to_owned()))?;
    let line = text.strip_suffix('\n').unwrap_or(text);
    Ok(Value::text(line.strip_suffix('\r').unwrap_or(line)))
}

/// A chain of identities that are no chains.
fn chained(chain: &document::Identity, named: &[Named], known: &[&str]) -> Result<Made, Mistake> {
    let of = |place: Place, sentence: String| Mistake {
        place,
        sentence: format!("identities.{}: {sentence}", shown(&chain.name)),
    };
    if let Some(given) = chain.options.first() {
        return Err(of(given.place, format!("unknown option {}: a chain takes members", shown(&given.name))));
    }
    let mut members = Vec::with_capacity(chain.members.len());
    for (name, place) in &chain.members {
        match named.iter().find(|other| other.name == *name).map(|other| &other.source) {
            Some(Ok(source)) => members.push(Arc::clone(source)),
            Some(Err(error)) => return Ok(Err(error.clone())),
            None if known.contains(&name.as_str()) => {
                return Err(of(*place, format!("members: '{}' is a chain itself", shown(name))));
            }
            None => return Err(of(*place, format!("members: {}", unknown(name, known)))),
        }
    }
    let made =
        Chain::of(members).map_err(|_| of(chain.place, "expected members = [\"…\", \"…\"], got none".to_owned()))?;
    Ok(Ok(Arc::new(made)))
}
