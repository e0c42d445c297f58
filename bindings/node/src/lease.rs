//! Leases by number, since a number costs a call a tenth of what a handle does.
//!
//! Each JavaScript thread has a table of its own, as it has objects of its own.

use std::cell::RefCell;

use azcred::{Credential, Lease};

thread_local! {
    static TABLE: RefCell<Table> = const { RefCell::new(Table { leases: Vec::new(), free: Vec::new() }) };
}

struct Table {
    leases: Vec<Option<Lease>>,
    free: Vec<u32>,
}

/// A credential as JavaScript holds it, with the leases that were taken on its tokens. They go with it.
#[derive(Debug)]
pub(crate) struct Handle {
    credential: Credential,
    leases: RefCell<Vec<u32>>,
}

impl Handle {
    pub(crate) fn new(credential: Credential) -> Handle {
        Handle { credential, leases: RefCell::default() }
    }

    /// Keeps a lease; gives its number on this thread. The one before it in its place is let go.
    pub(crate) fn keep(&self, lease: Lease, before: Option<u32>) -> Option<u32> {
        let before = before.filter(|number| self.leases.borrow().contains(number));
        TABLE.with_borrow_mut(|table| {
            let number = if let Some(number) = before.or_else(|| table.free.pop()) {
                number
            } else {
                table.leases.push(None);
                u32::try_from(table.leases.len() - 1).ok()?
            };
            *table.leases.get_mut(place(number))? = Some(lease);
            if before.is_none() {
                self.leases.borrow_mut().push(number);
            }
            Some(number)
        })
    }

    /// Lets a lease go.
    pub(crate) fn release(&self, number: u32) {
        let mut ours = self.leases.borrow_mut();
        if let Some(at) = ours.iter().position(|known| *known == number) {
            ours.swap_remove(at);
            take_back(&[number]);
        }
    }
}

impl std::ops::Deref for Handle {
    type Target = Credential;

    fn deref(&self) -> &Credential {
        &self.credential
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        take_back(&self.leases.take());
    }
}

fn take_back(numbers: &[u32]) {
    // A thread that ends has let go of its table already.
    let _ended = TABLE.try_with(|table| {
        let mut table = table.borrow_mut();
        for number in numbers.iter().copied() {
            if let Some(lease) = table.leases.get_mut(place(number)) {
                *lease = None;
                table.free.push(number);
            }
        }
    });
}

/// Whether the lease with this number holds.
pub(crate) fn is_current(number: u32) -> bool {
    TABLE.with_borrow(|table| table.leases.get(place(number)).and_then(Option::as_ref).is_some_and(Lease::is_current))
}

/// Counts calls that the lease with this number answered.
pub(crate) fn count(number: u32, calls: u32) {
    TABLE.with_borrow(|table| {
        if let Some(lease) = table.leases.get(place(number)).and_then(Option::as_ref) {
            lease.count(calls.into());
        }
    });
}

fn place(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
