//! What the store holds: tokens with their limits, and errors that came instead.

use std::time::Duration;

use ring::digest;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::key::{Key, hex};
use super::seal;
use crate::cache::entry::REFUSALS;
use crate::cache::hold::REFUSAL_PAUSE;
use crate::cache::judge::SKEW;
use crate::error::{Error, ErrorKind};
use crate::fingerprint::Fingerprint;
use crate::moment::Moment;
use crate::source::{About, Ask, Grant, Want};
use crate::token::{CacheLevel, Provenance, Secret};
use crate::world::World;

/// What anyone of this user may know of a token in the store.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct StoredToken {
    /// The class name of the credential that fetched it.
    pub credential: String,
    /// What that credential asked, as in [`Provenance`].
    pub source: String,
    /// As in [`Provenance`].
    pub tenant_id: Option<String>,
    /// As in [`Provenance`].
    pub client_id: Option<String>,
    /// What it is for; several scopes with a blank between two.
    pub scopes: String,
    /// When it was got, in Unix seconds.
    pub got: i64,
    /// When it dies, in Unix seconds.
    pub expires_on: i64,
}

/// A token, as one process of the user leaves it for the others.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) label: StoredToken,
    token: Secret,
    refresh_in: Option<i64>,
    /// When it was got, in seconds since the host started.
    boot: i64,
    /// The hash of the claims it was got with.
    claims: Option<String>,
    /// Which tokens resources refused, the newest last.
    refusals: Vec<Refusal>,
}

/// The part of an entry that is sealed. `token` is borrowed on the way in, so that there is no second copy.
#[derive(Deserialize, Serialize)]
struct Body<T> {
    token: T,
    refresh_in: Option<i64>,
    boot: i64,
    claims: Option<String>,
    refusals: Vec<Refusal>,
}

/// One token that a resource refused, by its hash, and when, in seconds since the host started.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub(crate) struct Refusal {
    token: String,
    at: i64,
}

/// A token's hash.
pub(crate) fn hash(token: &str) -> String {
    hex(digest::digest(&digest::SHA256, token.as_bytes()).as_ref())
}

impl Entry {
    /// The entry of a token that has just come for `want`, in the place of `before`.
    pub(super) fn new(grant: &Grant, scopes: &str, want: &Want, before: Option<&Entry>, now: Moment) -> Entry {
        let Provenance { credential, source, tenant_id, client_id } = grant.provenance.clone();
        let mut refusals = before.map(|before| before.refusals.clone()).unwrap_or_default();
        if let Some(token) = &want.refused {
            refusals.retain(|refusal| refusal.token != *token);
            refusals.push(Refusal { token: token.clone(), at: now.boot });
            let excess = refusals.len().saturating_sub(REFUSALS);
            refusals.drain(..excess);
        }
        Entry {
            label: StoredToken {
                credential: credential.to_owned(),
                source: source.to_owned(),
                tenant_id,
                client_id,
                scopes: scopes.to_owned(),
                got: now.wall,
                expires_on: grant.expires_on,
            },
            token: grant.text.clone(),
            refresh_in: grant.refresh_in,
            boot: now.boot,
            claims: want.claims.as_ref().map(|claims| hex(claims)),
            refusals,
        }
    }

    fn got(&self) -> Moment {
        Moment { wall: self.label.got, boot: self.boot }
    }

    /// How long it lives, in seconds.
    fn life(&self, now: Moment) -> i64 {
        self.got().at(self.label.expires_on).left(now)
    }

    /// Whether the token will do for whoever wants it.
    pub(super) fn suits(&self, want: &Want, now: Moment) -> bool {
        if self.life(now) <= want.min_ttl.max(SKEW) {
            return false;
        }
        if let Some(claims) = &want.claims {
            return self.claims.as_deref() == Some(&hex(claims));
        }
        if let Some(refused) = &want.refused
            && hash(self.token.expose()) == *refused
        {
            // Not if another process had it refused before, and the source gave it again, or asked a moment ago.
            let again = self.refusals.iter().any(|refusal| refusal.token == *refused);
            let soon = self.refusals.last().is_some_and(|last| now.boot.saturating_sub(last.at) < REFUSAL_PAUSE);
            return again || soon;
        }
        want.beyond.is_none_or(|(expires_on, got)| self.label.expires_on > expires_on || self.boot > got)
    }

    /// Whether it stays when `other` comes: a slow writer brings back neither what is older nor what was refused.
    pub(super) fn outranks(&self, other: &Entry, now: Moment) -> bool {
        let ours = hash(self.token.expose());
        let is_refused = |token: &String| other.refusals.iter().any(|refusal| refusal.token == *token);
        let other_was_refused = {
            let theirs = hash(other.token.expose());
            theirs != ours && self.refusals.iter().any(|refusal| refusal.token == theirs)
        };
        let lives_longer = self.life(now) > other.life(now) && other.claims.is_none() && !is_refused(&ours);
        self.life(now) > SKEW && (other_was_refused || lives_longer)
    }

