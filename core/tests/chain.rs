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
         \tWorkloadIdentityCredential: workload identity is not fully configured: tenant_id (AZURE_TENANT_ID), client_id \
         (AZURE_CLIENT_ID), token_file_path (AZURE_FEDERATED_TOKEN_FILE) missing\n\
         \tManagedIdentityCredential: the instance metadata service (IMDS) is not here: no answer: connection refused\n\
         \tSharedTokenCacheCredential: the cache that Microsoft's applications share holds their refresh tokens, and azcred \
         does not use those; sign in with 'az login', 'azd auth login' or Azure PowerShell\n\
         \tVisualStudioCodeCredential: the login of Visual Studio Code is kept by the operating system's broker, and azcred \
         does not ask that; sign in with 'az login', 'azd auth login' or Azure PowerShell\n\
         \tAzureCliCredential: Azure CLI (az) was not found on PATH; install it from https://aka.ms/azure-cli\n\
         \tAzurePowerShellCredential: PowerShell (pwsh) was not found on PATH; install it from https://aka.ms/powershell\n\
         \tAzureDeveloperCliCredential: Azure Developer CLI (azd) was not found on PATH; install it from \
         https://aka.ms/azure-dev\n\
         \tBrokerCredential: azcred does not ask the operating system's broker (Web Account Manager); sign in with 'az \
         login', 'azd auth login' or Azure PowerShell"
    );
    let names: Vec<_> = error.attempts().iter().map(|attempt| attempt.credential).collect();
    assert_eq!(
        names,
        [
            "EnvironmentCredential",
            "WorkloadIdentityCredential",
            "ManagedIdentityCredential",
            "SharedTokenCacheCredential",
            "VisualStudioCodeCredential",
            "AzureCliCredential",
            "AzurePowerShellCredential",
            "AzureDeveloperCliCredential",
            "BrokerCredential"
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
    for (name, value) in
        [("AZURE_FEDERATED_TOKEN_FILE", "/token"), ("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "pod")]
    {
        fake.set(name, value);
    }
    az_speaks_for(&fake, "developer");
    let chain = default_chain(&world, &[]).unwrap();
    let error = chain.get_token(&TokenRequest::scope(SCOPE)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transient, "{error}");
    assert!(error.message().contains("the federated token file /token can't be read"), "{error}");
    assert!(fake.ran().is_empty());
    // Its token comes from whichever member is there: the identity is one.
    fake.write("/token", "a.b.c");
    fake.answer(200, r#"{"access_token":"tok","expires_in":3600}"#);
    let token = chain.get_token(&TokenRequest::scope(SCOPE)).unwrap();
    assert_eq!(token.provenance().credential, "WorkloadIdentityCredential");
    assert_eq!(token.provenance().client_id.as_deref(), Some("pod"));
    let options: [(&str, Option<&str>, &str); 3] = [
        ("workload_identity_client_id", Some("named"), "client_id=named&"),
        ("managed_identity_client_id", Some("ours"), "client_id=ours&"),
        ("workload_identity_tenant_id", Some("elsewhere"), "/elsewhere/oauth2/v2.0/token"),
    ];
    for (option, value, expected) in options {
        let value = value.map_or(Value::Null, Value::text);
        let chain = default_chain(&world, &[(option, value)]).unwrap();
        chain.get_token(&TokenRequest::scope(SCOPE)).unwrap();
        assert!(fake.sent().last().unwrap().contains(expected), "{option}: {:?}", fake.sent().last());
    }
}

#[test]
fn a_tenant_that_is_none_is_named_where_it_was_given() {
    let (world, fake) = Fake::world();
    for option in ["workload_identity_tenant_id", "interactive_browser_tenant_id"] {
        let error = default_chain(&world, &[(option, Value::text("t/../x?y"))]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfiguration);
        let expected = format!("DefaultAzureCredential: option {option}: malformed tenant 't/../x?y'");
        assert!(error.message().starts_with(&expected), "{error}");
    }
    fake.set("AZURE_TENANT_ID", "t/../x?y");
    fake.set("AZURE_TOKEN_CREDENTIALS", "InteractiveBrowserCredential");
    let error = default_chain(&world, &[]).unwrap_err();
    assert!(error.message().contains("AZURE_TENANT_ID: malformed tenant 't/../x?y'"), "{error}");
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
    fake.advance(5);
    assert_eq!(chain.get_token(&TokenRequest::scope(SCOPE)).unwrap().provenance().source, "azure_cli");
}

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
fn options_for_members_that_give_no_tokens() {
    let (world, fake) = Fake::world();
    for name in [
        "shared_cache_username",
        "shared_cache_tenant_id",
        "visual_studio_code_tenant_id",
        "broker_client_id",
        "broker_tenant_id",
    ] {
        assert!(default_chain(&world, &[(name, Value::text("me"))]).is_ok(), "{name}");
    }
    let error = default_chain(&world, &[("exclude_broker_credential", Value::text("yes"))]).unwrap_err();
    assert!(error.message().contains("option exclude_broker_credential: expected a boolean, got text"), "{error}");
    let options = vec![("excludeBrokerCredential".to_owned(), Value::Bool(true))];
    let chain = Credential::in_world(world.clone(), "DefaultAzureCredential", options, Spelling::Camel).unwrap();
    let error = chain.get_token(&TokenRequest::scope(SCOPE)).unwrap_err();
    assert!(!error.message().contains("BrokerCredential"), "{error}");
    assert_eq!(fake.ran().len(), 0);
}

#[test]
fn a_member_that_gives_no_tokens_is_also_a_credential() {
    let (world, fake) = Fake::world();
    for (name, option) in [("SharedTokenCacheCredential", "username"), ("VisualStudioCodeCredential", "tenant_id")] {
        let make = |value| Credential::in_world(world.clone(), name, vec![(option.to_owned(), value)], Spelling::Snake);
        let error = make(Value::Int(5)).unwrap_err();
        assert!(error.message().contains(&format!("option {option}: expected a string")), "{error}");
        let mut request = TokenRequest::scope(SCOPE);
        request.tenant_id = Some("another".to_owned());
        let error = make(Value::text("given")).unwrap().get_token(&request).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.message().starts_with(&format!("{name}: ")) && error.message().contains("az login"), "{error}");
    }
    assert!(fake.sent().is_empty() && fake.ran().is_empty());
}

/// Every member in the order of azure-identity: the first three are for production, the others for developers.
const ALL: [&str; 10] = [
    "Environment",
    "WorkloadIdentity",
    "ManagedIdentity",
    "SharedTokenCache",
    "VisualStudioCode",
    "AzureCli",
    "AzurePowerShell",
    "AzureDeveloperCli",
    "InteractiveBrowser",
    "Broker",
];

/// The option that leaves out the member at a place.
fn exclude(at: usize) -> &'static str {
    [
        "exclude_environment_credential",
        "exclude_workload_identity_credential",
        "exclude_managed_identity_credential",
        "exclude_shared_token_cache_credential",
        "exclude_visual_studio_code_credential",
        "exclude_cli_credential",
        "exclude_powershell_credential",
        "exclude_developer_cli_credential",
        "exclude_interactive_browser_credential",
        "exclude_broker_credential",
    ][at]
}

#[test]
fn members_are_selected_by_variable_and_by_option() {
    // The members that the chain asks, by their places.
    let asked = |variable: &str, options: &[(&str, Value)]| -> Vec<usize> {
        let (world, fake) = Fake::world();
        fake.set("AZURE_TOKEN_CREDENTIALS", variable);
        let error = default_chain(&world, options).unwrap().get_token(&TokenRequest::scope(SCOPE)).unwrap_err();
        let place = |name: &str| ALL.iter().position(|member| name == format!("{member}Credential")).unwrap();
        error.attempts().iter().map(|attempt| place(attempt.credential)).collect()
    };
    let selections: [(&str, &[usize]); 13] = [
        ("", &[0, 1, 2, 3, 4, 5, 6, 7, 9]),
        ("  ", &[0, 1, 2, 3, 4, 5, 6, 7, 9]),
        ("prod", &[0, 1, 2]),
        (" DEV ", &[3, 4, 5, 6, 7, 9]),
        ("environmentcredential", &[0]),
        ("WORKLOADIDENTITYCREDENTIAL", &[1]),
        ("ManagedIdentityCredential", &[2]),
        (" visualStudioCodeCredential", &[4]),
        ("azureclicredential", &[5]),
        ("AzurePowerShellCredential", &[6]),
        ("azuredeveloperclicredential\t", &[7]),
        ("InteractiveBrowserCredential", &[8]),
        ("Prod", &[0, 1, 2]),
    ];
    for (variable, selected) in selections {
        assert_eq!(asked(variable, &[]), selected, "{variable}");
        // An option beats the variable, whether it takes a member out or brings one in; `None` leaves it alone.
        for at in 0..ALL.len() {
            let mut without: Vec<usize> = selected.to_vec();
            without.retain(|member| *member != at);
            if !without.is_empty() {
                assert_eq!(asked(variable, &[(exclude(at), Value::Bool(true))]), without, "{variable} {}", exclude(at));
            }
            let mut with = without;
            with.push(at);
            with.sort_unstable();
            assert_eq!(asked(variable, &[(exclude(at), Value::Bool(false))]), with, "{variable} {}", exclude(at));
            assert_eq!(asked(variable, &[(exclude(at), Value::Null)]), selected, "{variable} {}", exclude(at));
        }
    }
    let both = [(exclude(6), Value::Bool(true)), (exclude(0), Value::Bool(false)), (exclude(9), Value::Bool(true))];
    assert_eq!(asked("dev", &both), [0, 3, 4, 5, 7]);
}

#[test]
fn selections_that_mean_nobody() {
    // As in azure-identity, which has no name for the members that need a library beside it.
    for wrong in ["staging", "dev,prod", "AzureCli", "sharedtokencachecredential", "BrokerCredential"] {
        let (world, fake) = Fake::world();
        fake.set("AZURE_TOKEN_CREDENTIALS", wrong);
        let error = default_chain(&world, &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfiguration);
        assert_eq!(
            error.message(),
            format!(
                "DefaultAzureCredential: AZURE_TOKEN_CREDENTIALS: expected dev, prod, EnvironmentCredential, \
                 WorkloadIdentityCredential, ManagedIdentityCredential, VisualStudioCodeCredential, AzureCliCredential, \
                 AzurePowerShellCredential, AzureDeveloperCliCredential, InteractiveBrowserCredential, got '{wrong}'"
            )
        );
    }
    let (world, _) = Fake::world();
    let error = default_chain(&world, &[("require_envvar", Value::Bool(true))]).unwrap_err();
    assert!(error.message().contains("AZURE_TOKEN_CREDENTIALS is required"), "{error}");
    let nobody: Vec<_> = (0..ALL.len()).map(|at| (exclude(at), Value::Bool(true))).collect();
    let error = default_chain(&world, &nobody).unwrap_err();
    assert_eq!(error.message(), "DefaultAzureCredential: expected at least one credential, got none");
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
