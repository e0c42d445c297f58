use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::client::{FORM, emulator};

#[tokio::test]
async fn a_canned_answer_so_many_times() {
    let client = emulator("").await;
    client
        .fault(json!({
            "endpoint": "imds", "status": 429, "body": "slow down", "content_type": "text/plain",
            "headers": {"Retry-After": "7"}, "count": 2,
        }))
        .await;
    for _ in 0..2 {
        let reply = client.imds().await.unwrap();
        assert_eq!((reply.status, reply.text.as_str()), (429, "slow down"));
        assert_eq!(reply.headers["retry-after"], "7");
        assert_eq!(reply.headers["content-type"], "text/plain");
    }
    assert_eq!(client.imds().await.unwrap().status, 200);
    let tally = &client.counters().await["by_endpoint"]["imds"];
    assert_eq!((&tally["errors"], &tally["throttled"]), (&2.into(), &0.into()));
}

#[tokio::test]
async fn a_script_of_faults() {
    let client = emulator("").await;
    for status in [500, 410, 404] {
        let fault = json!({"endpoint": "*", "status": status, "count": 1});
        client.fault(fault).await;
    }
    let listed = client.admin("GET", "/faults", "").await.json();
    assert_eq!(listed["faults"][2]["id"], 3);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let reply = client.imds().await.unwrap();
        if reply.status != 200 {
            assert_eq!(reply.json()["error"], "emulated_fault");
        }
        statuses.push(reply.status);
    }
    assert_eq!(statuses, [500, 410, 404, 200]);
    assert_eq!(client.admin("DELETE", "/faults", "").await.json()["cleared"], 0);
}

#[tokio::test]
async fn a_fault_touches_its_endpoint_only() {
    let client = emulator("").await;
    client.fault(json!({"endpoint": "entra_discovery", "status": 503})).await;
    let path = "/adfs/.well-known/openid-configuration";
    assert_eq!(client.entra(path).await.status, 503);
    assert_eq!(client.token(FORM).await.status, 200);
    assert_eq!(client.imds().await.unwrap().status, 200);
    client.admin("DELETE", "/faults", "").await;
    assert_eq!(client.entra(path).await.status, 200);
}

#[tokio::test]
async fn latency_alone_delays_the_usual_answer() {
    let client = emulator("").await;
    client.fault(json!({"endpoint": "imds", "latency_ms": 300})).await;
    let start = Instant::now();
    assert_eq!(client.imds().await.unwrap().status, 200);
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn close_answers_nothing() {
    let client = emulator("").await;
    client.fault(json!({"endpoint": "imds", "mode": "close", "count": 1})).await;
    client.imds().await.unwrap_err();
    let log = client.requests().await;
    assert_eq!((&log[0]["status"], &log[0]["outcome"]), (&0.into(), &"error".into()));
    assert_eq!(client.imds().await.unwrap().status, 200);
}

#[tokio::test]
async fn truncate_sends_half_of_what_it_promises() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let client = emulator("").await;
    client.fault(json!({"endpoint": "*", "mode": "truncate"})).await;
    let error = client.imds().await.unwrap_err();
    assert!(error.is_body() || error.is_decode(), "{error:?}");
    let whole = json!({"a": "x".repeat(100)}).to_string();
    client.admin("DELETE", "/faults", "").await;
    client.fault(json!({"endpoint": "*", "mode": "truncate", "status": 200, "body": whole})).await;

    let address = client.emulator.http_url();
    let address = address.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = b"GET /metadata/identity/oauth2/token HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.to_lowercase().contains(&format!("content-length: {}", whole.len())));
    assert_eq!(body, whole.get(..whole.len() / 2).unwrap());
    assert_eq!(client.counters().await["tokens_issued"], 0);
}

