//! The gate and what is behind it under a model checker: every order in which threads can come to each other's way.
//!
//! A flight is taken by the caller that started it, since the driver adds nothing to the order of things.

use std::sync::Arc;

use loom::sync::Mutex;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;

use super::entry::Entry;
use super::failure::Failure;
use super::gate::{Boarding, Gate};
use super::hold::Hold;
use super::judge::{Demand, Verdict};
use super::primitives::{Flag, Lock, Primitives, Snapshot};
use super::ticket::Answer;
use crate::error::Error;
use crate::moment::Moment;
use crate::token::{AccessToken, Provenance};
use crate::world::witness::Looked;

const NOW: Moment = Moment { wall: 1_700_000_000, boot: 1000 };
const PLAIN: Demand = Demand { min_ttl: 0, claims: None };

#[derive(Debug)]
struct Checked;

#[derive(Debug)]
struct Cell<T>(Mutex<Option<Arc<T>>>);

impl Primitives for Checked {
    type Snapshot<T: 'static> = Cell<T>;
    type Lock<T: 'static> = Mutex<T>;
    type Flag = AtomicBool;
}

impl<T> Snapshot<T> for Cell<T> {
    fn empty() -> Self {
        Cell(Mutex::new(None))
    }

    fn read<R>(&self, look: impl FnOnce(Option<&Arc<T>>) -> R) -> R {
        // As from a snapshot: others may replace it while it is looked at.
        let held = self.0.lock().unwrap().clone();
        look(held.as_ref())
    }

    fn replace(&self, mut next: impl FnMut(Option<&Arc<T>>) -> Option<Arc<T>>) {
        loop {
            let before = self.0.lock().unwrap().clone();
            let after = next(before.as_ref());
            let mut held = self.0.lock().unwrap();
            if before.as_ref().map(Arc::as_ptr) == held.as_ref().map(Arc::as_ptr) {
                *held = after;
                return;
            }
        }
    }
}

impl<T> Lock<T> for Mutex<T> {
    fn of(value: T) -> Self {
        Mutex::new(value)
    }

    fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        work(&mut self.lock().unwrap())
    }
}

impl Flag for AtomicBool {
    fn lowered() -> Self {
        AtomicBool::new(false)
    }

    fn is_raised(&self) -> bool {
        self.load(Ordering::Acquire)
    }

    fn set(&self, raised: bool) {
        self.store(raised, Ordering::Release);
    }
}

/// What threads share: a place, its gate, a source, and what callers were told.
struct Stage {
    hold: Hold<Checked>,
    gate: Gate<Checked, usize>,
    /// Questions to the source, and those under way.
    asked: AtomicUsize,
    flying: AtomicUsize,
    told: [AtomicUsize; 3],
    source: fn(usize) -> Result<AccessToken, Error>,
}

const TOKEN: usize = 1;
const ERROR: usize = 100;

fn token(text: &str, life: i64, due: i64) -> AccessToken {
    let provenance = Provenance { credential: "X", source: "x", tenant_id: None, client_id: None };
    AccessToken::new(text, NOW.wall + life, NOW.wall + due, provenance).unwrap()
}

impl Stage {
    fn new(source: fn(usize) -> Result<AccessToken, Error>) -> Arc<Stage> {
        Arc::new(Stage {
            hold: Hold::empty(),
            gate: Gate::default(),
            asked: AtomicUsize::new(0),
            flying: AtomicUsize::new(0),
            told: [AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0)],
            source,
        })
    }

    fn tell(&self, caller: usize, answer: &Answer) {
        self.told[caller].fetch_add(if answer.is_ok() { TOKEN } else { ERROR }, Ordering::SeqCst);
    }

    /// A caller from the door to its answer, be it by another caller's flight.
    fn call(&self, caller: usize) {
        match self.hold.judge(&PLAIN, NOW) {
            Verdict::Fresh(token) | Verdict::Resting(token) => self.tell(caller, &Ok(token)),
            Verdict::Renew(token) => {
                self.tell(caller, &Ok(token));
                if !self.gate.is_renewing() {
                    self.board(None);
                }
            }
            Verdict::Must => self.board(Some(caller)),
        }
    }

    fn board(&self, caller: Option<usize>) {
        match self.gate.board(&self.hold, caller, &PLAIN, NOW, None, |_| false) {
            Boarding::Joined | Boarding::Idle => {}
            Boarding::Settled(caller, answer) => self.tell(caller, &answer),
            Boarding::Start => self.fly(),
        }
    }

    fn fly(&self) {
        assert_eq!(self.flying.fetch_add(1, Ordering::SeqCst), 0, "two flights at once");
        let answer = (self.source)(self.asked.fetch_add(1, Ordering::SeqCst));
        let answer = match answer {
            Ok(token) => Ok(self.hold.commit(&token, &PLAIN, NOW, NOW, 30)),
            Err(error) => {
                self.hold.rest(NOW, 30);
                self.hold.fail(Failure::of(&error, &PLAIN, Looked::default(), NOW).unwrap());
                Err(error)
            }
        };
        self.flying.fetch_sub(1, Ordering::SeqCst);
        for caller in self.gate.land(None) {
            self.tell(caller, &answer);
        }
    }
}

