use super::client::{FIRST, TENANT, emulator};

const PATH: &str = "/metadata/identity/oauth2/token";
const METADATA: [(&str, &str); 1] = [("Metadata", "true")];

const RESOURCE: &str = "/subscriptions/55555555-5555-5555-5555-555555555555/resourceGroups/\
     emulator/providers/Microsoft.ManagedIdentity/userAssignedIdentities/emulator-1";

#[tokio::test]
async fn a_token_for_the_system_identity() {
    let client = emulator("").await;
    for path in [PATH.to_owned(), format!("{PATH}/")] {
        let resource = "https://database.windows.net/";
        let reply =
            client.get(&format!("{path}?api-version=2018-02-01&resource={resource}"), &[("metadata", "TRUE")]).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let json = reply.json();
        assert_eq!(json["resource"], resource);
        assert_eq!(json["token_type"], "Bearer");
        assert_eq!(json["expires_in"], "86400");
        assert_eq!(json["ext_expires_in"], "86400");
        assert_eq!(json["client_id"], "33333333-3333-3333-3333-333333333330");
        let claims = reply.claims();
        assert_eq!(json["expires_on"], claims["exp"].to_string());
        assert_eq!(json["not_before"], claims["nbf"].to_string());
        assert_eq!(claims["aud"], resource);
        assert_eq!(claims["tid"], TENANT);
        assert_eq!(claims["oid"], "44444444-4444-4444-4444-444444444440");
        assert_eq!(claims.get("xms_mirid"), None);
        assert!(!reply.text.contains(": "), "compact JSON");
    }
}

#[tokio::test]
async fn a_token_for_a_user_assigned_identity() {
    let client = emulator("").await;
    for id in [
        format!("client_id={FIRST}"),
        "object_id=44444444-4444-4444-4444-444444444441".to_owned(),
        format!("msi_res_id={RESOURCE}"),
        format!("mi_res_id={RESOURCE}"),
    ] {
        let path = format!("{PATH}?api-version=2021-02-01&resource=r&{id}");
        let reply = client.get(&path, &METADATA).await;
        assert_eq!(reply.json()["client_id"], FIRST, "{id}");
        assert_eq!(reply.claims()["appid"], FIRST);
        assert_eq!(reply.claims()["xms_mirid"], RESOURCE);
    }
    assert_eq!(client.counters().await["by_client"][FIRST], 4);
}

#[tokio::test]
async fn what_is_refused() {
    let client = emulator("").await;
    let full = "?api-version=2018-02-01&resource=r";
    let forwarded = [("Metadata", "true"), ("X-Forwarded-For", "10.0.0.1")];
    let (none, wrong) = ([].as_slice(), [("Metadata", "false")]);
    let table = [
        (full, none, "Required metadata header not specified"),
        ("", none, "Required metadata header not specified"),
        (full, &wrong, "Required metadata header"),
        (full, &forwarded, "forwarded"),
        ("?resource=r", &METADATA, "api-version"),
        ("?resource=r&api-version=2017-01-01", &METADATA, "api-version"),
        ("?api-version=2018-02-01", &METADATA, "resource"),
        ("&client_id=nobody", &METADATA, "Identity not found"),
        ("&client_id=a&object_id=b", &METADATA, "Only one identity"),
    ];
    for (query, headers, words) in table {
        let query = match query.strip_prefix('&') {
            Some(more) => format!("{full}&{more}"),
            None => query.to_owned(),
        };
        let reply = client.get(&(PATH.to_owned() + &query), headers).await;
        assert_eq!(reply.status, 400, "{query}");
        let json = reply.json();
        assert_eq!(json["error"], "invalid_request");
        let description = json["error_description"].as_str().unwrap();
        assert!(description.contains(words), "{query}: {description}");
    }
    let outcomes: Vec<_> = client.requests().await;
    let outcomes: Vec<_> = outcomes.iter().map(|r| r["outcome"].clone()).collect();
    assert_eq!(outcomes[..3], ["probe", "probe", "probe"]);
    assert_eq!(outcomes[3..], ["error"; 6]);
}

#[tokio::test]
async fn without_a_system_identity_nobody_is_found() {
    let client = emulator("system_assigned.enabled = false").await;
    let reply = client.imds().await.unwrap();
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json()["error_description"], "Identity not found");
}

#[tokio::test]
async fn the_rate_is_limited() {
    let client = emulator("imds_limits.requests_per_second = 3").await;
    let mut statuses = Vec::new();
    for _ in 0..6 {
        let reply = client.imds().await.unwrap();
        if reply.status == 429 {
            assert!(reply.json()["error"].is_string());
            assert!(!reply.headers.contains_key("retry-after"));
        }
        statuses.push(reply.status);
    }
    assert_eq!(statuses[..4], [200, 200, 200, 429]);
    let tally = &client.counters().await["by_endpoint"]["imds"];
    assert_eq!(tally["requests"], 6);
    assert!(tally["throttled"].as_u64() > Some(0));
    assert_eq!(tally["errors"], 0);
}

#[tokio::test]
async fn five_at_once_and_no_more() {
    let client = emulator("").await;
    let slow = serde_json::json!({"endpoint": "imds", "latency_ms": 1000});
    client.fault(slow).await;
    let all = tokio::join!(
        client.imds(),
        client.imds(),
        client.imds(),
        client.imds(),
        client.imds(),
        client.imds(),
        client.imds(),
    );
    let all = [all.0, all.1, all.2, all.3, all.4, all.5, all.6];
    let mut statuses = all.map(|reply| reply.unwrap().status);
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 429]);
}
