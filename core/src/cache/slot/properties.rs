//! A slot over random histories: callers, landings, refusals, and clocks that run, jump and sleep, against what a reader of
//! the design would expect.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use proptest::test_runner::Config;

use super::super::gate::Boarding;
use super::super::judge::{ClaimsHash, Demand, SKEW, Verdict};
use super::*;
use crate::error::ErrorKind;
use crate::token::{Provenance, Secret};
use crate::world::witness::Looked;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Event {
    /// A caller comes, as a door lets it: it looks, and boards where it must.
    Call { min_ttl: i64, claims: Option<u8> },
    /// The flight with these claims, if there is one, brings a token.
    Land { claims: Option<u8>, life: i64, refresh_in: Option<i64>, same: bool },
    /// It brings an error.
    Fail { claims: Option<u8>, kind: ErrorKind, retry_after: Option<u64> },
    /// A resource refuses the newest token, or one of long ago.
    Refuse { newest: bool },
    /// Time passes, awake or asleep.
    Pass(i64),
    /// Somebody sets the wall clock.
    Jump(i64),
}

fn claims() -> impl Strategy<Value = Option<u8>> {
    prop_oneof![4 => Just(None), 1 => (1..3_u8).prop_map(Some)]
}

fn event() -> impl Strategy<Value = Event> {
    let min_ttl = prop_oneof![4 => Just(0), 1 => 1..8000_i64];
    let life = prop_oneof![3 => 31..7200_i64, 1 => 7200..90_000_i64, 1 => -10..31_i64];
    let kind = prop_oneof![
        Just(ErrorKind::Unavailable),
        Just(ErrorKind::Failed),
        Just(ErrorKind::Transient),
        Just(ErrorKind::Internal),
    ];
    let span = prop_oneof![3 => 0..40_i64, 2 => 40..4000_i64, 1 => 4000..100_000_i64];
    prop_oneof![
        6 => (min_ttl, claims()).prop_map(|(min_ttl, claims)| Event::Call { min_ttl, claims }),
        4 => (claims(), life, proptest::option::of(1..4000_i64), any::<bool>())
            .prop_map(|(claims, life, refresh_in, same)| Event::Land { claims, life, refresh_in, same }),
        2 => (claims(), kind, proptest::option::of(0..100_u64))
            .prop_map(|(claims, kind, retry_after)| Event::Fail { claims, kind, retry_after }),
        1 => any::<bool>().prop_map(|newest| Event::Refuse { newest }),
        4 => span.prop_map(Event::Pass),
        1 => prop_oneof![-100_000..100_000_i64, -5..5_i64].prop_map(Event::Jump),
    ]
}

/// A token as the source knows it.
#[derive(Clone, Copy, Debug)]
struct Given {
    /// When it really dies: in seconds since the host started.
    dies: i64,
    claims: Option<u8>,
}

/// What came to a caller's mailbox.
type Mail = Arc<Mutex<Vec<Answer>>>;

struct Caller {
    min_ttl: i64,
    mail: Mail,
}

struct Stage {
    slot: Slot,
    gate: Arc<OurGate>,
    now: Moment,
    /// Flights under way, and who waits for each.
    flights: HashMap<Option<u8>, Vec<Caller>>,
    tokens: HashMap<String, Given>,
    newest: Option<String>,
    /// Refused, and not given by the source again since.
    refused: Vec<String>,
    /// No renewal may start before this moment.
    rests_until: i64,
}

fn demand(min_ttl: i64, claims: Option<u8>) -> Demand {
    let hash = |number: u8| -> ClaimsHash { [number; 32] };
    Demand { min_ttl, claims: claims.map(hash) }
}

impl Stage {
    fn new(jitter: f64) -> Stage {
        let now = Moment { wall: 1_700_000_000, boot: 100_000 };
        let slot = Slot::new(Arc::default(), jitter, None, now);
        let gate = slot.gate.get();
        let (flights, tokens) = (HashMap::new(), HashMap::new());
        Stage { slot, gate, now, flights, tokens, newest: None, refused: Vec::new(), rests_until: i64::MIN }
    }

