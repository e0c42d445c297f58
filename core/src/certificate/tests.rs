//! Certificate files as OpenSSL writes them, and what is said about the others.

use std::fmt::Write as _;

use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};

use super::*;

/// Part of every password, so that a message which holds one is found.
const CANARY: &str = "canary";
const PASSWORD: &str = "fixture-canary-password";

macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/fixtures/certificates/", $name)).as_slice()
    };
}

const KEY: &[u8] = file!("leaf.key");
const LEAF: &[u8] = file!("leaf.crt");
const RENEWED: &[u8] = file!("leaf-renewed.crt");
const ISSUER: &[u8] = file!("issuer.crt");
const ROOT: &[u8] = file!("root.crt");

fn secret() -> Secret {
    Secret::new(PASSWORD)
}

fn parse(parts: &[&[u8]], password: Option<&Secret>) -> Result<Certificate, String> {
    Certificate::parse(&parts.concat(), password)
}

fn der(pem: &[u8]) -> Vec<u8> {
    pem::blocks(pem).unwrap().remove(0).bytes.to_vec()
}

fn chain(certificate: &Certificate) -> Vec<Vec<u8>> {
    certificate.chain().map(<[u8]>::to_vec).collect()
}

fn refused(parts: &[&[u8]], password: Option<&str>) -> String {
    let password = password.map(Secret::new);
    parse(parts, password.as_ref()).unwrap_err()
}

#[test]
fn every_encoding_gives_the_same_key_and_certificate() {
    let expected = parse(&[KEY, LEAF], None).unwrap();
    let pem = [
        file!("leaf-pkcs1.key"),
        file!("leaf-pbes2.key"),
        file!("leaf-pbes2-old.key"),
        file!("leaf-scrypt.key"),
        file!("leaf-pbes1.key"),
        file!("leaf-pbes1-rc2.key"),
    ];
    let pkcs12 = [file!("modern.p12"), file!("legacy.p12"), file!("plain.p12"), file!("no-mac.p12")];
    let all = pem.map(|key| [key, LEAF].concat()).into_iter().chain(pkcs12.map(<[u8]>::to_vec));
    for (at, data) in all.enumerate() {
        let certificate = Certificate::parse(&data, Some(&secret())).unwrap_or_else(|error| panic!("{at}: {error}"));
        assert_eq!(certificate.identity(), expected.identity(), "{at}");
        assert_eq!(certificate.leaf, der(LEAF), "{at}");
    }
    let odd = [(file!("empty.p12"), None), (file!("empty.p12"), Some("")), (file!("unicode.p12"), Some("pä55→wörd"))];
    for (data, password) in odd {
        let certificate = parse(&[data], password.map(Secret::new).as_ref()).unwrap();
        assert_eq!(certificate.identity(), expected.identity());
    }
    assert!(parse(&[KEY, LEAF], Some(&secret())).is_ok(), "a password that nothing needs is no mistake");
}

#[test]
fn identity_tells_certificates_of_one_key_apart() {
    let one = parse(&[KEY, LEAF], None).unwrap();
    let renewed = parse(&[KEY, RENEWED], None).unwrap();
    assert_ne!(one.identity(), renewed.identity());
    assert_eq!(one.identity().len(), 64);
}

#[test]
fn the_leaf_is_found_and_its_issuers_follow() {
    let linked = [LEAF, ISSUER, ROOT].map(der);
    let orders: [&[&[u8]]; 4] = [
        &[KEY, LEAF, ISSUER, ROOT],
        &[ROOT, ISSUER, LEAF, KEY],
        &[ISSUER, ROOT, KEY, LEAF],
        &[b"\xef\xbb\xbf", ROOT, LEAF, b"Bag Attributes\n  \xff: 1\n", LEAF, KEY, ISSUER, KEY],
    ];
    for parts in orders {
        assert_eq!(chain(&parse(parts, None).unwrap()), linked);
    }
    for (data, password) in [(file!("modern.p12"), PASSWORD), (file!("legacy.p12"), PASSWORD), (file!("empty.p12"), "")]
    {
        assert_eq!(chain(&parse(&[data], Some(&Secret::new(password))).unwrap()), linked);
    }
    let strangers = chain(&parse(&[file!("ec.crt"), ROOT, RENEWED, LEAF, KEY], None).unwrap());
    assert_eq!(
        strangers,
        [RENEWED, file!("ec.crt"), ROOT, LEAF].map(der),
        "the first that fits; others in their order"
    );
    assert_eq!(chain(&parse(&[KEY, LEAF, ROOT], None).unwrap()), [LEAF, ROOT].map(der));
}

