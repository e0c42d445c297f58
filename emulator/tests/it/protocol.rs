//! What clients that mean harm, or don't know better, get.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::client::{Client, FORM, TENANT, emulator};

/// The answer to raw bytes, read until the connection closes.
async fn raw(client: &Client, bytes: &[u8]) -> String {
    let address = client.emulator.http_url();
    let address = address.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // A reset after the answer is fine: the rest of the request was not wanted.
    drop(stream.read_to_end(&mut answer).await);
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn unknown_paths_and_methods_get_json() {
    let client = emulator("").await;
    for path in ["/", "/metadata/instance", "/_azcred", "/_azcred/other", "/%ff"] {
        let reply = client.get(path, &[]).await;
        assert_eq!(reply.status, 404, "{path}");
        assert_eq!(reply.json()["error"], "not_found");
    }
    assert_eq!(client.entra("/a/b/c").await.status, 404);
    let reply = client.post("/%ff/oauth2/v2.0/token", &[], "").await;
    assert_eq!(reply.json()["error_codes"][0], 90_002);
    assert_eq!(client.entra("/_azcred/requests").await.status, 404);
    let reply = client.entra(&format!("/{TENANT}/oauth2/v2.0/token")).await;
    assert_eq!(reply.status, 405);
    assert_eq!(reply.json()["error"], "invalid_request");
    assert_eq!(client.requests().await.last().unwrap()["endpoint"], "entra_token");
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let client = emulator("").await;
    let padded = format!("{FORM}&pad={}", "x".repeat(1 << 20));
    let url = format!("{}/{TENANT}/oauth2/v2.0/token", client.emulator.https_url());
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    // The answer may be lost to the reset that unread bytes cause.
    if let Ok(reply) = client.send("POST", &url, &kind, padded).await {
        assert_eq!(reply.status, 413);
    }
    assert_eq!(client.requests().await[0]["status"], 413);
    let within = format!("{FORM}&pad={}", "x".repeat(1 << 19));
    assert_eq!(client.token(&within).await.status, 200);
}

#[tokio::test]
async fn nonsense_breaks_nothing() {
    let client = emulator("").await;
    let long = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(100_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(500));
    let table: [(&[u8], &str); 5] = [
        (b"\x16\x03\x01\x02\x00\x01\x00", ""),
        (b"GET / HTTP/9.9\r\n\r\n", ""),
        (b"GET /msi/token?%%%=%ff&&&= HTTP/1.0\r\n\r\n", "401"),
        (long.as_bytes(), "431"),
        (many.as_bytes(), "431"),
    ];
    for (bytes, status) in table {
        let mut bytes = bytes.to_vec();
        bytes.extend_from_slice(b"\r\n\r\n");
        let answer = raw(&client, &bytes).await;
        let line = answer.lines().next().unwrap_or_default();
        assert!(line.contains(status), "{line}");
    }
    for form in ["%", "=&=&=", "grant_type", "grant_type=%00%ff", "client_id=%F0%9F"] {
        assert_eq!(client.token(form).await.status, 400, "{form}");
    }
    let claims = format!("{FORM}&claims={}", "[".repeat(10_000));
    assert_eq!(client.token(&claims).await.status, 400);
    let deep = "[".repeat(100_000);
    assert_eq!(client.admin("POST", "/faults", &deep).await.status, 400);
    assert_eq!(client.imds().await.unwrap().status, 200);
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let client = emulator("").await;
    let request = "GET /msi/token HTTP/1.1\r\nHost: x\r\n";
    let twice = format!("{request}\r\n{request}Connection: close\r\n\r\n");
    let answer = raw(&client, twice.as_bytes()).await;
    assert_eq!(answer.matches("HTTP/1.1 401").count(), 2);
}
