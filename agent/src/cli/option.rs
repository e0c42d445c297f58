//! `--option NAME=VALUE`: an option of a credential, as the command line has it.

use std::io::Read as _;
use std::str::FromStr;

use azcred::Value;

/// How large a file with a value may be.
const LARGEST: u64 = 64 * 1024;

/// A name and a value, not yet read.
#[derive(Clone)]
pub(super) struct Given {
    name: String,
    value: String,
}

impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}=…", self.name)
    }
}

impl FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> Result<Given, String> {
        // What stands behind the sign may be a secret, and is in no message.
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok(Given { name: name.to_owned(), value: value.to_owned() }),
            _ => Err("expected NAME=VALUE".to_owned()),
        }
    }
}

impl Given {
    /// The option for a credential.
    pub(super) fn read(&self) -> Result<(String, Value), String> {
        let Given { name, value } = self;
        let wrong = |sentence: String| format!("--option {name}: {sentence}");
        let value = match value.strip_prefix('@') {
            Some(path) => Value::text(file(path).map_err(wrong)?),
            None if azcred::is_secret_option(name) => {
                let sentence = "every user of this host can read a command line: name a file, as @FILE";
                return Err(wrong(sentence.to_owned()));
            }
            None => typed(value).map_err(wrong)?,
        };
        Ok((name.clone(), value))
    }
}

/// The text of a file, without its last newline.
fn file(path: &str) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{path}: {error}");
    #[expect(clippy::disallowed_methods, reason = "a file that the command line names")]
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut text = String::new();
    file.take(LARGEST + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > LARGEST {
        return Err(format!("{path}: larger than {LARGEST} bytes"));
    }
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

/// A value as JSON has it; what is none is text.
fn typed(text: &str) -> Result<Value, String> {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(value) => Ok(value_of(value)),
        Err(_) if text.starts_with(['[', '{', '"']) => Err("expected text, or a value as JSON has it".to_owned()),
        Err(_) => Ok(Value::text(text)),
    }
}

fn value_of(value: serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(value),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => Value::text(text),
        serde_json::Value::Array(values) => Value::List(values.into_iter().map(value_of).collect()),
        serde_json::Value::Object(entries) => {
            Value::Map(entries.into_iter().map(|(name, value)| (name, value_of(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_json_or_text() {
        for (text, value) in [
            ("a=b=c", Value::text("b=c")),
            ("a=", Value::text("")),
            ("a=true", Value::Bool(true)),
            ("a=30", Value::Int(30)),
            ("a=0.5", Value::Float(0.5)),
            ("a=\"30\"", Value::text("30")),
            ("a=[\"x\",\"y\"]", Value::List(vec![Value::text("x"), Value::text("y")])),
            ("a={\"client_id\":\"x\"}", Value::Map(vec![("client_id".to_owned(), Value::text("x"))])),
            ("a=33333333-3333-3333-3333-333333333331", Value::text("33333333-3333-3333-3333-333333333331")),
        ] {
            assert_eq!(text.parse::<Given>().unwrap().read(), Ok(("a".to_owned(), value)), "{text}");
        }
        for text in ["", "a", "=b"] {
            assert_eq!(text.parse::<Given>().unwrap_err(), "expected NAME=VALUE");
        }
        assert!("a=[".parse::<Given>().unwrap().read().unwrap_err().starts_with("--option a: expected"));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test's own file")]
    fn a_secret_comes_from_a_file() {
        for name in ["client_secret", "password", "certificate_data", "user_assertion"] {
            let given: Given = format!("{name}=canary").parse().unwrap();
            let sentence = given.read().unwrap_err();
            assert!(sentence.contains("@FILE") && !format!("{sentence}{given:?}").contains("canary"), "{sentence}");
        }
        let path = std::env::temp_dir().join(format!("azcred-option-{}", std::process::id()));
        std::fs::write(&path, "s3cret\n").unwrap();
        let given: Given = format!("client_secret=@{}", path.display()).parse().unwrap();
        assert_eq!(given.read(), Ok(("client_secret".to_owned(), Value::text("s3cret"))));
        std::fs::remove_file(&path).unwrap();
        assert!(given.read().unwrap_err().starts_with("--option client_secret: /"));
    }
}
