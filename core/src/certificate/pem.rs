//! The blocks of a PEM text, whatever stands between them.
//!
//! The readers at hand skip the blocks that a message must name (an encrypted key, a key of another kind), or stumble
//! over header lines, and leave copies of the key in freed memory.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// One block: `-----BEGIN label-----`, base64, `-----END label-----`.
pub(super) struct Block<'a> {
    pub(super) label: &'a str,
    /// What the base64 says.
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// Whether the header `Proc-Type: 4,ENCRYPTED` says that the bytes are encrypted the way of RFC 1421.
    pub(super) is_rfc1421: bool,
}

/// Whether there is any block.
pub(super) fn is_in(text: &[u8]) -> bool {
    cut(text, BEGIN).is_some()
}

/// Every block, in order. Where line breaks became spaces, as in an environment variable, it is still a block.
pub(super) fn blocks(text: &[u8]) -> Result<Vec<Block<'_>>, String> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, begun)) = cut(rest, BEGIN) {
        let named = cut(begun, DASHES).and_then(|(label, body)| Some((label_of(label)?, body)));
        let (label, body) =
            named.ok_or_else(|| format!("the BEGIN line of PEM block {} can't be read", blocks.len() + 1))?;
        let ended = cut(body, END).filter(|(body, _)| cut(body, DASHES).is_none()).and_then(|(body, end)| {
            let rest = end.strip_prefix(label.as_bytes())?.strip_prefix(DASHES)?;
            Some((body, rest))
        });
        let (body, after) = ended.ok_or_else(|| {
            format!("the PEM block '{label}' does not end in '-----END {label}-----'; is the text cut off?")
        })?;
        blocks.push(block(label, body)?);
        rest = after;
    }
    Ok(blocks)
}

fn block<'a>(label: &'a str, body: &[u8]) -> Result<Block<'a>, String> {
    let mut letters = Zeroizing::new(Vec::with_capacity(body.len()));
    let mut is_rfc1421 = false;
    for line in body.split(|byte| matches!(byte, b'\n' | b'\r')) {
        if line.contains(&b':') {
            is_rfc1421 |= cut(line, b"Proc-Type:").is_some() && cut(line, b"ENCRYPTED").is_some();
        } else {
            letters.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
        }
    }
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(letters.len())]);
    // The error names a letter of what may be a key, so it is not passed on.
    let length = STANDARD
        .decode_slice(&letters, &mut bytes)
        .map_err(|_| format!("the PEM block '{label}' holds something else than base64; is it damaged?"))?;
    bytes.truncate(length);
    Ok(Block { label, bytes, is_rfc1421 })
}

/// A label is words in capital letters; anything else may be a piece of a key, and must not be shown.
fn label_of(bytes: &[u8]) -> Option<&str> {
    let fits = bytes.len() <= 64 && bytes.iter().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b' '));
    std::str::from_utf8(bytes).ok().filter(|_| fits)
}

/// What is before the first `mark`, and what is after it.
fn cut<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(mark.len()).position(|window| window == mark)?;
    let (before, rest) = text.split_at(at);
    Some((before, rest.strip_prefix(mark)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_among_noise() {
        let texts = [
            "-----BEGIN A-----\naGk=\n-----END A-----\n-----BEGIN B C-----\neW8=\n-----END B C-----\n",
            "\u{feff}-----BEGIN A-----\r\naGk=\r\n-----END A-----\r\nx\r\n-----BEGIN B C-----\r\neW8=\r\n-----END B C-----",
            "Bag Attributes\n    x: y -\n-----BEGIN A-----\naG\nk=\n-----END A-----\n\n-----BEGIN B C-----eW8=-----END B C-----",
            "-----BEGIN A----- a G k = -----END A----- -----BEGIN B C----- eW8= -----END B C-----",
            "-----BEGIN A-----\nName: value\n\naGk=\n-----END A-----\r-----BEGIN B C-----\reW8=\r-----END B C-----",
        ];
        for text in texts {
            assert!(is_in(text.as_bytes()));
            let blocks = blocks(text.as_bytes()).unwrap();
            let found: Vec<_> = blocks.iter().map(|block| (block.label, block.bytes.as_slice())).collect();
            assert_eq!(found, [("A", b"hi".as_slice()), ("B C", b"yo")], "{text}");
        }
        assert!(!is_in(b"-----END A-----"));
    }

    #[test]
    fn the_encryption_of_rfc_1421_is_noticed() {
        let text = b"-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: X,00\n\naGk=\n-----END A-----\n";
        assert!(blocks(text).unwrap().iter().all(|block| block.is_rfc1421));
    }

    #[test]
    fn broken_blocks_are_named() {
        let cases = [
            ("-----BEGIN A-----\naGk=\n", "the PEM block 'A' does not end in '-----END A-----'; is the text cut off?"),
            ("-----BEGIN A-----\naGk=\n-----END A--", "the PEM block 'A' does not end in '-----END A-----'"),
            ("-----BEGIN A-----\naGk=\n-----END B-----", "the PEM block 'A' does not end in '-----END A-----'"),
            (
                "-----BEGIN A-----\naGk=\n-----BEGIN A-----\naGk=\n-----END A-----",
                "the PEM block 'A' does not end in '-----END A-----'",
            ),
            ("-----BEGIN A-----\n?canary?\n-----END A-----", "the PEM block 'A' holds something else than base64"),
            ("-----BEGIN A-----\naGk=aGk=\n-----END A-----", "the PEM block 'A' holds something else than base64"),
            ("-----BEGIN A-----\naG\\nk=\n-----END A-----", "the PEM block 'A' holds something else than base64"),
            ("-----BEGIN canary-----\n-----END canary-----", "the BEGIN line of PEM block 1 can't be read"),
            ("-----BEGIN ", "the BEGIN line of PEM block 1 can't be read"),
        ];
        for (text, expected) in cases {
            let sentence = blocks(text.as_bytes()).map(|_| ()).unwrap_err();
            assert!(sentence.starts_with(expected), "{sentence}");
            assert!(!sentence.contains("canary"), "{sentence}");
        }
    }
}
