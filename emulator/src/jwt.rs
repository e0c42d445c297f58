//! Compact JWTs as they come in: taken apart leniently, verified strictly.
//!
//! Clients differ in padding and alphabet, and some write times as fractions or as strings; all of
//! that is read. The signature is checked over the very characters that came.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::{Map, Value, json};

/// The public half of an RSA key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PublicKey {
    /// As certificates hold it: a PKCS#1 structure.
    Der(Vec<u8>),
    /// As key sets hold it: two big-endian numbers.
    Numbers { n: Vec<u8>, e: Vec<u8> },
}

/// A JWT that could be read; nothing in it is believed yet.
#[derive(Debug)]
pub(crate) struct Jwt<'a> {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Jwt<'a> {
    /// `None` for what is no JWT.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        Some(Self {
            header: serde_json::from_slice(&decode(header)?).ok()?,
            claims: serde_json::from_slice(&decode(claims)?).ok()?,
            signed,
            signature: decode(signature)?,
        })
    }

    /// A header field.
    pub(crate) fn header(&self, name: &str) -> Option<&Value> {
        self.header.get(name)
    }

    /// A header field that is text.
    pub(crate) fn header_text(&self, name: &str) -> Option<&str> {
        self.header(name)?.as_str()
    }

    /// A claim that is text.
    pub(crate) fn claim(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }

    /// Whether the audience, one or a list, has a member that `fits`.
    pub(crate) fn is_for(&self, fits: impl Fn(&str) -> bool) -> bool {
        match self.claims.get("aud") {
            Some(Value::String(one)) => fits(one),
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).any(fits),
            _ => false,
        }
    }

    /// The audience as it is repeated in messages.
    pub(crate) fn audience(&self) -> String {
        match self.claims.get("aud") {
            Some(Value::String(one)) => one.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }

    /// A claim that is a moment in Unix seconds: a whole number, a fraction, or either as text.
    pub(crate) fn moment(&self, name: &str) -> Option<f64> {
        match self.claims.get(name)? {
            Value::String(text) => text.parse().ok(),
            other => other.as_f64(),
        }
    }

    /// Whether it is signed, by RS256 or PS256, with that key.
    pub(crate) fn is_signed_by(&self, key: &PublicKey) -> bool {
        let parameters: &'static RsaParameters = match self.header_text("alg") {
            Some("RS256") => &RSA_PKCS1_2048_8192_SHA256,
            Some("PS256") => &RSA_PSS_2048_8192_SHA256,
            _ => return false,
        };
        let signed = self.signed.as_bytes();
        match key {
            PublicKey::Der(der) => UnparsedPublicKey::new(parameters, der).verify(signed, &self.signature).is_ok(),
            PublicKey::Numbers { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(parameters, signed, &self.signature).is_ok()
            }
        }
    }

    /// Header and claims, without the signature that makes them worth something.
    pub(crate) fn unsigned(&self) -> Value {
        json!({"header": self.header, "claims": self.claims})
    }
}

/// Base64 of either alphabet, padded or not.
pub(crate) fn decode(part: &str) -> Option<Vec<u8>> {
    let plain = part.trim_end_matches('=').replace('-', "+").replace('_', "/");
    STANDARD_NO_PAD.decode(plain).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::Signer;

    #[test]
    fn both_alphabets_are_read_padded_or_not() {
        for text in ["-_8=", "-_8", "+/8=", "+/8"] {
            assert_eq!(decode(text), Some(vec![0xfb, 0xff]), "{text}");
        }
        assert_eq!(decode("a b"), None);
    }

    #[test]
    fn moments_have_three_spellings() {
        let signer = Signer::new().unwrap();
        let text = signer.sign(&json!({"a": 7, "b": 7.5, "c": "8", "d": "x", "e": null})).unwrap();
        let jwt = Jwt::read(&text).unwrap();
        let table = [("a", Some(7.0)), ("b", Some(7.5)), ("c", Some(8.0)), ("d", None), ("e", None), ("f", None)];
        for (name, expected) in table {
            assert_eq!(jwt.moment(name), expected, "{name}");
        }
    }

    #[test]
    fn a_signature_is_good_for_its_key_and_its_text() {
        let (signer, other) = (Signer::new().unwrap(), Signer::new().unwrap());
        let text = signer.sign(&json!({"aud": ["a", "b"], "sub": "s"})).unwrap();
        let jwt = Jwt::read(&text).unwrap();
        assert!(jwt.is_signed_by(signer.key()));
        assert!(!jwt.is_signed_by(other.key()));
        assert!(jwt.is_for(|one| one == "b") && !jwt.is_for(|one| one == "c"));
        assert_eq!(jwt.claim("sub"), Some("s"));
        assert!(jwt.unsigned()["claims"]["aud"].is_array());
        let (content, signature) = text.rsplit_once('.').unwrap();
        let forged = format!("{}.{signature}", content.replacen("eyJ", "eyK", 1));
        assert!(Jwt::read(&forged).is_none_or(|jwt| !jwt.is_signed_by(signer.key())));
        for bad in ["", "a.b", "a.b.c", "e30.e30", "e30.W10.x", "e30.e30.!"] {
            assert!(Jwt::read(bad).is_none(), "{bad}");
        }
        assert!(Jwt::read("e30.e30.").is_some_and(|jwt| !jwt.is_signed_by(signer.key())));
    }
}
