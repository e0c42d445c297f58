//! Programs, on systems without process groups: not built yet, and said so.

use super::{Boxed, Command, Output, ProcessError, Processes};

#[derive(Debug)]
pub(super) struct RealProcesses;

impl Processes for RealProcesses {
    fn run(&self, _: Command) -> Boxed<'static, Result<Output, ProcessError>> {
        Box::pin(std::future::ready(Err(ProcessError::Start(std::io::Error::new(
            std::io::ErrorKind::Unsupported,
            "azcred runs developer tools on Unix only",
        )))))
    }
}
