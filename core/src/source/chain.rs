//! Chains: ask each member in turn, remember every no. The only loop on the way to a token.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::subject::Subject;
use super::{About, Ask, Fetch, Grant, Place, Source, Tenants};
use crate::error::{Attempt, Error, ErrorKind};
use crate::fingerprint::Fingerprint;
use crate::share;

/// The class name of a chain that the caller put together.
pub(crate) const NAME: &str = "ChainedTokenCredential";

#[derive(Debug)]
pub(crate) struct Chain {
    about: About,
    place: Place,
    sticky: bool,
}

/// Which member won, and whose token it gave: one for all default chains of a process with the same members, as they
/// share their tokens. A later answer of another member must be of the same identity: otherwise the restart of a
/// metadata service would hand a program the identity of whoever is signed in.
#[derive(Debug, Default)]
pub(crate) struct Memory(ArcSwapOption<Winner>);

#[derive(Debug)]
struct Winner {
    at: usize,
    subject: Option<Subject>,
}

impl Chain {
    /// A chain that asks its members anew for each token.
    pub(crate) fn of(members: Vec<Arc<dyn Source>>) -> Result<Chain, Error> {
        Chain::new(NAME, members, Place::Chain, false)
    }

    /// The default chain, which stays with the member that gave a token.
    pub(crate) fn default_chain(name: &'static str, members: Vec<Arc<dyn Source>>) -> Result<Chain, Error> {
        Chain::new(name, members, Place::Default, true)
    }

    fn new(
        credential: &'static str,
        members: Vec<Arc<dyn Source>>,
        place: Place,
        sticky: bool,
    ) -> Result<Chain, Error> {
        if members.is_empty() {
            return Err(Error::configuration(format!("{credential}: expected at least one credential, got none")));
        }
        let identities: Vec<Fingerprint> = members.iter().map(|member| member.about().identity).collect();
        let patience: Duration = members.iter().map(|member| member.about().patience).sum();
        let identity = Fingerprint::of_chain(credential, &identities);
        let cae = members.iter().any(|member| member.about().cae);
        let login = members.iter().flat_map(|member| member.about().login.iter().cloned()).collect();
        let about = About::of(credential, identity, patience);
        let about = About { cae, tenants: Tenants::Members, members, login, ..about };
        Ok(Chain { about, place, sticky })
    }

    async fn ask(&self, ask: &Ask<'_>) -> Result<Grant, Error> {
        let ask = Ask { place: self.place.max_of(ask.place), ..*ask };
        if !self.sticky {
            return Ok(self.walk(&ask, None).await?.1);
        }
        let memory = ask.world.cache.memory(&self.about.identity);
        if let Some(winner) = memory.0.load_full() {
            return self.ask_winner(&ask, &winner).await;
        }
        let (at, grant) = self.walk(&ask, None).await?;
        let ours = Winner { at, subject: Subject::of(&grant) };
        match self.claim(&memory, ours) {
            None => Ok(grant),
            // Another scope's walk was faster, and by another member: its identity is the program's now.
            Some(winner) => self.ask_winner(&ask, &winner).await,
        }
    }

    /// Makes `ours` the winner; gives the earlier one if that speaks for another identity.
    fn claim(&self, memory: &Memory, ours: Winner) -> Option<Arc<Winner>> {
        let ours = Arc::new(ours);
        let before = memory.0.compare_and_swap(&None::<Arc<Winner>>, Some(Arc::clone(&ours)));
        let Some(before) = before.as_ref() else {
            let winner = self.about.members.get(ours.at).map(|member| member.about().credential);
            tracing::info!(chain = self.about.credential, winner, "this member gives the tokens from now on");
            return None;
        };
        let same = before.at == ours.at || (before.subject.is_some() && before.subject == ours.subject);
        (!same).then(|| Arc::clone(before))
    }

    async fn ask_winner(&self, ask: &Ask<'_>, winner: &Winner) -> Result<Grant, Error> {
        let Some(member) = self.about.members.get(winner.at) else {
            return Err(Error::new(ErrorKind::Internal, "the chain forgot its winner; please report this"));
        };
        let error = match share::fetch(&**member, ask).await {
            Err(error) if error.kind() == ErrorKind::Unavailable => error,
            answer => return answer,
        };
        // The winner is gone. Another member will do only if it speaks for the same identity.
        if winner.subject.is_some()
            && let Ok((_, grant)) = self.walk(ask, Some(winner.at)).await
            && Subject::of(&grant) == winner.subject
        {
            return Ok(grant);
        }
        let name = member.about().credential;
        let message = format!(
            "{}: {name} gave this program its tokens and is unavailable now; no other member speaks for the same identity\n\t{error}",
            self.about.credential
        );
        let attempts = vec![Attempt { credential: name, error: error.clone() }];
        Err(error.with_message(message).with_attempts(attempts))
    }

    /// Asks the members in their order, but for `except`.
    async fn walk(&self, ask: &Ask<'_>, except: Option<usize>) -> Result<(usize, Grant), Error> {
        let mut attempts = Vec::with_capacity(self.about.members.len());
        for (at, member) in self.about.members.iter().enumerate().filter(|(at, _)| Some(*at) != except) {
            let credential = member.about().credential;
            match share::fetch(&**member, ask).await {
                Ok(grant) => return Ok((at, grant)),
                Err(error) => {
                    tracing::debug!(chain = self.about.credential, member = credential, "{error}");
                    let goes_on = error.kind() == ErrorKind::Unavailable;
                    attempts.push(Attempt { credential, error });
                    if !goes_on {
                        break;
                    }
                }
            }
        }
        Err(self.report(attempts))
    }

    /// One line per member, first to last; the last one's kind is the whole's.
    fn report(&self, attempts: Vec<Attempt>) -> Error {
        let last = attempts.last().map(|attempt| attempt.error.clone());
        let kind = last.as_ref().map_or(ErrorKind::Unavailable, Error::kind);
        let mut message = format!(
            "{} failed to retrieve a token from the included credentials.\nAttempted credentials:",
            self.about.credential
        );
        for attempt in &attempts {
            // A member's sentence starts with its name already; lines of its own are indented further.
            message.push_str("\n\t");
            message.push_str(&attempt.error.message().replace('\n', "\n\t\t"));
        }
        let untried = self.about.members.iter().skip(attempts.len()).map(|member| member.about().credential);
        for credential in untried {
            message.push_str("\n\t");
            message.push_str(credential);
            message.push_str(": not tried, since the one before was refused");
        }
        let error = match last {
            // Its code, ids and delay are the caller's too.
            Some(last) => last.with_message(message),
            None => Error::unavailable(message),
        };
        error.with_kind(kind).with_attempts(attempts)
    }
}

impl Place {
    /// A chain within the default chain is part of it.
    fn max_of(self, outer: Place) -> Place {
        if outer == Place::Default { Place::Default } else { self }
    }
}

impl Source for Chain {
    fn about(&self) -> &About {
        &self.about
    }

    fn fetch<'a>(&'a self, ask: &'a Ask<'a>) -> Fetch<'a> {
        Box::pin(self.ask(ask))
    }
}