#[test]
fn line_ends_of_windows_and_lost_line_breaks() {
    let text = String::from_utf8([KEY, LEAF].concat()).unwrap();
    for text in [text.replace('\n', "\r\n"), text.replace('\n', "\r"), text.replace('\n', " ")] {
        assert!(Certificate::parse(text.as_bytes(), None).is_ok());
    }
}

#[test]
fn signatures_hold() {
    let certificate = parse(&[KEY, LEAF], None).unwrap();
    let public = x509_parser::parse_x509_certificate(&certificate.leaf).unwrap().1;
    let public = public.public_key().subject_public_key.data.to_vec();
    let pss = certificate.sign(b"message", Algorithm::Ps256).unwrap();
    UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, &public).verify(b"message", &pss).unwrap();
    let pkcs1 = certificate.sign(b"message", Algorithm::Rs256).unwrap();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &public).verify(b"message", &pkcs1).unwrap();
}

/// Against `openssl x509 -fingerprint`, which make.sh writes down.
#[test]
fn thumbprints_are_those_of_openssl() {
    let certificate = parse(&[KEY, LEAF], None).unwrap();
    let ours = [hex(certificate.thumbprint_sha1().as_ref()), hex(certificate.thumbprint_sha256().as_ref())];
    let theirs: Vec<_> = include_str!("../../tests/fixtures/certificates/leaf.fingerprints")
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.1.replace(':', "").to_lowercase()))
        .collect();
    assert_eq!(theirs, ours);
}