    /// A token that somebody got must be good for it.
    fn check(&self, token: &AccessToken, min_ttl: i64) {
        let given = self.tokens[token.secret()];
        let life = given.dies - self.now.boot;
        assert!(life > min_ttl.max(SKEW), "lives {life} s of {min_ttl}");
    }

    fn call(&mut self, min_ttl: i64, claims: Option<u8>) {
        let demand = demand(min_ttl, claims);
        match self.slot.look(&demand, self.now) {
            Verdict::Fresh(token) | Verdict::Resting(token) => self.found(&token, min_ttl, claims),
            Verdict::Renew(token) => {
                self.found(&token, min_ttl, claims);
                assert!(self.now.boot >= self.rests_until, "a renewal before its rest was over");
                let starts = !self.gate.is_renewing();
                assert_eq!(starts, !self.flights.contains_key(&None), "the flag says whether a flight is under way");
                if starts {
                    match self.gate.board(&self.slot.hold, None, &Demand::default(), self.now, None, |_| false) {
                        Boarding::Start => self.start(None),
                        other => panic!("nobody else is here: {other:?}"),
                    }
                }
            }
            Verdict::Must => self.wait(min_ttl, claims, &demand),
        }
    }

    fn found(&self, token: &AccessToken, min_ttl: i64, claims: Option<u8>) {
        self.check(token, min_ttl);
        assert!(!self.refused.contains(&token.secret().to_owned()), "a resource refused it");
        if claims.is_some() {
            assert_eq!(self.tokens[token.secret()].claims, claims, "got with other claims");
        }
    }

    fn wait(&mut self, min_ttl: i64, claims: Option<u8>, demand: &Demand) {
        // Never withheld: whoever must wait finds nothing that would do, by one clock or the other.
        if claims.is_none()
            && let Some(newest) = self.newest.as_ref().filter(|newest| !self.refused.contains(newest))
        {
            let held = self.slot.hold.read(|entry| entry.map(|entry| (entry.token().clone(), entry.dies)));
            if let Some((token, dies)) = held.filter(|(token, _)| token.secret() == newest.as_str()) {
                let by_wall = token.expires_on() - self.now.wall;
                assert_eq!(by_wall, dies.wall - self.now.wall);
                let life = by_wall.min(self.tokens[newest].dies - self.now.boot);
                assert!(life <= min_ttl.max(SKEW), "a live token was withheld: {life} s of {min_ttl}");
            }
        }
        let mail = Mail::default();
        let box_of = Arc::clone(&mail);
        let ticket = Ticket::new(min_ttl, Box::new(move |answer| box_of.lock().unwrap().push(answer)));
        let caller = Caller { min_ttl, mail };
        match self.gate.board(&self.slot.hold, Some(ticket), demand, self.now, None, |ticket| ticket.is_settled()) {
            Boarding::Joined => self.flights.get_mut(&claims).expect("joined a flight that is not there").push(caller),
            Boarding::Start => {
                self.start(claims);
                self.flights.get_mut(&claims).unwrap().push(caller);
            }
            Boarding::Settled(ticket, answer) => {
                ticket.settle(answer);
                self.settled(&caller);
            }
            Boarding::Idle => panic!("a caller is owed an answer"),
        }
    }

    fn start(&mut self, claims: Option<u8>) {
        let before = self.flights.insert(claims, Vec::new());
        assert!(before.is_none(), "two flights at once");
    }

    fn settled(&self, caller: &Caller) {
        let mail = caller.mail.lock().unwrap();
        assert_eq!(mail.len(), 1, "each caller gets one answer");
        if let Ok(token) = &mail[0] {
            self.check(token, caller.min_ttl);
        }
    }

