//! What comes back: the token, its times, and where it came from.

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use once_cell::race::OnceBox;
use zeroize::Zeroizing;

/// Text that must not be seen: wiped when dropped, never printed. [`Secret::expose`] is the one way in.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes over a secret text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(Zeroizing::new(text.into()))
    }

    /// The text itself. Don't log it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Which cache answered, or that the source was asked for this very call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheLevel {
    /// The token was fetched from its source for this call.
    Source,
    /// The token was in this process's cache.
    Process,
    /// Another process of this user had fetched it, and left it in the shared store.
    Store,
}

impl CacheLevel {
    /// The level's name at every door.
    pub fn name(self) -> &'static str {
        match self {
            CacheLevel::Source => "source",
            CacheLevel::Process => "process",
            CacheLevel::Store => "store",
        }
    }
}

/// Where a token came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The class name of the credential that fetched it, such as `ManagedIdentityCredential`: in a chain, the member.
    pub credential: &'static str,
    /// What that credential asked: `imds`, `app_service`, `service_fabric`, `azure_arc`, `azure_ml`, `cloud_shell`, `entra`,
    /// `azure_cli`, `azure_powershell`, `azure_developer_cli`; `foreign` for a credential of another library's.
    pub source: &'static str,
    /// The tenant asked for, where the source takes one.
    pub tenant_id: Option<String>,
    /// The client id of the identity, where it is known.
    pub client_id: Option<String>,
}

/// A token for one resource, as one caller or one stripe of the cache holds it. Cheap to clone: a clone counts on the
/// cache line of the handle it was cloned from and on no other.
#[derive(Clone)]
pub struct AccessToken(Arc<TokenHandle>);

/// What an [`AccessToken`] points to, for doors that give out raw pointers to it.
#[repr(align(64))]
pub struct TokenHandle {
    token: Arc<Token>,
    level: CacheLevel,
}

struct Token {
    /// `Bearer <token>`, so that the header form and the token are one allocation; C strings end in NUL.
    header: Zeroizing<String>,
    expires_on: i64,
    refresh_on: i64,
    provenance: Provenance,
    /// What the door made of it. Not a `OnceLock`: a child forked in the middle of making would wait for ever.
    converted: OnceBox<Box<dyn Any + Send + Sync>>,
}

const SCHEME: &str = "Bearer ";

impl AccessToken {
    /// A token that expires at `expires_on` and is worth renewing from `refresh_on` on, both in Unix seconds.
    ///
    /// The text must be visible ASCII, which keeps NUL and line breaks out of headers; `None` otherwise.
    pub(crate) fn new(text: &str, expires_on: i64, refresh_on: i64, provenance: Provenance) -> Option<AccessToken> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let mut header = Zeroizing::new(String::with_capacity(SCHEME.len() + text.len() + 1));
        header.push_str(SCHEME);
        header.push_str(text);
        header.push('\0');
        let token = Arc::new(Token { header, expires_on, refresh_on, provenance, converted: OnceBox::new() });
        Some(AccessToken(Arc::new(TokenHandle { token, level: CacheLevel::Source })))
    }

    /// The same token as this level gave it.
    pub(crate) fn at_level(&self, level: CacheLevel) -> AccessToken {
        AccessToken(Arc::new(TokenHandle { token: Arc::clone(&self.token), level }))
    }

    /// The same token with a count of its own, as the cache gives it out.
    pub(crate) fn cached(&self) -> AccessToken {
        self.at_level(CacheLevel::Process)
    }

    /// The handle behind it, which keeps the token; [`AccessToken::from`] takes it back.
    pub fn into_handle(self) -> Arc<TokenHandle> {
        self.0
    }
}

impl From<Arc<TokenHandle>> for AccessToken {
    fn from(handle: Arc<TokenHandle>) -> AccessToken {
        AccessToken(handle)
    }
}

impl Deref for AccessToken {
    type Target = TokenHandle;

    fn deref(&self) -> &TokenHandle {
        &self.0
    }
}