/// Parts of a file, a password, and how the sentence about them begins.
type Case<'a> = (&'a [&'a [u8]], Option<&'a str>, &'a str);

#[test]
fn what_is_wrong_is_said() {
    let large = vec![b' '; LARGEST + 1];
    let utf16: Vec<u8> =
        std::iter::once(0xfeff).chain("-----BEGIN ".encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let proc_type = "the PEM block 'RSA PRIVATE KEY' is encrypted the old way (Proc-Type: 4,ENCRYPTED), which azcred \
                     does not read: convert it with 'openssl pkcs8 -topk8'";
    let no_scheme =
        "the private key is encrypted in a way that azcred does not read: convert it with 'openssl pkcs8 -topk8'";
    let expected = "expected a certificate and its private key in PEM or PKCS#12, got ";
    let wrong_key = "the private key can't be decrypted: the password is wrong, or the file is damaged";
    let wrong_pkcs12 = "the PKCS#12 file can't be decrypted: the password is wrong, or the file is damaged";
    let no_pkcs12 = "the PKCS#12 file is encrypted: expected a password, got none";
    let cases: &[Case<'_>] = &[
        (&[], None, "nothing"),
        (&[&large], None, "expected a certificate file of at most 1048576 bytes, got 1048577"),
        (&[b"garbage"], None, "something else"),
        (&[&[0x30, 0x03, 0x02, 0x01, 0x03]], None, "a file that is damaged, or encrypted in a way"),
        (&[&[0x30, 0x80, 0x02, 0x01, 0x03]], None, "a BER encoding without lengths"),
        (&[b"MIIKFQIBAzCCCdsGCSqG\nSIb3DQ=="], None, "base64; give the bytes that it stands for"),
        (&[&utf16], None, "UTF-16 text; write it as UTF-8"),
        (&[file!("leaf.der")], None, "a certificate without a private key"),
        (&[file!("leaf-key.der")], None, "a private key without a certificate"),
        (&[LEAF], None, "a certificate without a private key"),
        (&[KEY], None, "a private key without a certificate"),
        (&[file!("leaf.pub")], None, "a public key instead of the private one"),
        (&[file!("leaf.pub"), LEAF], None, "a public key instead of the private one"),
        (&[b"-----BEGIN X509 CRL-----\n-----END X509 CRL-----\n"], None, "neither"),
        (&[file!("no-key.p12")], Some(PASSWORD), "a certificate without a private key"),
        (&[file!("no-certificate.p12")], Some(PASSWORD), "a private key without a certificate"),
        (&[KEY, file!("other.key"), LEAF], None, "expected one private key, got 2"),
        (&[file!("other.key"), LEAF], None, "the certificate does not belong to the private key"),
        (&[KEY, ISSUER, ROOT], None, "none of the 2 certificates belongs to the private key"),
        (&[file!("ec.key"), file!("ec.crt")], None, "expected an RSA key, got an EC key"),
        (&[file!("ec-sec1.key"), file!("ec.crt")], None, "expected an RSA key, got an EC key"),
        (&[file!("pss.key"), LEAF], None, "expected an RSA key, got a key for RSASSA-PSS alone"),
        (&[file!("small.key"), LEAF], None, "expected an RSA key of 2048 to 4096 bits, got one of 1024"),
        (&[file!("large.key"), LEAF], None, "expected an RSA key of 2048 to 4096 bits, got one of 4608"),
        (
            &[file!("exponent.key"), LEAF],
            None,
            "expected an RSA key with the public exponent 65537, got one with a smaller",
        ),
        (&[file!("leaf-proc-type.key"), LEAF], Some(PASSWORD), proc_type),
        (&[file!("leaf-pbes1-md5.key"), LEAF], Some(PASSWORD), no_scheme),
        (&[file!("leaf-pbes1.key"), LEAF], None, "the private key is encrypted: expected a password, got none"),
        (&[file!("leaf-pbes1.key"), LEAF], Some("wrong-canary"), wrong_key),
        (&[file!("leaf-pbes1.key"), LEAF], Some("canary-🗝"), wrong_key),
        (&[file!("leaf-pbes2.key"), LEAF], None, "the private key is encrypted: expected a password, got none"),
        (&[file!("leaf-pbes2.key"), LEAF], Some(""), "the private key is encrypted: expected a password, got none"),
        (&[file!("leaf-pbes2.key"), LEAF], Some("wrong-canary"), wrong_key),
        (&[file!("leaf-scrypt.key"), LEAF], Some("wrong-canary"), wrong_key),
        (&[file!("modern.p12")], Some("wrong-canary"), wrong_pkcs12),
        (&[file!("legacy.p12")], Some("wrong-canary"), wrong_pkcs12),
        (&[file!("no-mac.p12")], Some("unneeded"), ""),
        (&[file!("modern.p12")], None, no_pkcs12),
        (&[file!("modern.p12")], Some(""), no_pkcs12),
        (&[file!("empty.p12")], Some("wrong-canary"), wrong_pkcs12),
        (&[file!("modern.p12")], Some("🔑-canary"), "the password of a PKCS#12 file: expected letters up to U+FFFF"),
        (&[file!("rc2-128.p12")], Some(PASSWORD), "the PKCS#12 file is encrypted in a way that azcred does not read"),
        (
            &[KEY, &LEAF[..LEAF.len() / 2]],
            None,
            "the PEM block 'CERTIFICATE' does not end in '-----END CERTIFICATE-----'",
        ),
        (&[&KEY[..KEY.len() / 2]], None, "the PEM block 'PRIVATE KEY' does not end in '-----END PRIVATE KEY-----'"),
        (&[KEY, b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----"], None, "certificate 1 can't be read"),
        (
            &[LEAF, b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----"],
            None,
            "the private key can't be read",
        ),
        (
            &[LEAF, b"-----BEGIN RSA PRIVATE KEY-----\nMAA=\n-----END RSA PRIVATE KEY-----"],
            None,
            "the private key can't be read",
        ),
        (
            &[LEAF, b"-----BEGIN OPENSSH PRIVATE KEY-----\n-----END OPENSSH PRIVATE KEY-----"],
            None,
            "expected a private key of PKCS#8 or PKCS#1, got the PEM block 'OPENSSH PRIVATE KEY'",
        ),
    ];
    for (at, (parts, password, sentence)) in cases.iter().enumerate() {
        if sentence.is_empty() {
            let password = password.map(Secret::new);
            assert!(parse(parts, password.as_ref()).is_ok(), "{at}");
            continue;
        }
        let said = refused(parts, *password);
        let said_rest = said.strip_prefix(expected).unwrap_or(&said);
        assert!(said_rest.starts_with(sentence), "case {at}: {said}");
        assert!(!said.contains(CANARY), "case {at}: {said}");
    }
}

/// A generator that gives the same numbers each time (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

/// Pieces of the key, the password and the files that no message may hold.
fn secrets() -> Vec<String> {
    let mut secrets = vec![CANARY.to_owned()];
    let text = String::from_utf8([KEY, file!("leaf-pkcs1.key")].concat()).unwrap();
    let lines = text.lines().filter(|line| !line.contains('-'));
    secrets
        .extend(lines.map(|line| line.chars().skip(20).take(12).collect::<String>()).filter(|line| line.len() == 12));
    let bytes = der(KEY);
    for chunk in bytes.chunks_exact(8) {
        secrets.push(hex(chunk));
        secrets.push(format!("{chunk:?}").trim_matches(['[', ']']).to_owned());
    }
    secrets
}

#[test]
fn damaged_files_neither_panic_nor_tell() {
    let pem = [file!("leaf-pkcs1.key"), KEY].map(|key| [LEAF, key].concat());
    let encrypted = [file!("leaf-pbes2.key"), LEAF].concat();
    let older = [file!("leaf-pbes1.key"), LEAF].concat();
    let files: [(&[u8], usize); 7] = [
        (&pem[0], 200),
        (&pem[1], 200),
        (&encrypted, 60),
        (&older, 100),
        (file!("plain.p12"), 60),
        (file!("no-mac.p12"), 300),
        (file!("legacy.p12"), 60),
    ];
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut said = String::new();
    for (file, rounds) in files {
        for _ in 0..rounds {
            let mut bytes = file.to_vec();
            for _ in 0..=numbers.below(3) {
                let at = numbers.below(bytes.len());
                match numbers.below(4) {
                    0 => bytes.truncate(at.max(1)),
                    1 => drop(bytes.remove(at.min(bytes.len() - 1))),
                    2 => bytes[at] ^= 1 << numbers.below(8),
                    _ => bytes[at] = u8::try_from(numbers.below(256)).unwrap(),
                }
                if bytes.is_empty() {
                    break;
                }
            }
            match Certificate::parse(&bytes, Some(&secret())) {
                Ok(certificate) => writeln!(said, "{certificate:?}").unwrap(),
                Err(sentence) => {
                    assert!(!sentence.is_empty() && sentence.len() < 200, "{sentence}");
                    assert!(!sentence.contains('\n'), "{sentence}");
                    writeln!(said, "{sentence}").unwrap();
                }
            }
        }
    }
    for secret in secrets() {
        assert!(!said.contains(&secret), "{secret} in the messages");
    }
}

#[test]
fn debug_shows_the_thumbprint_and_no_more() {
    let certificate = parse(&[file!("leaf-pbes2.key"), LEAF], Some(&secret())).unwrap();
    let thumbprint = hex(certificate.thumbprint_sha1().as_ref());
    assert_eq!(format!("{certificate:?}"), format!("Certificate {{ thumbprint: \"{thumbprint}\", .. }}"));
    let pretty = format!("{certificate:#?}");
    for secret in secrets() {
        assert!(!pretty.contains(&secret));
    }
    assert!(!pretty.contains(certificate.identity()));
}

#[test]
fn a_key_that_costs_too_much_to_decrypt_is_not_tried() {
    let block = der(file!("leaf-pbes2.key"));
    // 2048 rounds in two bytes; three fit where the key's length or the salt is not touched.
    let rounds = [0x02, 0x02, 0x08, 0x00];
    let at = block.windows(4).position(|window| window == rounds).unwrap();
    let mut costly = block;
    costly.splice(at..at + 4, [0x02, 0x04, 0x7f, 0xff, 0xff, 0xff]);
    // The lengths of the four sequences around it grow by two.
    for length in lengths_around(&costly, at) {
        costly[length] += 2;
    }
    let sentence = private_key::PrivateKey::from_encrypted(&costly, Some(&secret())).map(|_| ()).unwrap_err();
    assert_eq!(sentence, "the private key's encryption takes more rounds or memory than azcred spends on it");
}

/// Where the last length byte of each sequence around `at` is; none of these lengths ends in 254 or 255.
fn lengths_around(der: &[u8], at: usize) -> Vec<usize> {
    let mut found = Vec::new();
    let mut start = 0;
    while start < at {
        let more = if der[start + 1] < 0x80 { 0 } else { usize::from(der[start + 1] & 0x7f) };
        let last = start + 1 + more;
        let bytes = if more == 0 { &der[last..=last] } else { &der[start + 2..=last] };
        let length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        // `at` was found before the file grew, so the end is that of the old one.
        if der[start] == 0x30 && last + length + 1 >= at {
            found.push(last);
            start = last + 1;
        } else {
            start = last + 1 + length;
        }
    }
    found
}
