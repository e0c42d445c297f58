//! Where the host's configuration is.

use std::path::PathBuf;

use crate::world::World;

/// The variable that names it.
pub(super) const VARIABLE: &str = "AZCRED_CONFIG";

/// Where it is for all users.
const OF_HOST: &str = "/etc/azcred/config.toml";

/// The largest that is read.
pub(super) const LARGEST: u64 = 1 << 20;

/// The file that counts, or where it was looked for.
pub(super) fn find(world: &World) -> Result<PathBuf, String> {
    if let Some(path) = world.env.get(VARIABLE) {
        let path = PathBuf::from(path);
        return if path.is_absolute() {
            Ok(path)
        } else {
            let path = crate::request::shown(&path.to_string_lossy());
            Err(format!("{VARIABLE}: expected an absolute path, got '{path}'"))
        };
    }
    let candidates = candidates(world);
    if let Some(path) = candidates.iter().find(|path| world.files.exists(path)) {
        return Ok(path.clone());
    }
    let shown: Vec<String> = candidates.iter().map(|path| crate::request::shown(&path.to_string_lossy())).collect();
    Err(format!("this host has no configuration: {VARIABLE} is not set, and {} is not there", shown.join(" or ")))
}

/// Where it may be, the first that is there counting.
pub(crate) fn candidates(world: &World) -> Vec<PathBuf> {
    let named = world.env.get(VARIABLE).map(PathBuf::from);
    let folder = world.env.get("XDG_CONFIG_HOME").map(PathBuf::from);
    let folder = folder.or_else(|| Some(PathBuf::from(world.env.get("HOME")?).join(".config")));
    let of_user = folder.filter(|folder| folder.is_absolute()).map(|folder| folder.join("azcred/config.toml"));
    // The home of whoever started a program that has more rights than they have is theirs to fill.
    let of_user = of_user.filter(|_| !azcred_platform::is_secure());
    named.into_iter().chain(of_user).chain([PathBuf::from(OF_HOST)]).collect()
}
