//! The text of a configuration, as identities and patterns, with the place of every mistake.

use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::pattern::Pattern;
use crate::options::Value;

/// A configuration as it was written.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) identities: Vec<Identity>,
    /// Patterns, and whose resources they are.
    pub(super) resources: Vec<(Pattern, Owner)>,
}

/// The name of an identity, and where it is named.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) name: String,
    pub(super) place: Place,
}

/// One identity.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) name: String,
    pub(super) place: Place,
    /// What kind of credential it is, as it was written.
    pub(super) credential: String,
    /// The members of a chain: names of identities.
    pub(super) members: Vec<(String, Place)>,
    pub(super) options: Vec<Given>,
}

/// One option of an identity.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) value: Setting,
}

/// The value of an option: there, or where it is.
#[derive(Debug, PartialEq)]
pub(super) enum Setting {
    Value(Value),
    /// The text of a file.
    File(String),
    /// The text of a variable.
    Variable(String),
}

/// A line and a column, from 1 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    line: usize,
    column: usize,
}

impl Place {
    fn of(text: &str, at: usize) -> Place {
        let before = text.get(..at.min(text.len())).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Place {
            line: before.matches('\n').count() + 1,
            column: before.get(start..).unwrap_or_default().chars().count() + 1,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// What is wrong, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) place: Place,
    pub(super) sentence: String,
}

type Read<T> = Result<T, Mistake>;

/// Reads a configuration's text.
pub(super) fn read(text: &str) -> Read<Document> {
    let reader = Reader { text };
    let table = DeTable::parse(text).map_err(|error| {
        let place = Place::of(text, error.span().map_or(0, |span| span.start));
        Mistake { place, sentence: error.message().replace('\n', " ") }
    })?;
    let mut document = Document { identities: Vec::new(), resources: Vec::new() };
    for (name, value) in table.get_ref() {
        match name.get_ref().as_ref() {
            "identities" => {
                for entry in reader.table("identities", value)? {
                    document.identities.push(reader.identity(entry)?);
                }
            }
            "resources" => {
                for entry in reader.table("resources", value)? {
                    document.resources.push(reader.resource(entry, &document)?);
                }
            }
            other => {
                let sentence = format!("unknown section '{}': expected identities or resources", shown(other));
                return Err(reader.mistake(&name.span(), sentence));
            }
        }
    }
    Ok(document)
}

struct Reader<'t> {
    text: &'t str,
}

impl<'t> Reader<'t> {
    fn mistake(&self, span: &Range<usize>, sentence: impl Into<String>) -> Mistake {
        Mistake { place: Place::of(self.text, span.start), sentence: sentence.into() }
    }

