use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::client::{CLIENT_ID, Client, Reply, TENANT, claims, emulator, forged};

const USER: &str = "alex@contoso.example";
const MFA_USER: &str = "morgan@contoso.example";
const PUBLIC: &str = "22222222-2222-2222-2222-222222222223";
const SECRET: &str = "client_secret=emulator-client-secret";

fn password(user: &str) -> String {
    format!(
        "grant_type=password&client_id={PUBLIC}&username={user}&password=emulator-password&client_info=1\
         &scope=https://a/.default+openid+profile+offline_access"
    )
}

async fn post(client: &Client, tenant: &str, form: &str) -> Reply {
    client.post(&format!("/{tenant}/oauth2/v2.0/token"), &[], form).await
}

#[tokio::test]
async fn a_password_speaks_for_its_user() {
    let client = emulator("refresh_in = 60").await;
    for tenant in [TENANT, "contoso.example", "organizations", "common", "Consumers"] {
        let reply = post(&client, tenant, &password("Alex@Contoso.example")).await;
        assert_eq!(reply.status, 200, "{tenant} {}", reply.text);
        let json = reply.json();
        assert_eq!(json["scope"], "https://a/.default https://a/user_impersonation openid profile");
        assert_eq!((&json["expires_in"], &json["refresh_in"]), (&json!(3599), &json!(60)));
        let access = reply.claims();
        let expected = json!({
            "aud": "https://a", "appid": PUBLIC, "appidacr": "0", "scp": "user_impersonation",
            "upn": USER, "tid": TENANT, "idtyp": "user", "oid": "66666666-6666-6666-6666-666666666661",
        });
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&access[name], value, "{name}");
        }
        let id = claims(json["id_token"].as_str().unwrap());
        assert_eq!((&id["aud"], &id["preferred_username"]), (&json!(PUBLIC), &json!(USER)));
        let info = URL_SAFE_NO_PAD.decode(json["client_info"].as_str().unwrap()).unwrap();
        let info: Value = serde_json::from_slice(&info).unwrap();
        assert_eq!(info, json!({"uid": "66666666-6666-6666-6666-666666666661", "utid": TENANT}));
    }
    let listed = serde_json::to_string(&client.requests().await).unwrap();
    assert!(!listed.contains("emulator-password"), "{listed}");
}

#[tokio::test]
async fn what_is_wrong_with_a_password_has_its_code() {
    let client = emulator("").await;
    let good = password(USER);
    let table = [
        (good.replace("emulator-password", "x"), 400, "invalid_grant", 50_126),
        (password("nobody@contoso.example"), 400, "invalid_grant", 50_034),
        (password(MFA_USER), 400, "interaction_required", 50_076),
        (good.replace("password=e", "p=e"), 400, "invalid_request", 900_144),
        (good.replace(PUBLIC, CLIENT_ID), 401, "invalid_client", 7_000_218),
        (format!("{good}&{SECRET}"), 401, "invalid_client", 700_025),
        (good.replace("offline_access", "https://b/x"), 400, "invalid_scope", 28_000),
        (good.replace("offline_access", "https://a/x"), 400, "invalid_scope", 70_011),
        (good.replace(PUBLIC, "nobody"), 400, "unauthorized_client", 700_016),
    ];
    for (form, status, error, code) in table {
        let reply = post(&client, TENANT, &form).await;
        let json = reply.json();
        assert_eq!((reply.status, &json["error"], reply.code()), (status, &json!(error), code), "{form}");
    }
    let mfa = post(&client, TENANT, &password(MFA_USER)).await.json();
    assert_eq!(mfa["suberror"], "basic_action");
    assert!(mfa["claims"].as_str().unwrap().contains("polids"));
    // An app of one tenant has no business at an authority of all.
    let form = good.replace(PUBLIC, CLIENT_ID) + "&" + SECRET;
    assert_eq!(post(&client, "common", &form).await.code(), 50_194);
    assert_eq!(post(&client, TENANT, &form).await.code(), 0);
}

#[tokio::test]
async fn accounts_of_the_tenants_are_managed() {
    let client = emulator("").await;
    let reply = client.entra("/common/userrealm/alex%40contoso.example?api-version=1.0").await;
    assert_eq!(reply.json()["account_type"], "Managed");
    let reply = client.entra("/common/userrealm/a@elsewhere.example?api-version=1.0").await;
    assert_eq!(reply.json()["account_type"], "Unknown");
}

