//! Standard error, where a user is told what to do.

use std::io::Write as _;

use super::Console;

#[derive(Debug)]
pub(super) struct RealConsole;

impl Console for RealConsole {
    fn tell(&self, line: &str) {
        // One write, so that lines of several threads do not mix. A program without a standard error misses it.
        let told = std::io::stderr().write_all(format!("{line}\n").as_bytes());
        if let Err(error) = told {
            tracing::debug!("standard error took nothing: {error}");
        }
    }
}
