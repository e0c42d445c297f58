//! What the developer tools are asked and what is made of their answers, in a world of its own.
#![expect(clippy::unwrap_used, reason = "the tables' own helpers")]

mod messages;

use std::sync::Arc;

use azcred::fake::Fake;
use azcred::{AccessToken, Credential, Error, ErrorKind, Output, Peek, ProcessError, Spelling, TokenRequest, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const SCOPE: &str = "https://storage.azure.com/.default";

/// A tool: its credential, its program, and what it prints with a token.
struct Tool {
    credential: &'static str,
    program: &'static str,
    good: &'static str,
}

const AZ: Tool = Tool {
    credential: "AzureCliCredential",
    program: "az",
    good: r#"{"accessToken":"tok","expires_on":1700003600,"tenant":"t"}"#,
};
const POWERSHELL: Tool =
    Tool { credential: "AzurePowerShellCredential", program: "pwsh", good: "\nazsdk%tok%1700003600\n\n" };
const AZD: Tool = Tool {
    credential: "AzureDeveloperCliCredential",
    program: "azd",
    good: r#"{"token":"tok","expiresOn":"2023-11-14T23:13:20Z"}"#,
};
const TOOLS: [Tool; 3] = [AZ, POWERSHELL, AZD];

/// What a program did: exit code, standard output, standard error.
type Did = (Option<i32>, &'static str, &'static str);

fn output((code, stdout, stderr): Did) -> Output {
    Output { code, stdout: stdout.as_bytes().to_vec().into(), stderr: stderr.into() }
}

impl Tool {
    /// Its credential in a world where it is installed.
    fn installed(&self, options: &[(&str, Value)]) -> (Result<Credential, Error>, Fake) {
        let (world, fake) = Fake::world();
        fake.set("PATH", ".:relative::/opt/bin:/usr/bin");
        for folder in ["/usr/bin", ".", "relative"] {
            fake.write(&format!("{folder}/{}", self.program), "");
        }
        let good = self.good;
        fake.program(move |_| Ok(output((Some(0), good, ""))));
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        (Credential::in_world(world, self.credential, options, Spelling::Snake), fake)
    }

    /// What comes of a run, by name and in the default chain.
    fn run(
        &self,
        run: impl Fn() -> Result<Output, ProcessError> + Send + Sync + 'static,
    ) -> [Result<AccessToken, Error>; 2] {
        let run = Arc::new(run);
        [self.credential, "DefaultAzureCredential"].map(|name| {
            let (world, fake) = Fake::world();
            fake.set("PATH", "/usr/bin");
            fake.set("AZURE_TOKEN_CREDENTIALS", self.credential);
            fake.write(&format!("/usr/bin/{}", self.program), "");
            let run = Arc::clone(&run);
            fake.program(move |_| run());
            ask(&Credential::in_world(world, name, Vec::new(), Spelling::Snake).unwrap())
        })
    }
}

fn ask(credential: &Credential) -> Result<AccessToken, Error> {
    credential.get_token(&TokenRequest::scope(SCOPE))
}

#[test]
fn a_tool_gets_an_argument_vector() {
    let options = [("tenant_id", Value::text("t.example")), ("process_timeout", Value::Int(7))];
    for tool in TOOLS {
        let (credential, fake) = tool.installed(&options);
        let token = ask(&credential.unwrap()).unwrap();
        assert_eq!((token.secret(), token.expires_on()), ("tok", 1_700_003_600), "{}", tool.credential);
        assert_eq!(token.provenance().credential, tool.credential);
        assert_eq!(token.provenance().tenant_id.as_deref(), Some("t.example"));
        let ran = fake.ran();
        let [command] = ran.as_slice() else { panic!("{ran:?}") };
        assert_eq!(command.program.to_str().unwrap(), format!("/usr/bin/{}", tool.program), "absolute entries only");
        assert_eq!(command.timeout.as_secs(), 7);
        let arguments: Vec<&str> = command.arguments.iter().map(String::as_str).collect();
        let resource = "https://storage.azure.com";
        match tool.program {
            "az" => assert_eq!(
                arguments,
                ["account", "get-access-token", "--output", "json", "--resource", resource, "--tenant", "t.example"]
            ),
            "azd" => assert_eq!(
                arguments,
                ["auth", "token", "--output", "json", "--no-prompt", "--scope", SCOPE, "--tenant-id", "t.example"]
            ),
            _ => assert_eq!(&arguments[..3], ["-NoProfile", "-NonInteractive", "-EncodedCommand"]),
        }
    }
}

#[test]
fn the_azure_cli_takes_a_subscription() {
    let (credential, fake) = AZ.installed(&[("subscription", Value::text("my sub"))]);
    let token = ask(&credential.unwrap()).unwrap();
    assert_eq!(token.provenance().tenant_id.as_deref(), Some("t"), "as az said");
    assert!(fake.ran().first().unwrap().arguments.ends_with(&["--subscription".to_owned(), "my sub".to_owned()]));
}

#[test]
fn powershell_gets_its_values_by_the_environment() {
    let script = |tenant: &str, scope: &str| {
        let (credential, fake) = POWERSHELL.installed(&[("tenant_id", Value::text(tenant))]);
        credential.unwrap().get_token(&TokenRequest::scope(scope)).unwrap();
        let command = fake.ran().pop().unwrap();
        let bytes = STANDARD.decode(command.arguments.last().unwrap()).unwrap();
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        (String::from_utf16(&units).unwrap(), command.environment)
    };
    let (one, environment) = script("t.example", SCOPE);
    assert!(one.contains("Get-AzAccessToken @arguments") && one.contains("azsdk%"), "{one}");
    assert!(!one.contains("t.example") && !one.contains("storage"));
    assert_eq!(
        environment,
        [
            ("AZURE_IDENTITY_POWERSHELL_RESOURCE", "https://storage.azure.com".to_owned()),
            ("AZURE_IDENTITY_POWERSHELL_TENANT_ID", "t.example".to_owned()),
            ("POWERSHELL_UPDATECHECK", "Off".to_owned()),
            ("NO_COLOR", "true".to_owned()),
        ]
    );
    let (other, environment) = script("", "https://vault.azure.net/.default");
    assert_eq!(one, other);
    // An inherited value must not become the tenant.
    assert_eq!(environment.get(1), Some(&("AZURE_IDENTITY_POWERSHELL_TENANT_ID", String::new())));
}

#[test]
fn only_azd_takes_several_scopes_and_claims() {
    let scopes = vec!["https://b.example/.default".to_owned(), "https://a.example/read".to_owned()];
    let request = TokenRequest { scopes, claims: Some("{\"a\":\"ÿ>\"}".into()), ..TokenRequest::default() };
    let (credential, fake) = AZD.installed(&[]);
    credential.unwrap().get_token(&request).unwrap();
    let arguments = fake.ran().pop().unwrap().arguments.join(" ");
    assert_eq!(
        arguments,
        "auth token --output json --no-prompt --scope https://b.example/.default --scope https://a.example/read \
         --claims eyJhIjoiw78+In0="
    );
    for (tool, login) in [
        (AZ, format!("az login --claims-challenge e30= --scope {SCOPE} --tenant t.example")),
        (POWERSHELL, "Connect-AzAccount -ClaimsChallenge e30= -Tenant t.example".to_owned()),
    ] {
        let (credential, fake) = tool.installed(&[]);
        let credential = credential.unwrap();
        assert_eq!(credential.get_token(&request).unwrap_err().kind(), ErrorKind::InvalidArgument);
        let challenged = TokenRequest {
            claims: Some("{}".into()),
            tenant_id: Some("t.example".into()),
            ..TokenRequest::scope(SCOPE)
        };
        let error = credential.get_token(&challenged).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.message().ends_with(&login), "{error}");
        assert!(fake.ran().is_empty());
    }
}

