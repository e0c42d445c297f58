//! Device codes: what the user is told, when the server is asked, and how it ends.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use azcred::fake::answer;
use azcred::http::{HttpError, HttpFault};
use azcred::{Cancel, ErrorKind, Told};

use super::*;

const CODE: &str = r#"{"device_code":"canary","user_code":"UC","verification_uri":"https://x/d","expires_in":900,"interval":5,"message":"go to https://x/d"}"#;
const PENDING: &str = r#"{"error":"authorization_pending","error_description":"AADSTS70016: pending"}"#;

/// Gives a device code, then these answers in turn; the last one again and again.
fn polls(fake: &Fake, answers: Vec<(u16, String)>) {
    let asked = AtomicUsize::new(0);
    fake.serve(move |request| {
        if request.url.ends_with("/devicecode") {
            return Ok(answer(200, CODE));
        }
        let at = asked.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
        Ok(answer(answers[at].0, &answers[at].1))
    });
}

#[expect(clippy::unwrap_used, reason = "options that are right")]
fn device(more: &[(&'static str, Value)]) -> (Credential, Fake) {
    let (made, fake) = credential("DeviceCodeCredential", more, &[]);
    (made.unwrap(), fake)
}

#[test]
fn the_whole_way() {
    let (made, fake) = device(&[]);
    let slow = r#"{"error":"slow_down"}"#.to_owned();
    polls(&fake, vec![(400, PENDING.into()), (400, slow), (400, PENDING.into()), (200, signed_in("t", "ann", "r1"))]);
    assert_eq!(ask(&made).unwrap(), "t");
    assert_eq!(fake.told(), ["go to https://x/d"]);
    assert_eq!(fake.slept(), [5, 5, 10, 10].map(Duration::from_secs), "five more, from slow_down on");
    let sent = fake.sent();
    assert_eq!(
        sent[0],
        format!(
            "POST https://login.microsoftonline.com/organizations/oauth2/v2.0/devicecode \
             client_id=04b07795-8ddb-461a-bbee-02f9e1bf7b46&{USER_SCOPE}"
        )
    );
    assert_eq!(
        sent[1],
        format!(
            "POST https://login.microsoftonline.com/organizations/oauth2/v2.0/token \
             grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=canary&client_info=1&\
             client_id=04b07795-8ddb-461a-bbee-02f9e1bf7b46&{USER_SCOPE}"
        )
    );
    // From now on nobody is asked.
    fake.answer(200, TOKEN);
    ask_for(&made, "https://vault.azure.net/.default").unwrap();
    assert!(bodies(&fake).pop().unwrap().contains("refresh_token=r1"));
    assert_eq!(fake.told().len(), 1);
}

#[test]
fn the_page_asks_what_the_claims_want() {
    let (made, fake) = device(&[]);
    polls(&fake, vec![(200, signed_in("t", "ann", "r"))]);
    let mut request = TokenRequest::scope(SCOPE);
    request.claims = Some(r#"{"access_token":{"acrs":{"value":"c1"}}}"#.to_owned());
    request.enable_cae = true;
    made.get_token(&request).unwrap();
    let claims: Vec<Option<String>> = bodies(&fake)
        .iter()
        .map(|body| {
            let (_, claims) = form_urlencoded::parse(body.as_bytes()).find(|(name, _)| name == "claims")?;
            Some(claims.into_owned())
        })
        .collect();
    assert_eq!(claims.len(), 2);
    assert!(claims[0].as_ref().is_some_and(|claims| claims.contains("acrs") && claims.contains("CP1")));
    assert_eq!(claims[0], claims[1], "the code's and the token's");
}

#[test]
fn how_it_ends_without_a_token() {
    let error = |code: &str| format!(r#"{{"error":"{code}","error_description":"AADSTS1: canary {code}"}}"#);
    for (status, body, kind, expected) in [
        (400, error("authorization_declined"), ErrorKind::Failed, "AADSTS1: *** authorization_declined"),
        (400, error("access_denied"), ErrorKind::Failed, "AADSTS1: *** access_denied"),
        (400, error("expired_token"), ErrorKind::Failed, "AADSTS1: *** expired_token"),
        (400, error("bad_verification_code"), ErrorKind::Failed, "AADSTS1: *** bad_verification_code"),
        (200, "<html>".to_owned(), ErrorKind::Failed, "the user did not sign in before the code expired"),
        (503, String::new(), ErrorKind::Failed, "the user did not sign in before the code expired"),
        (400, PENDING.to_owned(), ErrorKind::Failed, "the user did not sign in before the code expired"),
    ] {
        let (made, fake) = device(&[]);
        polls(&fake, vec![(status, body.clone())]);
        let error = ask(&made).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(expected), "{body}: {error}");
        assert!(fake.now() <= 1_700_000_000 + 930, "{body}");
    }
    let (made, fake) = device(&[("timeout", Value::Int(12))]);
    polls(&fake, vec![(400, PENDING.into())]);
    let error = ask(&made).unwrap_err();
    assert_eq!(error.message(), "DeviceCodeCredential: the user did not sign in within 12 s");
    assert_eq!(fake.slept().len(), 3, "no longer than the program allows");
    let (made, fake) = device(&[]);
    fake.answer(200, r#"{"user_code":"u"}"#);
    let error = ask(&made).unwrap_err();
    assert!(error.message().ends_with("has no verification_uri"), "{error}");
}

#[test]
fn a_function_shows_the_code() {
    let told: Arc<Mutex<Vec<Told>>> = Arc::default();
    let kept = Arc::clone(&told);
    let prompt = Function::blocking(move |given| {
        kept.lock().unwrap().push(given);
        Ok(None)
    });
    let (made, fake) = device(&[("prompt_callback", Value::Function(prompt))]);
    polls(&fake, vec![(200, signed_in("t", "ann", "r"))]);
    ask(&made).unwrap();
    assert_eq!(
        *told.lock().unwrap(),
        [vec![
            ("verification_uri", "https://x/d".to_owned()),
            ("user_code", "UC".to_owned()),
            ("expires_on", "1700000900".to_owned()),
            ("message", "go to https://x/d".to_owned())
        ]]
    );
    assert!(fake.told().is_empty());
    let (made, fake) = device(&[("prompt_callback", says(Err("OSError: no screen")))]);
    polls(&fake, vec![(200, signed_in("t", "ann", "r"))]);
    let error = ask(&made).unwrap_err();
    assert_eq!(error.message(), "DeviceCodeCredential: the function that shows the code failed: OSError: no screen");
    let (made, _) = credential("DeviceCodeCredential", &[("prompt_callback", text("x"))], &[]);
    assert_eq!(
        made.unwrap_err().message(),
        "DeviceCodeCredential: option prompt_callback: expected a function, got text"
    );
}

#[test]
fn nobody_is_asked_unless_the_program_wants_it() {
    let (made, fake) = device(&[("disable_automatic_authentication", Value::Bool(true))]);
    polls(&fake, vec![(200, signed_in("t", "ann", "r1"))]);
    let error = ask(&made).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.code(), Some("authentication_required"));
    assert_eq!(error.message(), "DeviceCodeCredential: the user has to sign in, and call authenticate");
    assert!(fake.sent().is_empty());
    let request = made.authentication(TokenRequest::scope(SCOPE)).unwrap();
    made.get_token(&request).unwrap();
    assert_eq!(made.record().unwrap().home_account_id, "ann.t");
    assert_eq!(ask(&made).unwrap(), "t", "the sign-in's token");
    // A refresh token that is refused, with what a sign-in must meet.
    fake.answer(400, r#"{"error":"interaction_required","claims":"{\"b\":2}"}"#);
    let error = ask_for(&made, "https://vault.azure.net/.default").unwrap_err();
    assert_eq!((error.code(), error.claims()), (Some("authentication_required"), Some(r#"{"b":2}"#)));
}

#[test]
fn a_record_says_where_to_sign_in() {
    let record = |tenant: &str| {
        let head = r#"{"authority":"a","clientId":"recorded","homeAccountId":"ann.t","username":"ann@x","tenantId":""#;
        ("authentication_record", text(&format!("{head}{tenant}\"}}")))
    };
    for (more, tenant, client) in [
        (vec![record("guest")], "guest", "recorded"),
        (vec![record("")], "organizations", "recorded"),
        (vec![record("guest"), ("tenant_id", text("own")), ("client_id", text("mine"))], "own", "mine"),
    ] {
        let (made, fake) = device(&more);
        polls(&fake, vec![(200, signed_in("t", "ann", "r1"))]);
        ask(&made).unwrap();
        let start =
            format!("POST https://login.microsoftonline.com/{tenant}/oauth2/v2.0/devicecode client_id={client}&");
        assert!(fake.sent()[0].starts_with(&start), "{:?}", fake.sent());
    }
    let (made, _) = credential("DeviceCodeCredential", &[record("a/../b")], &[]);
    let error = made.unwrap_err();
    let expected = "DeviceCodeCredential: option authentication_record: malformed tenant 'a/../b'";
    assert!(error.message().starts_with(expected), "{error}");
}

#[test]
fn a_fault_that_no_sign_in_mends_prompts_nobody() {
    let (made, fake) = device(&[]);
    polls(&fake, vec![(200, signed_in("t", "ann", "r1"))]);
    ask(&made).unwrap();
    fake.serve(|request| {
        if request.url.ends_with("/devicecode") {
            return Ok(answer(200, CODE));
        }
        Err(HttpError { fault: HttpFault::Tls, message: "unknown issuer".into() })
    });
    let error = ask_for(&made, "https://vault.azure.net/.default").unwrap_err();
    assert!(error.message().contains("is not trusted: unknown issuer"), "{error}");
    assert_eq!(fake.told().len(), 1, "the first sign-in's");
}

#[test]
fn a_renewal_prompts_nobody() {
    let (made, fake) = device(&[]);
    polls(&fake, vec![(200, signed_in("t", "ann", "r1"))]);
    ask(&made).unwrap();
    fake.answer(400, r#"{"error":"invalid_grant"}"#);
    fake.advance(3400);
    let before = fake.sent().len();
    assert_eq!(ask(&made).unwrap(), "t", "the live token");
    // The renewal runs on its own; it is over when its request was answered and nothing else came.
    eventually(|| fake.sent().len() > before);
    assert!(bodies(&fake)[before].contains("grant_type=refresh_token"));
    assert!(!fake.sent()[before..].iter().any(|sent| sent.contains("/devicecode")));
}

#[test]
fn a_prompt_keeps_nobody_from_what_the_session_gives() {
    let (prompted, prompts) = std::sync::mpsc::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let (released, first) = (Mutex::new(released), AtomicUsize::new(0));
    let prompt = Function::blocking(move |_| {
        if first.fetch_add(1, Ordering::SeqCst) > 0 {
            prompted.send(()).unwrap();
            released.lock().unwrap().recv().unwrap();
        }
        Ok(None)
    });
    let (made, fake) = device(&[("prompt_callback", Value::Function(prompt))]);
    polls(&fake, vec![(200, signed_in("t", "ann", "r1"))]);
    ask(&made).unwrap();
    fake.serve(|request| {
        let sent = request.body.as_ref().map(|body| body.expose().to_owned()).unwrap_or_default();
        Ok(match request.url.ends_with("/devicecode") {
            true => answer(200, CODE),
            false if sent.contains("device_code=") => answer(200, &signed_in("more", "ann", "r2")),
            false if sent.contains("vault") => answer(400, r#"{"error":"interaction_required"}"#),
            false => answer(200, &signed_in("refreshed", "ann", "r3")),
        })
    });
    let (sender, answers) = std::sync::mpsc::channel();
    let vault = TokenRequest::scope("https://vault.azure.net/.default");
    made.start(vault, move |answer| sender.send(answer).unwrap()).unwrap();
    prompts.recv().unwrap();
    // The user looks for the second device; this needs none.
    let third =
        TokenRequest { timeout: Some(Duration::from_secs(20)), ..TokenRequest::scope("https://third/.default") };
    assert_eq!(made.get_token(&third).unwrap().secret(), "refreshed");
    release.send(()).unwrap();
    assert_eq!(answers.recv().unwrap().unwrap().secret(), "more");
    ask_for(&made, "https://fourth/.default").unwrap();
    assert!(bodies(&fake).pop().unwrap().contains("refresh_token=r2&"), "the sign-in's, not the older refresh's");
}

#[test]
fn polling_ends_when_everyone_has_left() {
    let (made, fake) = device(&[]);
    let cancel = Cancel::new();
    let trigger = cancel.clone();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    fake.serve(move |request| {
        if request.url.ends_with("/devicecode") {
            return Ok(answer(200, CODE));
        }
        count.fetch_add(1, Ordering::SeqCst);
        trigger.trigger();
        Ok(answer(400, PENDING))
    });
    let request = TokenRequest { cancel: Some(cancel), ..TokenRequest::scope(SCOPE) };
    let (sender, answers) = std::sync::mpsc::channel();
    made.start(request, move |answer| sender.send(answer).unwrap()).unwrap();
    assert_eq!(answers.recv().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    // Whoever comes next gets a code of his own; the old one gives nothing any more.
    fake.serve(|request| {
        let sent = request.body.as_ref().map(|body| body.expose().to_owned()).unwrap_or_default();
        Ok(match request.url.ends_with("/devicecode") {
            true => answer(200, &CODE.replace("canary", "second")),
            false if sent.contains("device_code=second") => answer(200, &signed_in("t", "ann", "r1")),
            false => answer(400, PENDING),
        })
    });
    eventually(|| ask(&made).is_ok());
    assert_eq!(fake.told().len(), 2);
    assert!(asked.load(Ordering::SeqCst) <= 2, "at most the question that was under way");
}

#[test]
fn a_prompt_holds_up_no_refresh() {
    let (shown, go) = std::sync::mpsc::channel::<()>();
    let go = Mutex::new(go);
    let first = std::sync::atomic::AtomicBool::new(true);
    let prompt = Function::blocking(move |_| {
        // The second user takes until the other token is there.
        if !first.swap(false, Ordering::SeqCst) {
            go.lock().unwrap().recv().unwrap();
        }
        Ok(None)
    });
    let (made, fake) = device(&[("prompt_callback", Value::Function(prompt))]);
    fake.serve(|request| {
        let sent = request.body.as_ref().map(|body| body.expose().to_owned()).unwrap_or_default();
        Ok(match request.url.ends_with("/devicecode") {
            true => answer(200, CODE),
            false if sent.contains("refresh_token") && sent.contains("guarded") => {
                answer(400, r#"{"error":"interaction_required"}"#)
            }
            false => answer(200, &signed_in("t", "ann", "r1")),
        })
    });
    ask(&made).unwrap();
    let (sender, guarded) = std::sync::mpsc::channel();
    let request = TokenRequest::scope("https://guarded/.default");
    made.start(request, move |answer| sender.send(answer.is_ok()).unwrap()).unwrap();
    eventually(|| fake.sent().iter().filter(|sent| sent.contains("/devicecode")).count() == 2);
    ask_for(&made, "https://vault.azure.net/.default").unwrap();
    assert!(guarded.try_recv().is_err(), "its user is still at it");
    shown.send(()).unwrap();
    assert!(guarded.recv().unwrap());
}
