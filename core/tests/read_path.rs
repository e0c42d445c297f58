//! The way that nearly every call goes: it allocates nothing, and it counts.

use std::alloc::System;

use azcred::fake::{Fake, answer};
use azcred::{Credential, Peek, Prepared, Spelling, TokenRequest, Value};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Allocations and deallocations of a thousand calls. The driver may still be putting away its last flight at first.
fn allocations(call: impl Fn() -> bool) -> (usize, usize) {
    let thousand = || {
        let region = Region::new(ALLOCATOR);
        assert!((0..1000).all(|_| call()));
        let change = region.change();
        (change.allocations + change.reallocations, change.deallocations)
    };
    (0..100).map(|_| thousand()).min().unwrap_or_default()
}

// One test, since the allocator counts for the whole process.
#[test]
fn a_cached_call_allocates_nothing() {
    let (world, fake) = Fake::world();
    fake.serve(|_| Ok(answer(200, r#"{"access_token":"t","expires_in":86400}"#)));
    let host_world = world.clone();
    let options = ["tenant_id", "client_id", "client_secret"].map(|name| (name.to_owned(), Value::text("x")));
    let credential = Credential::in_world(world, "ClientSecretCredential", options.to_vec(), Spelling::Snake).unwrap();
    let one = "https://storage.azure.com/.default";
    let several = ["https://graph.microsoft.com/Mail.Read", "https://graph.microsoft.com/Calendars.Read", "openid"];
    credential.get_token(&TokenRequest::scope(one)).unwrap();
    let scopes = several.map(str::to_owned).to_vec();
    credential.get_token(&TokenRequest { scopes, enable_cae: true, ..TokenRequest::default() }).unwrap();

    let peek = Peek { scopes: &[one], min_ttl: 60, ..Peek::default() };
    assert_eq!(allocations(|| credential.peek(&peek).is_some()), (0, 0));
    let named = Peek { tenant_id: Some("X"), ..peek };
    assert_eq!(allocations(|| credential.peek(&named).is_some()), (0, 0));
    let list = Peek { scopes: &several, enable_cae: true, ..Peek::default() };
    assert_eq!(allocations(|| credential.peek(&list).is_some()), (0, 0));
    let nothing = Peek { scopes: &["https://elsewhere/.default"], ..Peek::default() };
    assert_eq!(allocations(|| credential.peek(&nothing).is_none()), (0, 0));
    let lease = credential.lease(&peek).unwrap();
    assert_eq!(allocations(|| lease.is_current() && lease.fresh().is_some()), (0, 0));
    let prepared = Prepared::new(credential.clone(), TokenRequest::scope(one)).unwrap();
    assert_eq!(allocations(|| prepared.get().is_ok()), (0, 0));

    // By way of the host's configuration too.
    let file = "[identities.x]\ncredential = \"managed_identity\"\n[resources]\n\"https://*.Azure.com\" = \"x\"\n";
    fake.write("/etc/azcred/config.toml", file);
    let host = Credential::in_world(host_world, "HostCredential", Vec::new(), Spelling::Snake).unwrap();
    host.get_token(&TokenRequest::scope(one)).unwrap();
    assert_eq!(allocations(|| host.peek(&peek).is_some()), (0, 0));
    let lease_of_host = host.lease(&peek).unwrap();
    assert_eq!(allocations(|| lease_of_host.is_current()), (0, 0));

    let before = credential.statistics();
    assert!(credential.peek(&peek).is_some() && credential.peek(&nothing).is_none() && lease.is_current());
    let after = credential.statistics();
    assert_eq!(after.hits, before.hits + 2, "a look that finds nothing is no call yet");
    assert_eq!((after.misses, after.flights, after.upstream_requests, after.failures), (2, 2, 2, 0));
    fake.advance(86_400);
    assert!(credential.peek(&peek).is_none() && !lease.is_current() && lease.fresh().is_none());
}
