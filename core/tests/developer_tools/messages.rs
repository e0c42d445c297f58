//! Every message a tool is known to print, what kind of error it is, and what the user is told to do.

use azcred::ErrorKind;

use super::{AZ, AZD, Did, POWERSHELL, Tool, output};

/// One run of a tool, words of its error, and the kind of that by name; in the default chain all are unavailable.
type Case = (Did, &'static str, ErrorKind);

fn judge(tool: &Tool, cases: Vec<Case>) {
    for (did, words, alone) in cases {
        let [by_name, in_default] = tool.run(move || Ok(output(did)));
        let error = by_name.unwrap_err();
        assert_eq!(error.kind(), alone, "{did:?}: {error}");
        assert!(error.message().starts_with(tool.credential), "{error}");
        assert!(error.message().contains(words), "{did:?}: {error}");
        let chained = in_default.unwrap_err();
        assert_eq!(chained.kind(), ErrorKind::Unavailable, "{did:?}: {chained}");
        for error in [error, chained] {
            assert!(!error.message().contains("canary"), "{did:?}: {error}");
            assert!(error.message().len() < 900, "{error}");
        }
    }
}

#[test]
fn every_message_of_the_azure_cli() {
    use ErrorKind::{Failed, Transient, Unavailable};
    let one = Some(1);
    judge(
        &AZ,
        vec![
            ((one, "", "ERROR: Please run 'az login' to setup account."), "run 'az login'", Unavailable),
            ((one, "", "ERROR: Please run 'az login' to setup account.\r\n"), "nobody is signed in", Unavailable),
            ((one, "", "No subscription found. Run 'az account set' to select one."), "run 'az login'", Unavailable),
            ((one, "", "ERROR: AADSTS700082: expired. Run az login"), "AADSTS700082", Failed),
            (
                (
                    one,
                    "",
                    "WARNING: old\nERROR: AADSTS50076: mfa.\nInteractive authentication is needed. Please run:\naz login --scope x",
                ),
                "(exit code 1): ERROR: AADSTS50076: mfa. Interactive authentication is needed. Please run: az login --scope x",
                Failed,
            ),
            ((Some(3), "", "\n boom \n"), "az failed (exit code 3): boom", Failed),
            ((Some(127), "", "az: not found"), "exit code 127", Unavailable),
            ((one, AZ.good, "WARNING: old\nERROR: boom"), "(exit code 1): ERROR: boom", Failed),
            ((one, "", r#"ERROR: {"accessToken": "canary"}"#), "***", Failed),
            ((one, "", ""), "it printed no reason", Failed),
            ((Some(0), r#"{"accessToken":"canary","expires_on":1700003600000}"#, ""), "more than a year", Transient),
            ((Some(0), "canary", "canary"), "is not the JSON of a token", Transient),
            ((Some(0), "{}", ""), "has no accessToken", Transient),
            // The exit code is lost: what was printed must do.
            ((None, "", "ERROR: Please run 'az login' to setup account."), "run 'az login'", Unavailable),
            ((None, "", "ERROR: boom"), "az failed (no exit code): ERROR: boom", Failed),
            ((None, "", ""), "is not the JSON of a token", Transient),
        ],
    );
}

#[test]
fn every_message_of_the_azure_developer_cli() {
    use ErrorKind::{Failed, Transient, Unavailable};
    let one = Some(1);
    judge(
        &AZD,
        vec![
            ((one, "", "ERROR: not logged in, run `azd auth login` to login"), "run 'azd auth login'", Unavailable),
            ((one, "", "ERROR: not logged in, run `azd login` to login"), "run 'azd auth login'", Unavailable),
            (
                (
                    one,
                    "",
                    r#"{"type":"consoleMessage","data":{"message":"\nERROR: fetching token: not logged in, run `azd auth login` to login\n"}}"#,
                ),
                "run 'azd auth login'",
                Unavailable,
            ),
            (
                (one, r#"{"error":"not logged in, run `azd auth login` to login","message":"m","suggestion":"s"}"#, ""),
                "run 'azd auth login'",
                Unavailable,
            ),
            ((one, "", "Error: unknown flag: --claims"), "update it to 1.18.1", Unavailable),
            // Each version's place for the reason.
            (
                (
                    one,
                    "",
                    "{\"type\":\"consoleMessage\",\"data\":{\"message\":\"\"}}\n{\"error\":\"AADSTS1: no\",\"suggestion\":\"Try x.\"}",
                ),
                "azd failed (exit code 1): AADSTS1: no; Try x.",
                Failed,
            ),
            ((one, "", r#"{"error":" AADSTS2: no ","message":"m"}"#), "(exit code 1): AADSTS2: no", Failed),
            ((one, r#"{"error":"AADSTS3: no"}"#, "canary"), "(exit code 1): AADSTS3: no", Failed),
            (
                (
                    one,
                    "",
                    r#"{"type":"consoleMessage","data":{"message":"ERROR: AADSTS4: not logged in, run `azd auth login`"}}"#,
                ),
                "(exit code 1): ERROR: AADSTS4",
                Failed,
            ),
            ((one, "", "plain boom"), "azd failed (exit code 1): plain boom", Failed),
            ((Some(0), r#"{"error":"AADSTS5: no"}"#, ""), "azd failed: AADSTS5: no", Failed),
            (
                (one, "", "ERROR: AADSTS50076: you must use multi-factor authentication to access x"),
                "to access x; run: azd auth login --scope https://storage.azure.com/.default",
                Failed,
            ),
            ((one, "", r#"{"error":"AADSTS6: reauthentication required"}"#), "required; run: azd auth login", Failed),
            ((one, "", r#"{"error":"{\"token\":\"canary\"}"}"#), "***", Failed),
            ((Some(127), "", ""), "exit code 127", Unavailable),
            ((Some(0), "canary", "canary"), "is not the JSON of a token", Transient),
            ((Some(0), r#"{"token":"canary"}"#, ""), "has no readable expiresOn", Transient),
            ((None, "", "ERROR: not logged in, run `azd auth login` to login"), "run 'azd auth login'", Unavailable),
        ],
    );
}

#[test]
fn every_message_of_azure_powershell() {
    use ErrorKind::{Failed, Transient, Unavailable};
    let one = Some(1);
    judge(
        &POWERSHELL,
        vec![
            ((Some(0), "NO_AZ_ACCOUNT_MODULE\n", ""), "run 'Install-Module Az.Accounts'", Unavailable),
            ((Some(0), "AZ_ACCOUNTS_MODULE_TOO_OLD\n", ""), "older than 2.2.0", Unavailable),
            ((None, "NO_AZ_ACCOUNT_MODULE\n", ""), "is not installed", Unavailable),
            (
                (
                    one,
                    "",
                    "The specified module 'Az.Accounts' with version '2.2.0' was not loaded because no valid module file was \
                     found in any module directory.",
                ),
                "Install-Module",
                Unavailable,
            ),
            ((one, "", "Run Connect-AzAccount to login."), "run 'Connect-AzAccount'", Unavailable),
            (
                (one, "", "\u{1b}[31;1mGet-AzAccessToken: \u{1b}[0mRun Connect-AzAccount to login.\u{1b}[0m"),
                "run 'Connect-AzAccount'",
                Unavailable,
            ),
            ((one, "", "AuthorizationManager check failed."), "execution policy", Unavailable),
            (
                (one, "", "AADSTS7: no. Run Connect-AzAccount to login."),
                "pwsh failed (exit code 1): AADSTS7: no.",
                Failed,
            ),
            ((one, "", "\u{1b}[31mboom\u{1b}[0m"), "(exit code 1): boom", Failed),
            ((one, "azsdk%canary%1700003600", ""), "it printed no reason", Failed),
            ((Some(127), "", ""), "exit code 127", Unavailable),
            ((Some(0), "canary", "canary"), "has no line with a token", Transient),
            ((Some(0), "azsdk%canary%soon", ""), "has an unreadable expiry", Transient),
        ],
    );
}
