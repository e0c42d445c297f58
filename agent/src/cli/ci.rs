//! A CI job's log is read by many and kept for long: no token gets there by mistake.

use super::variable;

/// What says that this is a CI job; most services set the first.
const SIGNS: [&str; 6] = ["CI", "GITHUB_ACTIONS", "TF_BUILD", "JENKINS_URL", "TEAMCITY_VERSION", "CODEBUILD_BUILD_ID"];

/// Refuses to print a token where standard output may be the log of a CI job: anything but a file.
pub(super) fn refuse_log() -> Result<(), String> {
    let Some(sign) = sign(variable) else { return Ok(()) };
    if is_file() {
        return Ok(());
    }
    Err(format!(
        "{sign} says that this is a CI job, and standard output may be its log: print to a file, or say --allow-ci where \
         something else reads the token"
    ))
}

fn sign(variable: impl Fn(&str) -> Option<String>) -> Option<&'static str> {
    let says_no = |value: &str| ["", "0"].contains(&value) || value.eq_ignore_ascii_case("false");
    SIGNS.into_iter().find(|name| variable(name).is_some_and(|value| !says_no(&value)))
}

#[cfg(unix)]
fn is_file() -> bool {
    use std::os::fd::AsFd as _;
    let copy = std::io::stdout().as_fd().try_clone_to_owned();
    copy.and_then(|copy| std::fs::File::from(copy).metadata()).is_ok_and(|found| found.is_file())
}

/// Nothing is known to be one.
#[cfg(not(unix))]
fn is_file() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_is_a_variable_that_does_not_say_no() {
        for (name, value, expected) in [
            ("CI", "true", Some("CI")),
            ("CI", "1", Some("CI")),
            ("CI", "woodpecker", Some("CI")),
            ("CI", "False", None),
            ("CI", "0", None),
            ("CI", "", None),
            ("TF_BUILD", "True", Some("TF_BUILD")),
            ("JENKINS_URL", "https://ci.example", Some("JENKINS_URL")),
            ("OTHER", "true", None),
        ] {
            assert_eq!(sign(|asked| (asked == name).then(|| value.to_owned())), expected, "{name}={value}");
        }
    }
}
