use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::Value;

use super::client::{CLIENT_ID, Client, FORM, TENANT, emulator};

#[tokio::test]
async fn a_token_by_client_secret() {
    let client = emulator("").await;
    let reply = client.token(FORM).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.headers["cache-control"], "no-store");
    let json = reply.json();
    assert_eq!(json["token_type"], "Bearer");
    assert_eq!(json["expires_in"], 3599);
    assert_eq!(json["ext_expires_in"], 3599);
    assert_eq!(json.get("refresh_in"), None);
    let claims = reply.claims();
    assert_eq!(claims["aud"], "https://storage.azure.com");
    assert_eq!(claims["iss"], format!("https://sts.windows.net/{TENANT}/"));
    assert_eq!(claims["appid"], CLIENT_ID);
    assert_eq!(claims["idtyp"], "app");
    assert_eq!(claims["ver"], "1.0");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3599);
}

#[tokio::test]
async fn the_tenant_has_many_names_and_the_scope_is_kept_byte_for_byte() {
    let client = emulator("refresh_in = 1800").await;
    let form = FORM.replace("storage.azure.com%2F", "servicebus.azure.net%2F%2F");
    for path in [
        format!("/{TENANT}/oauth2/v2.0/token"),
        // As MSAL for Node writes it in a region.
        format!("/{TENANT}/oauth2/v2.0/token/"),
        "/Contoso.EXAMPLE/oauth2/v2.0/token".to_owned(),
        "/adfs/oauth2/token".to_owned(),
    ] {
        let reply = client.post(&path, &[], &form).await;
        assert_eq!(reply.status, 200, "{path} {}", reply.text);
        assert_eq!(reply.json()["refresh_in"], 1800);
        assert_eq!(reply.claims()["aud"], "https://servicebus.azure.net/");
        assert_eq!(reply.claims()["tid"], TENANT);
    }
}

#[tokio::test]
async fn http_basic_is_accepted() {
    let client = emulator("").await;
    let path = format!("/{TENANT}/oauth2/v2.0/token");
    let form = "grant_type=client_credentials&scope=r/.default";
    let basic = |secret: &str| {
        let pair = format!("{CLIENT_ID}:{secret}");
        format!("Basic {}", STANDARD.encode(pair))
    };
    let good = basic("emulator%2Dclient-secret");
    let headers = [("Authorization", good.as_str())];
    assert_eq!(client.post(&path, &headers, form).await.status, 200);
    let wrong = basic("wrong");
    let headers = [("Authorization", wrong.as_str())];
    assert_eq!(client.post(&path, &headers, form).await.status, 401);
    let log = serde_json::to_string(&client.requests().await).unwrap();
    assert!(!log.contains(&good) && !log.contains(&wrong));
}

#[tokio::test]
async fn error_documents_have_all_their_fields() {
    const ID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";
    let client = emulator("").await;
    let other = FORM.replace(CLIENT_ID, "99999999-2222-2222-2222-222222222222");
    let table = [
        (FORM.replace("secret=emulator", "secret=x"), 401, "invalid_client", 7_000_215),
        (other, 400, "unauthorized_client", 700_016),
        (FORM.replace("client_cred", "x"), 400, "unsupported_grant_type", 70_003),
        (FORM.replace("%2F.default", ""), 400, "invalid_scope", 1_002_012),
        (FORM.replace(".default", ".default+a/.default"), 400, "invalid_scope", 70_011),
        (FORM.replace("scope=", "s="), 400, "invalid_request", 900_144),
        (FORM.to_owned() + "&claims=%7B", 400, "invalid_request", 9_000_410),
        (String::new(), 400, "invalid_request", 900_144),
    ];
    for (form, status, error, code) in table {
        let path = format!("/{TENANT}/oauth2/v2.0/token");
        let header = [("client-request-id", ID)];
        check(&client.post(&path, &header, &form).await, status, error, code, Some(ID));
    }
    let form = format!("client-request-id={ID}");
    let reply = client.post("/nowhere/oauth2/v2.0/token", &[], &form).await;
    check(&reply, 400, "invalid_request", 90_002, Some(ID));
    let reply = client.post("/nowhere/oauth2/v2.0/token", &[], "client-request-id=x").await;
    check(&reply, 400, "invalid_request", 90_002, None);
    let reply = client.entra("/nowhere/v2.0/.well-known/openid-configuration").await;
    check(&reply, 400, "invalid_request", 90_002, None);
}

