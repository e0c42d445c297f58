//! The JWT by which an application shows that it holds its certificate's key.
//!
//! <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use crate::certificate::{Algorithm, Certificate};
use crate::token::Secret;

/// How long an assertion lives, in seconds.
const LIFETIME: i64 = 600;

/// Who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Entra ID: PS256, and the certificate named by SHA-256.
    Entra,
    /// AD FS, which knows RS256 and SHA-1.
    Adfs,
}

/// A signed assertion that `client_id` makes to `audience`, the token endpoint. With `send_chain` it carries the
/// certificates, which lets Entra ID trust their subject name and issuer instead of one registered thumbprint.
pub(crate) fn client_assertion(
    certificate: &Certificate,
    kind: Kind,
    send_chain: bool,
    client_id: &str,
    audience: &str,
    now: i64,
    jti: &str,
) -> Result<Secret, String> {
    let (algorithm, name, thumbprint_name, thumbprint) = match kind {
        Kind::Entra => (Algorithm::Ps256, "PS256", "x5t#S256", certificate.thumbprint_sha256()),
        Kind::Adfs => (Algorithm::Rs256, "RS256", "x5t", certificate.thumbprint_sha1()),
    };
    let mut header = Map::new();
    header.insert("typ".to_owned(), "JWT".into());
    header.insert("alg".to_owned(), name.into());
    header.insert(thumbprint_name.to_owned(), URL_SAFE_NO_PAD.encode(thumbprint).into());
    if send_chain {
        header.insert("x5c".to_owned(), certificate.chain().map(|der| STANDARD.encode(der)).collect());
    }
    let claims = json!({
        "aud": audience,
        "iss": client_id,
        "sub": client_id,
        "jti": jti,
        "nbf": now,
        "iat": now,
        "exp": now.saturating_add(LIFETIME),
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header.into()), part(&claims));
    let signature = certificate.sign(signed.as_bytes(), algorithm)?;
    Ok(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

/// When a JWT expires by its own account, in Unix seconds. Nothing about it is checked.
pub(crate) fn expiry(jwt: &str) -> Option<i64> {
    // Some issuers pad.
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &URL_SAFE,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    let mut parts = jwt.trim().split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let claims: Value = serde_json::from_slice(&LENIENT.decode(payload).ok()?).ok()?;
    let expiry = claims.get("exp")?;
    expiry.as_i64().or_else(|| whole(expiry.as_f64()?))
}

/// The whole part of a float that stands for a moment, down to the second.
fn whole(seconds: f64) -> Option<i64> {
    format!("{:.0}", seconds.floor()).parse().ok()
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, Validation};

    use super::*;

    const CLIENT_ID: &str = "00001111-aaaa-2222-bbbb-3333cccc4444";
    const AUDIENCE: &str = "https://login.microsoftonline.com/contoso/oauth2/v2.0/token";
    const JTI: &str = "22223333-cccc-4444-dddd-5555eeee6666";
    const NOW: i64 = 1_700_000_000;

    fn certificate() -> Certificate {
        let key = include_str!("../../tests/fixtures/certificates/leaf.key");
        let leaf = include_str!("../../tests/fixtures/certificates/leaf.crt");
        let issuer = include_str!("../../tests/fixtures/certificates/issuer.crt");
        Certificate::parse(format!("{key}{issuer}{leaf}").as_bytes(), None).unwrap()
    }

    fn part(jwt: &str, at: usize) -> Value {
        let part = jwt.split('.').nth(at).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    fn verified(jwt: &str, algorithm: jsonwebtoken::Algorithm, key: &[u8]) -> Option<Value> {
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&[AUDIENCE]);
        validation.validate_exp = false;
        let key = DecodingKey::from_rsa_der(key);
        jsonwebtoken::decode::<Value>(jwt, &key, &validation).ok().map(|data| data.claims)
    }

    const PUBLIC: &[u8] = include_bytes!("../../tests/fixtures/certificates/leaf-pub.der");

    #[test]
    fn entra_gets_ps256_and_sha256() {
        let jwt = client_assertion(&certificate(), Kind::Entra, false, CLIENT_ID, AUDIENCE, NOW, JTI).unwrap();
        let jwt = jwt.expose();
        assert!(!jwt.contains('='), "base64url has no padding in a JWT");
        let thumbprint = URL_SAFE_NO_PAD.encode(certificate().thumbprint_sha256());
        assert_eq!(part(jwt, 0), json!({"typ": "JWT", "alg": "PS256", "x5t#S256": thumbprint}));
        let expected = json!({
            "aud": AUDIENCE, "iss": CLIENT_ID, "sub": CLIENT_ID, "jti": JTI,
            "nbf": NOW, "iat": NOW, "exp": NOW + 600,
        });
        assert_eq!(verified(jwt, jsonwebtoken::Algorithm::PS256, PUBLIC), Some(expected));
        assert_eq!(expiry(jwt), Some(NOW + 600));
        let cut = jwt.get(..jwt.len() - 8).unwrap();
        assert_eq!(verified(&format!("{cut}AAAAAAAA"), jsonwebtoken::Algorithm::PS256, PUBLIC), None);
    }

    #[test]
    fn adfs_gets_rs256_and_sha1() {
        let jwt = client_assertion(&certificate(), Kind::Adfs, false, CLIENT_ID, AUDIENCE, NOW, JTI).unwrap();
        let thumbprint = URL_SAFE_NO_PAD.encode(certificate().thumbprint_sha1());
        assert_eq!(part(jwt.expose(), 0), json!({"typ": "JWT", "alg": "RS256", "x5t": thumbprint}));
        assert!(verified(jwt.expose(), jsonwebtoken::Algorithm::RS256, PUBLIC).is_some());
    }

    #[test]
    fn the_chain_is_sent_leaf_first_as_standard_base64_of_der() {
        let jwt = client_assertion(&certificate(), Kind::Entra, true, CLIENT_ID, AUDIENCE, NOW, JTI).unwrap();
        let chain = [
            include_str!("../../tests/fixtures/certificates/leaf.crt"),
            include_str!("../../tests/fixtures/certificates/issuer.crt"),
        ];
        let chain = chain.map(|pem| pem.lines().filter(|line| !line.contains('-')).collect::<String>());
        assert_eq!(part(jwt.expose(), 0)["x5c"], json!(chain));
    }

    #[test]
    fn two_assertions_differ() {
        let make = || client_assertion(&certificate(), Kind::Entra, false, CLIENT_ID, AUDIENCE, NOW, JTI).unwrap();
        assert_ne!(make().expose(), make().expose(), "the salt of PSS is random");
    }

    #[test]
    fn the_expiry_of_others() {
        let jwt = |claims: &str| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
        let cases = [
            (jwt(r#"{"exp":1700000000}"#), Some(1_700_000_000)),
            (jwt(r#"{"exp":1700000000.75}"#), Some(1_700_000_000)),
            (jwt(r#"{"exp":1.7e9}"#), Some(1_700_000_000)),
            (jwt(r#"{"exp":-1.5}"#), Some(-2)),
            (jwt(r#"{"exp":"1700000000"}"#), None),
            (jwt(r#"{"exp":1e300}"#), None),
            (jwt(r#"{"exp":null}"#), None),
            (jwt(r#"{"nbf":1}"#), None),
            (jwt("[1]"), None),
            (jwt("canary"), None),
            ("e30.eyJleHAiOjEwfQ==.c2ln\n".to_owned(), Some(10)),
            ("e30.eyJleHAiOjEwfQ.".to_owned(), Some(10)),
            ("e30.eyJleHAiOjEwfQ".to_owned(), None),
            ("e30.eyJleHAiOjEwfQ.c2ln.x".to_owned(), None),
            ("e30.?.c2ln".to_owned(), None),
            (String::new(), None),
            ("..".to_owned(), None),
        ];
        for (jwt, expected) in cases {
            assert_eq!(expiry(&jwt), expected, "{jwt}");
        }
    }
}
