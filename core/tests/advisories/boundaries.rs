//! Limits, at the last value that they allow and one beyond.

use azcred::{ErrorKind, TokenRequest};

use crate::stage::{GRANTS, HOSTS, SCOPE, TOKEN, says};

#[test]
fn each_limit_holds_at_its_edge() {
    let token = |text: &str| format!(r#"{{"access_token":"{text}","expires_in":3600}}"#);
    for asker in [HOSTS[1], GRANTS[0]] {
        let ask = |more: &[(&str, &str)], request: &TokenRequest, body: &str| {
            let (made, fake) = asker.with(more, says(200, &[], body.as_bytes()));
            let answer = made.and_then(|made| made.get_token(request));
            answer.map(|_| fake.sent().len()).map_err(|error| (error.kind(), fake.sent().len()))
        };
        let scope = |length: usize| TokenRequest::scope("s".repeat(length));
        assert_eq!(ask(&[], &scope(1), TOKEN), Ok(1));
        assert_eq!(ask(&[], &scope(2048), TOKEN), Ok(1));
        for length in [0, 2049] {
            assert_eq!(ask(&[], &scope(length), TOKEN), Err((ErrorKind::InvalidArgument, 0)), "{length}");
        }
        // How long a token lives: more than its last seconds, and at most a year.
        for (life, good) in [(1, false), (30, false), (60, true), (366 * 86400, true), (366 * 86400 + 1, false)] {
            let body = format!(r#"{{"access_token":"t","expires_in":{life}}}"#);
            let answer = ask(&[], &TokenRequest::scope(SCOPE), &body);
            assert_eq!(answer, if good { Ok(1) } else { Err((ErrorKind::Transient, 1)) }, "{life}");
        }
        // A token of any length that a body can have.
        for length in [1, 100_000] {
            assert_eq!(ask(&[], &TokenRequest::scope(SCOPE), &token(&"t".repeat(length))), Ok(1));
        }
        for (seconds, good) in [(0, true), (1, true), (-1, false)] {
            let request = TokenRequest { min_ttl: seconds, ..TokenRequest::scope(SCOPE) };
            assert_eq!(ask(&[], &request, TOKEN).is_ok(), good, "{seconds}");
        }
    }
    for length in [1, 255, 256] {
        let name = "t".repeat(length);
        let (made, _) = GRANTS[0].with(&[("tenant_id", &name)], says(200, &[], TOKEN.as_bytes()));
        assert_eq!(made.is_ok(), length < 256, "{length}");
        let (made, fake) = GRANTS[0].with(&[], says(200, &[], TOKEN.as_bytes()));
        let request = TokenRequest { tenant_id: Some(name), ..TokenRequest::scope(SCOPE) };
        // A stranger's tenant is refused, a malformed one is no tenant.
        let expected = if length < 256 { ErrorKind::Failed } else { ErrorKind::InvalidArgument };
        assert_eq!(made.unwrap().get_token(&request).unwrap_err().kind(), expected);
        assert!(fake.sent().is_empty());
    }
}
