//! The sign-in page, without the page: whoever comes is signed in and sent back with a code.
//!
//! What cannot be sent back, because client or address are not to be trusted, is shown here.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use url::{Url, form_urlencoded};

use super::{
    authority::Authority,
    codes::{Challenge, Code},
    delegation,
    refusal::Refusal,
};
use crate::{
    answer,
    ask::{Ask, Pairs},
    clock,
    identities::{App, User},
    site::Site,
    token::new_guid,
};

/// How the answer goes back.
#[derive(Clone, Copy, Debug)]
enum Mode {
    Query,
    Fragment,
    FormPost,
}

/// `GET` and `POST /{tenant}/oauth2/v2.0/authorize`.
pub(crate) async fn authorize(State(site): State<Arc<Site>>, Extension(ask): Extension<Arc<Ask>>) -> Response {
    let wish = if ask.method == "POST" { &ask.form } else { &ask.query };
    let (authority, app, address) = match addressee(&site, &ask, wish) {
        Ok(found) => found,
        Err(refusal) => return page(&refusal),
    };
    let mode = match wish.get("response_mode") {
        None | Some("query") => Mode::Query,
        Some("fragment") => Mode::Fragment,
        Some("form_post") => Mode::FormPost,
        Some(_) => return page(&Refusal::invalid_parameter("response_mode")),
    };
    let mut fields = match sign_in(&site, wish, authority, app, &address) {
        Ok((code, user)) => {
            let mut fields = vec![("code", code)];
            if wish.get("client_info") == Some("1") {
                fields.push(("client_info", delegation::client_info(user)));
            }
            fields
        }
        Err(refusal) => {
            let description = refusal.summary();
            vec![("error", refusal.error().to_owned()), ("error_description", description)]
        }
    };
    if let Some(state) = wish.get("state") {
        fields.push(("state", state.to_owned()));
    }
    fields.push(("session_state", new_guid()));
    send_back(&address, mode, &fields)
}

/// Who is to get an answer, and where.
fn addressee<'a>(site: &'a Site, ask: &Ask, wish: &Pairs) -> Result<(Authority<'a>, &'a App, String), Refusal> {
    let authority = Authority::read(&site.config, ask.tenant())?;
    if let Some(repeated) = wish.repeated() {
        return Err(Refusal::invalid_parameter(repeated));
    }
    let client_id = wish.filled("client_id").ok_or_else(|| Refusal::missing("client_id"))?;
    let app = authority.app(&site.config, ask.tenant(), client_id)?;
    let address = wish.filled("redirect_uri").ok_or_else(|| Refusal::missing("redirect_uri"))?;
    if app.redirect_uris.iter().any(|registered| leads_to(registered, address)) {
        return Ok((authority, app, address.to_owned()));
    }
    Err(Refusal::reply_address_not_registered(address, &app.client_id))
}

