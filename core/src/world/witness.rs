//! Remembers what a fetch looked at, and counts what it sent: the same world, with a witness in it.
//!
//! An error may be remembered only as long as its cause lasts. Many causes are visible without asking anybody: a variable,
//! a file, a program that is not on the path. Whatever a fetch looks at is noted here, so that no source needs to say
//! what its errors depend on.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ring::digest;

use super::{Boxed, Command, Env, Files, Http, Output, ProcessError, Processes, Stamp, World};
use crate::tally::{Tally, count};
use crate::wire::http::{HttpError, Request, Response};

/// More than a fetch looks at; beyond it nothing is noted, and the error is not remembered.
const MOST: usize = 1024;

/// What was looked at, and what was there.
#[derive(Debug, Default)]
pub(crate) struct Looked(Vec<Look>);

#[derive(Debug, PartialEq)]
enum Look {
    /// A variable, by the hash of its text, which may be a secret.
    Variable(String, Option<[u8; 32]>),
    File(PathBuf, Option<Stamp>),
}

impl Looked {
    /// Whether all of it is as it was.
    pub(crate) fn is_unchanged(&self, world: &World) -> bool {
        self.0.len() < MOST
            && self.0.iter().all(|look| match look {
                Look::Variable(name, was) => world.env.get(name).map(hash) == *was,
                Look::File(path, was) => world.files.stamp(path) == *was,
            })
    }
}

fn hash(text: String) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, zeroize::Zeroizing::new(text).as_bytes()).as_ref());
    bytes
}

/// Notes looks, and counts requests.
#[derive(Debug)]
pub(crate) struct Witness {
    looked: Mutex<Vec<Look>>,
    tally: Arc<Tally>,
}

impl Witness {
    /// The same world, seen by a witness.
    pub(crate) fn of(world: &World, tally: &Arc<Tally>) -> (World, Arc<Witness>) {
        let witness = Arc::new(Witness { looked: Mutex::default(), tally: Arc::clone(tally) });
        let seen = World {
            env: Arc::new(Seen { real: Arc::clone(&world.env), by: Arc::clone(&witness) }),
            files: Arc::new(Seen { real: Arc::clone(&world.files), by: Arc::clone(&witness) }),
            http: Arc::new(Seen { real: Arc::clone(&world.http), by: Arc::clone(&witness) }),
            processes: Arc::new(Seen { real: Arc::clone(&world.processes), by: Arc::clone(&witness) }),
            ..world.clone()
        };
        (seen, witness)
    }

    /// What was looked at until now.
    pub(crate) fn looked(&self) -> Looked {
        Looked(std::mem::take(&mut *self.looked.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    fn note(&self, look: Look) {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.len() < MOST && !looked.contains(&look) {
            looked.push(look);
        }
    }
}

/// A part of the world with a witness in front of it.
#[derive(Debug)]
struct Seen<T: ?Sized> {
    real: Arc<T>,
    by: Arc<Witness>,
}

impl Env for Seen<dyn Env> {
    fn get(&self, name: &str) -> Option<String> {
        let value = self.real.get(name);
        self.by.note(Look::Variable(name.to_owned(), value.clone().map(hash)));
        value
    }
}

impl Seen<dyn Files> {
    /// Before the look itself: what changes in between is a change.
    fn note(&self, path: &Path) {
        self.by.note(Look::File(path.to_owned(), self.real.stamp(path)));
    }
}

impl Files for Seen<dyn Files> {
    fn read(&self, path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
        self.note(path);
        self.real.read(path, limit)
    }

    fn read_guarded(&self, folder: &Path, name: &str, limit: u64) -> std::io::Result<zeroize::Zeroizing<Vec<u8>>> {
        self.note(&folder.join(name));
        self.real.read_guarded(folder, name, limit)
    }

    fn read_trusted(&self, path: &Path, limit: u64) -> std::io::Result<zeroize::Zeroizing<Vec<u8>>> {
        self.note(path);
        self.real.read_trusted(path, limit)
    }

    fn exists(&self, path: &Path) -> bool {
        self.note(path);
        self.real.exists(path)
    }

    fn is_executable(&self, path: &Path) -> bool {
        self.note(path);
        self.real.is_executable(path)
    }

    fn stamp(&self, path: &Path) -> Option<Stamp> {
        self.note(path);
        self.real.stamp(path)
    }
}

impl Http for Seen<dyn Http> {
    fn send<'a>(&'a self, request: &'a Request) -> Boxed<'a, Result<Response, HttpError>> {
        count(&self.by.tally.upstream);
        self.real.send(request)
    }
}

impl Processes for Seen<dyn Processes> {
    fn run(&self, command: Command) -> Boxed<'static, Result<Output, ProcessError>> {
        count(&self.by.tally.upstream);
        self.real.run(command)
    }

    fn launch(&self, program: PathBuf, arguments: Vec<String>) -> Boxed<'static, std::io::Result<()>> {
        self.real.launch(program, arguments)
    }
}
