//! A sign-in with the browser of this machine: what opens, who may answer, and how it ends.

use std::collections::HashMap;

use azcred::fake::answer;
use azcred::{ErrorKind, LandingAt, Page, Redirect};

use super::*;

/// What the browser was sent to: the address, and its query.
fn address(opened: &str) -> (String, HashMap<String, String>) {
    let (address, query) = opened.split_once('?').unwrap_or((opened, ""));
    (address.to_owned(), form_urlencoded::parse(query.as_bytes()).into_owned().collect())
}

fn post(fields: &[(&str, &str)]) -> Redirect {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    Redirect {
        method: "POST",
        target: "/".to_owned().into(),
        host: "localhost".into(),
        content_type: Some("application/x-www-form-urlencoded".into()),
        body: body.into_bytes().into(),
    }
}

/// A credential on a desktop whose browser brings what `brings` makes of the query it was opened with.
#[expect(clippy::unwrap_used, reason = "options that are right")]
fn desktop(
    more: &[(&'static str, Value)],
    brings: impl Fn(&HashMap<String, String>) -> Vec<Redirect> + Send + Sync + 'static,
) -> (Credential, Fake) {
    let (made, fake) = credential("InteractiveBrowserCredential", more, &[("BROWSER", "/bin/browser")]);
    fake.write("/bin/browser", "");
    fake.browser(move |opened| Ok(brings(&address(opened.arguments.last().unwrap()).1)));
    fake.serve(|_| Ok(answer(200, &signed_in("tok", "ann", "r1"))));
    (made.unwrap(), fake)
}

fn code(query: &HashMap<String, String>) -> Vec<Redirect> {
    vec![post(&[("code", "canary"), ("state", &query["state"])])]
}

#[test]
fn the_whole_way() {
    let (made, fake) = desktop(&[("login_hint", text("ann@x")), ("tenant_id", text("t.example"))], code);
    assert_eq!(ask(&made).unwrap(), "tok");
    let opened = fake.launched().pop().unwrap();
    let (address, query) = address(opened.arguments.last().unwrap());
    assert_eq!(address, "https://login.microsoftonline.com/t.example/oauth2/v2.0/authorize");
    for (name, value) in [
        ("client_id", "04b07795-8ddb-461a-bbee-02f9e1bf7b46"),
        ("response_type", "code"),
        ("response_mode", "form_post"),
        ("scope", "https://storage.azure.com/.default openid profile offline_access"),
        ("code_challenge_method", "S256"),
        ("prompt", "select_account"),
        ("login_hint", "ann@x"),
        ("client_info", "1"),
    ] {
        assert_eq!(query[name], value, "{name}");
    }
    assert!(query["redirect_uri"].starts_with("http://localhost:"), "{query:?}");
    assert!(query["state"].len() >= 43 && query["nonce"].len() >= 43 && query["state"] != query["nonce"]);
    assert_eq!(fake.pages(), [Page::SIGNED_IN]);
    // The code is redeemed with the verifier of the challenge.
    let body = bodies(&fake).pop().unwrap();
    let form: HashMap<String, String> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    assert_eq!((form["code"].as_str(), form["redirect_uri"].as_str()), ("canary", query["redirect_uri"].as_str()));
    let digest = ring::digest::digest(&ring::digest::SHA256, form["code_verifier"].as_bytes());
    assert_eq!(URL_SAFE_NO_PAD.encode(digest), query["code_challenge"]);
    // From now on nobody is asked.
    ask_for(&made, "https://vault.azure.net/.default").unwrap();
    assert!(bodies(&fake).pop().unwrap().contains("grant_type=refresh_token"));
    assert_eq!(fake.launched().len(), 1);
}

#[test]
fn what_others_bring_neither_ends_nor_feeds_a_sign_in() {
    let (made, fake) = desktop(&[], |query| {
        let state = query["state"].as_str();
        let elsewhere =
            Redirect { content_type: Some("text/plain".into()), ..post(&[("code", "x"), ("state", state)]) };
        vec![
            post(&[("code", "attacker")]),
            post(&[("code", "attacker"), ("state", "guess")]),
            post(&[("code", "attacker"), ("state", state), ("state", "guess")]),
            post(&[("error", "access_denied"), ("state", "guess")]),
            elsewhere,
            post(&[("code", "canary"), ("state", state)]),
        ]
    });
    assert_eq!(ask(&made).unwrap(), "tok");
    assert_eq!(fake.pages(), [[Page::NOT_OURS; 5].as_slice(), &[Page::SIGNED_IN]].concat());
    assert_eq!(fake.sent().len(), 1);
    assert!(bodies(&fake)[0].contains("code=canary&"));
}

#[test]
fn a_refusal_is_told_in_the_servers_words() {
    let (made, fake) = desktop(&[], |query| {
        let text = "AADSTS65004: User declined\r\nTrace";
        vec![post(&[("error", "access_denied"), ("error_description", text), ("state", &query["state"])])]
    });
    let error = ask(&made).unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Failed, Some("access_denied")));
    assert_eq!(
        error.message(),
        "InteractiveBrowserCredential: login.microsoftonline.com refused the sign-in: access_denied: AADSTS65004: User \
         declined"
    );
    assert_eq!(fake.pages(), [Page::REFUSED]);
    assert!(fake.sent().is_empty());
}

