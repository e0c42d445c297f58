//! Chains: who is asked, who goes on, who stays the winner, and what the report says.

use azcred::fake::{Fake, answer};
use azcred::http::{HttpError, HttpFault};
use azcred::{Credential, ErrorKind, Output, Spelling, TokenRequest, Value, World};
use base64::Engine as _;

const SCOPE: &str = "https://storage.azure.com/.default";

fn default_chain(world: &World, options: &[(&str, Value)]) -> Result<Credential, azcred::Error> {
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Credential::in_world(world.clone(), "DefaultAzureCredential", options, Spelling::Snake)
}

/// A token of one object id that lives for a while.
fn token_of(oid: &str) -> String {
    let claims = format!(r#"{{"tid":"t","oid":"{oid}"}}"#);
    format!("h.{}.s", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims))
}

fn az_speaks_for(fake: &Fake, oid: &'static str) {
    fake.set("PATH", "/usr/bin");
    fake.write("/usr/bin/az", "");
    let hands = fake.clone();
    fake.program(move |_| {
        let json = format!(r#"{{"accessToken":"{}","expires_on":{}}}"#, token_of(oid), hands.now() + 3600);
        Ok(Output { code: Some(0), stdout: json.into_bytes().into(), stderr: Vec::new() })
    });
}

#[test]
fn the_report_has_a_line_for_each_member() {
    let (world, _) = Fake::world();
    let error = default_chain(&world, &[]).unwrap().get_token(&TokenRequest::scope(SCOPE)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(
        error.message(),
        "DefaultAzureCredential failed to retrieve a token from the included credentials.\n\
         Attempted credentials:\n\
         \tEnvironmentCredential: the environment is not fully configured: AZURE_TENANT_ID, AZURE_CLIENT_ID, \
         AZURE_CLIENT_SECRET missing (set: none of them)\n\
         \tWorkloadIdentityCredential: AZURE_FEDERATED_TOKEN_FILE is not set\n\
         \tManagedIdentityCredential: the instance metadata service (IMDS) is not here: no answer within 200 ms: connection \
         refused\n\
         \tAzureCliCredential: Azure CLI (az) was not found on PATH; install it from https://aka.ms/azure-cli\n\
         \tAzurePowerShellCredential: PowerShell (pwsh) was not found on PATH; install it from https://aka.ms/powershell\n\
         \tAzureDeveloperCliCredential: Azure Developer CLI (azd) was not found on PATH; install it from \
         https://aka.ms/azure-dev"
    );
    let names: Vec<_> = error.attempts().iter().map(|attempt| attempt.credential).collect();
    assert_eq!(
        names,
        [
            "EnvironmentCredential",
            "WorkloadIdentityCredential",
            "ManagedIdentityCredential",
            "AzureCliCredential",
            "AzurePowerShellCredential",
            "AzureDeveloperCliCredential"
        ]
    );
}

#[test]
fn a_refusal_stops_the_chain() {
    let (world, fake) = Fake::world();
    for (name, value) in [("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c"), ("AZURE_CLIENT_SECRET", "s")] {
        fake.set(name, value);
    }
    az_speaks_for(&fake, "developer");
    fake.answer(401, r#"{"error":"invalid_client","error_description":"AADSTS7000215: no"}"#);
    let error = default_chain(&world, &[]).unwrap().get_token(&TokenRequest::scope(SCOPE)).unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Failed, Some("invalid_client")));
    assert!(error.message().contains("AADSTS7000215"), "{error}");
    assert!(error.message().contains("AzureCliCredential: not tried"), "{error}");
    assert!(fake.ran().is_empty());
}

#[test]
fn a_pod_set_up_for_workload_identity_gets_no_other_identity() {
    let (world, fake) = Fake::world();
    fake.set("AZURE_FEDERATED_TOKEN_FILE", "/var/run/token");
    az_speaks_for(&fake, "developer");
    let error = default_chain(&world, &[]).unwrap().get_token(&TokenRequest::scope(SCOPE)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfiguration);
    assert!(fake.ran().is_empty());
}

#[test]
fn the_winner_stays_and_no_other_identity_takes_its_place() {
    let (world, fake) = Fake::world();
    az_speaks_for(&fake, "developer");
    let hands = fake.clone();
    fake.serve(move |request| {
        if request.headers.is_empty() {
            return Ok(answer(400, r#"{"error":"invalid_request"}"#));
        }
        let expires_on = hands.now() + 3600;
        Ok(answer(200, &format!(r#"{{"access_token":"{}","expires_on":{expires_on}}}"#, token_of("service"))))
    });
    let chain = default_chain(&world, &[]).unwrap();
    assert_eq!(chain.get_token(&TokenRequest::scope(SCOPE)).unwrap().provenance().source, "imds");
    fake.serve(|_| Err(HttpError { fault: HttpFault::Connect, message: "connection refused".into() }));
    fake.advance(3600);
    let error = chain.get_token(&TokenRequest::scope(SCOPE)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("ManagedIdentityCredential gave this program its tokens"), "{error}");
    // A second chain of the same members is no way around it, neither for its own caller nor for the first.
    let second = default_chain(&world, &[]).unwrap();
    assert_eq!(second.get_token(&TokenRequest::scope(SCOPE)).unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(chain.get_token(&TokenRequest::scope(SCOPE)).unwrap_err().kind(), ErrorKind::Unavailable);
    // The same identity by another way will do.
    az_speaks_for(&fake, "service");
    assert_eq!(chain.get_token(&TokenRequest::scope(SCOPE)).unwrap().provenance().source, "azure_cli");
}

/// A value of `AZURE_TOKEN_CREDENTIALS`, options, and who is asked then.
type Given<'a> = (&'a str, Vec<(&'a str, Value)>, &'a [&'a str]);

#[test]
fn a_request_that_imds_refuses_is_not_asked_of_somebody_else() {
    let (world, fake) = Fake::world();
    fake.set("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1");
    az_speaks_for(&fake, "developer");
    fake.answer(400, r#"{"error":"invalid_resource","error_description":"AADSTS500011: no such resource"}"#);
    let error = default_chain(&world, &[]).unwrap().get_token(&TokenRequest::scope(SCOPE)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.message().contains("AADSTS500011") && !error.message().contains("system-assigned"), "{error}");
    assert!(fake.ran().is_empty());
}

#[test]
fn somebody_elses_metadata_service_is_not_imds() {
    let (world, fake) = Fake::world();
    fake.answer(404, "<html>another cloud</html>");
    let error = default_chain(&world, &[]).unwrap().get_token(&TokenRequest::scope(SCOPE)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("HTTP 404 is not its answer to a probe"), "{error}");
    assert_eq!(fake.sent().len(), 1, "one probe, no retries");
    // On Azure any answer is its own.
    fake.write("/sys/class/dmi/id/chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77");
    fake.answer(429, "");
    let error = default_chain(&world, &[]).unwrap().get_token(&TokenRequest::scope("x")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transient);
}

#[test]
fn options_for_members_that_are_not_there() {
    let (world, _) = Fake::world();
    assert!(default_chain(&world, &[("exclude_powershell_credential", Value::Bool(true))]).is_ok());
    assert!(default_chain(&world, &[("shared_cache_username", Value::text("me"))]).is_ok());
    let error = default_chain(&world, &[("exclude_broker_credential", Value::Bool(false))]).unwrap_err();
    assert!(error.message().contains("option exclude_broker_credential is not supported"), "{error}");
}

#[test]
fn members_are_selected_by_variable_and_by_option() {
    let all =
        ["Environment", "WorkloadIdentity", "ManagedIdentity", "AzureCli", "AzurePowerShell", "AzureDeveloperCli"];
    let no = || Value::Bool(true);
    let yes = || Value::Bool(false);
    let cases: Vec<Given<'_>> = vec![
        ("", vec![], &all),
        ("prod", vec![], &all[..3]),
        (" DEV ", vec![], &all[3..]),
        ("azureclicredential", vec![], &all[3..4]),
        ("AzurePowerShellCredential", vec![], &all[4..5]),
        ("azuredeveloperclicredential", vec![], &all[5..]),
        ("dev", vec![("exclude_powershell_credential", no()), ("exclude_developer_cli_credential", no())], &all[3..4]),
        ("ManagedIdentityCredential", vec![], &all[2..3]),
        ("prod", vec![("exclude_cli_credential", yes())], &all[..4]),
        ("prod", vec![("exclude_environment_credential", no())], &all[1..3]),
        (
            "",
            vec![("exclude_managed_identity_credential", no()), ("exclude_workload_identity_credential", no())],
            &["Environment", "AzureCli", "AzurePowerShell", "AzureDeveloperCli"],
        ),
    ];
    for (variable, options, expected) in cases {
        let (world, fake) = Fake::world();
        fake.set("AZURE_TOKEN_CREDENTIALS", variable);
        let error = default_chain(&world, &options).unwrap().get_token(&TokenRequest::scope(SCOPE)).unwrap_err();
        let asked: Vec<_> =
            error.attempts().iter().map(|attempt| attempt.credential.trim_end_matches("Credential")).collect();
        assert_eq!(asked, expected, "{variable} {options:?}");
    }
    let (world, fake) = Fake::world();
    fake.set("AZURE_TOKEN_CREDENTIALS", "staging");
    let error = default_chain(&world, &[]).unwrap_err();
    assert!(error.message().contains("AZURE_TOKEN_CREDENTIALS: expected dev, prod, "), "{error}");
    assert!(error.message().ends_with("got 'staging'"), "{error}");
    let (world, _) = Fake::world();
    let error = default_chain(&world, &[("require_envvar", no())]).unwrap_err();
    assert!(error.message().contains("AZURE_TOKEN_CREDENTIALS is required"), "{error}");
}

#[test]
fn the_managed_identity_of_the_chain() {
    let cases: Vec<(Vec<(&str, Value)>, &str)> = vec![
        (vec![], "&client_id=from-env"),
        (vec![("managed_identity_client_id", Value::text("given"))], "&client_id=given"),
        (vec![("managed_identity_client_id", Value::Null)], ""),
        (vec![("managed_identity_resource_id", Value::text("/r"))], "&msi_res_id=%2Fr"),
        (vec![("managed_identity_object_id", Value::text("o"))], "&object_id=o"),
    ];
    for (options, expected) in cases {
        let (world, fake) = Fake::world();
        fake.set("AZURE_CLIENT_ID", "from-env");
        fake.set("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1");
        fake.answer(200, r#"{"access_token":"t","expires_in":3600}"#);
        default_chain(&world, &options).unwrap().get_token(&TokenRequest::scope(SCOPE)).unwrap();
        let sent = fake.sent();
        assert!(sent[0].ends_with(&format!("storage.azure.com{expected}")), "{sent:?}");
    }
}

#[test]
fn the_probe_is_patient_on_azure_and_quick_elsewhere() {
    for (tag, patience) in [("7783-7084-3265-9085-8269-3286-77\n", 3000), ("To be filled by O.E.M.\n", 200)] {
        let (world, fake) = Fake::world();
        fake.write("/sys/class/dmi/id/chassis_asset_tag", tag);
        fake.serve(move |request| {
            assert!(request.headers.is_empty(), "a probe earns no token");
            assert_eq!(request.timeout.as_millis(), patience);
            Err(HttpError { fault: HttpFault::Timeout, message: "timed out".into() })
        });
        default_chain(&world, &[]).unwrap().get_token(&TokenRequest::scope(SCOPE)).unwrap_err();
        assert_eq!(fake.sent().len(), 1, "one probe, no retries");
    }
}
