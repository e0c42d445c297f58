//! docs/config.schema.json, written from the tables: what editors know of the host's configuration.

use serde_json::{Map, Value, json};

use super::is_secret;
use super::page::{Described, described, hold};
use crate::builder::TYPES;

/// The schema of a value of this type of Rust; text may be given by reference, and a secret only so.
fn of_type(name: &str, kind: &str) -> Value {
    let reference = json!({"$ref": "#/$defs/reference"});
    let plain = match kind {
        _ if is_secret(name) => return reference,
        "bool" => json!({"type": "boolean"}),
        "f64" => json!({"type": "number"}),
        "Vec<String" => json!({"type": "array", "items": {"type": "string"}}),
        "Verify" => json!({"type": ["string", "boolean"]}),
        "Proxies" => json!({"type": ["string", "object"]}),
        "IdentityConfig" | "ProxyOptions" | "RetryOptions" => json!({"type": "object"}),
        _ => json!({"type": "string"}),
    };
    if plain["type"] == "string" { json!({"anyOf": [plain, reference]}) } else { plain }
}

fn identity(word: &str, class: &str, takes: &[&str], options: &[Described]) -> Value {
    let mut properties = Map::new();
    properties.insert("credential".to_owned(), json!({"enum": [word, class]}));
    for option in options.iter().filter(|option| takes.contains(&option.name.as_str()) && option.kind != "Function") {
        let mut schema = of_type(&option.name, &option.kind);
        schema["description"] = option.sentence.clone().into();
        properties.insert(option.name.clone(), schema);
    }
    json!({"type": "object", "properties": properties, "required": ["credential"], "additionalProperties": false})
}

fn schema() -> String {
    let options = described(include_str!("mod.rs"));
    let known = TYPES.iter().filter(|known| !known.word.is_empty());
    let mut identities: Vec<Value> =
        known.map(|known| identity(known.word, known.name, &known.all(), &options)).collect();
    identities.push(json!({
        "type": "object",
        "properties": {
            "credential": {"const": "chain"},
            "members": {
                "type": "array",
                "items": {"type": "string"},
                "minItems": 1,
                "description": "Names of identities, which are asked in this order until one is available.",
            },
        },
        "required": ["credential", "members"],
        "additionalProperties": false,
    }));
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The identities of a host, for azcred",
        "$comment": "Written by `cargo xtask options` from the tables of core.",
        "type": "object",
        "properties": {
            "identities": {
                "type": "object",
                "description": "Identities by their names.",
                "additionalProperties": {"oneOf": identities},
            },
            "resources": {
                "type": "object",
                "description": "Which identity a resource's tokens speak for: the most specific pattern counts.",
                "additionalProperties": {"type": "string"},
            },
        },
        "additionalProperties": false,
        "$defs": {
            "reference": {
                "description": "Where the text is: in a file, without its last newline, or in a variable.",
                "oneOf": [
                    {"type": "object", "properties": {"file": {"type": "string"}}, "required": ["file"], "additionalProperties": false},
                    {"type": "object", "properties": {"env": {"type": "string"}}, "required": ["env"], "additionalProperties": false},
                ],
            },
        },
    });
    format!("{schema:#}\n")
}

#[test]
fn the_schema_says_what_the_tables_say() {
    hold("config.schema.json", &schema());
}