#[test]
fn a_user_who_does_not_come_back() {
    let (made, fake) = desktop(&[("timeout", Value::Int(20))], |_| Vec::new());
    let error = ask(&made).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert_eq!(error.message(), "InteractiveBrowserCredential: the user did not sign in within 20 s");
    assert!(fake.now() <= 1_700_000_000 + 25);
}

#[test]
fn a_page_that_knocks_all_the_time_keeps_no_sign_in_from_its_end() {
    // In this world each look takes a second.
    let (made, fake) = desktop(&[("timeout", Value::Int(20))], |query| {
        let mut visits: Vec<Redirect> = (0..60).map(|_| post(&[("state", "guess")])).collect();
        visits.extend(code(query));
        visits
    });
    let error = ask(&made).unwrap_err();
    assert_eq!(error.message(), "InteractiveBrowserCredential: the user did not sign in within 20 s");
    assert!(fake.sent().is_empty());
}

#[test]
fn a_host_without_a_browser_or_a_port() {
    let (made, fake) = credential("InteractiveBrowserCredential", &[], &[]);
    let error = ask(&made.unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(fake.launched().is_empty() && fake.sent().is_empty());
    let (made, fake) = desktop(&[], code);
    fake.refuse_landings("port 8400 is taken");
    let error = ask(&made).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.message(), "InteractiveBrowserCredential: port 8400 is taken");
    assert!(fake.launched().is_empty());
}

#[test]
fn a_redirect_of_the_programs_own() {
    let (made, fake) = desktop(&[("redirect_uri", text("http://localhost:8400/back"))], code);
    ask(&made).unwrap();
    assert_eq!(fake.landed(), [LandingAt { port: Some(8400), path: "/back".into() }]);
    assert!(bodies(&fake)[0].contains("redirect_uri=http%3A%2F%2Flocalhost%3A8400%2Fback&"));
    for (given, sent, path) in [
        ("http://localhost:8400/back/", "http%3A%2F%2Flocalhost%3A8400%2Fback%2F", "/back/"),
        ("http://localhost:8400/", "http%3A%2F%2Flocalhost%3A8400", "/"),
        ("http://127.0.0.1:8400", "http%3A%2F%2F127.0.0.1%3A8400", "/"),
    ] {
        let (made, fake) = desktop(&[("redirect_uri", text(given))], code);
        ask(&made).unwrap();
        assert_eq!(fake.landed(), [LandingAt { port: Some(8400), path: path.into() }]);
        assert!(bodies(&fake)[0].contains(&format!("redirect_uri={sent}&")), "{given}: {:?}", bodies(&fake));
    }
    for wrong in
        ["http://localhost", "https://localhost:8400", "http://example.com:8400", "8400", "http://u@localhost:1"]
    {
        let (made, _) = credential("InteractiveBrowserCredential", &[("redirect_uri", text(wrong))], &[]);
        let error = made.unwrap_err();
        assert!(
            error.message().starts_with(
                "InteractiveBrowserCredential: option redirect_uri: expected a URL of this host with a port"
            ),
            "{error}"
        );
    }
}

#[test]
fn an_answer_to_another_sign_in_is_refused() {
    let (made, fake) = desktop(&[], code);
    let claims = URL_SAFE_NO_PAD.encode(r#"{"sub":"s","nonce":"another"}"#);
    let body = format!(r#"{{"access_token":"tok","expires_in":3600,"id_token":"h.{claims}.s"}}"#);
    fake.answer(200, &body);
    let error = ask(&made).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.message().ends_with("is for another sign-in"), "{error}");
    assert!(made.record().is_none());
}
