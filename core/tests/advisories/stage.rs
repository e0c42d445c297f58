//! Every credential that asks somebody, ready to ask, and the one request of it that is tampered with.

use std::collections::HashMap;
use std::sync::Arc;

use azcred::fake::{Answer, Fake, answer};
use azcred::http::{Request, Response};
use azcred::{AccessToken, Credential, Error, Function, Redirect, Secret, Spelling, TokenRequest, Value, World};

pub(crate) const SCOPE: &str = "https://storage.azure.com/.default";
pub(crate) const TOKEN: &str = r#"{"access_token":"tok","expires_in":3600}"#;
/// What is sent in confidence; a server may repeat it, and azcred may not.
pub(crate) const CANARY: &str = "canary";
/// What comes as a token, or as part of one.
pub(crate) const GIVEN: &str = "songbird";
pub(crate) const KEY: &str = include_str!("../fixtures/certificates/leaf.key");
pub(crate) const LEAF: &str = include_str!("../fixtures/certificates/leaf.crt");

const KEYS: &str = "/var/opt/azcmagent/tokens";

type Pairs = &'static [(&'static str, &'static str)];

/// What is asked for a token, or for something on the way to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Token,
    DeviceCode,
    Pipeline,
}

/// A credential, how it comes to be, and which of its requests is tampered with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker {
    pub(crate) title: &'static str,
    pub(crate) credential: &'static str,
    pub(crate) env: Pairs,
    pub(crate) options: Pairs,
    pub(crate) endpoint: Endpoint,
}

const fn host(title: &'static str, env: Pairs) -> Asker {
    Asker { title, credential: "ManagedIdentityCredential", env, options: &[], endpoint: Endpoint::Token }
}

const fn entra(title: &'static str, credential: &'static str, options: Pairs) -> Asker {
    Asker { title, credential, env: JOB, options, endpoint: Endpoint::Token }
}

const JOB: Pairs = &[("SYSTEM_OIDCREQUESTURI", "https://dev.example/oidc"), ("BROWSER", "/bin/browser")];
const PIPELINE: Pairs = &[
    ("tenant_id", "t.example"),
    ("client_id", "cid"),
    ("service_connection_id", "sc"),
    ("system_access_token", CANARY),
];

pub(crate) const HOSTS: [Asker; 6] = [
    host(
        "service_fabric",
        &[
            ("IDENTITY_ENDPOINT", "https://10.0.0.4:2377/metadata/identity/oauth2/token"),
            ("IDENTITY_HEADER", CANARY),
            ("IDENTITY_SERVER_THUMBPRINT", "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13"),
        ],
    ),
    host("app_service", &[("IDENTITY_ENDPOINT", "http://127.0.0.1:1/msi/token"), ("IDENTITY_HEADER", CANARY)]),
    host("azure_ml", &[("MSI_ENDPOINT", "http://127.0.0.1:2/MSI/auth"), ("MSI_SECRET", CANARY)]),
    host("cloud_shell", &[("MSI_ENDPOINT", "http://localhost:50342/oauth2/token")]),
    host(
        "azure_arc",
        &[
            ("IDENTITY_ENDPOINT", "http://localhost:40342/metadata/identity/oauth2/token"),
            ("IMDS_ENDPOINT", "http://localhost:40342"),
        ],
    ),
    host("imds", &[("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:3")]),
];

/// The token endpoint of Entra ID, by every grant.
pub(crate) const GRANTS: [Asker; 11] = [
    entra(
        "secret",
        "ClientSecretCredential",
        &[("tenant_id", "t.example"), ("client_id", "cid"), ("client_secret", CANARY)],
    ),
    entra("certificate", "CertificateCredential", &[("tenant_id", "t.example"), ("client_id", "cid"), ("pem", "")]),
    entra(
        "assertion",
        "ClientAssertionCredential",
        &[("tenant_id", "t.example"), ("client_id", "cid"), ("func", CANARY)],
    ),
    entra(
        "workload",
        "WorkloadIdentityCredential",
        &[("tenant_id", "t.example"), ("client_id", "cid"), ("token_file_path", "/token")],
    ),
    entra("pipeline", "AzurePipelinesCredential", PIPELINE),
    entra(
        "on behalf of",
        "OnBehalfOfCredential",
        &[
            ("tenant_id", "t.example"),
            ("client_id", "cid"),
            ("client_secret", CANARY),
            ("user_assertion", "canary.of.user"),
        ],
    ),
    entra(
        "code",
        "AuthorizationCodeCredential",
        &[
            ("tenant_id", "t.example"),
            ("client_id", "cid"),
            ("authorization_code", CANARY),
            ("redirect_uri", "http://localhost/x"),
        ],
    ),
    entra("password", "UsernamePasswordCredential", &[("client_id", "cid"), ("username", "u@x"), ("password", CANARY)]),
    entra("device", "DeviceCodeCredential", &[]),
    entra("browser", "InteractiveBrowserCredential", &[]),
    Asker {
        title: "environment",
        credential: "EnvironmentCredential",
        env: &[("AZURE_TENANT_ID", "t.example"), ("AZURE_CLIENT_ID", "cid"), ("AZURE_CLIENT_SECRET", CANARY)],
        options: &[],
        endpoint: Endpoint::Token,
    },
];

