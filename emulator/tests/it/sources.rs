use std::path::Path;

use serde_json::json;

use super::client::{Client, FIRST, Reply, Scratch, emulator, text};

/// A GET of that address with some headers.
async fn get(client: &Client, url: &str, headers: &[(&str, &str)]) -> Reply {
    client.send("GET", url, headers, "").await.unwrap()
}

async fn arc() -> (Client, Scratch, String) {
    let scratch = Scratch::new();
    let client = emulator(&format!("arc_token_dir = '{}'", scratch.0.join("tokens").display())).await;
    let url = client.ready("arc_endpoint") + "?api-version=2020-06-01&resource=r";
    (client, scratch, url)
}

/// The files that the challenge names.
fn realms(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 401, "{}", reply.text);
    let headers = reply.headers.get_all("www-authenticate").iter();
    headers.filter_map(|value| value.to_str().unwrap().strip_prefix("Basic realm=").map(str::to_owned)).collect()
}

#[tokio::test]
async fn arc_wants_the_content_of_a_file() {
    let (client, scratch, url) = arc().await;
    assert_eq!(client.ready("arc_token_dir"), scratch.0.join("tokens").to_str().unwrap());
    let metadata = ("Metadata", "true");
    for url in [url.clone(), format!("{url}&client_id={FIRST}")] {
        let file = realms(&get(&client, &url, &[metadata]).await).remove(0);
        assert_eq!(Path::new(&file).parent(), Some(scratch.0.join("tokens").as_path()));
        assert_eq!(Path::new(&file).extension(), Some("key".as_ref()));
        let secret = format!("Basic {}", text(&file));
        let reply = get(&client, &url, &[metadata, ("Authorization", &secret)]).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert!(reply.json()["expires_in"].is_string() && reply.json()["client_id"].is_string());
        assert!(!Path::new(&file).exists());
        // Good once.
        assert_eq!(realms(&get(&client, &url, &[metadata, ("Authorization", &secret)]).await).len(), 1);
        let listed = serde_json::to_string(&client.requests().await).unwrap();
        assert!(!listed.contains(&secret), "{listed}");
    }
    assert_eq!(realms(&get(&client, &url, &[metadata, ("Authorization", "Basic x")]).await).len(), 1);
    for (url, headers, status) in [
        (url.clone(), &[][..], 400),
        (url.replace("2020-06-01", "2018-02-01"), &[metadata], 400),
        (url.replace("resource", "x"), &[metadata], 400),
        (format!("{url}&client_id=nobody"), &[metadata], 400),
    ] {
        assert_eq!(get(&client, &url, headers).await.status, status, "{url}");
    }
    assert_eq!(client.requests().await[0]["listener"], "arc");
    let dir = scratch.0.join("tokens");
    client.emulator.stop().await;
    assert_eq!(std::fs::read_dir(dir).unwrap().count(), 0, "files are left");
}

#[tokio::test]
async fn arc_can_be_made_to_lie() {
    let (client, scratch, url) = arc().await;
    let dir = scratch.0.join("tokens");
    for mode in
        ["arc_realm_outside", "arc_wrong_extension", "arc_large_file", "arc_no_realm", "arc_symlink", "arc_two_headers"]
    {
        client.fault(json!({"endpoint": "arc", "mode": mode, "count": 1})).await;
        let reply = get(&client, &url, &[("Metadata", "true")]).await;
        let realms = realms(&reply);
        let first = realms.first().map(Path::new);
        let holds = match mode {
            "arc_realm_outside" => first.is_some_and(|file| file.is_file() && file.parent() != Some(&dir)),
            "arc_wrong_extension" => {
                first.is_some_and(|file| file.is_file() && file.extension() != Some("key".as_ref()))
            }
            "arc_large_file" => first.is_some_and(|file| text(file).len() > 4096),
            "arc_no_realm" => realms.is_empty() && reply.headers.contains_key("www-authenticate"),
            "arc_symlink" => first.is_some_and(|file| file.is_symlink() && file.is_file()),
            _ => realms.len() == 2,
        };
        assert!(holds, "{mode} {realms:?}");
        // Whoever is taken in gets a token, and so can be found out.
        if let Some(file) = first {
            let secret = format!("Basic {}", text(file));
            let reply = get(&client, &url, &[("Metadata", "true"), ("Authorization", &secret)]).await;
            assert_eq!(reply.status, 200, "{mode}");
        }
    }
}

#[tokio::test]
async fn arc_is_there_when_it_has_a_folder() {
    let client = emulator("").await;
    let ready = client.emulator.ready();
    assert!(ready.get("arc_endpoint").is_none() && ready.get("arc_token_dir").is_none());
    let config = azcred_emulator::Config::from_toml("arc_token_dir = '/dev/null/below'").unwrap();
    let any: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    let options = azcred_emulator::Options { http: any, https: any, config, dir: None };
    let error = azcred_emulator::start(options).await.unwrap_err();
    assert!(error.to_string().starts_with("cannot write /dev/null/below: "), "{error}");
}

