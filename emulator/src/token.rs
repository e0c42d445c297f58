//! Access tokens: version 1 JWTs in the shape Entra gives them.
//!
//! Version 1 because that is what Azure's own resources get, and what Azurite insists on: it takes
//! an issuer below `https://sts.windows.net/` and no other of ours.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rsa::rand_core::{OsRng, RngCore};
use serde::Serialize;
use serde_json::json;

use crate::signing::Signer;

/// Who a token speaks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) tenant_id: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) object_id: &'a str,
    pub(crate) resource_id: Option<&'a str>,
    /// `appidacr`: how the client showed who it is.
    pub(crate) proof: Proof,
    /// The user that the client speaks for; `object_id` is theirs then.
    pub(crate) person: Option<Person<'a>>,
}

/// A user, and what they let the client do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Person<'a> {
    pub(crate) username: &'a str,
    pub(crate) name: &'a str,
    pub(crate) permissions: &'a str,
}

/// How a client shows who it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Proof {
    /// A public client.
    Nothing,
    Secret,
    /// Also what managed identities use behind the scenes.
    Certificate,
}

/// From when and until when, in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) from: i64,
    pub(crate) until: i64,
    /// Seconds left when it was issued; never negative.
    pub(crate) left: i64,
}

impl Validity {
    /// `lifetime` seconds from `now`, or, when it is to be stale, the same span an hour too early.
    pub(crate) fn new(now: i64, lifetime: u32, stale: bool) -> Self {
        const AGO: i64 = 3600;
        let lifetime = i64::from(lifetime);
        if stale {
            return Self { from: now - AGO - lifetime, until: now - AGO, left: 0 };
        }
        Self { from: now, until: now + lifetime, left: lifetime }
    }
}

#[derive(Debug, Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    appid: &'a str,
    appidacr: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    amr: &'static [&'static str],
    idp: String,
    idtyp: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    oid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scp: Option<&'a str>,
    sub: &'a str,
    tid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    unique_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upn: Option<&'a str>,
    uti: String,
    ver: &'static str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    xms_cc: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    xms_mirid: Option<&'a str>,
}

/// The issuer of a tenant's tokens.
pub(crate) fn issuer(tenant_id: &str) -> String {
    format!("https://sts.windows.net/{tenant_id}/")
}

/// A signed token for `audience`, byte for byte; `None` if signing fails.
pub(crate) fn mint(
    signer: &Signer,
    subject: Subject<'_>,
    audience: &str,
    capabilities: &[String],
    validity: Validity,
) -> Option<String> {
    signer.sign(&claims(subject, audience, capabilities, validity))
}

fn claims<'a>(subject: Subject<'a>, audience: &'a str, capabilities: &'a [String], validity: Validity) -> Claims<'a> {
    let issuer = issuer(subject.tenant_id);
    Claims {
        aud: audience,
        iss: issuer.clone(),
        iat: validity.from,
        nbf: validity.from,
        exp: validity.until,
        appid: subject.client_id,
        appidacr: match subject.proof {
            Proof::Nothing => "0",
            Proof::Secret => "1",
            Proof::Certificate => "2",
        },
        amr: if subject.person.is_some() { &["pwd"] } else { &[] },
        idp: issuer,
        idtyp: if subject.person.is_some() { "user" } else { "app" },
        name: subject.person.map(|person| person.name),
        oid: subject.object_id,
        scp: subject.person.map(|person| person.permissions),
        sub: subject.object_id,
        tid: subject.tenant_id,
        unique_name: subject.person.map(|person| person.username),
        upn: subject.person.map(|person| person.username),
        uti: URL_SAFE_NO_PAD.encode(random::<16>()),
        ver: "1.0",
        xms_cc: capabilities,
        xms_mirid: subject.resource_id,
    }
}

/// What an id token says of a sign-in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignIn<'a> {
    pub(crate) tenant_id: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) object_id: &'a str,
    pub(crate) username: &'a str,
    pub(crate) name: &'a str,
    pub(crate) nonce: Option<&'a str>,
}

/// A signed id token in the version 2 shape; its issuer is the one of the metadata documents.
pub(crate) fn mint_id(signer: &Signer, sign_in: SignIn<'_>, validity: Validity) -> Option<String> {
    let mut claims = json!({
        "aud": sign_in.client_id,
        "iss": issuer(sign_in.tenant_id),
        "iat": validity.from,
        "nbf": validity.from,
        "exp": validity.until,
        "name": sign_in.name,
        "oid": sign_in.object_id,
        "preferred_username": sign_in.username,
        "sub": sign_in.object_id,
        "tid": sign_in.tenant_id,
        "uti": URL_SAFE_NO_PAD.encode(random::<16>()),
        "ver": "2.0",
    });
    if let (Some(nonce), Some(claims)) = (sign_in.nonce, claims.as_object_mut()) {
        claims.insert("nonce".to_owned(), nonce.into());
    }
    signer.sign(&claims)
}