/// Whether the address is the registered one; on a loopback host the port is the client's choice.
fn leads_to(registered: &str, address: &str) -> bool {
    let (Ok(mut known), Ok(mut asked)) = (Url::parse(registered), Url::parse(address)) else {
        return false;
    };
    let is_loopback = known.scheme() == "http" && matches!(known.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if is_loopback && (known.set_port(None).is_err() || asked.set_port(None).is_err()) {
        return false;
    }
    known.as_str().trim_end_matches('/') == asked.as_str().trim_end_matches('/')
}

/// The code for whoever signs in.
fn sign_in<'a>(
    site: &'a Site,
    wish: &Pairs,
    authority: Authority<'_>,
    app: &App,
    address: &str,
) -> Result<(String, &'a User), Refusal> {
    match wish.filled("response_type") {
        Some("code") => {}
        Some(other) => return Err(Refusal::response_type(other)),
        None => return Err(Refusal::missing("response_type")),
    }
    let scopes = delegation::scopes(wish.filled("scope").ok_or_else(|| Refusal::missing("scope"))?)?;
    let challenge = match (wish.filled("code_challenge"), wish.get("code_challenge_method")) {
        (None, _) => None,
        (Some(text), Some("S256")) => Some(Challenge::Sha256(text.to_owned())),
        (Some(text), None | Some("plain")) => Some(Challenge::Plain(text.to_owned())),
        (Some(_), Some(_)) => return Err(Refusal::challenge_method()),
    };
    if site.ledger.denies() {
        return Err(Refusal::consent_declined());
    }
    let user = match wish.filled("login_hint") {
        Some(hint) => site.config.user(hint).filter(|user| authority.admits(user)),
        None => site.config.users.iter().find(|user| authority.admits(user)),
    };
    let user = user.ok_or_else(Refusal::nobody_signed_in)?;
    // Without a word to the user there is no second factor either.
    if user.mfa && wish.get("prompt") == Some("none") {
        return Err(Refusal::mfa_required());
    }
    let now = clock::unix_seconds();
    let code = Code {
        client_id: app.client_id.clone(),
        redirect_uri: address.to_owned(),
        object_id: user.object_id.clone(),
        scopes,
        nonce: wish.filled("nonce").map(str::to_owned),
        challenge,
        expires: now + i64::from(site.config.authorization_code_lifetime),
        redeemed: false,
    };
    Ok((code.hand_out(site, now), user))
}

fn send_back(address: &str, mode: Mode, fields: &[(&str, String)]) -> Response {
    let encoded = || form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let location = match mode {
        Mode::Query => format!("{address}{}{}", if address.contains('?') { '&' } else { '?' }, encoded()),
        Mode::Fragment => format!("{address}#{}", encoded()),
        Mode::FormPost => return html(StatusCode::OK, form(address, fields)),
    };
    match HeaderValue::from_str(&location) {
        Ok(location) => (StatusCode::FOUND, [(header::LOCATION, location)]).into_response(),
        Err(_) => page(&Refusal::invalid_parameter("redirect_uri")),
    }
}

/// A page that posts the fields by itself, as Entra's does.
fn form(address: &str, fields: &[(&str, String)]) -> String {
    let inputs = fields.iter().fold(String::new(), |inputs, (name, value)| {
        inputs + &format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\"/>", escape(value))
    });
    format!(
        "<html><head><title>Working...</title></head><body><form method=\"POST\" name=\"hiddenform\" \
         action=\"{}\">{inputs}<noscript><p>Script is disabled. Click Submit to continue.</p><input type=\"submit\" \
         value=\"Submit\"/></noscript></form><script language=\"javascript\">document.forms[0].submit();</script>\
         </body></html>",
        escape(address)
    )
}

fn page(refusal: &Refusal) -> Response {
    let text = escape(&refusal.summary());
    html(
        StatusCode::BAD_REQUEST,
        format!("<html><head><title>Sign in to your account</title></head><body><p>{text}</p></body></html>"),
    )
}

fn html(status: StatusCode, text: String) -> Response {
    answer::raw(status, "text/html; charset=utf-8", text.into_bytes())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::{escape, leads_to};

    #[test]
    fn an_address_is_the_registered_one_but_for_a_loopback_port() {
        let table = [
            ("http://localhost", "http://localhost:8400", true),
            ("http://localhost", "http://localhost:8400/", true),
            ("http://localhost", "http://localhost/other", false),
            ("http://localhost", "https://localhost", false),
            ("http://localhost/callback", "http://localhost:1/callback", true),
            ("http://127.0.0.1", "http://localhost", false),
            ("https://app.example/back", "https://app.example/back", true),
            ("https://app.example/back", "https://app.example:444/back", false),
            ("https://app.example/back", "https://app.example/back?x=1", false),
            ("https://app.example/back", "javascript:alert(1)", false),
        ];
        for (registered, address, expected) in table {
            assert_eq!(leads_to(registered, address), expected, "{registered} {address}");
        }
    }

    #[test]
    fn nothing_breaks_out_of_a_value() {
        assert_eq!(escape("\"><script>'&"), "&quot;&gt;&lt;script&gt;&#39;&amp;");
    }
}
