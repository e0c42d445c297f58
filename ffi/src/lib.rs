//! libazcred: the same handle for C. No policy; one file per C type.
//!
//! Ownership is written in the signatures: `Option<&T>` is borrowed for the call, `Option<Box<T>>` is consumed, an `_out`
//! parameter gives a thing to pass to its `_free`. Every function that can fail is one [`guard::guard`], every other a
//! getter or a drop. Only `request.rs` reads caller memory.
#![expect(unsafe_code, reason = "exported names are unsafe attributes; unsafe blocks are in request.rs alone")]
#![expect(non_camel_case_types, reason = "the names of C types")]
#![expect(clippy::doc_markdown, reason = "the docs are the header's, for readers of C")]
#![expect(unreachable_pub, reason = "the public is C's")]

mod cancel;
mod credential;
mod error;
mod function;
mod guard;
mod log;
mod options;
mod provider;
mod record;
mod request;
mod statistics;
mod token;
mod version;

/// Freed memory is wiped: HTTP buffers hold copies of secrets that no type of ours can reach.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);
