//! Tokens that speak for a user: what every user flow ends in.

use axum::{http::StatusCode, response::Response};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::json;

use super::{
    authority::Authority,
    caller::Caller,
    refresh_tokens::Refresh,
    refusal::Refusal,
    scope::{BadScope, Delegated},
    token::capabilities,
};
use crate::{
    answer::{self, Issued},
    ask::Ask,
    clock,
    identities::User,
    site::Site,
    token::{self, Person, SignIn, Subject, Validity},
};

/// What a user lets a client do.
#[derive(Debug)]
pub(super) struct Delegation<'a> {
    pub(super) caller: Caller<'a>,
    pub(super) user: &'a User,
    pub(super) scopes: Delegated,
    pub(super) nonce: Option<&'a str>,
}

#[derive(Serialize)]
struct Document {
    token_type: &'static str,
    scope: String,
    expires_in: i64,
    ext_expires_in: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_in: Option<u32>,
    access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_info: Option<String>,
}

impl Delegation<'_> {
    /// The answer with the tokens.
    pub(super) fn answer(&self, site: &Site, ask: &Ask) -> Result<Response, Refusal> {
        let app = self.caller.app;
        let tenant_id = match self.caller.authority {
            Authority::One(tenant) if !self.caller.authority.admits(self.user) => {
                return Err(Refusal::foreign_user(&tenant.id));
            }
            Authority::One(tenant) => &tenant.id,
            Authority::Any => &self.user.tenant_id,
        };
        let capabilities = capabilities(ask.form.filled("claims"))?;
        let now = clock::unix_seconds();
        let validity = Validity::new(now, site.config.app_lifetime, ask.stale);
        let subject = Subject {
            tenant_id,
            client_id: &app.client_id,
            object_id: &self.user.object_id,
            resource_id: None,
            proof: self.caller.proof,
            person: Some(Person {
                username: &self.user.username,
                name: &self.user.name,
                permissions: &self.scopes.permissions,
            }),
        };
        let access_token = token::mint(&site.signer, subject, self.scopes.audience(), &capabilities, validity)
            .ok_or_else(Refusal::internal)?;
        let sign_in = SignIn {
            tenant_id,
            client_id: &app.client_id,
            object_id: &self.user.object_id,
            username: &self.user.username,
            name: &self.user.name,
            nonce: self.nonce,
        };
        let id_token = if self.scopes.openid {
            Some(token::mint_id(&site.signer, sign_in, validity).ok_or_else(Refusal::internal)?)
        } else {
            None
        };
        let document = Document {
            token_type: "Bearer",
            scope: self.scopes.answer(),
            expires_in: validity.left,
            ext_expires_in: validity.left,
            refresh_in: site.config.refresh_in.filter(|_| !ask.stale),
            access_token,
            refresh_token: self.scopes.offline.then(|| {
                let refresh = Refresh::new(&app.client_id, &self.user.object_id, self.scopes.clone(), now);
                refresh.hand_out(site, now)
            }),
            id_token,
            client_info: (ask.form.get("client_info") == Some("1")).then(|| client_info(self.user)),
        };
        let issued = Issued(app.client_id.clone());
        Ok(answer::noted(answer::json(StatusCode::OK, &document), issued))
    }
}

/// Who the user is, as MSAL keeps its accounts.
pub(super) fn client_info(user: &User) -> String {
    URL_SAFE_NO_PAD.encode(json!({"uid": user.object_id, "utid": user.tenant_id}).to_string())
}

/// The scopes of a user flow's request.
pub(super) fn scopes(text: &str) -> Result<Delegated, Refusal> {
    Delegated::read(text).map_err(|bad| match bad {
        BadScope::Count => Refusal::several_resources(text),
        BadScope::NotDefault(one) => Refusal::bad_scope(one),
    })
}