/// What is asked before Entra ID's token endpoint is.
pub(crate) const BEFORE: [Asker; 2] = [
    Asker {
        title: "device codes",
        credential: "DeviceCodeCredential",
        env: &[],
        options: &[],
        endpoint: Endpoint::DeviceCode,
    },
    Asker {
        title: "pipeline's assertion",
        credential: "AzurePipelinesCredential",
        env: JOB,
        options: PIPELINE,
        endpoint: Endpoint::Pipeline,
    },
];

/// All of them.
pub(crate) fn askers() -> impl Iterator<Item = Asker> {
    HOSTS.into_iter().chain(GRANTS).chain(BEFORE)
}

fn value(name: &str, text: &str) -> (String, Value) {
    match name {
        "pem" => ("certificate_data".to_owned(), Value::Bytes(format!("{KEY}{LEAF}").into_bytes().into())),
        "func" => {
            let text = text.to_owned();
            let says = Function::blocking(move |_| Ok(Some(Secret::new(text.as_str()))));
            (name.to_owned(), Value::Function(says))
        }
        _ => (name.to_owned(), Value::text(text)),
    }
}

fn asked(request: &Request) -> Endpoint {
    if request.url.ends_with("/devicecode") {
        Endpoint::DeviceCode
    } else if request.url.starts_with("https://dev.example/") {
        Endpoint::Pipeline
    } else {
        Endpoint::Token
    }
}

/// Brings a code with the state of the sign-in that the browser was opened for.
fn browse(fake: &Fake) {
    fake.write("/bin/browser", "");
    fake.browser(|opened| {
        let query = opened.arguments.last().and_then(|address| address.split_once('?')).map_or("", |(_, query)| query);
        let query: HashMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let form = [("code", CANARY), ("state", query["state"].as_str())];
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        Ok(vec![Redirect {
            method: "POST",
            target: "/".to_owned().into(),
            host: "localhost".into(),
            content_type: Some("application/x-www-form-urlencoded".into()),
            body: body.into_bytes().into(),
        }])
    });
}

impl Asker {
    /// Its credential with more options, in a world where `reply` answers the request that is tampered with and
    /// everybody else means well.
    pub(crate) fn with(
        &self,
        more: &[(&str, &str)],
        reply: impl Fn() -> Answer + Send + Sync + 'static,
    ) -> (Result<Credential, Error>, Fake) {
        let (world, fake) = Fake::world();
        (self.within(&world, &fake, more, reply), fake)
    }

    /// The same in a world that is there.
    pub(crate) fn within(
        &self,
        world: &World,
        fake: &Fake,
        more: &[(&str, &str)],
        reply: impl Fn() -> Answer + Send + Sync + 'static,
    ) -> Result<Credential, Error> {
        for (name, text) in self.env {
            fake.set(name, text);
        }
        fake.write(&format!("{KEYS}/1.key"), CANARY);
        fake.write("/token", CANARY);
        browse(fake);
        let endpoint = self.endpoint;
        fake.serve(move |request| {
            if request.url.contains("2020-06-01") && !request.headers.iter().any(|(name, _)| *name == "authorization") {
                let challenge = ("www-authenticate".to_owned(), format!("Basic realm={KEYS}/1.key"));
                return Ok(Response { headers: vec![challenge], ..answer(401, "") });
            }
            match asked(request) {
                asked if asked == endpoint => reply(),
                Endpoint::Token => Ok(answer(200, TOKEN)),
                Endpoint::DeviceCode => Ok(answer(200, &device_code(r#""expires_in":900,"interval":5"#))),
                Endpoint::Pipeline => Ok(answer(200, r#"{"oidcToken":"canary"}"#)),
            }
        });
        let own = self.options.iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
        let options = own.chain(more).map(|(name, text)| value(name, text)).collect();
        Credential::in_world(world.clone(), self.credential, options, Spelling::Snake)
    }

    /// Whether what it sends to the endpoint that is tampered with holds the canary.
    fn confides(&self) -> bool {
        !["cloud_shell", "imds", "certificate", "device codes"].contains(&self.title)
    }

    /// Asks once, and looks at the error: it is one line, not long, and holds nothing that was sent in confidence.
    pub(crate) fn ask(&self, reply: impl Fn() -> Answer + Send + Sync + 'static) -> (Result<AccessToken, Error>, Fake) {
        let (credential, fake) = self.with(&[], reply);
        let answer = credential.unwrap().get_token(&TokenRequest::scope(SCOPE));
        if let Err(error) = &answer {
            let shown = format!("{error:?} {error}");
            assert!(!shown.contains(GIVEN), "{}: {shown}", self.title);
            assert!(!self.confides() || !shown.contains(CANARY), "{}: {shown}", self.title);
            assert!(error.message().len() < 1000, "{}: {error}", self.title);
            assert!(!error.message().contains(char::is_control), "{}: {error:?}", self.title);
        }
        (answer, fake)
    }
}

/// A device code with these times.
pub(crate) fn device_code(times: &str) -> String {
    format!(r#"{{"device_code":"canary","user_code":"UC","verification_uri":"https://x/d","message":"go",{times}}}"#)
}

/// A server that always says the same.
pub(crate) fn says(status: u16, headers: &[(&str, &str)], body: &[u8]) -> impl Fn() -> Answer + Send + Sync + 'static {
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let body: Arc<[u8]> = body.into();
    move || Ok(Response { status, headers: headers.clone(), body: body.to_vec().into() })
}
