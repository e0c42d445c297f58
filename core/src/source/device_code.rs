//! `DeviceCodeCredential`: a user signs in on another device, with a code that this program shows.
//!
//! RFC 8628; <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code>

use std::time::Duration;

use super::Tenants;
use super::entra::client::Tokens;
use super::entra::user::{Needs, Setup, SignIn, SigningIn, Step};
use super::entra::{Client, Proof, User, authority};
use crate::error::{Error, ErrorKind};
use crate::function::Function;
use crate::options::Options;
use crate::request::shown;
use crate::token::Secret;
use crate::wire::device_code::DeviceCode;
use crate::wire::entra::{self, Endpoint};
use crate::world::World;

/// The class name.
pub(crate) const NAME: &str = "DeviceCodeCredential";

/// The application of developers' tools, as azure-identity has it: the Azure CLI's.
pub(crate) const DEVELOPER_CLIENT: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";

/// No code lives longer; Entra ID's live for 15 minutes.
const LONGEST: i64 = 30 * 60;

/// How the code is shown.
#[derive(Debug)]
struct Device {
    prompt: Option<Function>,
    timeout: Option<Duration>,
}

/// How long a code is asked about.
struct Limit {
    /// Unix seconds.
    until: i64,
    /// For the sentence about a user who was too slow.
    what: String,
}

/// From the credential's own options.
pub(crate) fn from_options(world: &World, options: &Options) -> Result<User, Error> {
    let authority = authority(NAME, world, options)?;
    let client_id = options.user_client();
    let allowed = options.additionally_allowed_tenants.clone();
    let tenants = Tenants::own(world, NAME, Some(options.user_tenant()), allowed)?;
    let timeout = options.timeout.map(Duration::from_secs_f64);
    let client = Client { credential: NAME, authority, client_id, proof: Proof::Public };
    let setup = Setup {
        tenants,
        // Whoever signs in to one object has not signed in to another.
        parts: vec![Secret::new(crate::random::unique())],
        patience: Duration::from_secs(LONGEST.unsigned_abs() + 120),
        automatic: options.disable_automatic_authentication != Some(true),
        pinned: options.authentication_record.clone(),
    };
    let device = Device { prompt: options.function("prompt_callback"), timeout };
    Ok(User::new(client, Box::new(device), setup))
}

impl Device {
    /// A code, and until when it is asked about.
    async fn code(&self, step: Step<'_>) -> Result<(DeviceCode, Limit), Error> {
        // The page on which the user signs in asks what the claims want: a second factor, say.
        let claims = entra::claims(step.ask.request.claims.as_deref(), step.ask.request.enable_cae);
        let mut form = vec![("client_id", step.client.client_id.as_str()), ("scope", step.scope)];
        form.extend(claims.as_deref().map(|claims| ("claims", claims)));
        let (response, request_id, asked) =
            step.client.post(step.ask, Endpoint::DeviceCode, step.tenant, &form).await?;
        let code = DeviceCode::read(&response).map_err(|what| step.client.garbage(step.ask, &what, request_id))?;
        let allowed = self.timeout.and_then(|timeout| i64::try_from(timeout.as_secs().max(1)).ok());
        let allowed = allowed.unwrap_or(LONGEST).min(LONGEST);
        let until = asked.saturating_add(code.expires_in.min(allowed));
        let what = if allowed < code.expires_in {
            format!("within {allowed} s")
        } else {
            "before the code expired".to_owned()
        };
        Ok((code, Limit { until, what }))
    }

    async fn show(&self, step: Step<'_>, code: &DeviceCode, until: i64) -> Result<(), Error> {
        let Some(prompt) = &self.prompt else {
            step.ask.world.console.tell(&code.message);
            return Ok(());
        };
        let told = vec![
            ("verification_uri", code.verification_uri.clone()),
            ("user_code", code.user_code.clone()),
            ("expires_on", until.to_string()),
            ("message", code.message.clone()),
        ];
        let failed =
            |what: String| Error::failed(format!("{NAME}: the function that shows the code failed: {}", shown(&what)));
        prompt.call(told).await.map(drop).map_err(failed)
    }

    async fn sign_in(&self, step: Step<'_>) -> Result<Tokens, Error> {
        let (code, limit) = self.code(step).await?;
        self.show(step, &code, limit.until).await?;
        let grant = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", code.device_code.expose()),
            ("client_info", "1"),
        ];
        let clock = &step.ask.world.clock;
        let mut interval = code.interval;
        loop {
            clock.sleep(interval).await;
            if !step.ask.audience.is_there() {
                return Err(Error::new(ErrorKind::Cancelled, format!("{NAME}: everyone who waited for the user left")));
            }
            if clock.now() >= limit.until {
                return Err(Error::failed(format!("{NAME}: the user did not sign in {}", limit.what))
                    .with_code(Some("expired_token".to_owned())));
            }
            let error = match step.client.exchange(step.ask, step.tenant, step.scope, &grant).await {
                Ok(tokens) => return Ok(tokens),
                Err(error) => error,
            };
            match error.code() {
                Some("authorization_pending") => {}
                // RFC 8628 section 3.5: five seconds more, for this and all that follow.
                Some("slow_down") => interval += Duration::from_secs(5),
                _ if error.kind() == ErrorKind::Transient => {}
                _ => return Err(error),
            }
        }
    }
}

impl SignIn for Device {
    fn needs(&self) -> Needs {
        Needs::Person
    }

    fn sign_in<'a>(&'a self, step: Step<'a>) -> SigningIn<'a> {
        Box::pin(self.sign_in(step))
    }
}
