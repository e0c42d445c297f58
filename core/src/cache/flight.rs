//! One question to a source: a task of the driver that outlives its callers.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use super::failure::Failure;
use super::judge::Demand;
use super::slot::{OurGate, Slot};
use crate::driver;
use crate::error::{Error, ErrorKind};
use crate::request::{TokenRequest, wish};
use crate::share;
use crate::source::{Ask, Audience, Interactive, Place, Source, Want};
use crate::tally::count;
use crate::world::World;
use crate::world::witness::Witness;

/// Who is asked what, and where the answer goes.
pub(super) struct Flight {
    slot: Arc<Slot>,
    gate: Arc<OurGate>,
    source: Arc<dyn Source>,
    /// As a witness sees it.
    world: World,
    witness: Arc<Witness>,
    request: TokenRequest,
    demand: Demand,
    want: Want,
}

impl Flight {
    pub(super) fn new(
        slot: &Arc<Slot>,
        gate: &Arc<OurGate>,
        source: &Arc<dyn Source>,
        world: &World,
        request: &TokenRequest,
        demand: &Demand,
        want: Want,
    ) -> Flight {
        let (world, witness) = Witness::of(world, &slot.tally);
        Flight {
            slot: Arc::clone(slot),
            gate: Arc::clone(gate),
            source: Arc::clone(source),
            world,
            witness,
            // The flight is everybody's: what one caller allows or cancels is that caller's own. An empty text is no wish,
            // and no source has to know that.
            request: TokenRequest {
                cancel: None,
                timeout: None,
                tenant_id: wish(request.tenant_id.as_deref()).map(str::to_owned),
                claims: request.claims().map(str::to_owned),
                ..request.clone()
            },
            demand: *demand,
            want,
        }
    }

    /// Asks the source once, within its patience, commits, and tells everyone who waits.
    pub(super) async fn fly(self) {
        let awaited = || self.gate.is_awaited(self.demand.claims, |ticket| !ticket.is_settled());
        let audience = Audience::new(&awaited);
        let ask = Ask { world: &self.world, request: &self.request, place: Place::Alone, audience, want: &self.want };
        let about = self.source.about();
        // Each source has its patience, and other processes may have had their turn before.
        let answer = driver::within(about.patience * (1 + share::LONGEST_WAIT), share::fetch(&*self.source, &ask));
        let answer = driver::caught(AssertUnwindSafe(answer)).await;
        let now = self.world.clock.moment();
        let answer = match answer {
            Ok(Some(Ok(grant))) => self.slot.commit(grant, &self.demand, now),
            Ok(Some(Err(error))) => Err(error),
            Ok(None) => {
                Err(Error::transient(format!("{}: no answer within {} s", about.credential, about.patience.as_secs())))
            }
            Err(_) => Err(Error::new(
                ErrorKind::Internal,
                format!("{}: a bug in azcred was contained; please report it", about.credential),
            )),
        };
        if let Err(error) = &answer {
            tracing::warn!(credential = about.credential, kind = error.kind().name(), "{error}");
            count(&self.slot.tally.failures);
            let asks_a_person = self.source.interactive().is_some_and(Interactive::asks_a_person);
            let failure = Failure::of(error, &self.demand, self.witness.looked(), now).filter(|_| !asks_a_person);
            self.slot.fail(error, &self.demand, failure, now);
        }
        self.slot.land(&self.gate, self.demand.claims, &answer, now);
    }
}