fn check(reply: &super::client::Reply, status: u16, error: &str, code: u32, id: Option<&str>) {
    let json = reply.json();
    assert_eq!((reply.status, &json["error"]), (status, &error.into()), "{json}");
    assert_eq!(json["error_codes"], serde_json::json!([code]));
    let text = |name: &str| json[name].as_str().unwrap().to_owned();
    let lines: Vec<_> = text("error_description").lines().map(str::to_owned).collect();
    assert!(lines[0].starts_with(&format!("AADSTS{code}: ")), "{lines:?}");
    assert_eq!(lines[1], format!("Trace ID: {}", text("trace_id")));
    assert_eq!(lines[2], format!("Correlation ID: {}", text("correlation_id")));
    assert_eq!(lines[3], format!("Timestamp: {}", text("timestamp")));
    assert_eq!(text("timestamp").len(), 20);
    if let Some(id) = id {
        assert_eq!(text("correlation_id"), id);
    }
    assert_eq!(text("correlation_id").len(), 36);
}

#[tokio::test]
async fn capabilities_come_back_and_claims_are_logged() {
    const CLAIMS: &str = r#"{"access_token":{"nbf":{"essential":true,"value":"1"},"xms_cc":{"values":["CP1"]}}}"#;
    let client = emulator("").await;
    let reply = client.token(&format!("{FORM}&claims={CLAIMS}")).await;
    assert_eq!(reply.claims()["xms_cc"], serde_json::json!(["CP1"]));
    let log = client.requests().await;
    assert_eq!(log[0]["form"]["claims"], CLAIMS);
    assert_eq!(log[0]["form"]["client_secret"], "***");
}

/// Follows a metadata document to the keys and verifies a token as a resource would.
async fn verify(client: &Client, path: &str) {
    let document = client.entra(path).await.json();
    let url = |name: &str| document[name].as_str().unwrap().to_owned();
    assert!(url("token_endpoint").starts_with(&client.emulator.https_url()));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let endpoint = url("token_endpoint");
    let reply = client.send("POST", &endpoint, &form, FORM).await.unwrap();
    let token = reply.json()["access_token"].take();
    let token = token.as_str().unwrap();
    let keys = client.send("GET", &url("jwks_uri"), &[], "").await.unwrap();
    let keys: JwkSet = serde_json::from_str(&keys.text).unwrap();
    let kid = decode_header(token).unwrap().kid.unwrap();
    let key = DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&["https://storage.azure.com"]);
    validation.set_issuer(&[url("issuer")]);
    decode::<Value>(token, &key, &validation).expect(path);
}

#[tokio::test]
async fn each_metadata_document_leads_to_what_verifies_a_token() {
    let client = emulator("").await;
    for name in [TENANT, "contoso.example"] {
        verify(&client, &format!("/{name}/v2.0/.well-known/openid-configuration")).await;
        verify(&client, &format!("/{name}/.well-known/openid-configuration")).await;
    }
    verify(&client, "/adfs/.well-known/openid-configuration").await;
    let keys = client.entra("/common/discovery/keys").await;
    assert_eq!(keys.status, 200);
    assert_eq!(keys.text, client.entra("/common/discovery/v2.0/keys").await.text);
    assert_eq!(keys.text, client.admin("GET", "/jwks", "").await.text);
    assert_eq!(client.entra("/nowhere/discovery/keys").await.status, 400);
}