#[tokio::test]
async fn azure_ml_has_its_own_spelling() {
    let secret = ("secret", "emulator-ml-secret");
    for (setting, is_right) in [
        (
            "string",
            (|value| value.as_str().is_some_and(|text| text.parse::<u64>().is_ok())) as fn(&serde_json::Value) -> bool,
        ),
        ("number", |value| value.is_u64()),
        ("windows_date", |value| value.as_str().is_some_and(|text| text.ends_with("M +00:00"))),
        ("linux_date", |value| value.as_str().is_some_and(|text| text.len() == 26 && text.ends_with(" +00:00"))),
    ] {
        let client = emulator(&format!("ml_expires_on = '{setting}'")).await;
        let url = client.ready("ml_endpoint") + "?api-version=2017-09-01&resource=r";
        let json = get(&client, &url, &[secret]).await.json();
        assert!(is_right(&json["expires_on"]) && json.get("expires_in").is_none(), "{json}");
    }
    let client = emulator("").await;
    let url = client.ready("ml_endpoint") + "?api-version=2017-09-01&resource=r";
    let named = get(&client, &format!("{url}&clientid={FIRST}"), &[secret]).await;
    assert_eq!(named.claims()["appid"], FIRST);
    assert_eq!(get(&client, &format!("{url}&clientid="), &[secret]).await.status, 200);
    for (url, header, status) in [
        (url.clone(), ("secret", "x"), 401),
        (url.clone(), ("x-identity-header", "emulator-ml-secret"), 401),
        (url.replace("2017", "2019"), secret, 400),
        (url.replace("resource", "x"), secret, 400),
        (format!("{url}&clientid=nobody"), secret, 400),
    ] {
        assert_eq!(get(&client, &url, &[header]).await.status, status, "{url}");
    }
    let listed = serde_json::to_string(&client.requests().await).unwrap();
    assert!(!listed.contains(r#""secret":"emulator-ml-secret""#), "{listed}");
}

#[tokio::test]
async fn cloud_shell_takes_a_form() {
    let client = emulator("").await;
    let url = client.ready("cloud_shell_endpoint");
    let headers = [("Metadata", "true"), ("content-type", "application/x-www-form-urlencoded")];
    let post =
        async |headers: &[(&str, &str)], form: &str| client.send("POST", &url, headers, form.to_owned()).await.unwrap();
    let reply = post(&headers, "resource=r").await;
    assert_eq!(reply.json()["resource"], "r");
    assert!(reply.json()["expires_on"].is_string());
    for reply in [
        post(&headers[1..], "resource=r").await,
        post(&headers, "").await,
        post(&headers, "resource=r&client_id=x").await,
    ] {
        assert_eq!(reply.status, 400);
        assert!(reply.json()["error"]["code"].is_string(), "{}", reply.text);
    }
    assert_eq!(get(&client, &url, &headers).await.status, 405);
}

#[tokio::test]
async fn service_fabric_is_known_by_its_thumbprint_only() {
    let client = emulator("").await;
    let url = client.ready("service_fabric_endpoint") + "?api-version=2019-07-01-preview&resource=r";
    // The authority of the other listener does not vouch for it.
    assert!(client.send("GET", &url, &[], "").await.unwrap_err().is_connect());
    let trusting = reqwest::Client::builder()
        .no_proxy()
        .tls_backend_preconfigured(super::workload::pinned(client.ready("service_fabric_thumbprint")))
        .build()
        .unwrap();
    let ask = async |url: &str, secret: Option<&str>| {
        let mut request = trusting.get(url);
        if let Some(secret) = secret {
            request = request.header("Secret", secret);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let json: serde_json::Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        (status, json)
    };
    let secret = Some("emulator-service-fabric-header");
    let (status, json) = ask(&(url.clone() + "&token_sha256_to_refresh=00&xms_cc=CP1,x"), secret).await;
    assert_eq!(status, 200, "{json}");
    let claims = super::client::claims(json["access_token"].as_str().unwrap());
    assert_eq!(claims["xms_cc"], json!(["CP1", "x"]));
    for (url, secret, status, code) in [
        (url.clone(), None, 400, "SecretHeaderNotFound"),
        (url.clone(), Some("x"), 401, "SecretHeaderInvalid"),
        (url.replace("preview", "x"), secret, 400, "InvalidApiVersion"),
        (url.replace("resource", "x"), secret, 400, "ArgumentNullOrEmpty"),
        (format!("{url}&client_id={FIRST}"), secret, 404, "ManagedIdentityNotFound"),
    ] {
        let (found, json) = ask(&url, secret).await;
        assert_eq!((found, json["error"]["code"].as_str()), (status, Some(code)), "{url}");
        assert!(json["error"]["correlationId"].is_string());
    }
}

#[tokio::test]
async fn the_machine_says_where_it_is() {
    const PATH: &str = "/metadata/instance/compute?api-version=2021-02-01";
    let client = emulator("region = 'northeurope'").await;
    let metadata = [("Metadata", "true")];
    assert_eq!(client.get(PATH, &metadata).await.json()["location"], "northeurope");
    assert_eq!(client.get(PATH, &[]).await.status, 400);
    let newest = client.get("/metadata/instance/compute?format=json", &metadata).await;
    assert_eq!((newest.status, newest.json()["newest-versions"][0].as_str()), (400, Some("2021-02-01")));
}
