#!/usr/bin/env bash
# The fast loop: format, lints, drift checks, unit tests.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.work/venv/bin
node_bin=.work/node/node_modules/.bin
say() { printf '\n== %s\n' "$1"; }

say 'format'
cargo fmt --all --check
cargo fmt --manifest-path bench/rust/Cargo.toml --all --check
$bin/ruff format --quiet --check bindings/python tests examples bench
$node_bin/biome format --log-level=warn
git ls-files "*.c" "*.cpp" "*.h" "*.hpp" | grep -v ^include/azcred.h | xargs $bin/clang-format --dry-run --Werror
say 'lints'
cargo clippy --quiet --locked --workspace --all-targets -- --deny warnings
RUSTDOCFLAGS='--deny warnings' cargo doc --quiet --locked --no-deps --package azcred --package azcred-emulator
$bin/ruff check --quiet bindings/python tests examples bench
(cd bindings/python/python && "$OLDPWD/$bin/mypy" --strict --no-error-summary --cache-dir="$OLDPWD/.work/mypy" -p azcred)
$node_bin/biome lint --error-on-warnings
say 'drift'
cargo xtask header --check
cargo xtask tidy
tests/dependencies.sh
$bin/python tests/licences.py
say 'unit tests'
cargo test --quiet --locked --workspace