    fn land(&mut self, claims: Option<u8>, outcome: Result<Grant, Error>) {
        let Some(callers) = self.flights.remove(&claims) else { return };
        assert!(callers.iter().all(|caller| caller.mail.lock().unwrap().is_empty()), "nobody is answered before");
        let demand = demand(0, claims);
        let answer = match outcome {
            Ok(grant) => {
                let (text, life) = (grant.text.expose().to_owned(), grant.expires_on - self.now.wall);
                let answer = self.slot.commit(grant, &demand, self.now);
                if answer.is_ok() {
                    self.tokens.insert(text.clone(), Given { dies: self.now.boot + life, claims });
                    self.refused.retain(|refused| *refused != text);
                }
                answer
            }
            Err(error) => Err(error),
        };
        if let Err(error) = &answer {
            let failure = Failure::of(error, &demand, Looked::default(), self.now);
            self.slot.fail(error, &demand, failure, self.now);
            if claims.is_none() {
                self.rests_until = self.rests_until.max(self.now.boot + REST);
            }
        } else {
            self.newest = self.slot.hold.read(|entry| entry.map(|entry| entry.token().secret().to_owned()));
            self.rests_until = i64::MIN;
        }
        self.slot.land(&self.gate, demand.claims, &answer, self.now);
        for caller in &callers {
            self.settled(caller);
        }
    }

    fn refuse(&mut self, newest: bool) {
        let text = if newest { self.newest.clone() } else { self.tokens.keys().min().cloned() };
        let Some(text) = text else { return };
        if self.slot.refuse(&text, self.now) {
            assert_eq!(Some(&text), self.newest.as_ref(), "no newer token goes with an older one's refusal");
            self.refused.push(text);
        }
    }

    fn pass(&mut self, seconds: i64) {
        self.now = Moment { wall: self.now.wall + seconds, boot: self.now.boot + seconds };
    }

    /// Whatever happened, once the cause is gone the next call after a rest has a token.
    fn end(&mut self) {
        for claims in [None, Some(1), Some(2)] {
            self.land(claims, Err(Error::transient("the end")));
        }
        self.pass(5);
        self.call(0, None);
        if self.flights.contains_key(&None) {
            self.land(None, Ok(self.grant("last".to_owned(), 3600, None)));
        }
        assert!(self.flights.is_empty());
        match self.slot.look(&Demand::default(), self.now) {
            Verdict::Fresh(token) | Verdict::Renew(token) | Verdict::Resting(token) => self.found(&token, 0, None),
            Verdict::Must => panic!("no token, though the source has one"),
        }
    }

    fn grant(&self, text: String, life: i64, refresh_in: Option<i64>) -> Grant {
        let provenance = Provenance { credential: "X", source: "x", tenant_id: None, client_id: None };
        Grant::new(Secret::new(text), self.now.wall + life, refresh_in, provenance)
    }
}

proptest! {
    #![proptest_config(Config { cases: 10_000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn histories(jitter in 0.0..1.0_f64, events in proptest::collection::vec(event(), 1..60)) {
        let mut stage = Stage::new(jitter);
        for (number, event) in events.into_iter().enumerate() {
            match event {
                Event::Call { min_ttl, claims } => stage.call(min_ttl, claims),
                Event::Land { claims, life, refresh_in, same } => {
                    // The same token again lives as long as it always would have.
                    let again = stage.newest.clone().filter(|_| same);
                    let life = again.as_ref().map_or(life, |text| stage.tokens[text].dies - stage.now.boot);
                    let text = again.unwrap_or_else(|| format!("token-{number}"));
                    let grant = stage.grant(text, life, refresh_in);
                    stage.land(claims, Ok(grant));
                }
                Event::Fail { claims, kind, retry_after } => {
                    let delay = retry_after.map(std::time::Duration::from_secs);
                    stage.land(claims, Err(Error::new(kind, "no").with_retry_after(delay)));
                }
                Event::Refuse { newest } => stage.refuse(newest),
                Event::Pass(seconds) => stage.pass(seconds),
                Event::Jump(seconds) => stage.now.wall += seconds,
            }
        }
        stage.end();
    }
}