    /// What the reader's own source would have given.
    pub(super) fn grant(&self, about: &About) -> Option<Grant> {
        Some(Grant {
            text: self.token.clone(),
            expires_on: self.label.expires_on,
            refresh_in: self.refresh_in,
            provenance: Provenance {
                credential: about.credential,
                source: SOURCES.iter().find(|source| **source == self.label.source)?,
                tenant_id: self.label.tenant_id.clone(),
                client_id: self.label.client_id.clone(),
            },
            got: Some((self.got(), CacheLevel::Store)),
        })
    }

    pub(super) fn seal(&self, key: &Key, boot: &str, salt: &[u8; 32]) -> Option<Vec<u8>> {
        let label = serde_json::to_vec(&self.label).ok()?;
        let Entry { refresh_in, boot: got, claims, refusals, .. } = self.clone();
        let body = Body { token: self.token.expose(), refresh_in, boot: got, claims, refusals };
        let body = Zeroizing::new(serde_json::to_vec(&body).ok()?);
        seal::seal(key, key.name(), boot, salt, &label, &body)
    }

    pub(super) fn open(key: &Key, boot: &str, bytes: &[u8]) -> Option<Entry> {
        let body = seal::open(key, key.name(), boot, bytes)?;
        let Body { token, refresh_in, boot, claims, refusals } = serde_json::from_slice::<Body<Secret>>(&body).ok()?;
        Some(Entry { label: label(bytes)?, token, refresh_in, boot, claims, refusals })
    }
}

/// What anyone may know of an entry's bytes; nobody vouches for it.
pub(super) fn label(bytes: &[u8]) -> Option<StoredToken> {
    serde_json::from_slice(seal::label(bytes)?).ok()
}

/// What the credentials ask whose tokens are shared, as their provenance has it.
const SOURCES: [&str; 10] = [
    "imds",
    "app_service",
    "service_fabric",
    "azure_arc",
    "azure_ml",
    "cloud_shell",
    "entra",
    "azure_cli",
    "azure_powershell",
    "azure_developer_cli",
];

/// Variables by which one process may fail where another would not.
const CIRCUMSTANCES: [&str; 12] = [
    "PATH",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
];

fn circumstances(world: &World) -> String {
    let values = CIRCUMSTANCES.map(|name| world.env.get(name).unwrap_or_default());
    hex(Fingerprint::of("circumstances", &values.each_ref().map(String::as_str)).bytes())
}

/// An error that came instead of a token: for those who waited for it, and for nobody who comes later.
#[derive(Deserialize, Serialize)]
pub(super) struct Miss {
    kind: String,
    message: String,
    code: Option<String>,
    correlation_id: Option<String>,
    http_status: Option<u16>,
    retry_after_ms: Option<u64>,
    /// Where the source stood, and the hash of the claims it was asked with: an error is another one in a chain, and
    /// for a claims challenge.
    place: String,
    claims: Option<String>,
    /// What else of a process may be why: its search path, proxies and trust, by their hash.
    circumstances: String,
}

impl Miss {
    /// The miss to leave, if it says something about the source and not about this process.
    pub(super) fn of(error: &Error, ask: &Ask<'_>) -> Option<Miss> {
        if error.is_own() {
            return None;
        }
        match error.kind() {
            ErrorKind::Unavailable | ErrorKind::Failed | ErrorKind::Transient => {}
            ErrorKind::InvalidConfiguration
            | ErrorKind::InvalidArgument
            | ErrorKind::Cancelled
            | ErrorKind::TimedOut
            | ErrorKind::Internal => return None,
        }
        Some(Miss {
            kind: error.kind().name().to_owned(),
            message: error.message().to_owned(),
            code: error.code().map(str::to_owned),
            correlation_id: error.correlation_id().map(str::to_owned),
            http_status: error.http_status(),
            retry_after_ms: error.retry_after().and_then(|span| u64::try_from(span.as_millis()).ok()),
            place: format!("{:?}", ask.place),
            claims: ask.want.claims.as_ref().map(|claims| hex(claims)),
            circumstances: circumstances(ask.world),
        })
    }

    /// The error, for whoever asks the same in the same circumstances.
    pub(super) fn error(self, ask: &Ask<'_>) -> Option<Error> {
        let claims = ask.want.claims.as_ref().map(|claims| hex(claims));
        if self.place != format!("{:?}", ask.place) || self.claims != claims {
            return None;
        }
        if self.circumstances != circumstances(ask.world) {
            return None;
        }
        let kinds = [ErrorKind::Unavailable, ErrorKind::Failed, ErrorKind::Transient];
        let kind = kinds.into_iter().find(|kind| kind.name() == self.kind)?;
        let error = Error::new(kind, self.message)
            .with_code(self.code)
            .with_correlation_id(self.correlation_id)
            .with_retry_after(self.retry_after_ms.map(Duration::from_millis));
        Some(match self.http_status {
            Some(status) => error.with_http_status(status),
            None => error,
        })
    }

    pub(super) fn seal(&self, key: &Key, file: &str, boot: &str, salt: &[u8; 32]) -> Option<Vec<u8>> {
        seal::seal(key, file, boot, salt, b"{}", &serde_json::to_vec(self).ok()?)
    }

    pub(super) fn open(key: &Key, file: &str, boot: &str, bytes: &[u8]) -> Option<Miss> {
        serde_json::from_slice(&seal::open(key, file, boot, bytes)?).ok()
    }
}
