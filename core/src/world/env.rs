//! The process's environment.

use super::Env;

#[derive(Debug)]
pub(super) struct RealEnv;

impl Env for RealEnv {
    fn get(&self, name: &str) -> Option<String> {
        if is_of_caller(name) && azcred_platform::is_secure() {
            return None;
        }
        #[expect(clippy::disallowed_methods, reason = "this is the environment")]
        let value = std::env::var_os(name)?;
        // What is not Unicode must not count as unset; the replacement characters make it unusable where it matters.
        Some(value.to_string_lossy().into_owned()).filter(|value| !value.is_empty())
    }
}

/// Whether a variable says where tokens, identities or settings come from: whoever starts a program that has more rights
/// than they have must not say that.
fn is_of_caller(name: &str) -> bool {
    const NAMES: [&str; 5] =
        ["AZURE_AUTHORITY_HOST", "AZURE_POD_IDENTITY_AUTHORITY_HOST", "IMDS_ENDPOINT", "MSI_ENDPOINT", "MSI_SECRET"];
    ["AZCRED_", "XDG_", "IDENTITY_"].iter().any(|start| name.starts_with(start)) || NAMES.contains(&name)
}
