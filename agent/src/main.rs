//! The `azcred` program.

mod cli;

use std::process::ExitCode;

/// Freed memory is wiped, as in the libraries.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() -> ExitCode {
    cli::run()
}
