//! Service Fabric: an endpoint with a certificate of its own making, whose thumbprint the environment tells.
//!
//! The thumbprint is the only trust there is: no authority vouches for the certificate, and one that an authority does
//! vouch for is refused too unless it is that very one. Which identity answers is settled in the cluster.

use super::{NAME, Question, about, endpoint, not_chosen};
use crate::error::Error;
use crate::request::shown;
use crate::source::{About, Ask, Fetch, Grant, Source};
use crate::token::Secret;
use crate::wire::identity_endpoint::{UserAssigned, service_fabric};

#[derive(Debug)]
pub(super) struct ServiceFabric {
    about: About,
    endpoint: String,
    secret: Secret,
    thumbprint: [u8; 20],
    identity: Option<UserAssigned>,
}

impl ServiceFabric {
    pub(super) fn new(
        text: String,
        secret: Secret,
        thumbprint: &str,
        identity: Option<UserAssigned>,
    ) -> Result<ServiceFabric, Error> {
        endpoint("IDENTITY_ENDPOINT", &text, "https")?;
        let thumbprint = read_thumbprint(thumbprint).ok_or_else(|| {
            Error::configuration(format!(
                "{NAME}: IDENTITY_SERVER_THUMBPRINT: expected the SHA-1 of a certificate in 40 hexadecimal digits, got '{}'",
                shown(thumbprint)
            ))
        })?;
        let about = about("service_fabric", &[&text, secret.expose(), &format!("{thumbprint:?}")], identity.as_ref());
        Ok(ServiceFabric { about, endpoint: text, secret, thumbprint, identity })
    }

    async fn ask(&self, ask: &Ask<'_>) -> Result<Grant, Error> {
        let resource = ask.request.one_resource(NAME)?;
        if let Some(identity) = &self.identity {
            return Err(not_chosen("Service Fabric", "the identity is configured in the cluster", identity));
        }
        let question = Question {
            endpoint: "the Service Fabric identity endpoint (IDENTITY_ENDPOINT)",
            source: "service_fabric",
            identity: None,
            secrets: &[&self.secret],
        };
        question.ask(ask, &service_fabric(&self.endpoint, &self.secret, self.thumbprint, resource)).await
    }
}

/// 40 hexadecimal digits, with the separators that tools put between them.
fn read_thumbprint(text: &str) -> Option<[u8; 20]> {
    let mut bytes = [0; 20];
    let mut digits = text.chars().filter(|char| !matches!(char, ' ' | '\t' | '\r' | '\n' | ':' | '-'));
    let mut digit = || digits.next()?.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    for byte in &mut bytes {
        *byte = digit()? << 4 | digit()?;
    }
    digits.next().is_none().then_some(bytes)
}

impl Source for ServiceFabric {
    fn about(&self) -> &About {
        &self.about
    }

    fn fetch<'a>(&'a self, ask: &'a Ask<'a>) -> Fetch<'a> {
        Box::pin(self.ask(ask))
    }
}

#[cfg(test)]
mod tests {
    use super::read_thumbprint;

    #[test]
    fn thumbprints_as_people_and_tools_write_them() {
        let plain = "000102030405060708090a0b0c0d0e0f10111213";
        let expected: [u8; 20] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let pairs: Vec<String> = expected.iter().map(|byte| format!("{byte:02X}")).collect();
        for text in [plain.to_owned(), plain.to_uppercase(), pairs.join(":"), pairs.join(" "), format!(" {plain}\n")] {
            assert_eq!(read_thumbprint(&text), Some(expected), "{text}");
        }
        let short = plain.trim_start_matches("00");
        let wrong = ["", "00", short, &format!("{plain}0"), &plain.replace('a', "g"), &plain.replace('0', "٠")];
        for text in wrong {
            assert_eq!(read_thumbprint(text), None, "{text}");
        }
    }
}
