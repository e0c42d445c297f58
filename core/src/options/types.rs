//! The types of options that serde does not have.

use serde::de::Visitor;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::source::AuthenticationRecord;
use crate::token::Secret;

/// One of the ids of a user-assigned managed identity.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map with one of client_id, object_id and resource_id")]
#[expect(clippy::struct_field_names, reason = "the names are azure-identity's")]
pub(crate) struct IdentityConfig {
    pub(crate) client_id: Option<String>,
    pub(crate) object_id: Option<String>,
    pub(crate) resource_id: Option<String>,
}

/// Bytes, or text as its bytes.
#[derive(Clone)]
pub(crate) struct Data(pub(crate) Zeroizing<Vec<u8>>);

impl std::fmt::Debug for Data {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Data(…)")
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Data, D::Error> {
        struct Reading;
        impl Visitor<'_> for Reading {
            type Value = Data;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes or text")
            }

            fn visit_str<E>(self, text: &str) -> Result<Data, E> {
                Ok(Data(text.as_bytes().to_vec().into()))
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Data, E> {
                Ok(Data(bytes.to_vec().into()))
            }
        }
        deserializer.deserialize_any(Reading)
    }
}

impl<'de> Deserialize<'de> for AuthenticationRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<AuthenticationRecord, D::Error> {
        let text = String::deserialize(deserializer)?;
        AuthenticationRecord::from_json(&text).map_err(serde::de::Error::custom)
    }
}

/// An option that tells left out from given and empty.
#[expect(clippy::option_option, reason = "as the option it reads")]
pub(super) fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

/// A whole number or one with a fraction.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a number")]
    enum Number {
        Given(f64),
        Null(()),
    }
    Ok(match Number::deserialize(deserializer)? {
        Number::Given(number) => Some(number),
        Number::Null(()) => None,
    })
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}
