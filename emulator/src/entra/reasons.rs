//! The refusals of assertions, codes, passwords and devices, each with its AADSTS code.
//!
//! The words are Entra's where it is known to say them; clients and people look for the codes.

use super::refusal::{Refusal, shown};
use crate::{clock::entra_timestamp, jwt::Jwt};

/// What a conditional access policy would ask of the user.
const POLICY: &str =
    r#"{"access_token":{"polids":{"essential":true,"values":["99999999-9999-9999-9999-999999999999"]}}}"#;

/// What is wrong with a client assertion.
impl Refusal {
    pub(super) fn malformed_jwt() -> Self {
        Self::bad_request("invalid_request", 50_027, "JWT token is invalid or malformed.")
    }

    pub(super) fn unsupported_algorithm(algorithm: &str) -> Self {
        let algorithm = shown(algorithm);
        Self::invalid_client(
            5_002_738,
            format!(
                "Invalid JWT token. '{algorithm}' is not a supported signature algorithm. Supported signing \
                 algorithms are: 'RS256, PS256'."
            ),
        )
    }

    pub(super) fn unknown_key(identifier: &str) -> Self {
        Self::invalid_client(
            700_027,
            format!(
                "The certificate with identifier used to sign the client assertion is not registered on \
                 application. [Reason - The key was not found., Thumbprint of key used by client: '{}']",
                shown(identifier)
            ),
        )
    }

    pub(super) fn wrong_signature() -> Self {
        Self::invalid_client(
            700_027,
            "Client assertion contains an invalid signature. [Reason - The provided signature value did not match \
             the expected signature value.]",
        )
    }

    pub(super) fn wrong_chain() -> Self {
        Self::invalid_client(
            700_027,
            "Client assertion contains an invalid signature. [Reason - The certificate of the 'x5c' header is \
             neither registered on the application nor issued for its subject by a registered authority.]",
        )
    }

    pub(super) fn outside_its_time(jwt: &Jwt<'_>, now: i64) -> Self {
        let moment = |name| jwt.moment(name).map_or_else(|| "none".to_owned(), |at| entra_timestamp(whole(at)));
        Self::invalid_client(
            700_024,
            format!(
                "Client assertion is not within its valid time range. Current time: {}, assertion valid from {}, \
                 expiry time of assertion {}.",
                entra_timestamp(now),
                moment("nbf"),
                moment("exp")
            ),
        )
    }

    pub(super) fn wrong_audience() -> Self {
        Self::invalid_client(700_023, "Client assertion audience claim does not match Realm issuer.")
    }

    pub(super) fn not_its_own_issuer() -> Self {
        Self::invalid_client(700_021, "Client assertion application identifier doesn't match 'client_id' parameter.")
    }

    /// Entra's own code for this is not on record.
    pub(super) fn replayed() -> Self {
        Self::invalid_client(50_013, "Assertion failed validation. [Reason - The assertion was used before.]")
    }

    pub(super) fn no_federation(client_id: &str) -> Self {
        let client_id = shown(client_id);
        Self::invalid_client(
            70_025,
            format!("The client '{client_id}' has no configured federated identity credentials."),
        )
    }

    /// `what` is issuer (700211), audience (700212) or subject (700213).
    pub(super) fn no_matching_federation(code: u32, what: &str, value: &str) -> Self {
        Self::invalid_client(
            code,
            format!(
                "No matching federated identity record found for presented assertion {what} '{}'. Check your \
                 federated identity credential Subject, Audience and Issuer against the presented assertion.",
                shown(value)
            ),
        )
    }

    pub(super) fn secret_required() -> Self {
        Self::invalid_client(
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        )
    }

    pub(super) fn secret_of_a_public_client() -> Self {
        Self::invalid_client(
            700_025,
            "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
        )
    }
}

/// What is wrong with where a request goes.
impl Refusal {
    pub(super) fn no_tenant() -> Self {
        Self::bad_request(
            "invalid_request",
            50_059,
            "No tenant-identifying information found in either the request or implied by any provided credentials.",
        )
    }

    pub(super) fn single_tenant(client_id: &str) -> Self {
        Self::bad_request(
            "invalid_request",
            50_194,
            format!(
                "Application '{}' is not configured as a multi-tenant application. Usage of the /common endpoint is \
                 not supported for such apps. Use a tenant-specific endpoint or configure the application to be \
                 multi-tenant.",
                shown(client_id)
            ),
        )
    }

    pub(super) fn several_resources(scope: &str) -> Self {
        Self::bad_request(
            "invalid_scope",
            28_000,
            format!(
                "Provided value for the input parameter scope is not valid because it contains more than one \
                 resource. Scope {} is not valid.",
                shown(scope)
            ),
        )
    }

    pub(super) fn bad_scope(scope: &str) -> Self {
        let scope = shown(scope);
        Self::bad_request(
            "invalid_scope",
            70_011,
            format!(
                "The provided request must include a 'scope' input parameter. The provided value for the input \
                 parameter 'scope' is not valid. The scope {scope} is not valid."
            ),
        )
    }
}

/// What is wrong with what stands for a user.
impl Refusal {
    pub(super) fn assertion_signature() -> Self {
        Self::bad_request(
            "invalid_grant",
            50_013,
            "Assertion failed signature validation. [Reason - The key was not found or the signature is not its own.]",
        )
    }

