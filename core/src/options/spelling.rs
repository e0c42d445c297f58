//! How the doors write the names of the table.

use super::value::Value;
use crate::source::client_certificate;

/// How names are written where the options come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// `tenant_id`, `process_timeout` in seconds: Python, C, the configuration file.
    Snake,
    /// `tenantId`, `processTimeoutInMs`: Node.
    Camel,
}

impl Spelling {
    /// A class name of azure-identity as the peer that spells so has it.
    pub(crate) fn class(self, name: &'static str) -> &'static str {
        match (self, name) {
            (Spelling::Camel, client_certificate::NAME) => "ClientCertificateCredential",
            _ => name,
        }
    }
}

/// @azure/identity's names that differ by more than their spelling. One may mean different options of different
/// credentials.
pub(super) const CAMEL: [(&str, &str); 9] = [
    ("authorityHost", "authority"),
    ("certificatePassword", "password"),
    ("getAssertion", "client_assertion_func"),
    ("getAssertion", "func"),
    ("processTimeoutInMs", "process_timeout"),
    ("tokenFilePath", "token_file_path"),
    ("federatedTokenFilePath", "token_file_path"),
    ("userAssertionToken", "user_assertion"),
    ("userPromptCallback", "prompt_callback"),
];

/// A name of Node's and its value as the table has them, for a credential that takes these options.
pub(super) fn from_camel(name: &str, value: Value, takes: &[&str]) -> (String, Value) {
    let value = match (name, value) {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a time-out are far below 2^52")]
        ("processTimeoutInMs", Value::Int(ms)) => Value::Float(ms as f64 / 1000.0),
        ("processTimeoutInMs", Value::Float(ms)) => Value::Float(ms / 1000.0),
        (_, value) => value,
    };
    let mut meant = CAMEL.iter().filter(|(camel, _)| *camel == name).map(|(_, snake)| *snake).peekable();
    if let Some(first) = meant.peek().copied() {
        return (meant.find(|snake| takes.contains(snake)).unwrap_or(first).to_owned(), value);
    }
    let mut snake = String::with_capacity(name.len() + 4);
    for char in name.chars() {
        if char.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(char.to_ascii_lowercase());
    }
    (snake, value)
}

/// A name of the table as the caller of a credential that takes those options writes it.
pub(super) fn spelled(name: &str, spelling: Spelling, takes: &[impl AsRef<str>]) -> String {
    let of_user = name == "password" && takes.iter().any(|taken| taken.as_ref() == "username");
    if spelling == Spelling::Snake || of_user {
        return name.to_owned();
    }
    if let Some((camel, _)) = CAMEL.iter().find(|(_, snake)| *snake == name) {
        return (*camel).to_owned();
    }
    let mut camel = String::with_capacity(name.len());
    let mut upper = false;
    for char in name.chars() {
        match char {
            '_' => upper = true,
            char if upper => {
                camel.push(char.to_ascii_uppercase());
                upper = false;
            }
            char => camel.push(char),
        }
    }
    camel
}