#[tokio::test]
async fn hang_lasts_until_the_faults_are_cleared() {
    let client = emulator("").await;
    client.fault(json!({"endpoint": "imds", "mode": "hang"})).await;
    let start = Instant::now();
    let clear = async {
        tokio::time::timeout(Duration::from_millis(300), std::future::pending::<()>()).await.unwrap_err();
        let log = client.requests().await;
        assert_eq!((&log[0]["status"], &log[0]["outcome"]), (&0.into(), &"other".into()));
        client.admin("DELETE", "/faults", "").await;
    };
    let (reply, ()) = tokio::join!(client.imds(), clear);
    assert_eq!(reply.unwrap().status, 200);
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn who_hangs_and_leaves_makes_room() {
    let client = emulator("").await;
    client.fault(json!({"endpoint": "imds", "mode": "hang"})).await;
    // More than five that got in: those before must have made room by leaving.
    let all_in = async {
        loop {
            let impatient = tokio::time::timeout(Duration::from_millis(50), client.imds());
            drop(impatient.await);
            let tally = client.counters().await["by_endpoint"]["imds"].take();
            let count = |name: &str| tally[name].as_u64().unwrap_or_default();
            if count("requests") - count("throttled") > 7 {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all_in).await.unwrap();
}

#[tokio::test]
async fn faults_reach_through_tls_too() {
    let client = emulator("").await;
    let url = client.emulator.https_url() + "/common/discovery/keys";
    for mode in ["close", "truncate"] {
        client.fault(json!({"endpoint": "entra_keys", "mode": mode, "count": 1})).await;
        client.send("GET", &url, &[], "").await.unwrap_err();
    }
    assert_eq!(client.send("GET", &url, &[], "").await.unwrap().status, 200);
}

#[tokio::test]
async fn hang_ends_when_the_emulator_stops() {
    let client = emulator("").await;
    client.fault(json!({"endpoint": "imds", "mode": "hang"})).await;
    let url = client.emulator.http_url() + "/metadata/identity/oauth2/token";
    let http = super::client::client(client.emulator.ca_pem());
    let hanging = tokio::spawn(http.get(url).send());
    while client.requests().await.is_empty() {
        tokio::task::yield_now().await;
    }
    let start = Instant::now();
    client.emulator.stop().await;
    hanging.await.unwrap().unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn an_expired_token_looks_like_any_other() {
    let client = emulator("refresh_in = 5").await;
    client.fault(json!({"endpoint": "*", "mode": "expired_token"})).await;
    let reply = client.token(FORM).await;
    assert_eq!(reply.json()["expires_in"], 0);
    assert_eq!(reply.json().get("refresh_in"), None);
    let now = reply.claims()["exp"].as_i64().unwrap() + 3600;
    let log = client.requests().await;
    assert!((log[0]["time_ms"].as_i64().unwrap() / 1000 - now).abs() <= 2);
    let reply = client.imds().await.unwrap();
    assert_eq!(reply.json()["expires_in"], "0");
    assert_eq!(reply.json()["expires_on"], reply.claims()["exp"].to_string());
    let header = [("x-identity-header", "emulator-identity-header")];
    let path = "/msi/token?api-version=2019-08-01&resource=r";
    let reply = client.get(path, &header).await;
    let on: i64 = reply.json()["expires_on"].as_str().unwrap().parse().unwrap();
    assert!(on < now);
}

#[tokio::test]
async fn a_bad_fault_is_named() {
    let client = emulator("").await;
    for (body, field) in [
        ("", ""),
        ("[]", ""),
        (r#"{"endpoint":"imds","latency_ms":"1"}"#, "latency_ms"),
        (r#"{"endpoint":"imds","speed":1}"#, "speed"),
        (r#"{"mode":"close"}"#, "endpoint"),
    ] {
        let reply = client.admin("POST", "/faults", body).await;
        assert_eq!(reply.status, 400, "{body}");
        assert_eq!(reply.json()["field"], field);
    }
    assert_eq!(client.admin("GET", "/faults", "").await.json(), json!({"faults": []}));
}
