//! Which identity a token belongs to, as 32 bytes that can be compared and kept, and from which no secret comes back.

use std::fmt;
use std::hash::{Hash, Hasher};

use ring::digest;

/// The identity of a credential: two credentials with the same one may share tokens.
///
/// It is a SHA-256 over everything that decides whose tokens come back: kind, endpoint, ids, and the secret where there
/// is one, so that a process without the secret can't name the entry of one that has it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a kind of credential and its parts, in order. Lengths are part of it, so that no two
    /// lists of parts run into each other.
    pub fn of(kind: &str, parts: &[&str]) -> Fingerprint {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in std::iter::once(&kind).chain(parts) {
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part.as_bytes());
        }
        Fingerprint::finish(context)
    }

    /// The fingerprint of bytes, such as a file's.
    pub(crate) fn of_bytes(kind: &str, bytes: &[u8]) -> Fingerprint {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(Fingerprint::of(kind, &[]).bytes());
        context.update(bytes);
        Fingerprint::finish(context)
    }

    /// The fingerprint of a chain: its members' in their order.
    pub(crate) fn of_chain(kind: &str, members: &[Fingerprint]) -> Fingerprint {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(Fingerprint::of(kind, &[]).bytes());
        for member in members {
            context.update(member.bytes());
        }
        Fingerprint::finish(context)
    }

    fn finish(context: digest::Context) -> Fingerprint {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.finish().as_ref());
        Fingerprint(bytes)
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Hash for Fingerprint {
    /// A part of it will do: it is a hash.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.first_chunk().map_or(0, |first| u64::from_le_bytes(*first)));
    }
}

impl fmt::Debug for Fingerprint {
    /// Nothing of it: a user's password may be a part, and who has a piece of the hash can try passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::Fingerprint;

    #[test]
    fn parts_do_not_run_into_each_other() {
        let all = [
            Fingerprint::of("a", &["b", "c"]),
            Fingerprint::of("a", &["bc"]),
            Fingerprint::of("a", &["bc", ""]),
            Fingerprint::of("a", &["", "bc"]),
            Fingerprint::of("ab", &["c"]),
            Fingerprint::of_chain("a", &[Fingerprint::of("b", &[])]),
        ];
        for (at, one) in all.iter().enumerate() {
            assert_eq!(all.iter().filter(|other| *other == one).count(), 1, "{at}");
        }
        assert_eq!(Fingerprint::of("a", &["b"]), Fingerprint::of("a", &["b"]));
        assert_eq!(format!("{:?}", Fingerprint::of("a", &["password"])), "Fingerprint(…)");
    }
}