#[test]
fn what_could_be_read_as_something_else_runs_nothing() {
    let attacks = [
        "-h",
        "--help",
        "-",
        "a;id",
        "a id",
        "a\nid",
        "a\rid",
        "a`id`",
        "$(id)",
        "a&id",
        "a|id",
        "a>b",
        "a<b",
        "a'b",
        "a\"b",
        "a%PATH%",
        "a!b",
        "a^b",
        "a\\b",
        "a\0b",
        "tené",
        "\u{430}bc",
        "a*",
        "a?b",
        "a#b",
        "{a}",
        "a,b",
        "a=b",
        "a@b",
        "a(b)",
        "a\u{202e}b",
        "\u{ff0d}h",
    ];
    for tool in TOOLS {
        for attack in attacks {
            let (credential, fake) = tool.installed(&[]);
            let credential = credential.unwrap();
            let scoped = TokenRequest::scope(attack);
            let default = TokenRequest::scope(format!("{attack}/.default"));
            let tenant = TokenRequest { tenant_id: Some(attack.into()), ..TokenRequest::scope(SCOPE) };
            let claims = TokenRequest { claims: Some("{}".into()), ..scoped.clone() };
            for request in [scoped, default, tenant, claims] {
                let error = credential.get_token(&request).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{} {attack:?}: {error}", tool.credential);
                assert!(!error.message().contains(['\n', '\r', '\0', '\u{202e}']), "{error}");
            }
            for option in ["tenant_id", "subscription"] {
                let options = [(option, Value::text(attack))];
                // A subscription may hold blanks.
                if (option, attack) == ("subscription", "a id") {
                    continue;
                }
                let error = tool.installed(&options).0.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidConfiguration, "{option} {attack:?}: {error}");
            }
            let list = [("additionally_allowed_tenants", Value::List(vec![Value::text(attack)]))];
            if attack != "*" {
                assert_eq!(tool.installed(&list).0.unwrap_err().kind(), ErrorKind::InvalidConfiguration);
            }
            assert!(fake.ran().is_empty(), "{attack:?}");
        }
    }
}

