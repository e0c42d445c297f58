//! Option values as a language or a file gives them, on their way into [`Options`](super::Options).
//!
//! A deserializer of our own, because its errors must name the option and both types, and must never show the value:
//! a client secret of the wrong type is still a secret.

use std::fmt;

use serde::de::value::SeqDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, Unexpected, Visitor};

use zeroize::Zeroizing;

use crate::function::Function;
use crate::token::Secret;

/// One option's value. Text is held as a secret, since any text may be one.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `None`, `null`, `NULL`: given, and empty.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    Text(Secret),
    /// Bytes, such as a PKCS#12 file's.
    Bytes(Zeroizing<Vec<u8>>),
    /// A function.
    Function(Function),
    /// A list.
    List(Vec<Value>),
    /// Names and values.
    Map(Vec<(String, Value)>),
    /// Something that no option takes, by the name of its type: an object, a date.
    Other(String),
}

impl Value {
    /// A text value.
    pub fn text(text: impl Into<String>) -> Value {
        Value::Text(Secret::new(text))
    }

    /// What it is, for a sentence that says what was expected instead.
    pub fn what(&self) -> &str {
        match self {
            Value::Null => "nothing (null)",
            Value::Bool(_) => "a truth value",
            Value::Int(_) => "a whole number",
            Value::Float(_) => "a number with a fraction",
            Value::Text(_) => "text",
            Value::Bytes(_) => "bytes",
            Value::Function(_) => "a function",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Other(what) => what,
        }
    }
}

/// What is wrong with an option: its path, and what was expected. Never the value.
#[derive(Debug, PartialEq)]
pub(crate) struct Misfit {
    path: Vec<String>,
    pub(crate) problem: Problem,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Problem {
    /// No such name here.
    Unknown,
    /// A sentence that fits behind the option's name and a colon.
    Wrong(String),
}

impl Misfit {
    fn wrong(sentence: String) -> Misfit {
        Misfit { path: Vec::new(), problem: Problem::Wrong(sentence) }
    }

    fn inside(mut self, name: &str) -> Misfit {
        self.path.insert(0, name.to_owned());
        self
    }

    /// The option's name; names inside a map are joined with dots.
    pub(crate) fn name(&self) -> String {
        self.path.join(".")
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Problem::Unknown => write!(f, "{}: no such option", self.name()),
            Problem::Wrong(sentence) => write!(f, "{}: {sentence}", self.name()),
        }
    }
}

impl std::error::Error for Misfit {}

impl serde::de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Misfit {
        Misfit::wrong(message.to_string())
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Misfit {
        let given = match unexpected {
            Unexpected::Bool(_) => "a truth value",
            Unexpected::Unsigned(_) | Unexpected::Signed(_) => "a whole number",
            Unexpected::Float(_) => "a number with a fraction",
            Unexpected::Str(_) | Unexpected::Char(_) => "text",
            Unexpected::Unit | Unexpected::Option => "nothing (null)",
            Unexpected::Seq => "a list",
            Unexpected::Map => "a map",
            Unexpected::Bytes(_) => "bytes",
            Unexpected::Other(what) => what,
            _ => "something else",
        };
        Misfit::wrong(format!("expected {expected}, got {given}"))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Misfit {
        Misfit::wrong(format!("expected {expected}"))
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Misfit {
        Misfit { path: vec![field.to_owned()], problem: Problem::Unknown }
    }
}

/// Reads a value into the type of an option.
pub(crate) struct Reader(pub(crate) Value);

impl IntoDeserializer<'_, Misfit> for Reader {
    type Deserializer = Reader;

    fn into_deserializer(self) -> Reader {
        self
    }
}

impl<'de> Deserializer<'de> for Reader {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Int(value) => visitor.visit_i64(value),
            Value::Float(value) => visitor.visit_f64(value),
            Value::Text(value) => visitor.visit_str(value.expose()),
            Value::List(values) => visitor.visit_seq(SeqDeserializer::new(values.into_iter().map(Reader))),
            Value::Map(entries) => visitor.visit_map(Entries { left: entries.into_iter(), current: None }),
            Value::Bytes(value) => visitor.visit_bytes(&value),
            value @ (Value::Function(_) | Value::Other(_)) => {
                Err(serde::de::Error::invalid_type(Unexpected::Other(value.what()), &visitor))
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            value => visitor.visit_some(Reader(value)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

/// A map whose errors learn the name of the entry they came from.
struct Entries {
    left: std::vec::IntoIter<(String, Value)>,
    current: Option<(String, Value)>,
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        self.current = self.left.next();
        self.current.as_ref().map(|(name, _)| seed.deserialize(name.as_str().into_deserializer())).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let (name, value) = self.current.take().unwrap_or((String::new(), Value::Null));
        seed.deserialize(Reader(value)).map_err(|misfit| misfit.inside(&name))
    }
}
