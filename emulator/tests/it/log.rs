use serde_json::json;

use super::client::{CLIENT_ID, FORM, emulator};

#[tokio::test]
async fn requests_are_listed_in_order_and_counted() {
    let client = emulator("").await;
    client.imds().await.unwrap();
    client.token(FORM).await;
    client.token("").await;
    client.entra("/adfs/.well-known/openid-configuration").await;
    client.get("/metadata/identity/oauth2/token", &[]).await;
    client.get("/nothing/here", &[]).await;

    let log = client.requests().await;
    let columns = |record: &serde_json::Value| {
        let names = ["seq", "listener", "endpoint", "status", "outcome"];
        json!(names.map(|name| record[name].clone()))
    };
    let rows: Vec<_> = log.iter().map(columns).collect();
    assert_eq!(
        rows,
        [
            json!([0, "http", "imds", 200, "token"]),
            json!([1, "https", "entra_token", 200, "token"]),
            json!([2, "https", "entra_token", 400, "error"]),
            json!([3, "https", "entra_discovery", 200, "other"]),
            json!([4, "http", "imds", 400, "probe"]),
            json!([5, "http", "unknown", 404, "error"]),
        ]
    );
    assert_eq!(log[0]["method"], "GET");
    assert_eq!(log[0]["path"], "/metadata/identity/oauth2/token");
    assert_eq!(log[0]["query"]["resource"], "r");
    assert_eq!(log[0]["headers"]["metadata"], "true");
    assert!(log[0]["time_ms"].as_i64() > Some(1_700_000_000_000));

    let counters = client.counters().await;
    assert_eq!(counters["total"], 6);
    assert_eq!(counters["tokens_issued"], 2);
    assert_eq!(counters["by_client"], json!({"system": 1, CLIENT_ID: 1}));
    assert_eq!(
        counters["by_endpoint"]["imds"],
        json!({"requests": 2, "tokens": 1, "errors": 0, "probes": 1, "throttled": 0})
    );
    assert_eq!(
        counters["by_endpoint"]["entra_token"],
        json!({"requests": 2, "tokens": 1, "errors": 1, "probes": 0, "throttled": 0})
    );

    let cleared = client.admin("DELETE", "/requests", "").await;
    assert_eq!(cleared.json()["cleared"], 6);
    assert!(client.requests().await.is_empty());
    assert_eq!(client.counters().await["total"], 0);
}

#[tokio::test]
async fn no_secret_is_listed() {
    let client = emulator("").await;
    client.token(FORM).await;
    let header = [("x-identity-header", "emulator-identity-header")];
    let path = "/msi/token?api-version=2019-08-01&resource=r";
    client.get(path, &header).await;
    let log = serde_json::to_string(&client.requests().await).unwrap();
    assert!(!log.contains("emulator-client-secret"), "{log}");
    assert!(!log.contains("emulator-identity-header"), "{log}");
}

#[tokio::test]
async fn admin_requests_are_not_counted() {
    let client = emulator("").await;
    client.requests().await;
    assert_eq!(client.counters().await["total"], 0);
}