/// Text that nobody guesses.
pub(crate) fn new_secret() -> String {
    URL_SAFE_NO_PAD.encode(random::<32>())
}

/// Eight letters to type, none that looks like another.
pub(crate) fn new_user_code() -> String {
    const LETTERS: &[u8; 16] = b"BCDFGHJKLMNPQRST";
    random::<8>()
        .iter()
        .filter_map(|byte| LETTERS.get(usize::from(byte & 15)))
        .map(|&letter| char::from(letter))
        .collect()
}

/// A fresh version 4 GUID.
pub(crate) fn new_guid() -> String {
    let bits = u128::from_be_bytes(random());
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        bits >> 96,
        bits >> 80 & 0xffff,
        bits >> 64 & 0xffff,
        bits >> 48 & 0xffff,
        bits & 0xffff_ffff_ffff
    )
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsRng.fill_bytes(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
    use serde_json::Value;

    use super::*;
    use crate::identities::is_guid;

    const SUBJECT: Subject<'_> = Subject {
        tenant_id: "t",
        client_id: "c",
        object_id: "o",
        resource_id: None,
        proof: Proof::Secret,
        person: None,
    };

    #[test]
    fn claims_have_the_version_1_shape() {
        let validity = Validity::new(1000, 60, false);
        let value = |subject, cc: &[String]| -> Value {
            serde_json::to_value(claims(subject, "https://a//", cc, validity)).unwrap()
        };
        let app = value(SUBJECT, &[]);
        for (name, expected) in [
            ("aud", Value::from("https://a//")),
            ("iss", "https://sts.windows.net/t/".into()),
            ("idp", "https://sts.windows.net/t/".into()),
            ("iat", 1000.into()),
            ("nbf", 1000.into()),
            ("exp", 1060.into()),
            ("appid", "c".into()),
            ("appidacr", "1".into()),
            ("idtyp", "app".into()),
            ("oid", "o".into()),
            ("sub", "o".into()),
            ("tid", "t".into()),
            ("ver", "1.0".into()),
            ("xms_cc", Value::Null),
            ("xms_mirid", Value::Null),
        ] {
            assert_eq!(app[name], expected, "{name}");
        }
        assert_ne!(app["uti"], value(SUBJECT, &[])["uti"]);
        assert_eq!(value(SUBJECT, &["CP1".to_owned()])["xms_cc"][0], "CP1");
        let managed = Subject { resource_id: Some("/r"), proof: Proof::Certificate, ..SUBJECT };
        assert_eq!(value(managed, &[])["xms_mirid"], "/r");
        let person = Person { username: "u", name: "n", permissions: "p q" };
        let user = value(Subject { person: Some(person), proof: Proof::Nothing, ..SUBJECT }, &[]);
        for (name, expected) in
            [("upn", "u"), ("unique_name", "u"), ("name", "n"), ("scp", "p q"), ("idtyp", "user"), ("appidacr", "0")]
        {
            assert_eq!(user[name], expected, "{name}");
        }
    }

    #[test]
    fn a_stale_token_expired_an_hour_ago() {
        let stale = Validity::new(10_000, 60, true);
        assert_eq!((stale.from, stale.until, stale.left), (6340, 6400, 0));
    }

    #[test]
    fn a_token_verifies_with_the_key_set() {
        let signer = Signer::new().unwrap();
        let now = crate::clock::unix_seconds();
        let token = mint(&signer, SUBJECT, "r", &[], Validity::new(now, 60, false)).unwrap();
        let kid = decode_header(&token).unwrap().kid.unwrap();
        let key = DecodingKey::from_jwk(signer.public().find(&kid).unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&["r"]);
        decode::<Value>(&token, &key, &validation).unwrap();
    }

    #[test]
    fn guids_are_guids() {
        let guid = new_guid();
        assert!(is_guid(&guid), "{guid}");
        assert_eq!(guid.as_bytes()[14], b'4');
        assert_ne!(guid, new_guid());
        assert_eq!(new_user_code().len(), 8);
        assert_ne!(new_secret(), new_secret());
    }
}
