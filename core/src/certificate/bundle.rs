//! What a file holds: certificates and private keys, in PEM or PKCS#12, told apart by content.

use p12_keystore::{Pkcs12Archive, error::Error};

use super::pem::{self, Block};
use super::private_key::{self, PrivateKey, WRONG_PASSWORD, not_rsa};
use crate::token::Secret;

const EXPECTED: &str = "expected a certificate and its private key in PEM or PKCS#12, got";

/// Certificates as DER in their order, and keys; none of them twice.
#[derive(Default)]
pub(super) struct Bundle {
    pub(super) certificates: Vec<Vec<u8>>,
    pub(super) keys: Vec<PrivateKey>,
}

impl Bundle {
    /// Reads the content of a file. An empty password is none.
    pub(super) fn read(data: &[u8], password: Option<&Secret>) -> Result<Bundle, String> {
        let password = password.filter(|password| !password.expose().is_empty());
        let bundle = match data {
            [] => Err(format!("{EXPECTED} nothing")),
            _ if pem::is_in(data) => Bundle::from_pem(data, password),
            _ => Bundle::from_pkcs12(data, password),
        }?;
        match (bundle.certificates.as_slice(), bundle.keys.as_slice()) {
            ([], []) => Err(format!("{EXPECTED} neither")),
            ([], _) => Err(format!("{EXPECTED} a private key without a certificate")),
            (_, []) => Err(format!("{EXPECTED} a certificate without a private key")),
            _ => Ok(bundle),
        }
    }

    fn from_pem(text: &[u8], password: Option<&Secret>) -> Result<Bundle, String> {
        let blocks = pem::blocks(text)?;
        let mut bundle = Bundle::default();
        for block in &blocks {
            bundle.take(block, password)?;
        }
        let is_public = |block: &Block<'_>| block.label.ends_with("PUBLIC KEY");
        if bundle.keys.is_empty() && blocks.iter().any(is_public) {
            return Err(format!("{EXPECTED} a public key instead of the private one"));
        }
        Ok(bundle)
    }

    fn take(&mut self, block: &Block<'_>, password: Option<&Secret>) -> Result<(), String> {
        if block.is_rfc1421 {
            return Err(format!(
                "the PEM block '{}' is encrypted the old way (Proc-Type: 4,ENCRYPTED), which azcred does not read: \
                 convert it with 'openssl pkcs8 -topk8'",
                block.label
            ));
        }
        match block.label {
            "CERTIFICATE" | "X509 CERTIFICATE" => self.add_certificate(&block.bytes),
            "PRIVATE KEY" => self.add_key(PrivateKey::from_pkcs8(&block.bytes)?),
            "RSA PRIVATE KEY" => self.add_key(PrivateKey::from_pkcs1(&block.bytes)),
            "ENCRYPTED PRIVATE KEY" => self.add_key(PrivateKey::from_encrypted(&block.bytes, password)?),
            "EC PRIVATE KEY" => return Err(not_rsa("an EC key")),
            "DSA PRIVATE KEY" => return Err(not_rsa("a DSA key")),
            label if label.ends_with("PRIVATE KEY") => {
                return Err(format!("expected a private key of PKCS#8 or PKCS#1, got the PEM block '{label}'"));
            }
            // Parameters, requests, revocation lists: they decide nothing here.
            _ => {}
        }
        Ok(())
    }

    /// The library's own copies of the key and the password are freed without being wiped; the allocator of azcred's
    /// artefacts wipes what is freed.
    fn from_pkcs12(data: &[u8], password: Option<&Secret>) -> Result<Bundle, String> {
        let text = password.map_or("", Secret::expose);
        if text.chars().any(|letter| u32::from(letter) > 0xffff) {
            return Err("the password of a PKCS#12 file: expected letters up to U+FFFF, got one beyond".to_owned());
        }
        let archive = Pkcs12Archive::from_pkcs12(data, text).map_err(|error| match error {
            Error::MacError(_) | Error::UnpadError | Error::Pkcs5Error(_) if password.is_none() => {
                "the PKCS#12 file is encrypted: expected a password, got none".to_owned()
            }
            Error::MacError(_) | Error::UnpadError | Error::Pkcs5Error(_) => {
                format!("the PKCS#12 file {WRONG_PASSWORD}")
            }
            Error::UnsupportedEncryptionScheme | Error::UnsupportedMacAlgorithm | Error::InvalidParameters => {
                "the PKCS#12 file is encrypted in a way that azcred does not read: convert it with 'openssl pkcs12'"
                    .to_owned()
            }
            _ => format!("{EXPECTED} {}", guess(data)),
        })?;
        let mut bundle = Bundle::default();
        for bag in &archive.certs {
            bundle.add_certificate(bag.cert.as_der());
        }
        for bag in &archive.keys {
            bundle.add_key(PrivateKey::from_pkcs8(bag.key.as_der())?);
        }
        Ok(bundle)
    }

    fn add_certificate(&mut self, der: &[u8]) {
        if !self.certificates.iter().any(|known| known == der) {
            self.certificates.push(der.to_vec());
        }
    }

    fn add_key(&mut self, key: PrivateKey) {
        if !self.keys.contains(&key) {
            self.keys.push(key);
        }
    }
}

/// What bytes that are neither PEM nor PKCS#12 look like.
fn guess(data: &[u8]) -> &'static str {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=\r\n".contains(byte);
    match data {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "UTF-16 text; write it as UTF-8",
        [b'M', b'I', ..] if data.iter().all(is_base64) => "base64; give the bytes that it stands for",
        [0x30, 0x80, ..] => "a BER encoding without lengths; convert it with 'openssl pkcs12'",
        _ if x509_parser::parse_x509_certificate(data).is_ok() => "a certificate without a private key",
        _ if private_key::is_lone(data) => "a private key without a certificate",
        [0x30, ..] => "a file that is damaged, or encrypted in a way that azcred does not read",
        _ => "something else",
    }
}
