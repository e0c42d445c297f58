use azcred_emulator::{Config, Options, StartError, start};

use super::client::{Scratch, client, emulator, loopback, text};

#[tokio::test]
async fn the_ready_line_says_all_a_client_needs() {
    let client = emulator("").await;
    let ready = client.emulator.ready();
    let http = client.emulator.http_url();
    assert!(http.starts_with("http://127.0.0.1:"));
    for (name, expected) in [
        ("http", http.as_str()),
        ("https", &client.emulator.https_url()),
        ("tenant_id", "11111111-1111-1111-1111-111111111111"),
        ("admin", &format!("{http}/_azcred")),
        ("client_id", "22222222-2222-2222-2222-222222222222"),
        ("client_secret", "emulator-client-secret"),
        ("identity_endpoint", &format!("{http}/msi/token")),
        ("identity_header", "emulator-identity-header"),
        ("imds", &http),
        ("ml_endpoint", &format!("{http}/ml/token")),
        ("ml_secret", "emulator-ml-secret"),
        ("cloud_shell_endpoint", &format!("{http}/cloud-shell/token")),
        ("service_fabric_header", "emulator-service-fabric-header"),
        ("workload_client_id", "22222222-2222-2222-2222-222222222222"),
        ("public_client_id", "22222222-2222-2222-2222-222222222223"),
        ("username", "alex@contoso.example"),
        ("password", "emulator-password"),
        ("mfa_username", "morgan@contoso.example"),
        ("pipelines_token", "emulator-pipelines-token"),
        ("region", "westeurope"),
    ] {
        assert_eq!(ready[name], expected, "{name}");
    }
    assert_eq!(ready["ca_file"], serde_json::Value::Null);
    assert_eq!(ready["service_fabric_thumbprint"].as_str().unwrap().len(), 40);
    // Without a folder there are no files.
    for name in ["certificate_file", "federated_token_file", "token_proxy_ca_file"] {
        assert_eq!(ready.get(name), None, "{name}");
    }
}

#[tokio::test]
async fn only_loopback_addresses_are_listened_at() {
    let other = "0.0.0.0:0".parse().unwrap();
    for (http, https) in [(other, loopback()), (loopback(), other)] {
        let options = Options { http, https, config: Config::default(), dir: None };
        let error = start(options).await.unwrap_err();
        assert!(matches!(error, StartError::NotLoopback(address) if address == other));
        assert!(error.to_string().contains("loopback"));
    }
}

#[tokio::test]
async fn a_taken_address_is_an_error() {
    let client = emulator("").await;
    let taken = client.emulator.http_url();
    let options = Options {
        http: taken.strip_prefix("http://").unwrap().parse().unwrap(),
        https: loopback(),
        config: Config::default(),
        dir: None,
    };
    assert!(matches!(start(options).await.unwrap_err(), StartError::Bind(..)));
}

#[tokio::test]
async fn the_files_are_there_and_serve_others_too() {
    let scratch = Scratch::new();
    let options = || Options {
        http: loopback(),
        https: loopback(),
        config: Config::default(),
        dir: Some(scratch.0.join("deep")),
    };
    // Twice: the second run replaces what the first one left.
    start(options()).await.unwrap().stop().await;
    let emulator = start(options()).await.unwrap();
    let dir = scratch.0.join("deep");
    assert_eq!(text(dir.join("ca.pem")), emulator.ca_pem());
    let chain = text(dir.join("server.pem"));
    assert!(chain.ends_with(emulator.ca_pem()));
    assert_eq!(chain.matches("BEGIN CERTIFICATE").count(), 2);
    assert!(text(dir.join("server.key")).contains("PRIVATE KEY"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let key = std::fs::symlink_metadata(dir.join("server.key")).unwrap();
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
    }
    let ready = emulator.ready();
    for (name, file) in [
        ("ca_file", "ca.pem"),
        ("certificate_file", "application.pem"),
        ("certificate_successor_file", "application-successor.pem"),
        ("certificate_pfx", "application.pfx"),
        ("token_proxy_ca_file", "token-proxy-ca.pem"),
        ("federated_token_file", "federated-token"),
    ] {
        assert_eq!(ready[name], dir.join(file).to_str().unwrap(), "{name}");
        assert!(dir.join(file).is_file(), "{name}");
    }

    // The certificate is good for the names and addresses of loopback.
    let port = emulator.https_url().rsplit_once(':').unwrap().1.to_owned();
    let http = client(emulator.ca_pem());
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("https://{host}:{port}/common/discovery/keys");
        assert_eq!(http.get(url).send().await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_an_error() {
    let options =
        Options { http: loopback(), https: loopback(), config: Config::default(), dir: Some("/dev/null/below".into()) };
    assert!(matches!(start(options).await.unwrap_err(), StartError::File(..)));
}

#[tokio::test]
async fn after_a_stop_nobody_answers() {
    let client = emulator("").await;
    let url = client.emulator.http_url();
    let http = super::client::client(client.emulator.ca_pem());
    assert!(http.get(&url).send().await.is_ok());
    client.emulator.stop().await;
    assert!(http.get(&url).send().await.unwrap_err().is_connect());
}

#[tokio::test]
async fn dropping_stops_too() {
    let client = emulator("").await;
    let url = client.emulator.http_url();
    let http = super::client::client(client.emulator.ca_pem());
    drop(client);
    for _ in 0..1000 {
        if http.get(&url).send().await.is_err() {
            return;
        }
    }
    panic!("still there");
}
