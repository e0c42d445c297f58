//! docs/options.md, written from the tables: the sentences about options are the comments in this folder.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::peers::{self, Disposition};
use super::spelling::{CAMEL, spelled};
use super::{FUNCTIONS, Spelling, Value};
use crate::builder::{ENTRA_OPTIONS, PIN_OPTIONS, TYPES};
use crate::credential::Credential;
use crate::world::fake::Fake;

/// Set by `cargo xtask options`: the page is written instead of compared.
const WRITE: &str = "AZCRED_WRITE_OPTIONS_PAGE";

const TOP: &str = "\
# Options

What each credential takes, at every door. Written by `cargo xtask options` from the tables of core.

| Door | An option is |
|---|---|
| C, C++ | `azcred_options_set_text(options, \"tenant_id\", \"contoso.com\", &error)`, and likewise by the setter of the table below |
| Python | a keyword argument: `tenant_id=\"contoso.com\"`; those that azure-identity takes by position come by position too |
| Node | in the object of options: `{ tenantId: \"contoso.com\" }`; likewise |

A name that nobody has, or a value of another type, is an error that says what was expected. NULL, `None`, `null` and
`undefined` are no value.
";

/// One option as mod.rs describes it.
pub(super) struct Described {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) sentence: String,
}

/// The options of a source text: comments, and then a field or the name of a function.
pub(super) fn described(source: &str) -> Vec<Described> {
    let mut all = Vec::new();
    let mut sentence = String::new();
    for line in source.lines().map(str::trim) {
        let field = line.strip_prefix("pub(crate) ").and_then(|field| field.strip_suffix(',')?.split_once(": "));
        let function = FUNCTIONS.iter().find(|name| line == format!("\"{name}\","));
        let comment = line.strip_prefix("/// ").or_else(|| line.strip_prefix("// "));
        match (field, function, comment) {
            (Some((name, kind)), ..) => all.push((name, kind, std::mem::take(&mut sentence))),
            (_, Some(name), _) => all.push((*name, "Function", std::mem::take(&mut sentence))),
            (.., Some(comment)) => sentence = format!("{sentence} {comment}").trim().to_owned(),
            // Attributes stand between a comment and its field.
            _ if line.starts_with("#[") => {}
            _ => sentence.clear(),
        }
    }
    let owned = |(name, kind, sentence): (&str, &str, String)| Described {
        name: name.to_owned(),
        kind: kind.trim_start_matches("Option<").trim_end_matches('>').to_owned(),
        sentence,
    };
    all.into_iter().map(owned).collect()
}

/// The setter of C for a type of Rust.
fn setter(kind: &str) -> &'static str {
    match kind {
        "bool" => "`set_bool`",
        "f64" => "`set_number`, `set_int`",
        "Vec<String" => "`add_text`, once for each",
        "Data" => "`set_bytes`, `set_text`",
        "Function" => "`set_function`",
        "Verify" => "`set_text`, `set_bool`",
        "String" | "Secret" | "AuthenticationRecord" | "Proxies" => "`set_text`",
        "IdentityConfig" | "ProxyOptions" | "RetryOptions" => "none: it is a map",
        other => panic!("no setter for {other}"),
    }
}

/// How Node writes an option, for all credentials that take it.
fn of_node(name: &str) -> String {
    let mut names = Vec::new();
    for known in &TYPES {
        let takes = known.all();
        if takes.contains(&name) {
            names.push(format!("`{}`", spelled(name, Spelling::Camel, &takes)));
        }
    }
    names.extend(CAMEL.iter().filter(|(_, snake)| *snake == name).map(|(camel, _)| format!("`{camel}`")));
    names.sort();
    names.dedup();
    names.join(", ")
}