#[test]
fn the_tenant_rules() {
    let own = [("tenant_id", Value::text("own.example"))];
    let all = Value::List(vec![Value::text("*")]);
    let more = [("tenant_id", Value::text("own.example")), ("additionally_allowed_tenants", all)];
    for tool in TOOLS {
        for (options, asked, expected) in [
            (&[][..], None, None),
            (&[][..], Some("other.example"), Some("other.example")),
            (&own[..], None, Some("own.example")),
            (&own[..], Some("OWN.example"), Some("own.example")),
            (&own[..], Some("other.example"), Some("refused")),
            (&more[..], Some("other.example"), Some("other.example")),
        ] {
            let (credential, fake) = tool.installed(options);
            let request = TokenRequest { tenant_id: asked.map(str::to_owned), ..TokenRequest::scope(SCOPE) };
            let answer = credential.unwrap().get_token(&request);
            if expected == Some("refused") {
                let error = answer.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
                assert!(error.message().contains("additionally_allowed_tenants") && fake.ran().is_empty());
                continue;
            }
            answer.unwrap();
            let command = fake.ran().pop().unwrap();
            let given = command.environment.iter().map(|(name, value)| (*name, value.as_str()));
            let by_environment = given.into_iter().find(|(name, _)| *name == "AZURE_IDENTITY_POWERSHELL_TENANT_ID");
            let at = command.arguments.iter().position(|argument| argument.starts_with("--tenant"));
            let by_argument = at.and_then(|at| command.arguments.get(at + 1)).map(String::as_str);
            let tenant = by_argument.or(by_environment.map(|(_, value)| value).filter(|value| !value.is_empty()));
            assert_eq!(tenant, expected, "{}", tool.credential);
        }
    }
}