#[tokio::test]
async fn instance_discovery_knows_this_authority_only() {
    let client = emulator("").await;
    let here = client.emulator.https_url();
    let path = "/common/discovery/instance?api-version=1.1&authorization_endpoint=";
    let authority = format!("{here}/contoso.example/oauth2/v2.0/authorize");
    let json = client.entra(&format!("{path}{authority}")).await.json();
    assert_eq!(json["tenant_discovery_endpoint"], format!("{here}/{TENANT}/v2.0/.well-known/openid-configuration"));
    let portless = format!("https://localhost/{TENANT}/oauth2/v2.0/authorize");
    assert_eq!(client.entra(&format!("{path}{portless}")).await.status, 200);
    let host = here.strip_prefix("https://").unwrap();
    assert_eq!(json["metadata"][0]["preferred_network"], host);
    assert_eq!(json["metadata"][0]["aliases"], serde_json::json!([host, "localhost"]));
    let reply = client.entra(&format!("{path}https://elsewhere.example/t/authorize")).await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json()["error"], "invalid_instance");
}

#[tokio::test]
async fn documents_name_the_host_that_was_asked() {
    let client = emulator("").await;
    let url = client.emulator.https_url() + "/adfs/.well-known/openid-configuration";
    for (host, expected) in [
        ("login.example:444", "https://login.example:444/adfs/oauth2/token".to_owned()),
        ("a\"b", client.emulator.https_url() + "/adfs/oauth2/token"),
    ] {
        let reply = client.send("GET", &url, &[("Host", host)], "").await.unwrap();
        assert_eq!(reply.json()["token_endpoint"], expected);
    }
}

#[tokio::test]
async fn the_endpoints_for_forms_take_nothing_else() {
    let client = emulator("").await;
    for path in ["token", "devicecode"] {
        let reply = client.entra(&format!("/{TENANT}/oauth2/v2.0/{path}")).await;
        check(&reply, 405, "invalid_request", 900_561, None);
    }
}

#[tokio::test]
async fn names_without_a_tenant_are_for_users() {
    let client = emulator("").await;
    let document = client.entra("/organizations/v2.0/.well-known/openid-configuration").await.json();
    assert_eq!(document["issuer"], "https://sts.windows.net/{tenantid}/");
    assert!(document["token_endpoint"].as_str().unwrap().ends_with("/organizations/oauth2/v2.0/token"));
    assert!(document["device_authorization_endpoint"].as_str().unwrap().ends_with("/devicecode"));
    assert_eq!(client.post("/organizations/oauth2/v2.0/token", &[], FORM).await.code(), 50_194);
    let app = "[[apps]]\nclient_id = '22222222-2222-2222-2222-222222222222'\nmulti_tenant = true\n\
               secrets = ['emulator-client-secret']";
    let client = emulator(app).await;
    assert_eq!(client.post("/common/oauth2/v2.0/token", &[], FORM).await.code(), 50_059);
}

#[tokio::test]
async fn the_production_authorities_are_known_under_their_names() {
    let client = emulator("").await;
    let url =
        client.emulator.https_url() + "/common/discovery/instance?api-version=1.1&authorization_endpoint=https://";
    for (host, asked, expected) in [
        ("login.microsoftonline.com", "login.microsoftonline.us/t/x", "https://login.microsoftonline.us/t/"),
        ("login.microsoftonline.com", "localhost/t/x", &(client.emulator.https_url() + "/t/")),
    ] {
        let reply = client.send("GET", &(url.clone() + asked), &[("Host", host)], "").await.unwrap();
        let json = reply.json();
        assert!(json["tenant_discovery_endpoint"].as_str().unwrap().starts_with(expected), "{json}");
        let listed = json["metadata"].to_string();
        assert!(listed.contains("login.windows.net") && listed.contains("login.chinacloudapi.cn"), "{json}");
    }
}
