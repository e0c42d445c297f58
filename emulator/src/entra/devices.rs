//! Signing in on another device: a code to type there, and the wait for it here.

use std::{sync::Arc, time::Duration};

use axum::{Extension, extract::State, http::StatusCode, response::Response};
use serde_json::json;

use super::{
    authority::Authority,
    caller::{Caller, Demand},
    delegation::{self, Delegation},
    refusal::Refusal,
    scope::Delegated,
    token::required,
};
use crate::{
    answer,
    ask::Ask,
    clock::{self, Moment},
    site::Site,
    token::{new_secret, new_user_code},
};

/// A device that waits.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    pub(crate) user_code: String,
    client_id: String,
    scopes: Delegated,
    expires: i64,
    polls: u32,
    last_poll: Option<Moment>,
    pub(crate) decision: Decision,
}

/// What the user said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Pending,
    /// The user of that object id signed in; the first one that may without it.
    Approved(Option<String>),
    Declined,
}

/// `POST /{tenant}/oauth2/v2.0/devicecode`.
pub(crate) async fn begin(State(site): State<Arc<Site>>, Extension(ask): Extension<Arc<Ask>>) -> Response {
    offer(&site, &ask).unwrap_or_else(|refusal| refusal.response(&ask))
}

fn offer(site: &Site, ask: &Ask) -> Result<Response, Refusal> {
    let name = ask.tenant();
    let authority = Authority::read(&site.config, name)?;
    if let Some(repeated) = ask.form.repeated() {
        return Err(Refusal::invalid_parameter(repeated));
    }
    let client_id = required(ask, "client_id")?;
    let scopes = delegation::scopes(required(ask, "scope")?)?;
    let app = authority.app(&site.config, name, client_id)?;
    let device_code = new_secret();
    let user_code = new_user_code();
    let settings = site.config.device_code;
    let now = clock::unix_seconds();
    let device = Device {
        user_code: user_code.clone(),
        client_id: app.client_id.clone(),
        scopes,
        expires: now + i64::from(settings.lifetime),
        polls: 0,
        last_poll: None,
        decision: Decision::Pending,
    };
    // Kept longer than it is good, to tell an expired one from an unknown one.
    let forget_at = device.expires + 3600;
    site.ledger.devices.put(device_code.clone(), device, now, forget_at);
    let page = format!("{}/devicelogin", site.entra_url(&ask.headers));
    let document = json!({
        "user_code": user_code,
        "device_code": device_code,
        "verification_uri": page,
        "expires_in": settings.lifetime,
        "interval": settings.interval,
        "message": format!(
            "To sign in, use a web browser to open the page {page} and enter the code {user_code} to authenticate."
        ),
    });
    Ok(answer::json(StatusCode::OK, &document))
}

impl Device {
    /// What a poll at that moment finds.
    fn poll(&mut self, now: Moment, interval: Duration, approve_after: Option<u32>) -> Result<Option<String>, Refusal> {
        /// Timers and networks are not that exact.
        const LENIENCE: Duration = Duration::from_millis(200);
        if self.decision == Decision::Pending && approve_after.is_some_and(|polls| self.polls >= polls) {
            self.decision = Decision::Approved(None);
        }
        let hasty = self.last_poll.is_some_and(|last| now.duration_since(last) + LENIENCE < interval);
        self.last_poll = Some(now);
        match &self.decision {
            Decision::Approved(user) => Ok(user.clone()),
            Decision::Declined => Err(Refusal::authorization_declined()),
            Decision::Pending if hasty => Err(Refusal::slow_down()),
            Decision::Pending => {
                self.polls += 1;
                Err(Refusal::authorization_pending())
            }
        }
    }
}

/// `grant_type=urn:ietf:params:oauth:grant-type:device_code`, and the short form of it.
pub(super) fn redeem(site: &Site, ask: &Ask, authority: Authority<'_>) -> Result<Response, Refusal> {
    let device_code = ask.form.filled("device_code").or(ask.form.filled("code"));
    let device_code = device_code.ok_or_else(|| Refusal::missing("device_code"))?;
    let caller = Caller::identify(site, ask, authority, Demand::OfItsKind)?;
    let unknown = Refusal::unknown_device_code;
    let settings = site.config.device_code;
    let found = site.ledger.devices.with(device_code, |device| {
        if !device.client_id.eq_ignore_ascii_case(&caller.app.client_id) {
            return Err(unknown());
        }
        if device.expires <= clock::unix_seconds() {
            return Err(Refusal::device_code_expired());
        }
        let interval = Duration::from_secs(u64::from(settings.interval));
        device.poll(clock::moment(), interval, settings.approve_after)
    });
    let object_id = found.ok_or_else(unknown)??;
    let user = match &object_id {
        Some(id) => site.config.user_by_object_id(id),
        None => site.config.users.iter().find(|user| authority.admits(user)),
    };
    let user = user.ok_or_else(|| Refusal::unknown_user(ask.tenant()))?;
    // Good once.
    let device = site.ledger.devices.take(device_code).ok_or_else(unknown)?;
    let scopes = delegation::scopes(ask.form.get("scope").unwrap_or_default())?.after(&device.scopes);
    Delegation { caller, user, scopes, nonce: None }.answer(site, ask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polling_has_its_pace() {
        let now = clock::moment();
        let interval = Duration::from_secs(5);
        let mut device = Device {
            user_code: String::new(),
            client_id: String::new(),
            scopes: Delegated::default(),
            expires: 0,
            polls: 0,
            last_poll: None,
            decision: Decision::Pending,
        };
        let mut poll = |seconds, after| {
            device.poll(now + Duration::from_millis(seconds), interval, after).map_err(|refusal| refusal.error())
        };
        assert_eq!(poll(0, None), Err("authorization_pending"));
        assert_eq!(poll(4000, None), Err("slow_down"));
        assert_eq!(poll(8900, None), Err("authorization_pending"));
        assert_eq!(poll(14_000, Some(3)), Err("authorization_pending"));
        assert_eq!(poll(14_100, Some(3)), Ok(None));
        device.decision = Decision::Declined;
        let declined = device.poll(now, interval, None).unwrap_err();
        assert_eq!(declined.error(), "authorization_declined");
    }
}