/// The options without which no such credential is made, as its own errors say.
fn needed(credential: &str) -> BTreeSet<String> {
    let mut needed = BTreeSet::new();
    loop {
        let given = needed.iter().map(|name: &String| (name.clone(), Value::text("x"))).collect();
        let made = Credential::in_world(Fake::world().0, credential, given, Spelling::Snake);
        let Err(error) = made else { return needed };
        let lacking = error.message().strip_prefix(&format!("{credential}: option "));
        let lacking = lacking.and_then(|rest| rest.split_once(": expected a value, got none"));
        match lacking {
            Some((name, "")) => needed.insert(name.to_owned()),
            // A function is wanted as such.
            _ => return needed,
        };
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn page() -> String {
    let mut page = TOP.to_owned();
    page.push_str("\n## Credentials\n\n| Credential | Takes |\n|---|---|\n");
    for known in &TYPES {
        let own = known.takes.iter().filter(|list| **list != ENTRA_OPTIONS);
        let needed = needed(known.name);
        let shown = |name: &&str| if needed.contains(*name) { format!("**`{name}`**") } else { format!("`{name}`") };
        let mut names: Vec<String> = own.flat_map(|list| list.iter()).map(shown).collect();
        if known.takes.contains(&ENTRA_OPTIONS) {
            names.push("those about an authority".to_owned());
        }
        let of_node = match Spelling::Camel.class(known.name) {
            same if same == known.name => String::new(),
            other => format!(" (Node: `{other}`)"),
        };
        writeln!(page, "| `{}`{of_node} | {} |", known.name, names.join(", ")).unwrap();
    }
    let names: Vec<String> = ENTRA_OPTIONS.iter().map(|name| format!("`{name}`")).collect();
    write!(
        page,
        "| `ChainedTokenCredential` | none: it is made of its members |\n\nThose in bold it can't do without; where one of \
         several is enough, none is in bold. Those about an authority:\n{}.\n\nEvery credential of the table but `HostCredential`, whose identities have them in the configuration, takes {}: a token that speaks for anybody \
         else is an error, wherever it comes from.\n",
        names.join(", "),
        PIN_OPTIONS.map(|name| format!("`{name}`")).join(" and ")
    )
    .unwrap();
    page.push_str("\n## Options\n\n| C, Python | Node | In C | What it is |\n|---|---|---|---|\n");
    for option in described(include_str!("mod.rs")) {
        let of_some = TYPES.iter().any(|known| known.takes.concat().contains(&option.name.as_str()));
        let taken = of_some || PIN_OPTIONS.contains(&option.name.as_str());
        if taken {
            let (setter, node) = (setter(&option.kind), of_node(&option.name));
            writeln!(page, "| `{}` | {node} | {setter} | {} |", option.name, cell(&option.sentence)).unwrap();
        }
    }
    page.push_str(
        "\nIn C, `proxies` is the URL of one proxy, `authentication_record` the record's JSON text, and the three ids of \
         `identity_config`\nare options of their own. Node gives `processTimeoutInMs` in milliseconds, all other times in \
         seconds.\n\n## Options of the peers that azcred does not have\n\nWhere a credential has one of its own by that \
         name, that holds.\n\n| Python | Node | What azcred does |\n|---|---|---|\n",
    );
    for (name, disposition) in &peers::TABLE {
        let node = spelled(name, Spelling::Camel, &[] as &[&str]);
        let done = match disposition {
            Disposition::Noted(reason) => format!("accepted and not used: {reason}"),
            Disposition::Refused(reason) => format!("refused: {reason}"),
        };
        writeln!(page, "| `{name}` | `{node}` | {} |", cell(&done)).unwrap();
    }
    page
}

/// Holds a file of docs/ to what the tables say, or writes it.
#[expect(clippy::disallowed_methods, reason = "they are files of the repository")]
pub(super) fn hold(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(file);
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, text).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap() == text,
        "docs/{file} is not what the tables of core say: run `cargo xtask options`"
    );
}

#[test]
fn the_page_says_what_the_tables_say() {
    hold("options.md", &page());
}

#[test]
fn every_option_that_is_taken_is_described() {
    let described = described(include_str!("mod.rs"));
    for known in &TYPES {
        for name in known.takes.concat() {
            let found = described.iter().find(|option| option.name == name);
            assert!(found.is_some_and(|option| option.sentence.ends_with('.')), "{name} of {}", known.name);
        }
    }
}