    fn table<'a>(&self, what: &str, value: &'a Spanned<DeValue<'t>>) -> Read<&'a DeTable<'t>> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(table),
            other => Err(self.mistake(&value.span(), format!("{what}: expected a table, got {}", kind(other)))),
        }
    }

    fn identity(&self, (key, value): (&Spanned<toml::de::DeString<'t>>, &Spanned<DeValue<'t>>)) -> Read<Identity> {
        let name = key.get_ref().to_string();
        let of = |option: &str| format!("identities.{}: {option}", shown(&name));
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(self.mistake(&key.span(), of("expected a name without control characters")));
        }
        let mut identity = Identity {
            place: Place::of(self.text, key.span().start),
            name: name.clone(),
            credential: String::new(),
            members: Vec::new(),
            options: Vec::new(),
        };
        for (option, value) in self.table(&of("a table of options"), value)? {
            let (option, place) = (option.get_ref().as_ref(), Place::of(self.text, value.span().start));
            match (option, value.get_ref()) {
                ("credential", DeValue::String(word)) => word.as_ref().clone_into(&mut identity.credential),
                ("credential", other) => {
                    let sentence = of(&format!("credential: expected text, got {}", kind(other)));
                    return Err(self.mistake(&value.span(), sentence));
                }
                ("members", DeValue::Array(members)) => {
                    for member in members {
                        let DeValue::String(word) = member.get_ref() else {
                            let sentence = of(&format!("members: expected names, got {}", kind(member.get_ref())));
                            return Err(self.mistake(&member.span(), sentence));
                        };
                        identity.members.push((word.to_string(), Place::of(self.text, member.span().start)));
                    }
                }
                _ => {
                    let wrong = |sentence: String| {
                        self.mistake(&value.span(), of(&format!("option {}: {sentence}", shown(option))))
                    };
                    let value = setting(option, value.get_ref()).map_err(wrong)?;
                    identity.options.push(Given { name: option.to_owned(), place, value });
                }
            }
        }
        if identity.credential.is_empty() {
            let sentence = of("expected credential = \"managed_identity\", or another kind, got none");
            return Err(Mistake { place: identity.place, sentence });
        }
        Ok(identity)
    }

    fn resource(
        &self,
        (key, value): (&Spanned<toml::de::DeString<'t>>, &Spanned<DeValue<'t>>),
        before: &Document,
    ) -> Read<(Pattern, Owner)> {
        let text = key.get_ref().as_ref();
        let of = |sentence: &str| format!("resources.\"{}\": {sentence}", shown(text));
        let pattern = Pattern::parse(text).map_err(|sentence| self.mistake(&key.span(), of(&sentence)))?;
        if before.resources.iter().any(|(other, _)| *other == pattern) {
            return Err(self.mistake(&key.span(), of("the same resource is there before, spelled otherwise")));
        }
        match value.get_ref() {
            DeValue::String(name) => {
                // The name itself, behind its quote.
                let place = Place::of(self.text, value.span().start + 1);
                Ok((pattern, Owner { name: name.to_string(), place }))
            }
            other => {
                let sentence = of(&format!("expected the name of an identity, got {}", kind(other)));
                Err(self.mistake(&value.span(), sentence))
            }
        }
    }
}

/// The place of a byte of a file that is no text.
pub(super) fn place_at(bytes: &[u8], at: usize) -> Place {
    Place::of(&String::from_utf8_lossy(bytes.get(..at).unwrap_or_default()), usize::MAX)
}

/// The value of an option. A secret must not be written there: the file is for everybody's eyes.
fn setting(option: &str, value: &DeValue<'_>) -> Result<Setting, String> {
    if let DeValue::Table(table) = value
        && let Some(setting) = reference(table)?
    {
        return Ok(setting);
    }
    if crate::options::is_secret(option) {
        return Err(
            "a secret is not written here: expected { file = \"/run/secrets/…\" } or { env = \"…\" }".to_owned()
        );
    }
    value_of(value).map(Setting::Value)
}

/// `{ file = "…" }` or `{ env = "…" }`.
fn reference(table: &DeTable<'_>) -> Result<Option<Setting>, String> {
    let mut entries = table.iter();
    let (Some((key, value)), None) = (entries.next(), entries.next()) else { return Ok(None) };
    let make: fn(String) -> Setting = match key.get_ref().as_ref() {
        "file" => Setting::File,
        "env" => Setting::Variable,
        _ => return Ok(None),
    };
    match value.get_ref() {
        DeValue::String(text) if !text.is_empty() => Ok(Some(make(text.to_string()))),
        other => Err(format!("{}: expected text, got {}", key.get_ref(), kind(other))),
    }
}

fn value_of(value: &DeValue<'_>) -> Result<Value, String> {
    Ok(match value {
        DeValue::String(text) => Value::text(text.as_ref()),
        DeValue::Integer(number) => {
            let whole = i64::from_str_radix(number.as_str(), number.radix());
            Value::Int(whole.map_err(|_| "expected a whole number of 64 bits".to_owned())?)
        }
        DeValue::Float(number) => {
            Value::Float(number.as_str().replace('_', "").parse().map_err(|_| "expected a number".to_owned())?)
        }
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Datetime(_) => Value::Other("a date".to_owned()),
        DeValue::Array(values) => {
            Value::List(values.iter().map(|value| value_of(value.get_ref())).collect::<Result<_, _>>()?)
        }
        DeValue::Table(table) => {
            let entries =
                table.iter().map(|(name, value)| Ok((name.get_ref().to_string(), value_of(value.get_ref())?)));
            Value::Map(entries.collect::<Result<_, String>>()?)
        }
    })
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(text) if text.is_empty() => "empty text",
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a truth value",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn shown(text: &str) -> String {
    crate::request::shown(text)
}