    pub(super) fn assertion_audience(audience: &str, expected: &str) -> Self {
        Self::bad_request(
            "invalid_grant",
            500_131,
            format!(
                "Assertion audience does not match the Client app presenting the assertion. The audience in the \
                 assertion was '{}' and the expected audience is '{expected}' or one of the Application Uris of this \
                 application.",
                shown(audience)
            ),
        )
    }

    pub(super) fn assertion_expired() -> Self {
        Self::bad_request("invalid_grant", 500_133, "Assertion is not within its valid time range.")
            .with_suberror("bad_token")
    }

    pub(super) fn assertion_without_user() -> Self {
        Self::bad_request("invalid_grant", 50_013, "Assertion contains no user: it is an application's own token.")
    }

    pub(super) fn mfa_required() -> Self {
        Self::bad_request(
            "interaction_required",
            50_076,
            "Due to a configuration change made by your administrator, or because you moved to a new location, you \
             must use multi-factor authentication to access the resource.",
        )
        .with_suberror("basic_action")
        .with_claims(POLICY)
    }

    pub(super) fn wrong_password() -> Self {
        Self::bad_request("invalid_grant", 50_126, "Error validating credentials due to invalid username or password.")
    }

    pub(super) fn unknown_user(tenant: &str) -> Self {
        let tenant = shown(tenant);
        Self::bad_request(
            "invalid_grant",
            50_034,
            format!(
                "The user account {{EUII Hidden}} does not exist in the {tenant} directory. To sign into this \
                 application, the account must be added to the directory."
            ),
        )
    }

    pub(super) fn foreign_user(tenant: &str) -> Self {
        let tenant = shown(tenant);
        Self::bad_request(
            "invalid_grant",
            50_020,
            format!("User account from identity provider does not exist in tenant '{tenant}'."),
        )
    }

    pub(super) fn bad_grant(what: &str) -> Self {
        Self::bad_request(
            "invalid_grant",
            70_000,
            format!("Provided grant is invalid or malformed. The provided value for '{what}' is not valid."),
        )
        .with_suberror("bad_token")
    }

    pub(super) fn code_expired() -> Self {
        Self::bad_request(
            "invalid_grant",
            70_008,
            "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive \
             authorization request for this user and resource.",
        )
        .with_suberror("token_expired")
    }

    pub(super) fn code_redeemed() -> Self {
        Self::bad_request(
            "invalid_grant",
            54_005,
            "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing \
             refresh token.",
        )
    }

    pub(super) fn other_reply_address() -> Self {
        Self::bad_request(
            "invalid_grant",
            500_112,
            "The reply address does not match the reply address provided when requesting Authorization code.",
        )
    }

    pub(super) fn wrong_verifier() -> Self {
        Self::bad_request(
            "invalid_grant",
            501_481,
            "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
        )
    }

    pub(super) fn refresh_token_expired(issued: i64, lifetime: u32) -> Self {
        Self::bad_request(
            "invalid_grant",
            700_082,
            format!(
                "The refresh token has expired due to inactivity. The token was issued on {} and was inactive for \
                 {lifetime} seconds.",
                entra_timestamp(issued)
            ),
        )
        .with_suberror("bad_token")
    }

    pub(super) fn refresh_token_revoked() -> Self {
        Self::bad_request(
            "invalid_grant",
            50_173,
            "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might \
             have changed or reset their password.",
        )
        .with_suberror("bad_token")
    }
}

/// Why the device has to wait, or need not any more.
impl Refusal {
    pub(super) fn authorization_pending() -> Self {
        Self::bad_request(
            "authorization_pending",
            70_016,
            "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
        )
    }

    /// Entra's own code for this is not on record.
    pub(super) fn slow_down() -> Self {
        Self::bad_request("slow_down", 70_016, "OAuth 2.0 device flow error. Polled faster than the interval.")
    }

    /// Entra's own code for this is not on record.
    pub(super) fn authorization_declined() -> Self {
        Self::bad_request(
            "authorization_declined",
            70_017,
            "OAuth 2.0 device flow error. The user declined the authorization.",
        )
    }

    pub(super) fn device_code_expired() -> Self {
        Self::bad_request(
            "expired_token",
            70_020,
            "The provided value for the input parameter 'device_code' is not valid. This device code has expired.",
        )
    }

    pub(super) fn unknown_device_code() -> Self {
        Self::bad_request(
            "bad_verification_code",
            70_018,
            "Invalid verification code due to User typing in wrong user code for device code flow.",
        )
    }
}

/// What the page of a sign-in says in place of one.
impl Refusal {
    pub(super) fn reply_address_not_registered(address: &str, client_id: &str) -> Self {
        Self::bad_request(
            "invalid_request",
            50_011,
            format!(
                "The redirect URI '{}' specified in the request does not match the redirect URIs configured for the \
                 application '{client_id}'.",
                shown(address)
            ),
        )
    }

    pub(super) fn response_type(given: &str) -> Self {
        Self::bad_request(
            "unsupported_response_type",
            700_051,
            format!("response_type '{}' is not enabled for the application.", shown(given)),
        )
    }

    pub(super) fn challenge_method() -> Self {
        Self::bad_request(
            "invalid_request",
            501_482,
            "The Code_Challenge_Method of the authorization request is not supported.",
        )
    }

    pub(super) fn nobody_signed_in() -> Self {
        Self::bad_request("login_required", 50_058, "A silent sign-in request was sent but no user is signed in.")
    }

    pub(super) fn consent_declined() -> Self {
        Self::bad_request("access_denied", 65_004, "User declined to consent to access the app.")
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a moment of some client's clock, for a message")]
fn whole(moment: f64) -> i64 {
    moment as i64
}
