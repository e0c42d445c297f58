//! A sign-in in the user's browser: the address it starts at, and what the browser brings back.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow>. Anything on this machine, and any page
//! in the browser, can knock at the redirect's address. So what does not show the sign-in's own `state` is no result: it
//! neither ends nor feeds the sign-in.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use form_urlencoded::Serializer;
use ring::digest::{SHA256, digest};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::answer::{Refusal, line};
use super::page::Page;
use crate::token::Secret;

/// What a sign-in's address is made of.
#[derive(Clone, Copy)]
pub(crate) struct Authorize<'a> {
    pub(crate) client_id: &'a str,
    /// As the listener has it: `http://localhost:<port>`.
    pub(crate) redirect_uri: &'a str,
    /// Separated by spaces.
    pub(crate) scope: &'a str,
    pub(crate) state: &'a Secret,
    pub(crate) nonce: &'a Secret,
    /// [`Pkce::challenge`].
    pub(crate) challenge: &'a str,
    pub(crate) prompt: Option<&'a str>,
    pub(crate) login_hint: Option<&'a str>,
    pub(crate) domain_hint: Option<&'a str>,
    /// A JSON object.
    pub(crate) claims: Option<&'a str>,
}

/// The address at which a sign-in starts; `endpoint` is `https://host/tenant/oauth2/v2.0/authorize`.
pub(crate) fn authorize_url(endpoint: &str, parts: &Authorize<'_>) -> Secret {
    let mut query = Serializer::new(String::with_capacity(1024));
    query.extend_pairs([
        ("client_id", parts.client_id),
        ("response_type", "code"),
        // A code in a form stays out of the browser's history.
        ("response_mode", "form_post"),
        ("redirect_uri", parts.redirect_uri),
        ("scope", parts.scope),
        ("state", parts.state.expose()),
        ("nonce", parts.nonce.expose()),
        ("code_challenge", parts.challenge),
        ("code_challenge_method", "S256"),
        ("client_info", "1"),
    ]);
    let optional = [
        ("prompt", parts.prompt),
        ("login_hint", parts.login_hint),
        ("domain_hint", parts.domain_hint),
        ("claims", parts.claims),
    ];
    query.extend_pairs(optional.into_iter().filter_map(|(name, value)| Some((name, value?))));
    Secret::new(format!("{endpoint}?{}", query.finish()))
}

/// Proof that whoever redeems a code is who started its sign-in (RFC 7636).
#[derive(Debug)]
pub(crate) struct Pkce {
    /// Goes with the code to the token endpoint.
    pub(crate) verifier: Secret,
    /// Goes through the browser: the verifier's SHA-256.
    pub(crate) challenge: String,
}

impl Pkce {
    /// The proof made of 32 random bytes.
    pub(crate) fn new(random: &[u8; 32]) -> Pkce {
        let verifier = Secret::new(URL_SAFE_NO_PAD.encode(random));
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.expose().as_bytes()));
        Pkce { verifier, challenge }
    }
}

/// One request of a browser at the redirect's address. `Debug` shows neither query nor body: they hold the code.
pub struct Redirect {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Path and query.
    pub target: Zeroizing<String>,
    /// The `Host` header.
    pub host: String,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The body of a POST.
    pub body: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Redirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.target.split('?').next().unwrap_or_default();
        f.debug_struct("Redirect").field("method", &self.method).field("path", &path).finish_non_exhaustive()
    }
}

/// What a redirect means for the sign-in whose state it was compared with.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The code to redeem.
    Code(Secret),
    /// The sign-in is over, without success.
    Refused(Refusal),
    /// Not this sign-in's: it goes on waiting.
    Ignored,
}

impl Outcome {
    /// What the browser shows.
    pub(crate) fn page(&self) -> Page {
        match self {
            Outcome::Code(_) => Page::SIGNED_IN,
            Outcome::Refused(_) => Page::REFUSED,
            Outcome::Ignored => Page::NOT_OURS,
        }
    }
}

