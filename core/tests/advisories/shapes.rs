//! Every shape of a 200, from every endpoint and tool: what is a token is read, what is none is said to be none.

use azcred::fake::Fake;
use azcred::{Credential, ErrorKind, Output, Spelling, TokenRequest};

use crate::stage::{Asker, BEFORE, GIVEN, GRANTS, HOSTS, SCOPE, device_code, says};

/// Times of a token, as JSON, and the life that they mean at Unix time 1,700,000,000.
const TIMES: [(&str, i64); 14] = [
    (r#""expires_on":1700003600"#, 3600),
    (r#""expires_on":"1700003600""#, 3600),
    (r#""expires_on":1700003600.7"#, 3600),
    (r#""expires_in":3600"#, 3600),
    (r#""expires_in":"3600""#, 3600),
    (r#""expires_in":3600.0"#, 3600),
    (r#""expires_in":"3600","expires_on":"""#, 3600),
    (r#""expires_in":3600,"expires_on":null"#, 3600),
    (r#""expires_on":"2023-11-14T23:13:20Z""#, 3600),
    (r#""expires_on":"2023-11-14T23:13:20.5+00:00""#, 3600),
    (r#""expires_on":"11/14/2023 23:13:20 +00:00""#, 3600),
    (r#""expires_on":"11/14/2023 11:13:20 PM +00:00""#, 3600),
    (r#""expires_on":"11/14/2023 23:13:20""#, 3600),
    (r#""expires_on":"junk","expires_in":61"#, 61),
];

/// Times that mean no token anybody could use.
const NO_TIMES: [&str; 22] = [
    r#""x":1"#,
    r#""expires_in":null,"expires_on":null"#,
    r#""expires_in":0"#,
    r#""expires_in":-1"#,
    r#""expires_in":"-3600""#,
    r#""expires_in":5"#,
    r#""expires_in":9223372036854775807"#,
    r#""expires_in":1e300"#,
    r#""expires_in":-1e300"#,
    r#""expires_in":"NaN""#,
    r#""expires_in":true"#,
    r#""expires_in":[3600]"#,
    r#""expires_on":1"#,
    r#""expires_on":-99999999999"#,
    r#""expires_on":1700003600000"#,
    r#""expires_on":"99999999999999999999""#,
    r#""expires_on":"13/40/2023 23:13:20 +00:00""#,
    r#""expires_on":"2023-02-30T00:00:00Z""#,
    r#""expires_on":"9999-12-31T23:59:59Z""#,
    r#""expires_on":{"canary":1}"#,
    r#""expires_on":"soon""#,
    r#""expires_on":"canary""#,
];

/// Bodies that hold no token at all.
fn bodies() -> Vec<Vec<u8>> {
    let texts = [
        "",
        " \r\n",
        "null",
        "true",
        "7",
        "\"songbird\"",
        "[]",
        "{}",
        "<html><body>canary</body></html>",
        "songbird",
        "access_token=songbird&expires_in=3600",
        r#"{"access_token":"songbird"#,
        r#"{"access_token":"songbird","expires_in":3600"#,
        r#"{"access_token":"songbird","expires_in":3600}}"#,
        r#"{"access_token":"songbird","expires_in":3600} {}"#,
        r#"{"access_token":"songbird","access_token":"songbird","expires_in":3600}"#,
        r#"[{"access_token":"songbird","expires_in":3600}]"#,
        r#"{"access_token":null,"expires_in":3600}"#,
        r#"{"access_token":"","expires_in":3600}"#,
        r#"{"access_token":7,"expires_in":3600}"#,
        r#"{"access_token":["songbird"],"expires_in":3600}"#,
        r#"{"access_token":"songbird\r\nx-evil: 1","expires_in":3600}"#,
        r#"{"access_token":"songbird\u0000","expires_in":3600}"#,
        r#"{"access_token":"songbird songbird","expires_in":3600}"#,
        r#"{"access_token":"songbirdé","expires_in":3600}"#,
        r#"{"Access_Token":"songbird","expires_in":3600}"#,
        r#"{"error":"invalid_client","error_description":"canary"}"#,
        "\u{feff}{\"access_token\":\"songbird\",\"expires_in\":3600}",
    ];
    let mut bodies: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    bodies.push(b"{\"access_token\":\"songbird\xff\",\"expires_in\":3600}".to_vec());
    bodies.push("{\"access_token\":\"songbird\"}".encode_utf16().flat_map(u16::to_le_bytes).collect());
    bodies.push(b"[".repeat(1 << 16));
    bodies.push(format!("{}7{}", "{\"a\":".repeat(5_000), "}".repeat(5_000)).into_bytes());
    bodies.push(vec![0; 1 << 16]);
    bodies
}

fn lives(asker: &Asker, body: &str, life: i64) {
    let (answer, fake) = asker.ask(says(200, &[], body.as_bytes()));
    let token = answer.unwrap_or_else(|error| panic!("{}: {body}: {error}", asker.title));
    // A device code is waited for.
    let passed = fake.now() - 1_700_000_000;
    let of = [life, life + passed];
    assert!(of.contains(&(token.expires_on() - 1_700_000_000)), "{}: {body}: {}", asker.title, token.expires_on());
}

fn dies(asker: &Asker, body: &[u8]) {
    let (answer, fake) = asker.ask(says(200, &[("content-type", "text/html")], body));
    let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
    let Err(error) = answer else { panic!("{}: {shown}: a token", asker.title) };
    let kinds = [ErrorKind::Transient, ErrorKind::Failed];
    assert!(kinds.contains(&error.kind()), "{}: {shown}: {error:?}", asker.title);
    // A device code's life is the longest that anything is asked again.
    assert!(fake.now() - 1_700_000_000 < 1000, "{}: {shown}", asker.title);
}

#[test]
fn every_token_endpoint_reads_every_form_of_time() {
    for asker in HOSTS.iter().chain(&GRANTS) {
        for (times, life) in TIMES {
            // What is said as a moment does not move with a clock.
            lives(asker, &format!(r#"{{"token_type":"Bearer",{times},"access_token":"tok"}}"#), life);
        }
    }
}

#[test]
fn no_token_endpoint_makes_a_token_of_anything_else() {
    for asker in HOSTS.iter().chain(&GRANTS) {
        for times in NO_TIMES {
            dies(asker, format!(r#"{{"access_token":"songbird","token_type":"Bearer",{times}}}"#).as_bytes());
        }
        for body in bodies() {
            dies(asker, &body);
        }
    }
}

#[test]
fn every_form_of_a_device_code() {
    let [asker, _] = BEFORE;
    for times in [
        r#""expires_in":900,"interval":5"#,
        r#""expires_in":"900","interval":"5""#,
        r#""expires_in":900.0"#,
        r#""expires_in":null,"interval":null"#,
        r#""expires_in":-1,"interval":-5"#,
        r#""expires_in":9223372036854775807,"interval":9223372036854775807"#,
        r#""expires_in":"never","interval":{}"#,
    ] {
        let (answer, fake) = asker.ask(says(200, &[], device_code(times).as_bytes()));
        assert_eq!(answer.unwrap().secret(), "tok", "{times}");
        assert!(fake.now() - 1_700_000_000 <= 60, "{times}: {} s between two questions", fake.now() - 1_700_000_000);
    }
    for body in [
        r#"{"device_code":7,"user_code":"u","verification_uri":"https://x"}"#,
        r#"{"device_code":"songbird","user_code":"","verification_uri":"https://x"}"#,
        r#"{"device_code":"songbird","user_code":"u","verification_uri":"http://x"}"#,
        r#"{"device_code":"songbird","user_code":"u","verification_uri":"javascript:alert(1)"}"#,
        r#"{"device_code":"songbird","user_code":"u","verification_uri":["https://x"]}"#,
    ] {
        dies(&asker, body.as_bytes());
    }
    for body in bodies() {
        dies(&asker, &body);
    }
}

#[test]
fn every_form_of_a_pipelines_assertion() {
    let [_, asker] = BEFORE;
    for body in [
        r#"{"oidcToken":null}"#,
        r#"{"oidcToken":""}"#,
        r#"{"oidcToken":7}"#,
        r#"{"oidcToken":{"songbird":1}}"#,
        r#"{"oidctoken":"songbird"}"#,
        r#"[{"oidcToken":"songbird"}]"#,
        r#"{"oidcToken":"songbird"#,
    ] {
        dies(&asker, body.as_bytes());
    }
    for body in bodies() {
        dies(&asker, &body);
    }
}

/// A developer tool, and what it prints around an expiry.
const TOOLS: [(&str, &str, &str, &str); 3] = [
    ("AzureCliCredential", "az", r#"{"accessToken":"songbird","expires_on":"#, r#","tenant":"t"}"#),
    ("AzureDeveloperCliCredential", "azd", r#"{"token":"songbird","expiresOn":"#, "}"),
    ("AzurePowerShellCredential", "pwsh", "azsdk%songbird%", "\n"),
];

/// Runs a tool that prints this and succeeds.
fn prints(credential: &str, program: &str, stdout: &[u8], stderr: &str) -> Result<i64, ErrorKind> {
    let (world, fake) = Fake::world();
    fake.set("PATH", "/usr/bin");
    fake.write(&format!("/usr/bin/{program}"), "");
    let (stdout, stderr) = (stdout.to_vec(), stderr.as_bytes().to_vec());
    fake.program(move |_| Ok(Output { code: Some(0), stdout: stdout.clone().into(), stderr: stderr.clone() }));
    let credential = Credential::in_world(world, credential, Vec::new(), Spelling::Snake).unwrap();
    let answer = credential.get_token(&TokenRequest::scope(SCOPE));
    answer.map(|token| token.expires_on()).map_err(|error| {
        let shown = format!("{error:?} {error}");
        assert!(!shown.contains(GIVEN) && error.message().len() < 1000, "{shown}");
        error.kind()
    })
}

#[test]
fn no_tool_makes_a_token_of_anything_else() {
    for (credential, program, before, after) in TOOLS {
        for body in bodies() {
            let kind = prints(credential, program, &body, "WARNING: old").unwrap_err();
            let shown = String::from_utf8_lossy(&body[..body.len().min(80)]);
            assert!(matches!(kind, ErrorKind::Transient | ErrorKind::Failed), "{credential}: {shown}: {kind:?}");
        }
        for expiry in NO_TIMES.iter().filter_map(|times| times.split_once(':')).map(|(_, expiry)| expiry) {
            // A small number is a moment long ago for all of them.
            let said = format!("{before}{expiry}{after}");
            let kind = prints(credential, program, said.as_bytes(), "").unwrap_err();
            assert!(matches!(kind, ErrorKind::Transient | ErrorKind::Failed), "{credential}: {said}: {kind:?}");
        }
    }
}

#[test]
fn every_tools_own_form_of_time_is_read_among_noise() {
    let good = ["1700003600", r#""2023-11-14T23:13:20Z""#, "1700003600"];
    for ((credential, program, before, after), expiry) in TOOLS.into_iter().zip(good) {
        for noise in ["", "\r\n\r\n", "WARNING: a new version\n"] {
            let said = format!("{noise}{before}{expiry}{after}\r\n");
            assert_eq!(
                prints(credential, program, said.as_bytes(), "noise"),
                Ok(1_700_003_600),
                "{credential}: {said}"
            );
        }
    }
}