/// Lets these run in every order, and looks at the stage when all have ended.
fn check(
    source: fn(usize) -> Result<AccessToken, Error>,
    held: fn() -> Option<AccessToken>,
    runs: &'static [fn(&Stage)],
    then: fn(&Stage),
) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(move || {
        let stage = Stage::new(source);
        if let Some(held) = held() {
            stage.hold.commit(&held, &PLAIN, NOW, NOW, 30);
        }
        let threads: Vec<_> = runs
            .iter()
            .map(|run| {
                let stage = Arc::clone(&stage);
                thread::spawn(move || run(&stage))
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert!(stage.gate.is_idle() && !stage.gate.is_renewing(), "nothing is left at the gate");
        then(&stage);
    });
}

fn told(stage: &Stage) -> Vec<usize> {
    stage.told.iter().map(|told| told.load(Ordering::SeqCst)).collect()
}

#[test]
fn three_cold_callers_are_one_flight() {
    let calls: &[fn(&Stage)] = &[|stage| stage.call(0), |stage| stage.call(1), |stage| stage.call(2)];
    check(
        |_| Ok(token("new", 3600, 1800)),
        || None,
        calls,
        |stage| {
            assert_eq!(stage.asked.load(Ordering::SeqCst), 1);
            assert_eq!(told(stage), [TOKEN, TOKEN, TOKEN], "each has one answer");
        },
    );
}

#[test]
fn callers_of_a_source_that_refuses_share_the_refusal() {
    let calls: &[fn(&Stage)] = &[|stage| stage.call(0), |stage| stage.call(1), |stage| stage.call(2)];
    check(
        |_| Err(Error::failed("no")),
        || None,
        calls,
        |stage| {
            assert_eq!(stage.asked.load(Ordering::SeqCst), 1, "it stands for a moment");
            assert_eq!(told(stage), [ERROR, ERROR, ERROR]);
        },
    );
}

#[test]
fn a_renewal_is_one_flight_and_nobody_waits() {
    let calls: &[fn(&Stage)] = &[|stage| stage.call(0), |stage| stage.call(1), |stage| stage.call(2)];
    check(
        |_| Ok(token("new", 3600, 1800)),
        || Some(token("old", 600, 0)),
        calls,
        |stage| {
            assert_eq!(stage.asked.load(Ordering::SeqCst), 1);
            assert_eq!(told(stage), [TOKEN, TOKEN, TOKEN]);
            assert!(stage.hold.read(|entry| entry.is_some_and(|entry| entry.token().secret() == "new")));
        },
    );
}

#[test]
fn a_renewal_that_fails_loses_no_token() {
    let calls: &[fn(&Stage)] = &[|stage| stage.call(0), |stage| stage.call(1)];
    check(
        |_| Err(Error::failed("no")),
        || Some(token("old", 600, 0)),
        calls,
        |stage| {
            assert_eq!(stage.asked.load(Ordering::SeqCst), 1, "the next one rests");
            assert_eq!(told(stage)[..2], [TOKEN, TOKEN]);
            assert!(matches!(stage.hold.judge(&PLAIN, NOW), Verdict::Resting(_)));
        },
    );
}

#[test]
fn a_late_refusal_takes_no_newer_token_away() {
    let runs: &[fn(&Stage)] = &[
        |stage| stage.call(0),
        |stage| {
            stage.hold.refuse("old", NOW);
            stage.call(1);
        },
    ];
    check(
        |_| Ok(token("new", 3600, 1800)),
        || Some(token("old", 600, 0)),
        runs,
        |stage| {
            assert_eq!(told(stage)[..2], [TOKEN, TOKEN]);
            let newest = stage.hold.read(|entry| entry.map(|entry: &Entry| entry.token().secret().to_owned()));
            assert_eq!(newest.as_deref(), Some("new"));
            assert!(matches!(stage.hold.judge(&PLAIN, NOW), Verdict::Fresh(_)));
            assert!(stage.asked.load(Ordering::SeqCst) <= 2);
        },
    );
}