/// Reads what a browser brought to the sign-in with this `state`.
pub(crate) fn read(redirect: &Redirect, state: &Secret) -> Outcome {
    let Some(form) = form(redirect) else { return Outcome::Ignored };
    let fields: Vec<(Secret, Secret)> = form_urlencoded::parse(form)
        .map(|(name, value)| (Secret::new(name.into_owned()), Secret::new(value.into_owned())))
        .collect();
    let all = |name: &str| -> Vec<&Secret> {
        fields.iter().filter(|(given, _)| given.expose() == name).map(|(_, value)| value).collect()
    };
    // Exactly one: of two, another reader might take the other.
    let [given] = all("state")[..] else { return Outcome::Ignored };
    let same: bool = given.expose().as_bytes().ct_eq(state.expose().as_bytes()).into();
    if !same || state.expose().is_empty() {
        return Outcome::Ignored;
    }
    let codes = all("code");
    let mut secrets = vec![state];
    secrets.extend(&codes);
    let first =
        |name: &str| all(name).first().map(|text| line(text.expose(), &secrets)).filter(|text| !text.is_empty());
    let refused = |text: &str| Outcome::Refused(Refusal { text: Some(text.to_owned()), ..Refusal::default() });
    if !all("error").is_empty() {
        return Outcome::Refused(Refusal {
            code: first("error"),
            text: first("error_description"),
            ..Refusal::default()
        });
    }
    match codes[..] {
        [code] if !code.expose().is_empty() => Outcome::Code(code.clone()),
        [] | [_] => refused("the browser came back with neither a code nor an error"),
        _ => refused("the browser came back with more than one code"),
    }
}

