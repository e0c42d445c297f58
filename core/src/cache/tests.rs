//! How much a cache keeps.

use super::*;
use crate::credential::Credential;
use crate::lease::Peek;
use crate::options::{Spelling, Value};
use crate::request::TokenRequest;
use crate::world::World;
use crate::world::fake::Fake;

#[test]
fn users_who_left_make_room_for_others() {
    let (world, fake) = Fake::world();
    fake.answer(200, r#"{"access_token":"t","expires_in":3600}"#);
    let ask = |user: usize| {
        let user = user.to_string();
        let given = [("tenant_id", "t"), ("client_id", "c"), ("client_secret", "s"), ("user_assertion", user.as_str())];
        let given = given.map(|(name, text)| (name.to_owned(), Value::text(text))).to_vec();
        let made = Credential::in_world(world.clone(), "OnBehalfOfCredential", given, Spelling::Snake).unwrap();
        made.get_token(&TokenRequest::scope("s")).unwrap();
    };
    (0..=ROOM).for_each(ask);
    assert_eq!(world.cache.slots.len(), ROOM + 1, "live tokens stay");
    let asked = fake.sent().len();
    ask(0);
    assert_eq!(fake.sent().len(), asked, "served from the cache");
    fake.advance(3600);
    (ROOM + 1..10 * ROOM).for_each(|user| {
        fake.advance(60);
        ask(user);
    });
    assert!(world.cache.slots.len() <= 2 * ROOM, "{}", world.cache.slots.len());
    assert!(world.cache.tallies.len() <= 2 * ROOM, "{}", world.cache.tallies.len());
}

/// A cache with those limits and a credential whose tokens are `bytes` long, asked for so many scopes. The first one is
/// used again when half of them are there.
fn filled(limits: Limits, scopes: usize, bytes: usize) -> (World, Fake, Credential) {
    let (mut world, fake) = Fake::world();
    world.cache = Arc::new(Cache { limits, ..Cache::new() });
    fake.set("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1");
    let token = "t".repeat(bytes);
    fake.answer(200, &format!(r#"{{"access_token":"{token}","expires_in":86400}}"#));
    let credential =
        Credential::in_world(world.clone(), "ManagedIdentityCredential", Vec::new(), Spelling::Snake).unwrap();
    for scope in 0..scopes {
        credential.get_token(&TokenRequest::scope(format!("scope-{scope}"))).unwrap();
        if scope == scopes / 2 {
            fake.advance(61);
            assert!(has(&credential, 0));
        }
    }
    (world, fake, credential)
}

fn has(credential: &Credential, scope: usize) -> bool {
    let scope = format!("scope-{scope}");
    credential.peek(&Peek { scopes: &[&scope], ..Peek::default() }).is_some()
}

#[test]
fn there_are_not_too_many_tokens_and_those_in_use_stay() {
    let (most, asked) = (2048, 3000);
    let (world, _, credential) = filled(Limits { slots: most, ..LIMITS }, asked, 4);
    let kept = world.cache.slots.len();
    assert!(kept <= most + ROOM && kept > most * 7 / 8, "{kept}");
    assert!(has(&credential, 0), "used a moment ago");
    let old = (1..=asked / 2).filter(|scope| has(&credential, *scope)).count();
    let young = (asked / 2 + 1..asked).filter(|scope| has(&credential, *scope)).count();
    assert_eq!(young, asked - asked / 2 - 1);
    assert_eq!(old + young + 1, kept);
}

#[test]
fn long_tokens_are_fewer() {
    let bytes = 8 << 20;
    let (world, _, _) = filled(Limits { bytes, ..LIMITS }, 1500, 10_000);
    let kept: usize = world.cache.slots.select(|_, _| true).iter().map(|(_, slot)| slot.size()).sum();
    assert!(kept < bytes * 3 / 2, "{kept}");
    assert!(kept > bytes * 3 / 4, "{kept}");
}

#[test]
fn whoever_has_a_lease_on_what_is_let_go_looks_again() {
    let (world, fake, credential) = filled(LIMITS, 1, 4);
    let peek = Peek { scopes: &["scope-0"], ..Peek::default() };
    let lease = credential.lease(&peek).unwrap();
    assert!(lease.is_current());
    world.cache.let_go(&world.cache.slots.select(|_, _| true));
    assert!(!lease.is_current() && lease.fresh().is_none());
    assert!(credential.lease(&peek).is_none());
    assert!(!has(&credential, 0), "nor does the credential's own way lead anywhere");
    credential.get_token(&TokenRequest::scope("scope-0")).unwrap();
    assert!(has(&credential, 0) && has(&credential, 0));
    assert_eq!(fake.sent().len(), 2);
}