/// A run that gives no output.
type Fault = fn() -> ProcessError;

#[test]
fn tools_that_hang_flood_or_vanish() {
    use ErrorKind::{Transient, Unavailable};
    let faults: [(Fault, &str, ErrorKind, ErrorKind); 5] = [
        (|| ProcessError::TimedOut, "did not answer within 10 s; the option process_timeout", Transient, Unavailable),
        (|| ProcessError::TooMuchOutput, "is larger than a token can be", Transient, Unavailable),
        (|| ProcessError::Start(std::io::ErrorKind::NotFound.into()), "could not be started", Unavailable, Unavailable),
        (
            || ProcessError::Start(std::io::ErrorKind::PermissionDenied.into()),
            "could not be started",
            Unavailable,
            Unavailable,
        ),
        (|| ProcessError::Start(std::io::ErrorKind::OutOfMemory.into()), "could not be started", Transient, Transient),
    ];
    for tool in TOOLS {
        for (fault, words, alone, in_chain) in faults {
            let [by_name, in_default] = tool.run(move || Err(fault()));
            let error = by_name.unwrap_err();
            assert_eq!(error.kind(), alone, "{error}");
            assert!(error.message().contains(words), "{error}");
            assert_eq!(in_default.unwrap_err().kind(), in_chain);
        }
    }
}

