use serde_json::{Value, json};

use super::client::{Client, Reply, TENANT, emulator};

const PUBLIC: &str = "22222222-2222-2222-2222-222222222223";

async fn begin(client: &Client) -> Value {
    let form = format!("client_id={PUBLIC}&scope=https://a/.default+openid+offline_access");
    let reply = client.post("/organizations/oauth2/v2.0/devicecode", &[], &form).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

async fn poll(client: &Client, begun: &Value) -> Reply {
    let form = format!(
        "grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id={PUBLIC}&device_code={}",
        begun["device_code"].as_str().unwrap()
    );
    client.post("/organizations/oauth2/v2.0/token", &[], &form).await
}

fn error(reply: &Reply) -> String {
    reply.json()["error"].as_str().unwrap_or("none").to_owned()
}

#[tokio::test]
async fn a_device_waits_until_the_user_has_decided() {
    let client = emulator("").await;
    let begun = begin(&client).await;
    assert_eq!((&begun["interval"], &begun["expires_in"]), (&json!(5), &json!(900)));
    let user_code = begun["user_code"].as_str().unwrap();
    assert!(begun["message"].as_str().unwrap().contains(user_code));
    let first = poll(&client, &begun).await;
    assert_eq!((error(&first).as_str(), first.code()), ("authorization_pending", 70_016));
    assert_eq!(error(&poll(&client, &begun).await), "slow_down");
    let decision = json!({"user_code": user_code, "action": "approve", "username": "morgan@contoso.example"});
    assert_eq!(client.tell("/devicecode", decision).await["devices"], 1);
    let reply = poll(&client, &begun).await;
    assert_eq!(reply.claims()["upn"], "morgan@contoso.example");
    assert_eq!(reply.claims()["aud"], "https://a");
    assert!(reply.json()["refresh_token"].is_string() && reply.json()["id_token"].is_string());
    // Good once.
    assert_eq!(error(&poll(&client, &begun).await), "bad_verification_code");
    let listed = serde_json::to_string(&client.requests().await).unwrap();
    assert!(!listed.contains(begun["device_code"].as_str().unwrap()), "{listed}");
}

#[tokio::test]
async fn a_user_may_decline() {
    let client = emulator("").await;
    let begun = begin(&client).await;
    client.tell("/devicecode", json!({"user_code": begun["user_code"], "action": "decline"})).await;
    assert_eq!(error(&poll(&client, &begun).await), "authorization_declined");
    for wrong in [
        json!({"user_code": "NOBODYS", "action": "approve"}),
        json!({"user_code": begun["user_code"], "action": "x"}),
        json!({"user_code": begun["user_code"], "action": "approve", "username": "nobody"}),
    ] {
        assert_eq!(client.admin("POST", "/devicecode", &wrong.to_string()).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn approval_can_come_by_itself() {
    let client = emulator("[device_code]\napprove_after = 1").await;
    let begun = begin(&client).await;
    assert_eq!(error(&poll(&client, &begun).await), "authorization_pending");
    assert_eq!(poll(&client, &begun).await.claims()["upn"], "alex@contoso.example");
}

#[tokio::test]
async fn a_device_code_has_its_time_and_its_client() {
    let client = emulator("[device_code]\nlifetime = 1").await;
    let begun = begin(&client).await;
    let other = format!(
        "grant_type=device_code&client_id=04b07795-8ddb-461a-bbee-02f9e1bf7b46&device_code={}",
        begun["device_code"].as_str().unwrap()
    );
    assert_eq!(error(&client.token(&other).await), "bad_verification_code");
    tokio::time::timeout(std::time::Duration::from_secs(10), async {
        while error(&poll(&client, &begun).await) != "expired_token" {}
    })
    .await
    .unwrap();
    let path = format!("/{TENANT}/oauth2/v2.0/devicecode");
    assert_eq!(client.post(&path, &[], &format!("client_id={PUBLIC}")).await.code(), 900_144);
    assert_eq!(client.post(&path, &[], "client_id=nobody&scope=openid").await.code(), 700_016);
}