/// The form that holds the answer: a POST's body or a GET's query, never both.
fn form(redirect: &Redirect) -> Option<&[u8]> {
    match redirect.method {
        "POST" => {
            let kind = redirect.content_type.as_deref()?.split(';').next()?.trim();
            kind.eq_ignore_ascii_case("application/x-www-form-urlencoded").then_some(&redirect.body[..])
        }
        "GET" => redirect.target.split_once('?').map(|(_, query)| query.as_bytes()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded";

    fn post(kind: Option<&str>, body: &str) -> Redirect {
        Redirect {
            method: "POST",
            target: "/".to_owned().into(),
            host: "localhost".into(),
            content_type: kind.map(str::to_owned),
            body: body.as_bytes().to_vec().into(),
        }
    }

    fn get(target: &str) -> Redirect {
        let target = target.to_owned().into();
        Redirect { method: "GET", target, host: "localhost".into(), content_type: None, body: Vec::new().into() }
    }

    /// `code …`, `refused …` or `ignored`.
    fn said(redirect: &Redirect, state: &str) -> String {
        match read(redirect, &Secret::new(state)) {
            Outcome::Code(code) => format!("code {}", code.expose()),
            Outcome::Refused(refusal) => {
                format!("refused {} | {}", refusal.code.unwrap_or_default(), refusal.text.unwrap_or_default())
            }
            Outcome::Ignored => "ignored".to_owned(),
        }
    }

    #[test]
    fn what_a_browser_may_bring() {
        let cases = [
            ("code=c&state=right", "code c"),
            ("state=right&session_state=x&code=a%2Bb+c%26d&client_info=y", "code a+b c&d"),
            ("code=%C3%A9&state=ri%67ht", "code é"),
            // Not ours: nothing else in it counts, errors least of all.
            ("", "ignored"),
            ("code=c", "ignored"),
            ("code=c&state=", "ignored"),
            ("code=c&state=wrong", "ignored"),
            ("code=c&state=Right", "ignored"),
            ("code=c&state=right%20", "ignored"),
            ("code=c&state=righ", "ignored"),
            ("code=c&state=right&state=right", "ignored"),
            ("code=c&state=wrong&state=right", "ignored"),
            ("code=c&state=right&stat%65=wrong", "ignored"),
            ("code=c&State=right", "ignored"),
            ("code=c&state[]=right", "ignored"),
            ("error=access_denied", "ignored"),
            ("error=access_denied&state=wrong", "ignored"),
            // Ours, and no code.
            (
                "state=right&error=access_denied&error_description=AADSTS65004:+no.%0D%0ATrace",
                "refused access_denied | AADSTS65004: no.",
            ),
            ("state=right&error=access_denied&code=c0de", "refused access_denied | "),
            ("state=right&error=&error_description=x", "refused  | x"),
            (
                "state=right&error=e&error_description=it+was+right+and+c0de%1b[31m&code=c0de",
                "refused e | it was *** and ***[31m",
            ),
            ("state=right", "refused  | the browser came back with neither a code nor an error"),
            ("state=right&code=", "refused  | the browser came back with neither a code nor an error"),
            ("state=right&code=c&code=c", "refused  | the browser came back with more than one code"),
        ];
        for (form, expected) in cases {
            assert_eq!(said(&post(Some(FORM), form), "right"), expected, "POST {form}");
            assert_eq!(said(&get(&format!("/?{form}")), "right"), expected, "GET {form}");
        }
        let long = format!("state=right&error=e&error_description={}", "x".repeat(9000));
        assert!(said(&post(Some(FORM), &long), "right").len() < 700);
    }

    #[test]
    fn an_answer_is_a_form_or_a_query() {
        let good = "code=c&state=s";
        for kind in [FORM, "Application/X-WWW-Form-Urlencoded; charset=UTF-8", " application/x-www-form-urlencoded ;"] {
            assert_eq!(said(&post(Some(kind), good), "s"), "code c", "{kind}");
        }
        for kind in [None, Some(""), Some("text/plain"), Some("multipart/form-data"), Some("application/json")] {
            assert_eq!(said(&post(kind, good), "s"), "ignored", "{kind:?}");
        }
        let both = Redirect { target: format!("/?{good}").into(), ..post(Some(FORM), "code=d&state=t") };
        assert_eq!(said(&both, "s"), "ignored", "a POST's query is no answer");
        assert_eq!(said(&both, "t"), "code d");
        assert_eq!(said(&Redirect { method: "PUT", ..post(Some(FORM), good) }, "s"), "ignored");
        assert_eq!(said(&get("/"), "s"), "ignored");
        assert_eq!(said(&post(Some(FORM), "code=c&state="), ""), "ignored", "no state is no secret");
        let bytes = Redirect { body: b"code=c&state=\xff".to_vec().into(), ..post(Some(FORM), "") };
        assert_eq!(said(&bytes, "s"), "ignored");
    }

    #[test]
    fn the_address_of_a_sign_in() {
        let parts = Authorize {
            client_id: "c",
            redirect_uri: "http://localhost:8400",
            scope: "https://a/.default openid",
            state: &Secret::new("s"),
            nonce: &Secret::new("n"),
            challenge: "ch",
            prompt: None,
            login_hint: None,
            domain_hint: None,
            claims: None,
        };
        let endpoint = "https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize";
        let least = "client_id=c&response_type=code&response_mode=form_post&redirect_uri=http%3A%2F%2Flocalhost%3A8400\
                     &scope=https%3A%2F%2Fa%2F.default+openid&state=s&nonce=n&code_challenge=ch\
                     &code_challenge_method=S256&client_info=1";
        assert_eq!(authorize_url(endpoint, &parts).expose(), format!("{endpoint}?{least}"));
        let parts = Authorize {
            prompt: Some("select_account"),
            login_hint: Some("me@a&b=c"),
            domain_hint: Some("a.example"),
            claims: Some(r#"{"access_token":{}}"#),
            ..parts
        };
        let more = "&prompt=select_account&login_hint=me%40a%26b%3Dc&domain_hint=a.example\
                    &claims=%7B%22access_token%22%3A%7B%7D%7D";
        assert_eq!(authorize_url(endpoint, &parts).expose(), format!("{endpoint}?{least}{more}"));
    }

    /// RFC 7636, appendix B.
    #[test]
    fn the_proof_of_the_standard() {
        let random = [
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105, 214, 191,
            240, 91, 88, 5, 88, 83, 132, 141, 121,
        ];
        let proof = Pkce::new(&random);
        assert_eq!(proof.verifier.expose(), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(proof.challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn debug_shows_no_code() {
        let redirect = Redirect { body: b"code=canary".to_vec().into(), ..get("/x?code=canary") };
        let state = Secret::new("s");
        let shown = format!("{redirect:?} {:?}", read(&get("/?code=canary&state=s"), &state));
        assert!(shown.contains("/x") && !shown.contains("canary"), "{shown}");
    }

    #[test]
    fn pages_say_what_came_of_it() {
        let page = |form: &str| read(&post(Some(FORM), form), &Secret::new("s")).page();
        assert_eq!(page("state=s&code=c"), Page::SIGNED_IN);
        assert_eq!(page("state=s&error=e"), Page::REFUSED);
        assert_eq!(page("state=x&code=c"), Page::NOT_OURS);
        assert_eq!((Page::SIGNED_IN.status(), Page::NOT_OURS.status()), (200, 400));
        assert!(Page::SIGNED_IN.html().contains("You have signed in"));
    }
}
