//! The C header, rendered from `ffi/`.

use std::path::Path;

use crate::{Result, read, write};

const TOP: &str = "\
/*
 * azcred: one token source and one identity configuration for Microsoft Entra ID.
 *
 * Generated from ffi/ by `cargo xtask header`; edit the sources there.
 *
 * Ownership. An `_out` parameter gives an object to pass to its `_free`; it is NULL unless the call returned AZCRED_OK,
 * but for `error_out`, which owns an error when it did not. `const T *` is borrowed for the call; `T *` given to a
 * `_free` is consumed. Getters return pointers that live as long as their object. `_free(NULL)` does nothing.
 * Texts. In: NUL-terminated UTF-8, copied before return. Out: NUL-terminated UTF-8, owned by their object.
 * Threads. Any object may be used from any threads at once, save while it is being freed.
 * Units. Spans named `_ms` are milliseconds, others seconds; moments are Unix seconds.
 * Fork. A forked child may use every object it inherited; it keeps the cached tokens.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */";

/// Writes `include/azcred.h`, or says that it is not what would be written.
pub(crate) fn run(root: &Path, check: bool) -> Result {
    let path = root.join("include/azcred.h");
    let rendered = render(root)?;
    if !check {
        return write(&path, &rendered);
    }
    if read(&path)? == rendered {
        Ok(())
    } else {
        Err("include/azcred.h is not what ffi/ says: run `cargo xtask header`".to_owned())
    }
}

fn render(root: &Path) -> Result<String> {
    let mut config = cbindgen::Config::from_file(root.join("ffi/cbindgen.toml"))?;
    config.header = Some(TOP.to_owned());
    config.after_includes = Some(macros());
    let bindings = cbindgen::Builder::new()
        .with_crate(root.join("ffi"))
        .with_config(config)
        .generate()
        .map_err(|error| format!("cbindgen: {error}"))?;
    let mut bytes = Vec::new();
    bindings.write(&mut bytes);
    let text = String::from_utf8(bytes).map_err(|_| "cbindgen wrote no text".to_owned())?;
    // One blank line at most between items, none at the end of lines.
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.dedup_by(|next, previous| next.is_empty() && previous.is_empty());
    Ok(lines.join("\n") + "\n")
}

fn macros() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut numbers = version.split('.');
    let mut number = || numbers.next().unwrap_or("0").to_owned();
    format!(
        "\n/* The version of this header; azcred_version() is that of the library. */\n\
         #define AZCRED_VERSION \"{version}\"\n\
         #define AZCRED_VERSION_MAJOR {}\n#define AZCRED_VERSION_MINOR {}\n#define AZCRED_VERSION_PATCH {}\n\n\
         /* The start of every request: azcred_token_request request = AZCRED_TOKEN_REQUEST_INIT; */\n\
         #define AZCRED_TOKEN_REQUEST_INIT {{sizeof(azcred_token_request), NULL, 0, NULL, NULL, 0, 0, NULL, false}}",
        number(),
        number(),
        number()
    )
}
