use std::collections::HashMap;

use serde_json::json;

use super::client::{CLIENT_ID, Client, Reply, TENANT, claims, emulator};

const PUBLIC: &str = "22222222-2222-2222-2222-222222222223";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A sign-in that goes well.
fn query(client_id: &str) -> String {
    format!(
        "client_id={client_id}&response_type=code&redirect_uri=http://localhost:8400&state=the-state&nonce=the-nonce\
         &scope=https://a/.default+openid+offline_access&code_challenge={CHALLENGE}&code_challenge_method=S256"
    )
}

async fn visit(client: &Client, query: &str) -> Reply {
    client.entra(&format!("/{TENANT}/oauth2/v2.0/authorize?{query}")).await
}

/// The fields that came back behind `mark`.
#[track_caller]
fn fields(reply: &Reply, mark: char) -> HashMap<String, String> {
    let location = reply.headers["location"].to_str().unwrap();
    let (address, fields) = location.split_once(mark).expect(location);
    assert_eq!(address, "http://localhost:8400");
    form_urlencoded::parse(fields.as_bytes()).into_owned().collect()
}

fn redeem(client_id: &str, code: &str) -> String {
    format!(
        "grant_type=authorization_code&client_id={client_id}&code={code}&redirect_uri=http://localhost:8400\
         &code_verifier={VERIFIER}"
    )
}

async fn code(client: &Client, client_id: &str) -> String {
    fields(&visit(client, &query(client_id)).await, '?')["code"].clone()
}

#[tokio::test]
async fn a_code_comes_back_in_three_ways() {
    let client = emulator("").await;
    for (mode, mark) in [("", '?'), ("&response_mode=query", '?'), ("&response_mode=fragment", '#')] {
        let reply = visit(&client, &(query(PUBLIC) + mode + "&client_info=1&prompt=select_account")).await;
        assert_eq!(reply.status, 302);
        let fields = fields(&reply, mark);
        assert_eq!(fields["state"], "the-state");
        assert!(fields.contains_key("client_info"));
        assert_eq!(client.token(&redeem(PUBLIC, &fields["code"])).await.code(), 0);
    }
    let form = query(PUBLIC).replace("the-state", "%22%3E%3Cb%3E") + "&response_mode=form_post";
    let reply = visit(&client, &form).await;
    assert_eq!(reply.status, 200);
    assert!(reply.text.contains("action=\"http://localhost:8400\""), "{}", reply.text);
    assert!(reply.text.contains("name=\"state\" value=\"&quot;&gt;&lt;b&gt;\""), "{}", reply.text);
    assert!(reply.text.contains("document.forms[0].submit()"));
    let posted = client.post(&format!("/{TENANT}/oauth2/v2.0/authorize"), &[], &query(PUBLIC)).await;
    assert_eq!(posted.status, 302);
}

#[tokio::test]
async fn a_code_is_good_once_and_speaks_for_who_signed_in() {
    let client = emulator("").await;
    let hinted = query(PUBLIC) + "&login_hint=morgan@contoso.example";
    let code = fields(&visit(&client, &hinted).await, '?')["code"].clone();
    let reply = client.token(&redeem(PUBLIC, &code)).await;
    assert_eq!(reply.claims()["upn"], "morgan@contoso.example");
    assert_eq!(claims(reply.json()["id_token"].as_str().unwrap())["nonce"], "the-nonce");
    assert!(reply.json()["refresh_token"].is_string());
    assert_eq!(client.token(&redeem(PUBLIC, &code)).await.code(), 54_005);
    let listed = serde_json::to_string(&client.requests().await).unwrap();
    assert!(!listed.contains(&code) && !listed.contains(VERIFIER), "{listed}");
}

#[tokio::test]
async fn a_wrong_redemption_has_its_code_and_costs_nothing() {
    let client = emulator("").await;
    let good = redeem(PUBLIC, &code(&client, PUBLIC).await);
    let table = [
        (good.replace("8400", "8401"), 500_112),
        (good.replace(VERIFIER, "x"), 501_481),
        (good.replace("code_verifier", "x"), 501_481),
        (good.replace("redirect_uri", "x"), 900_144),
        (good.replace("code=", "code=x"), 70_000),
        (good.replace(PUBLIC, "04b07795-8ddb-461a-bbee-02f9e1bf7b46"), 70_000),
        (good.replace(PUBLIC, CLIENT_ID), 7_000_218),
        (good.clone(), 0),
        (good, 54_005),
    ];
    for (form, expected) in table {
        let reply = client.token(&form).await;
        assert_eq!(reply.code(), expected, "{form} {}", reply.text);
    }
    let confidential = redeem(CLIENT_ID, &code(&client, CLIENT_ID).await);
    assert_eq!(client.token(&confidential).await.code(), 7_000_218);
    assert_eq!(client.token(&(confidential + "&client_secret=emulator-client-secret")).await.code(), 0);
}

#[tokio::test]
async fn a_code_has_its_time() {
    let client = emulator("authorization_code_lifetime = 1").await;
    let form = redeem(PUBLIC, &code(&client, PUBLIC).await).replace(VERIFIER, "x");
    tokio::time::timeout(std::time::Duration::from_secs(10), async {
        while client.token(&form).await.code() == 501_481 {}
    })
    .await
    .unwrap();
    assert_eq!(client.token(&form).await.code(), 70_008);
}

#[tokio::test]
async fn refusals_go_back_to_the_client_or_stay_on_the_page() {
    let client = emulator("").await;
    let good = query(PUBLIC);
    for (query, error) in [
        (good.replace("response_type=code", "response_type=token"), "unsupported_response_type"),
        (good.replace("scope", "x"), "invalid_request"),
        (good.replace("S256", "S512"), "invalid_request"),
        (good.clone() + "&login_hint=nobody", "login_required"),
        (good.clone() + "&login_hint=morgan@contoso.example&prompt=none", "interaction_required"),
    ] {
        let fields = fields(&visit(&client, &query).await, '?');
        assert_eq!((fields["error"].as_str(), fields["state"].as_str()), (error, "the-state"), "{query}");
        assert!(fields["error_description"].starts_with("AADSTS"));
    }
    for (query, code) in [
        (good.replace("8400", "8400/other"), "AADSTS50011"),
        (good.replace("http://localhost:8400", "https://evil.example"), "AADSTS50011"),
        (good.replace(PUBLIC, "nobody"), "AADSTS700016"),
        (good.replace("client_id", "x"), "AADSTS900144"),
        (good.clone() + "&response_mode=x", "AADSTS90100"),
        (good.clone() + "&state=again", "AADSTS90100"),
    ] {
        let reply = visit(&client, &query).await;
        assert_eq!(reply.status, 400, "{query}");
        assert!(reply.text.contains(code) && !reply.headers.contains_key("location"), "{query} {}", reply.text);
    }
    client.tell("/authorize", json!({"deny": 1})).await;
    assert_eq!(fields(&visit(&client, &good).await, '?')["error"], "access_denied");
    assert!(fields(&visit(&client, &good).await, '?').contains_key("code"));
}