#[tokio::test]
async fn a_refresh_token_is_good_for_other_resources_until_it_is_taken_back() {
    let client = emulator("").await;
    let token = |reply: &Reply| reply.json()["refresh_token"].as_str().unwrap().to_owned();
    let refresh =
        |token: &str, scope: &str| format!("grant_type=refresh_token&client_id={PUBLIC}&refresh_token={token}{scope}");
    let first = token(&post(&client, TENANT, &password(USER)).await);
    let reply = post(&client, "organizations", &refresh(&first, "&scope=https://b/.default")).await;
    assert_eq!(reply.claims()["aud"], "https://b");
    let second = token(&reply);
    assert_ne!(first, second);
    // Without a scope it is the one from before; the old token is good too.
    assert_eq!(post(&client, TENANT, &refresh(&second, "")).await.claims()["aud"], "https://b");
    assert_eq!(post(&client, TENANT, &refresh(&first, "&claims=%7B%7D")).await.claims()["aud"], "https://a");

    let developer = refresh(&second, "").replace(PUBLIC, "04b07795-8ddb-461a-bbee-02f9e1bf7b46");
    assert_eq!(post(&client, TENANT, &developer).await.code(), 70_000);
    assert_eq!(post(&client, TENANT, &refresh("unknown", "")).await.code(), 70_000);
    assert_eq!(client.tell("/revoke", json!({"username": MFA_USER})).await["revoked"], 0);
    assert!(client.tell("/revoke", json!({"username": USER})).await["revoked"].as_u64().unwrap() >= 2);
    let revoked = post(&client, TENANT, &refresh(&second, "")).await;
    assert_eq!((revoked.code(), &revoked.json()["suberror"]), (50_173, &json!("bad_token")));
    let listed = serde_json::to_string(&client.requests().await).unwrap();
    assert!(!listed.contains(&first) && !listed.contains(&second), "{listed}");
}

#[tokio::test]
async fn a_refresh_token_has_its_time() {
    let client = emulator("refresh_token_lifetime = 1").await;
    let reply = post(&client, TENANT, &password(USER)).await.json();
    let form = format!(
        "grant_type=refresh_token&client_id={PUBLIC}&refresh_token={}",
        reply["refresh_token"].as_str().unwrap()
    );
    tokio::time::timeout(std::time::Duration::from_secs(10), async {
        while post(&client, TENANT, &form).await.code() == 0 {}
    })
    .await
    .unwrap();
    assert_eq!(post(&client, TENANT, &form).await.code(), 700_082);
}

#[tokio::test]
async fn a_service_speaks_on_behalf_of_a_user() {
    let client = emulator("").await;
    let minted = async |more: Value| {
        let mut wish = json!({"username": USER, "client_id": CLIENT_ID});
        wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        client.tell("/user-token", wish).await["access_token"].as_str().unwrap().to_owned()
    };
    let form = |assertion: &str| {
        format!(
            "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&requested_token_use=on_behalf_of\
             &client_id={CLIENT_ID}&{SECRET}&scope=https://a/.default+offline_access&assertion={assertion}"
        )
    };
    let good = minted(json!({})).await;
    let reply = post(&client, TENANT, &form(&good)).await;
    assert_eq!(reply.claims()["upn"], USER);
    assert_eq!(reply.claims()["appid"], CLIENT_ID);
    assert_eq!(reply.claims()["appidacr"], "1");
    assert!(reply.json()["refresh_token"].is_string());
    assert!(reply.json().get("id_token").is_none());

    let own = client.token(&super::client::FORM.replace("https%3A%2F%2Fstorage.azure.com", CLIENT_ID)).await;
    let own = own.json()["access_token"].as_str().unwrap().to_owned();
    let table = [
        (form(&minted(json!({"audience": CLIENT_ID})).await), 0),
        (form(&minted(json!({"audience": "https://other"})).await), 500_131),
        (form(&minted(json!({"lifetime": -5})).await), 500_133),
        (form(&minted(json!({"username": MFA_USER})).await), 50_076),
        (form(&forged(&good)), 50_013),
        (form(&own), 50_013),
        (form("nothing"), 50_027),
        (form(&good).replace(SECRET, "x=y"), 7_000_218),
        (form(&good).replace(SECRET, "x=y").replace(CLIENT_ID, PUBLIC), 7_000_218),
        (form(&good).replace("emulator-client", "x"), 7_000_215),
        (form(&good).replace("on_behalf_of", "x"), 90_100),
        (form(&good).replace("requested_token_use", "x"), 900_144),
    ];
    for (form, code) in table {
        let reply = post(&client, TENANT, &form).await;
        assert_eq!(reply.code(), code, "{form} {}", reply.text);
    }
}
