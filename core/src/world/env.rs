//! The process's environment.

use super::Env;

#[derive(Debug)]
pub(super) struct RealEnv;

impl Env for RealEnv {
    fn get(&self, name: &str) -> Option<String> {
        #[expect(clippy::disallowed_methods, reason = "this is the environment")]
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }
}
