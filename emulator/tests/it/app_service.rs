use super::client::{FIRST, emulator};

const FULL: &str = "/msi/token?api-version=2019-08-01&resource=https://servicebus.azure.net/";
const HEADER: (&str, &str) = ("X-IDENTITY-HEADER", "emulator-identity-header");

const OBJECT: &str = "44444444-4444-4444-4444-444444444441";
const RESOURCE: &str = "/subscriptions/55555555-5555-5555-5555-555555555555/resourceGroups/\
     emulator/providers/Microsoft.ManagedIdentity/userAssignedIdentities/emulator-1";

#[tokio::test]
async fn a_token_whatever_the_sdk_adds() {
    let client = emulator("").await;
    let form = ("content-type", "application/x-www-form-urlencoded");
    for headers in [vec![HEADER], vec![HEADER, ("Metadata", "true")], vec![HEADER, form]] {
        let reply = client.get(FULL, &headers).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let json = reply.json();
        assert_eq!(json["resource"], "https://servicebus.azure.net/");
        assert_eq!(json["token_type"], "Bearer");
        assert_eq!(json["expires_on"], reply.claims()["exp"].to_string());
        assert_eq!(json.as_object().unwrap().len(), 5, "no expires_in");
        assert!(reply.text.starts_with(r#"{"access_token":""#));
    }
}

#[tokio::test]
async fn all_spellings_of_an_identity() {
    let client = emulator("").await;
    for (name, id) in [
        ("client_id", FIRST),
        ("object_id", OBJECT),
        ("principal_id", OBJECT),
        ("mi_res_id", RESOURCE),
        ("msi_res_id", RESOURCE),
    ] {
        let reply = client.get(&format!("{FULL}&{name}={id}"), &[HEADER]).await;
        assert_eq!(reply.json()["client_id"], FIRST, "{name}");
    }
}

#[tokio::test]
async fn what_is_refused() {
    let client = emulator("").await;
    let wrong = ("x-identity-header", "emulator-identity-heade");
    let table = [
        (FULL.to_owned(), None, 401, "X-IDENTITY-HEADER"),
        (FULL.to_owned(), Some(wrong), 401, "X-IDENTITY-HEADER"),
        ("/msi/token?resource=r".into(), Some(HEADER), 400, "api-version"),
        ("/msi/token?resource=r&api-version=2017-09-01".into(), Some(HEADER), 400, "api-version"),
        ("/msi/token?api-version=2019-08-01&resource=".into(), Some(HEADER), 400, "resource"),
        (format!("{FULL}&client_id=nobody"), Some(HEADER), 400, "No User Assigned or Delegated Managed Identity found"),
        (format!("{FULL}&client_id=a&mi_res_id=b"), Some(HEADER), 400, "Only one identity"),
    ];
    for (path, header, status, words) in table {
        let reply = client.get(&path, header.as_slice()).await;
        assert_eq!(reply.status, status, "{path}");
        let json = reply.json();
        assert_eq!(json["statusCode"], status);
        let message = json["message"].as_str().unwrap();
        assert!(message.contains(words), "{path}: {message}");
    }
}

#[tokio::test]
async fn the_header_is_configurable() {
    let client = emulator("identity_header = 'other'").await;
    assert_eq!(client.get(FULL, &[HEADER]).await.status, 401);
    let other = [("x-identity-header", "other")];
    assert_eq!(client.get(FULL, &other).await.status, 200);
    assert_eq!(client.emulator.ready()["identity_header"], "other");
}
