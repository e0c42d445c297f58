//! Client assertions: signed by a certificate of the application, or by an issuer that it trusts.

use serde_json::Value;
use url::Url;

use super::{authority::Authority, clouds, refusal::Refusal};
use crate::{
    ask::Ask,
    clock,
    identities::{App, is_guid},
    jwt::{Jwt, PublicKey, decode},
    registered::{self, Registered, hex},
    signing::Signer,
    site::Site,
};

/// What `client_assertion_type` must say.
pub(crate) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// By how much the clocks of two honest machines differ at most, in seconds.
const SKEW: i64 = 300;

/// Whether `text` shows that the caller is `app`.
pub(super) fn check(site: &Site, ask: &Ask, authority: Authority<'_>, app: &App, text: &str) -> Result<(), Refusal> {
    let jwt = Jwt::read(text).ok_or_else(Refusal::malformed_jwt)?;
    let algorithm = jwt.header_text("alg").unwrap_or_default();
    if !["RS256", "PS256"].contains(&algorithm) {
        return Err(Refusal::unsupported_algorithm(algorithm));
    }
    let issuer = jwt.claim("iss").ok_or_else(Refusal::malformed_jwt)?;
    if !is_guid(issuer) {
        federated(site, app, &jwt, issuer)?;
        return in_time(&jwt);
    }
    let subject = jwt.claim("sub").unwrap_or_default();
    if [issuer, subject].iter().any(|name| !name.eq_ignore_ascii_case(&app.client_id)) {
        return Err(Refusal::not_its_own_issuer());
    }
    let key = certificate_key(app, &jwt)?;
    if !jwt.is_signed_by(&key) {
        return Err(Refusal::wrong_signature());
    }
    if !jwt.is_for(|audience| is_own_endpoint(site, ask, authority, audience)) {
        return Err(Refusal::wrong_audience());
    }
    in_time(&jwt)?;
    if site.config.refuse_replayed_assertions {
        let name = format!("{} {}", app.client_id, jwt.claim("jti").unwrap_or(text));
        let until = clock::unix_seconds() + 86_400;
        if !site.ledger.assertions.put(name, (), clock::unix_seconds(), until) {
            return Err(Refusal::replayed());
        }
    }
    Ok(())
}

fn in_time(jwt: &Jwt<'_>) -> Result<(), Refusal> {
    let now = clock::unix_seconds();
    let within = |seconds: i64| seconds_of(now + seconds);
    let ended = jwt.moment("exp").is_none_or(|until| until <= within(-SKEW));
    let early = jwt.moment("nbf").is_some_and(|from| from > within(SKEW));
    if ended || early { Err(Refusal::outside_its_time(jwt, now)) } else { Ok(()) }
}

#[expect(clippy::cast_precision_loss, reason = "seconds of our time fit")]
fn seconds_of(moment: i64) -> f64 {
    moment as f64
}

/// The key of the certificate that the header names, which must be one of the application's.
fn certificate_key(app: &App, jwt: &Jwt<'_>) -> Result<PublicKey, Refusal> {
    let named = ["x5t#S256", "x5t"].into_iter().find_map(|name| jwt.header_text(name));
    let kid = jwt.header_text("kid");
    let shown = named.or(kid).unwrap_or_default();
    let thumbprint = match named {
        Some(text) => Some(decode(text).ok_or_else(|| Refusal::unknown_key(shown))?),
        None => None,
    };
    let own = app.certificates.iter().find(|one| match (&thumbprint, kid) {
        (Some(thumbprint), _) => one.is_called(thumbprint),
        (None, Some(kid)) => one.answers_to(kid),
        (None, None) => false,
    });
    let Some(leaf) = leaf(jwt)? else {
        return own.map(|one| one.key().clone()).ok_or_else(|| Refusal::unknown_key(shown));
    };
    let called = |thumbprint: &[u8]| registered::sha1(&leaf) == thumbprint || registered::sha256(&leaf) == thumbprint;
    if thumbprint.is_some_and(|thumbprint| !called(&thumbprint)) {
        return Err(Refusal::wrong_chain());
    }
    let trusted = |one: &Registered| one.is(&leaf) || one.is_succeeded_by(&leaf);
    if !app.certificates.iter().any(trusted) {
        return Err(Refusal::wrong_chain());
    }
    registered::key(&leaf).ok_or_else(|| Refusal::unknown_key(&hex(&registered::sha1(&leaf))))
}

/// The first certificate of the `x5c` header, which is a list, or just that one.
fn leaf(jwt: &Jwt<'_>) -> Result<Option<Vec<u8>>, Refusal> {
    let encoded = match jwt.header("x5c") {
        None => return Ok(None),
        Some(Value::Array(chain)) => chain.first().and_then(Value::as_str),
        Some(other) => other.as_str(),
    };
    // MSAL for Python leaves the line breaks of PEM in it.
    let encoded = encoded.map(|text| text.replace(|letter: char| letter.is_ascii_whitespace(), ""));
    encoded.as_deref().and_then(decode).map(Some).ok_or_else(Refusal::wrong_chain)
}

/// Whether `audience` is the token endpoint, or the issuer, of the authority that was asked: under
/// the host of the request, our own, or a central one.
fn is_own_endpoint(site: &Site, ask: &Ask, authority: Authority<'_>, audience: &str) -> bool {
    let Ok(url) = Url::parse(audience) else {
        return false;
    };
    let Some(host) = url.host_str() else {
        return false;
    };
    let full = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let here = [ask.host(), site.https_url.strip_prefix("https://")];
    let here = here.into_iter().flatten().any(|one| one.eq_ignore_ascii_case(&full));
    if url.scheme() != "https" || !(here || clouds::is_known(&full)) {
        return false;
    }
    let path: Vec<_> = url.path().trim_matches('/').split('/').collect();
    match path[..] {
        [name, "oauth2", "v2.0", "token"] | [name, "oauth2", "token"] | [name, "v2.0"] => {
            authority.is_called(&site.config, name)
        }
        _ => false,
    }
}

/// Whether a federated credential of the application fits.
fn federated(site: &Site, app: &App, jwt: &Jwt<'_>, issuer: &str) -> Result<(), Refusal> {
    if app.federated.is_empty() {
        return Err(Refusal::no_federation(&app.client_id));
    }
    let own = site.federation.issuer();
    let mut fitting = app.federated.iter().filter(|one| one.issuer.as_deref().unwrap_or(own) == issuer).peekable();
    let Some(first) = fitting.peek() else {
        return Err(Refusal::no_matching_federation(700_211, "issuer", issuer));
    };
    let kid = jwt.header_text("kid").unwrap_or_default();
    let key = match &first.issuer {
        None => site.federation.signer().filter(|signer| signer.kid() == kid).map(Signer::key),
        Some(_) => first.keys.iter().find(|(name, _)| name == kid).map(|(_, key)| key),
    };
    let key = key.ok_or_else(|| Refusal::unknown_key(kid))?;
    if !jwt.is_signed_by(key) {
        return Err(Refusal::wrong_signature());
    }
    let subject = jwt.claim("sub").unwrap_or_default();
    let (mut audience_fits, mut both) = (false, false);
    for one in fitting {
        let audience = jwt.is_for(|audience| audience == one.audience);
        audience_fits |= audience;
        both |= audience && one.subject == subject;
    }
    match (both, audience_fits) {
        (true, _) => Ok(()),
        (false, true) => Err(Refusal::no_matching_federation(700_213, "subject", subject)),
        (false, false) => Err(Refusal::no_matching_federation(700_212, "audience", &jwt.audience())),
    }
}
