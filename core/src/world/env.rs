//! The process's environment.

use super::Env;

#[derive(Debug)]
pub(super) struct RealEnv;

impl Env for RealEnv {
    fn get(&self, name: &str) -> Option<String> {
        #[expect(clippy::disallowed_methods, reason = "this is the environment")]
        let value = std::env::var_os(name)?;
        // What is not Unicode must not count as unset; the replacement characters make it unusable where it matters.
        Some(value.to_string_lossy().into_owned()).filter(|value| !value.is_empty())
    }
}
