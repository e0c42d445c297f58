//! What decides which token is meant, as the cache keeps it and as a caller names it without allocating.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};

use crate::fingerprint::Fingerprint;

/// The name of a slot.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    identity: Fingerprint,
    tenant: Option<Box<str>>,
    /// Sorted, without repetitions, with a blank between two: their order and number must not matter, and a scope holds
    /// no blank.
    scopes: Box<str>,
    /// Whether that is more than one: a blank in one that a caller made up must not read as two.
    several: bool,
    cae: bool,
}

/// A [`Key`] made of borrowed parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    pub(crate) identity: &'a Fingerprint,
    pub(crate) tenant: Option<&'a str>,
    pub(crate) scopes: Scopes<'a>,
    pub(crate) cae: bool,
}

/// Scopes as a key has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scopes<'a> {
    pub(crate) joined: &'a str,
    pub(crate) several: bool,
}

impl Name<'_> {
    pub(crate) fn to_key(self) -> Key {
        let Scopes { joined, several } = self.scopes;
        let tenant = self.tenant.map(Into::into);
        Key { identity: *self.identity, tenant, scopes: joined.into(), several, cae: self.cae }
    }
}

impl Hash for Name<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity.hash(state);
        state.write(self.scopes.joined.as_bytes());
        // The tenant's first byte tells a tenant from none, and both from the end of the scopes.
        match self.tenant {
            Some(tenant) => {
                state.write_u8(0xff);
                state.write(tenant.as_bytes());
            }
            None => state.write_u8(0xfe),
        }
        state.write_u8(self.cae.into());
    }
}

/// Whatever a slot can be found by: lets a map of [`Key`]s be asked for a [`Name`].
pub(crate) trait Named {
    fn name(&self) -> Name<'_>;
}

impl Named for Key {
    fn name(&self) -> Name<'_> {
        let scopes = Scopes { joined: &self.scopes, several: self.several };
        Name { identity: &self.identity, tenant: self.tenant.as_deref(), scopes, cae: self.cae }
    }
}

impl Named for Name<'_> {
    fn name(&self) -> Name<'_> {
        *self
    }
}

impl<'a> Borrow<dyn Named + 'a> for Key {
    fn borrow(&self) -> &(dyn Named + 'a) {
        self
    }
}

impl Hash for dyn Named + '_ {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl PartialEq for dyn Named + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for dyn Named + '_ {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Key {}

/// Up to here scopes are put in order on the stack.
const FEW: usize = 8;
const SHORT: usize = 512;

/// Gives `with` the scopes as a key has them. One scope, as nearly all callers have, is taken as it is; `None` is given
/// for what can't be a list of scopes.
#[inline]
pub(crate) fn with_scopes<R>(scopes: &[&str], with: impl FnOnce(Option<Scopes<'_>>) -> R) -> R {
    match scopes {
        [] => with(None),
        [scope] => with(Some(Scopes { joined: scope, several: false })),
        scopes => with_several(scopes, with),
    }
}

fn with_several<R>(scopes: &[&str], with: impl FnOnce(Option<Scopes<'_>>) -> R) -> R {
    if scopes.iter().any(|scope| scope.is_empty() || scope.contains(' ')) {
        return with(None);
    }
    let (mut few, mut many) = ([""; FEW], Vec::new());
    let sorted = if let Some(few) = few.get_mut(..scopes.len()) {
        few.copy_from_slice(scopes);
        few
    } else {
        many.extend_from_slice(scopes);
        many.as_mut_slice()
    };
    sorted.sort_unstable();
    let several = sorted.first() != sorted.last();
    let mut room = [0; SHORT];
    if let Some(joined) = joined(sorted, &mut room) {
        return with(Some(Scopes { joined, several }));
    }
    let mut sorted = sorted.to_vec();
    sorted.dedup();
    with(Some(Scopes { joined: &sorted.join(" "), several }))
}

/// The scopes with a blank between two, without repetitions, if there is room for them.
fn joined<'a>(sorted: &[&str], room: &'a mut [u8; SHORT]) -> Option<&'a str> {
    let (mut end, mut before) = (0, "");
    for scope in sorted.iter().copied() {
        if scope == before {
            continue;
        }
        if end > 0 {
            *room.get_mut(end)? = b' ';
            end += 1;
        }
        room.get_mut(end..end + scope.len())?.copy_from_slice(scope.as_bytes());
        end += scope.len();
        before = scope;
    }
    std::str::from_utf8(room.get(..end)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn equal_names_share_and_unequal_ones_do_not() {
        let (one, other) = (Fingerprint::of("a", &[]), Fingerprint::of("b", &[]));
        let name = |identity, tenant, joined, cae| {
            let scopes = Scopes { joined, several: false };
            Name { identity, tenant, scopes, cae }
        };
        let several = Scopes { joined: "x y", several: true };
        let all = [
            name(&one, None, "x", false),
            name(&one, None, "x", true),
            name(&one, None, "x y", false),
            name(&one, Some("x"), "x", false),
            name(&one, Some("y"), "x", false),
            name(&one, Some(""), "x", false),
            name(&other, None, "x", false),
            Name { scopes: several, ..name(&one, None, "x y", false) },
        ];
        let map: HashMap<Key, usize> = all.iter().enumerate().map(|(at, name)| (name.to_key(), at)).collect();
        assert_eq!(map.len(), all.len());
        for (at, name) in all.iter().enumerate() {
            assert_eq!(map.get(name as &dyn Named), Some(&at), "{name:?}");
        }
    }

    #[test]
    fn order_and_number_of_scopes_do_not_matter() {
        let of = |scopes: &[&str]| with_scopes(scopes, |scopes| scopes.map(|scopes| scopes.joined.to_owned()));
        let several = |scopes: &[&str]| with_scopes(scopes, |scopes| scopes.is_some_and(|scopes| scopes.several));
        assert!(several(&["a", "b"]) && !several(&["a", "a"]) && !several(&["a"]));
        assert_eq!(of(&["b", "a", "b"]).as_deref(), Some("a b"));
        assert_eq!(of(&["a"]).as_deref(), Some("a"));
        let long = "x".repeat(300);
        assert_eq!(of(&[&long, "a", &long]), Some(format!("a {long}")));
        assert_eq!(of(&[&long, "a", &format!("{long}y")]), Some(format!("a {long} {long}y")));
        let many: Vec<String> = (10..30).rev().map(|number| number.to_string()).collect();
        let borrowed: Vec<&str> = many.iter().chain(&many).map(String::as_str).collect();
        let ordered: Vec<&str> = many.iter().rev().map(String::as_str).collect();
        assert_eq!(of(&borrowed), Some(ordered.join(" ")));
        for wrong in [&[][..], &["a", ""], &["a", "b c"]] {
            assert_eq!(of(wrong), None, "{wrong:?}");
        }
    }
}
