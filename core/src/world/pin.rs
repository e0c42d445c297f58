//! Trust in one certificate, by its thumbprint.
//!
//! Service Fabric's endpoint shows a certificate that it signed itself, for no name, and tells its guests the SHA-1 of
//! it. That is all there is to check, and it is checked before anything is sent; the server must still prove that it has
//! the certificate's key. The thumbprint comes from the host itself, so that nobody can choose two certificates for it:
//! a collision of SHA-1 is of no use, only a second preimage would be.

use std::sync::Arc;

use ring::digest;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

#[derive(Debug)]
pub(super) struct Pin {
    thumbprint: [u8; 20],
    provider: Arc<CryptoProvider>,
}

impl Pin {
    pub(super) fn new(thumbprint: [u8; 20], provider: Arc<CryptoProvider>) -> Pin {
        Pin { thumbprint, provider }
    }
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let found = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, end_entity);
        let found = found.as_ref();
        // All bytes are looked at, whatever the first ones are.
        let difference = found.iter().zip(&self.thumbprint).fold(0, |all, (one, other)| all | (one ^ other));
        if found.len() == self.thumbprint.len() && difference == 0 {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