#[test]
fn what_is_not_on_an_absolute_path_is_not_there() {
    for tool in TOOLS {
        for path in ["", ".", "relative", "relative::.", "~/bin"] {
            let (credential, fake) = tool.installed(&[]);
            fake.set("PATH", path);
            fake.write(&format!("~/bin/{}", tool.program), "");
            let error = ask(&credential.unwrap()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert!(error.message().contains("was not found on PATH; install it from https://aka.ms/"), "{error}");
            assert!(fake.ran().is_empty());
        }
    }
}

#[test]
fn complete_output_counts_when_the_exit_code_is_lost() {
    for tool in TOOLS {
        let good = tool.good;
        for answer in tool.run(move || Ok(output((None, good, "WARNING: old")))) {
            assert_eq!(answer.unwrap().secret(), "tok");
        }
    }
}

#[test]
fn another_login_is_another_identity() {
    for (tool, variable) in
        [(AZ, "AZURE_CONFIG_DIR"), (AZD, "AZD_CONFIG_DIR"), (AZD, "AZURE_CONFIG_DIR"), (POWERSHELL, "HOME")]
    {
        let (world, fake) = Fake::world();
        fake.set("PATH", "/usr/bin");
        fake.write(&format!("/usr/bin/{}", tool.program), "");
        let good = tool.good;
        fake.program(move |_| Ok(output((Some(0), good, ""))));
        for profile in ["/one", "/two", "/two"] {
            fake.set(variable, profile);
            let credential = Credential::in_world(world.clone(), tool.credential, Vec::new(), Spelling::Snake);
            ask(&credential.unwrap()).unwrap();
        }
        assert_eq!(fake.ran().len(), 2);
    }
}

#[test]
fn the_default_chain_asks_the_tools_in_their_order() {
    let (world, fake) = Fake::world();
    fake.set("PATH", "/usr/bin");
    fake.set("AZURE_TOKEN_CREDENTIALS", "dev");
    for tool in TOOLS {
        fake.write(&format!("/usr/bin/{}", tool.program), "");
    }
    fake.program(|command| {
        let azd = command.program.ends_with("azd");
        Ok(output(if azd { (Some(0), AZD.good, "") } else { (Some(1), "", "ERROR: boom") }))
    });
    let options = vec![("tenant_id".to_owned(), Value::text("t")), ("process_timeout".to_owned(), Value::Int(3))];
    let credential = Credential::in_world(world, "DefaultAzureCredential", options, Spelling::Snake).unwrap();
    assert_eq!(ask(&credential).unwrap().provenance().source, "azure_developer_cli");
    let ran: Vec<String> = fake.ran().iter().map(|command| command.program.display().to_string()).collect();
    assert_eq!(ran, ["/usr/bin/az", "/usr/bin/pwsh", "/usr/bin/azd"]);
    assert!(fake.ran().iter().all(|command| command.timeout.as_secs() == 3));
}

#[test]
fn a_login_ends_the_error_before_it() {
    let logins = [
        (AZ, ("AZURE_CONFIG_DIR", "/c"), "/c/azureProfile.json"),
        (AZ, ("HOME", "/home/dev"), "/home/dev/.azure/azureProfile.json"),
        (POWERSHELL, ("HOME", "/home/dev"), "/home/dev/.Azure/AzureRmContext.json"),
        (AZD, ("HOME", "/home/dev"), "/home/dev/.azd/auth.json"),
        (AZD, ("AZD_CONFIG_DIR", "/c"), "/c/auth.json"),
    ];
    for (tool, (variable, folder), file) in logins {
        let (world, fake) = Fake::world();
        fake.set("PATH", "/usr/bin");
        fake.set(variable, folder);
        let credential = Credential::in_world(world, tool.credential, Vec::new(), Spelling::Snake).unwrap();
        let ask = || credential.get_token(&TokenRequest::scope(SCOPE));
        for _ in 0..2 {
            assert!(ask().unwrap_err().message().contains("was not found on PATH"));
        }
        fake.write(&format!("/usr/bin/{}", tool.program), "");
        fake.program(|_| Ok(output((Some(1), "", "Please run az login, azd auth login or Connect-AzAccount"))));
        for _ in 0..2 {
            assert!(!ask().unwrap_err().message().contains("was not found on PATH"), "installed meanwhile");
        }
        assert_eq!(fake.ran().len(), 1, "{file}: the answer of a moment ago stands");
        fake.program(move |_| Ok(output((Some(0), tool.good, ""))));
        fake.write(file, "somebody");
        assert_eq!(ask().unwrap().secret(), "tok", "{file}");
    }
}

#[test]
fn another_login_ends_the_token_of_the_one_before_within_a_second() {
    for (tool, file) in [(AZ, "azureProfile.json"), (POWERSHELL, "AzureRmContext.json"), (AZD, "config.json")] {
        for name in [tool.credential, "DefaultAzureCredential"] {
            let (world, fake) = Fake::world();
            fake.set("PATH", "/usr/bin");
            fake.set("HOME", "/home/me");
            fake.write(&format!("/usr/bin/{}", tool.program), "");
            let folder = match tool.program {
                "az" => ".azure",
                "azd" => ".azd",
                _ => ".Azure",
            };
            let profile = format!("/home/me/{folder}/{file}");
            fake.write(&profile, "somebody");
            fake.program(move |_| Ok(output((Some(0), tool.good, ""))));
            let credential = Credential::in_world(world, name, Vec::new(), Spelling::Snake).unwrap();
            let peek = Peek { scopes: &[SCOPE], ..Peek::default() };
            ask(&credential).unwrap();
            let lease = credential.lease(&peek).unwrap();
            fake.advance(1);
            assert!(lease.is_current() && credential.peek(&peek).is_some());
            // Written again, as it was: nobody else signed in.
            fake.write(&profile, "somebody");
            fake.advance(1);
            assert!(lease.is_current());
            fake.write(&profile, "somebody else");
            assert!(credential.peek(&peek).is_some(), "within the second");
            fake.advance(1);
            assert!(!lease.is_current(), "{name} {}", tool.program);
            assert!(credential.peek(&peek).is_none());
            ask(&credential).unwrap();
            assert_eq!(fake.ran().len(), 2, "{name} {}", tool.program);
        }
    }
}
