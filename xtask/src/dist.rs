//! Everything a user installs, built into `dist/`.
//!
//! Packages are built one at a time, so that their features don't unite: what the emulator needs of a dependency must not
//! end up in a library.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Result, copy, notices, output, read, run, write};

/// Where shells look for completions, below `share`.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "bash-completion/completions/azcred"),
    ("zsh", "zsh/site-functions/_azcred"),
    ("fish", "fish/vendor_completions.d/azcred.fish"),
];

const SONAME: &str = "libazcred.so.0";

/// Fills `dist/`.
pub(crate) fn build(root: &Path) -> Result {
    let (dist, ready) = (root.join(".work/dist"), root.join("dist"));
    remove(&dist)?;
    program(root, &dist)?;
    library(root, &dist)?;
    node(root, &dist)?;
    python(root, &dist)?;
    // Only whole: a failed build leaves the artefacts of the last good one.
    remove(&ready)?;
    std::fs::rename(&dist, &ready).map_err(|error| format!("{}: {error}", ready.display()))
}

fn remove(folder: &Path) -> Result {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(format!("{}: {error}", folder.display())),
        _ => Ok(()),
    }
}

/// Builds one package with the `dist` profile; gives the folder of its results.
fn cargo(root: &Path, package: &str) -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root).args(["build", "--locked", "--profile", "dist", "--package", package]);
    run(anywhere(&mut cargo, root)?)?;
    Ok(target(root).join("dist"))
}

fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// Has the compilers name other folders than those of this build, so that no artefact says where it was built.
fn anywhere<'a>(command: &'a mut Command, root: &Path) -> Result<&'a mut Command> {
    let sysroot = output(Command::new("rustc").current_dir(root).args(["--print", "sysroot"]))?;
    let mut folders = vec![(PathBuf::from(sysroot.trim()), "/rust"), (notices::cargo_home(root), "/cargo")];
    folders.extend(notices::registry_folders(root)?.into_iter().map(|folder| (folder, "/crates")));
    folders.extend([(root.to_path_buf(), "/azcred"), (target(root), "/target")]);
    // Of two that fit, the later one counts.
    let names: Vec<(String, &str)> = folders.iter().map(|(from, to)| (from.display().to_string(), *to)).collect();
    let rust = names.iter().map(|(from, to)| format!("--remap-path-prefix={from}={to}"));
    // Flags for C are split at blanks.
    let c = names.iter().filter(|(from, _)| !from.contains(char::is_whitespace));
    let c = c.map(|(from, to)| format!("-ffile-prefix-map={from}={to}"));
    command
        .env("CARGO_ENCODED_RUSTFLAGS", given("RUSTFLAGS").into_iter().chain(rust).collect::<Vec<_>>().join("\u{1f}"));
    Ok(command.env("CFLAGS", given("CFLAGS").into_iter().chain(c).collect::<Vec<_>>().join(" ")))
}

/// The flags that whoever builds has set.
fn given(variable: &str) -> Vec<String> {
    std::env::var(variable).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

/// Puts our licences and the notices of `package` into a folder.
fn licences(root: &Path, package: &str, folder: &Path) -> Result {
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        copy(&root.join(licence), &folder.join(licence))?;
    }
    notices::run(root, package, &folder.join("THIRD-PARTY-NOTICES.txt"))
}

fn program(root: &Path, dist: &Path) -> Result {
    licences(root, "azcred-cli", &dist.join("share/doc/azcred"))?;
    let program = dist.join("bin/azcred");
    copy(&cargo(root, "azcred-cli")?.join("azcred"), &program)?;
    let pages = dist.join("share/man/man1");
    std::fs::create_dir_all(&pages).map_err(|error| format!("{}: {error}", pages.display()))?;
    run(Command::new(&program).arg("man").arg(&pages))?;
    for (shell, file) in COMPLETIONS {
        write(&dist.join("share").join(file), &output(Command::new(&program).args(["completions", shell]))?)?;
    }
    Ok(())
}

fn library(root: &Path, dist: &Path) -> Result {
    licences(root, "azcred-ffi", &dist.join("share/doc/libazcred"))?;
    let built = cargo(root, "azcred-ffi")?;
    let lib = dist.join("lib");
    let version = env!("CARGO_PKG_VERSION");
    let real = format!("libazcred.so.{version}");
    copy(&built.join("libazcred_ffi.so"), &lib.join(&real))?;
    link(&real, &lib.join(SONAME))?;
    link(SONAME, &lib.join("libazcred.so"))?;
    copy(&built.join("libazcred_ffi.a"), &lib.join("libazcred.a"))?;
    for header in ["azcred.h", "azcred.hpp"] {
        copy(&root.join("include").join(header), &dist.join("include").join(header))?;
    }
    let fill = |template: &str, to: PathBuf| -> Result {
        let text = read(&root.join("ffi/templates").join(template))?;
        write(&to, &text.replace("@VERSION@", version))
    };
    fill("azcred.pc.in", lib.join("pkgconfig/azcred.pc"))?;
    fill("azcred-config.cmake.in", lib.join("cmake/azcred/azcred-config.cmake"))?;
    fill("azcred-config-version.cmake.in", lib.join("cmake/azcred/azcred-config-version.cmake"))
}

fn link(target: &str, at: &Path) -> Result {
    std::os::unix::fs::symlink(target, at).map_err(|error| format!("{}: {error}", at.display()))
}

fn node(root: &Path, dist: &Path) -> Result {
    let built = cargo(root, "azcred-node")?.join("libazcred_node.so");
    let package = root.join(".work/node-package");
    remove(&package)?;
    let source = root.join("bindings/node");
    for file in ["package.json", "README.md"] {
        copy(&source.join(file), &package.join(file))?;
    }
    for file in files(&source.join("js"))? {
        copy(&file, &package.join("js").join(file.file_name().unwrap_or_default()))?;
    }
    licences(root, "azcred-node", &package)?;
    copy(&built, &package.join(node_binary()))?;
    let out = dist.join("node");
    std::fs::create_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    let mut npm = Command::new("npm");
    npm.current_dir(&package).args(["pack", "--silent", "--offline", "--pack-destination"]).arg(&out);
    run(&mut npm)
}

/// The files of a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(entries.filter_map(std::result::Result::ok).map(|entry| entry.path()).filter(|path| path.is_file()).collect())
}

/// The name `binding.js` looks for on this platform.
fn node_binary() -> String {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let libc = if cfg!(target_env = "musl") { "musl" } else { "gnu" };
    match std::env::consts::OS {
        "linux" => format!("azcred.linux-{arch}-{libc}.node"),
        "macos" => format!("azcred.darwin-{arch}.node"),
        "windows" => format!("azcred.win32-{arch}-msvc.node"),
        other => format!("azcred.{other}-{arch}.node"),
    }
}

fn python(root: &Path, dist: &Path) -> Result {
    let source = root.join("bindings/python");
    licences(root, "azcred-python", &source)?;
    let ours = root.join(".work/venv/bin/maturin");
    let mut maturin = Command::new(if ours.exists() { ours } else { PathBuf::from("maturin") });
    maturin.current_dir(&source).args(["build", "--quiet", "--locked", "--profile", "dist", "--out"]);
    run(anywhere(maturin.arg(dist.join("python")), root)?)
}
