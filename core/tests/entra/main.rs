//! Credentials that speak to Entra ID: what they send, what they keep, and what they make of each answer.

mod applications;
mod authorities;
mod browser;
mod device;
mod token_proxy;
mod users;

use azcred::fake::Fake;
use azcred::{Credential, Error, Function, Spelling, TokenRequest, Value};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub(crate) const SCOPE: &str = "https://storage.azure.com/.default";
/// SCOPE and OpenID Connect's, as a form has them.
pub(crate) const USER_SCOPE: &str = "scope=https%3A%2F%2Fstorage.azure.com%2F.default+openid+profile+offline_access";
pub(crate) const TOKEN: &str = r#"{"access_token":"tok","expires_in":3600}"#;

/// A credential in a world of its own.
pub(crate) fn credential(
    name: &str,
    options: &[(&str, Value)],
    env: &[(&str, &str)],
) -> (Result<Credential, Error>, Fake) {
    let (world, fake) = Fake::world();
    for (name, value) in env {
        fake.set(name, value);
    }
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    (Credential::in_world(world, name, options, Spelling::Snake), fake)
}

pub(crate) fn text(value: &str) -> Value {
    Value::text(value)
}

/// A function of the caller's that always says the same.
pub(crate) fn says(reply: Result<Option<&'static str>, &'static str>) -> Value {
    Value::Function(Function::blocking(move |_| reply.map(|text| text.map(azcred::Secret::new)).map_err(str::to_owned)))
}

pub(crate) fn ask(credential: &Credential) -> Result<String, Error> {
    ask_for(credential, SCOPE)
}

pub(crate) fn ask_for(credential: &Credential, scope: &str) -> Result<String, Error> {
    credential.get_token(&TokenRequest::scope(scope)).map(|token| token.secret().to_owned())
}

/// The answer to a sign-in of `user`: a token, a refresh token, and who it was.
pub(crate) fn signed_in(token: &str, user: &str, refresh_token: &str) -> String {
    let claims = format!(
        r#"{{"iss":"https://login.microsoftonline.com/t/v2.0","tid":"t","sub":"s-{user}","preferred_username":"{user}@x"}}"#
    );
    let info = URL_SAFE_NO_PAD.encode(format!(r#"{{"uid":"{user}","utid":"t"}}"#));
    format!(
        r#"{{"access_token":"{token}","expires_in":3600,"refresh_token":"{refresh_token}","id_token":"h.{}.s","client_info":"{info}"}}"#,
        URL_SAFE_NO_PAD.encode(claims)
    )
}

/// The bodies of the requests so far.
pub(crate) fn bodies(fake: &Fake) -> Vec<String> {
    fake.sent().iter().map(|sent| sent.split(' ').nth(2).unwrap_or_default().to_owned()).collect()
}

/// Looks until something is so, for ten seconds.
#[expect(clippy::disallowed_methods, reason = "the limit of a wait is real time")]
pub(crate) fn eventually(is_so: impl Fn() -> bool) {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !is_so() {
        assert!(std::time::Instant::now() < until, "it did not come to pass");
        std::thread::yield_now();
    }
}
