//! Users who sign in: the first grant, refresh tokens, and whose session it is.

use azcred::fake::answer;
use azcred::{AuthenticationRecord, ErrorKind};

use super::*;

const OTHER: &str = "https://vault.azure.net/.default";

fn password(more: &[(&'static str, Value)]) -> Vec<(&'static str, Value)> {
    let mut options = vec![("client_id", text("cid")), ("username", text("u@x")), ("password", text("canary"))];
    options.extend(more.iter().cloned());
    options
}

/// What each credential sends first, behind the grant's name.
#[test]
fn the_first_exchange() {
    let api = [("tenant_id", text("t.example")), ("client_id", text("cid"))];
    let with = |more: &[(&'static str, Value)]| [&api[..], more].concat();
    let cases = [
        (
            "UsernamePasswordCredential",
            password(&[]),
            format!("grant_type=password&username=u%40x&password=canary&client_info=1&client_id=cid&{USER_SCOPE}"),
        ),
        (
            "OnBehalfOfCredential",
            with(&[("user_assertion", text("user.jwt")), ("client_secret", text("canary"))]),
            format!(
                "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=user.jwt&\
                 requested_token_use=on_behalf_of&client_info=1&client_id=cid&client_secret=canary&{USER_SCOPE}"
            ),
        ),
        (
            "OnBehalfOfCredential",
            with(&[("user_assertion", text("user.jwt")), ("client_assertion_func", says(Ok(Some("a.b.c"))))]),
            format!(
                "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=user.jwt&\
                 requested_token_use=on_behalf_of&client_info=1&client_id=cid&\
                 client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&\
                 client_assertion=a.b.c&{USER_SCOPE}"
            ),
        ),
        (
            "AuthorizationCodeCredential",
            with(&[("authorization_code", text("code")), ("redirect_uri", text("http://localhost/x"))]),
            format!(
                "grant_type=authorization_code&code=code&redirect_uri=http%3A%2F%2Flocalhost%2Fx&client_info=1&\
                 client_id=cid&{USER_SCOPE}"
            ),
        ),
        (
            "AuthorizationCodeCredential",
            with(&[
                ("authorization_code", text("code")),
                ("redirect_uri", text("http://localhost/x")),
                ("client_secret", text("s")),
            ]),
            format!(
                "grant_type=authorization_code&code=code&redirect_uri=http%3A%2F%2Flocalhost%2Fx&client_info=1&\
                 client_id=cid&client_secret=s&{USER_SCOPE}"
            ),
        ),
    ];
    for (name, options, expected) in cases {
        let (made, fake) = credential(name, &options, &[]);
        fake.serve(|_| Ok(answer(200, &signed_in("first", "ann", "r1"))));
        let made = made.unwrap();
        assert_eq!(ask(&made).unwrap(), "first", "{name}");
        assert_eq!(bodies(&fake), [expected]);
        // Another resource: the refresh token, and the client's proof again.
        fake.serve(|_| Ok(answer(200, &signed_in("second", "ann", "r2"))));
        assert_eq!(ask_for(&made, OTHER).unwrap(), "second");
        let second = bodies(&fake).pop().unwrap();
        assert!(
            second.starts_with("grant_type=refresh_token&refresh_token=r1&client_info=1&client_id=cid&"),
            "{second}"
        );
        fake.answer(200, TOKEN);
        ask_for(&made, "https://third/.default").unwrap();
        assert!(bodies(&fake).pop().unwrap().contains("refresh_token=r2&"));
        ask_for(&made, "https://fourth/.default").unwrap();
        assert!(bodies(&fake).pop().unwrap().contains("refresh_token=r2&"), "an answer without one leaves it");
    }
}

/// Serves sign-ins of `user`, and refuses refresh tokens with `refusal`.
fn refuse_refresh(fake: &Fake, user: &'static str, status: u16, refusal: &'static str) {
    fake.serve(move |request| {
        let refreshes = request.body.as_ref().is_some_and(|body| body.expose().contains("grant_type=refresh_token"));
        Ok(if refreshes { answer(status, refusal) } else { answer(200, &signed_in("again", user, "r9")) })
    });
}

const GONE: &str =
    r#"{"error":"invalid_grant","error_description":"AADSTS70000: refresh-1 is revoked","claims":"{\"a\":1}"}"#;

#[test]
fn a_refused_refresh_token_leads_to_a_new_sign_in() {
    let (made, fake) = credential("UsernamePasswordCredential", &password(&[]), &[]);
    let made = made.unwrap();
    fake.serve(|_| Ok(answer(200, &signed_in("first", "ann", "r1"))));
    ask(&made).unwrap();
    refuse_refresh(&fake, "ann", 400, GONE);
    assert_eq!(ask_for(&made, OTHER).unwrap(), "again");
    // A server in trouble is no reason to send the password again.
    refuse_refresh(&fake, "ann", 503, "");
    let error = ask_for(&made, "https://third/.default").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transient);
    assert!(bodies(&fake).pop().unwrap().contains("grant_type=refresh_token"));
}

#[test]
fn a_code_works_once() {
    let options = [
        ("tenant_id", text("t.example")),
        ("client_id", text("cid")),
        ("authorization_code", text("code")),
        ("redirect_uri", text("http://localhost/x")),
    ];
    let (made, fake) = credential("AuthorizationCodeCredential", &options, &[]);
    let made = made.unwrap();
    fake.serve(|_| Ok(answer(200, &signed_in("first", "ann", "refresh-1"))));
    ask(&made).unwrap();
    refuse_refresh(&fake, "ann", 400, GONE);
    let error = ask_for(&made, OTHER).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.message().contains("AADSTS70000: *** is revoked"), "{error}");
    assert_eq!(error.claims(), Some(r#"{"a":1}"#));
    assert_eq!(fake.sent().len(), 2, "the code is not sent again");
}

#[test]
fn a_session_is_of_one_account() {
    let (made, fake) = credential("UsernamePasswordCredential", &password(&[]), &[]);
    let made = made.unwrap();
    assert!(made.record().is_none());
    fake.serve(|_| Ok(answer(200, &signed_in("first", "ann", "r1"))));
    ask(&made).unwrap();
    assert_eq!(made.record().unwrap().username, "ann@x");
    refuse_refresh(&fake, "bob", 400, GONE);
    let error = ask_for(&made, OTHER).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert_eq!(
        error.message(),
        "UsernamePasswordCredential: expected a sign-in of ann@x, got one of bob@x; another account needs a credential \
         of its own"
    );
    assert_eq!(made.record().unwrap().username, "ann@x");
}

#[test]
fn a_record_pins_the_account() {
    let (first, fake) = credential("UsernamePasswordCredential", &password(&[]), &[]);
    let first = first.unwrap();
    fake.serve(|_| Ok(answer(200, &signed_in("first", "ann", "r1"))));
    ask(&first).unwrap();
    let record = first.record().unwrap().to_json();
    assert_eq!(AuthenticationRecord::from_json(&record).unwrap(), first.record().unwrap());

    let pinned = password(&[("authentication_record", text(&record))]);
    for (answered, expected) in [
        (signed_in("t", "ann", "r"), Ok("t")),
        (signed_in("t", "bob", "r"), Err("expected a sign-in of ann@x, got one of bob@x")),
        (TOKEN.to_owned(), Err("the answer does not say who signed in, and the credential is for one account")),
    ] {
        let (made, fake) = credential("UsernamePasswordCredential", &pinned, &[]);
        fake.serve(move |_| Ok(answer(200, &answered)));
        match (ask(&made.unwrap()), expected) {
            (Ok(token), Ok(expected)) => assert_eq!(token, expected),
            (Err(error), Err(expected)) => assert!(error.message().contains(expected), "{error}"),
            (got, expected) => panic!("{got:?}, expected {expected:?}"),
        }
    }
    let (made, _) = credential("UsernamePasswordCredential", &password(&[("authentication_record", text("{}"))]), &[]);
    let error = made.unwrap_err();
    assert!(
        error.message().starts_with(
            "UsernamePasswordCredential: option authentication_record: expected the JSON text of an authentication record"
        ),
        "{error}"
    );
}

#[test]
fn who_expects_an_account_finds_no_other_in_the_cache() {
    let (world, fake) = Fake::world();
    fake.serve(|_| Ok(answer(200, &signed_in("anns", "ann", "r1"))));
    let bob = r#"{"authority":"a","clientId":"cid","homeAccountId":"bob.t","tenantId":"t","username":"bob@x"}"#;
    let made = |more: &[(&'static str, Value)]| {
        let options = password(more).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Credential::in_world(world.clone(), "UsernamePasswordCredential", options, Spelling::Snake).unwrap()
    };
    assert_eq!(ask(&made(&[])).unwrap(), "anns");
    let tenant = ("tenant_id", text("organizations"));
    let error = ask(&made(&[("authentication_record", text(bob)), tenant])).unwrap_err();
    assert!(error.message().contains("expected a sign-in of bob@x, got one of ann@x"), "{error}");
}

#[test]
fn a_sign_in_asks_whatever_the_cache_holds() {
    let (made, fake) = credential("UsernamePasswordCredential", &password(&[]), &[]);
    let made = made.unwrap();
    fake.serve(|_| Ok(answer(200, &signed_in("first", "ann", "r1"))));
    ask(&made).unwrap();
    fake.serve(|_| Ok(answer(200, &signed_in("second", "ann", "r2"))));
    let request = made.authentication(TokenRequest::default()).unwrap();
    assert_eq!(request.scopes, ["https://management.core.windows.net//.default"]);
    for _ in 0..2 {
        made.get_token(&request).unwrap();
        assert!(bodies(&fake).pop().unwrap().starts_with("grant_type=password"));
    }
    assert_eq!(fake.sent().len(), 3);
    let secret = [("tenant_id", text("t")), ("client_id", text("c")), ("client_secret", text("s"))];
    let (application, _) = credential("ClientSecretCredential", &secret, &[]);
    let error = application.unwrap().authentication(TokenRequest::default()).unwrap_err();
    assert_eq!(error.message(), "ClientSecretCredential has no user who could sign in");
    let api = [&secret[..], &[("user_assertion", text("u"))]].concat();
    let (api, _) = credential("OnBehalfOfCredential", &api, &[]);
    let error = api.unwrap().authentication(TokenRequest::default()).unwrap_err();
    assert_eq!(error.message(), "OnBehalfOfCredential has no user who could sign in");
}

#[test]
fn two_users_of_one_api_never_share() {
    let (world, fake) = Fake::world();
    for user in ["ann", "bob"] {
        let options = vec![
            ("tenant_id".to_owned(), text("t")),
            ("client_id".to_owned(), text("c")),
            ("client_secret".to_owned(), text("s")),
            ("user_assertion".to_owned(), text(user)),
        ];
        let made = Credential::in_world(world.clone(), "OnBehalfOfCredential", options, Spelling::Snake).unwrap();
        fake.serve(move |_| Ok(answer(200, &signed_in(user, user, "r"))));
        assert_eq!(ask(&made).unwrap(), user);
    }
    let proofs: [(&[(&str, Value)], &str); 3] = [
        (&[("client_certificate", text("one")), ("certificate_path", text("/another"))], "got several"),
        (&[], "got none"),
        (&[("client_secret", text("s")), ("client_assertion_func", says(Ok(None)))], "got several"),
    ];
    for (more, expected) in proofs {
        let mut options = vec![("tenant_id", text("t")), ("client_id", text("c")), ("user_assertion", text("u"))];
        options.extend(more.iter().cloned());
        let error = credential("OnBehalfOfCredential", &options, &[]).0.unwrap_err();
        assert!(error.message().starts_with("OnBehalfOfCredential: expected one of client_secret"), "{error}");
        assert!(error.message().ends_with(expected), "{error}");
    }
}