impl TokenHandle {
    /// The token's text. Don't log it.
    pub fn secret(&self) -> &str {
        self.authorization().get(SCHEME.len()..).unwrap_or_default()
    }

    /// The value of an `Authorization` header: `Bearer <token>`. Don't log it.
    pub fn authorization(&self) -> &str {
        let header = &self.token.header;
        header.get(..header.len() - 1).unwrap_or_default()
    }

    /// [`TokenHandle::authorization`] with a final NUL byte, for C. The token itself starts at byte 7.
    pub fn authorization_with_nul(&self) -> &[u8] {
        self.token.header.as_bytes()
    }

    /// When the token dies, in Unix seconds by this host's clock.
    pub fn expires_on(&self) -> i64 {
        self.token.expires_on
    }

    /// From when on a renewal is due, in Unix seconds by this host's clock.
    pub fn refresh_on(&self) -> i64 {
        self.token.refresh_on
    }

    /// `Bearer`.
    pub fn token_type(&self) -> &'static str {
        "Bearer"
    }

    /// Where the token came from.
    pub fn provenance(&self) -> &Provenance {
        &self.token.provenance
    }

    /// Which cache answered this call.
    pub fn cache_level(&self) -> CacheLevel {
        self.level
    }

    /// Whether both are one token in memory, as two answers of the cache are.
    pub fn is_same(&self, other: &TokenHandle) -> bool {
        Arc::ptr_eq(&self.token, &other.token)
    }

    /// What a door made of this token for its language, kept with it, so that the same token is the same object. One
    /// process has one door, and so one `T`; another gets what `make` gives, and `None` is no answer of `make`'s.
    ///
    /// # Errors
    /// What `make` says; nothing is kept then.
    pub fn converted<T: Any + Send + Sync, E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<Option<&T>, E> {
        let kept =
            self.token.converted.get_or_try_init(|| Ok(Box::new(Box::new(make()?) as Box<dyn Any + Send + Sync>)))?;
        Ok(kept.downcast_ref())
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for TokenHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("token", &"…")
            .field("expires_on", &self.expires_on())
            .field("refresh_on", &self.refresh_on())
            .field("provenance", self.provenance())
            .field("level", &self.level)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provenance() -> Provenance {
        Provenance { credential: "ManagedIdentityCredential", source: "imds", tenant_id: None, client_id: None }
    }

    #[test]
    fn header_and_text_are_one_allocation() {
        let token = AccessToken::new("abc", 10, 5, provenance()).unwrap();
        assert_eq!(token.secret(), "abc");
        assert_eq!(token.authorization(), "Bearer abc");
        assert_eq!(token.authorization_with_nul(), b"Bearer abc\0");
    }

    #[test]
    fn text_that_could_break_a_header_is_refused() {
        for text in ["", "a\0b", "a\r\nb", "a b", "é"] {
            assert!(AccessToken::new(text, 10, 5, provenance()).is_none());
        }
    }

    #[test]
    fn a_conversion_is_kept_with_the_token() {
        let token = AccessToken::new("abc", 10, 5, provenance()).unwrap();
        assert_eq!(token.converted(|| Err::<u32, &str>("not now")), Err("not now"));
        assert_eq!(token.converted(|| Ok::<u32, ()>(7)), Ok(Some(&7)));
        assert_eq!(token.cached().converted(|| Ok::<u32, ()>(8)), Ok(Some(&7)), "one for all handles");
        assert_eq!(token.converted(|| Ok::<u8, ()>(8)), Ok(None), "another type");
    }

    #[test]
    fn handles_do_not_share_a_cache_line() {
        assert!(align_of::<TokenHandle>() >= 64);
        assert_eq!(size_of::<AccessToken>(), size_of::<usize>());
    }

    #[test]
    fn debug_shows_no_secret() {
        let token = AccessToken::new("canary", 10, 5, provenance()).unwrap();
        let shown = format!("{token:?} {:?}", Secret::new("canary"));
        assert!(!shown.contains("canary"));
    }
}
