#!/usr/bin/env bash
# What is loaded into somebody's process must not bring parking_lot (its global table hangs forked children) or a second
# crypto library; and lock files name the public defaults only.
set -euo pipefail
cd "$(dirname "$0")/.."
for package in azcred-ffi azcred-python azcred-node; do
  tree=$(cargo tree --locked --package "$package" --edges normal --prefix none --format '{p}')
  for banned in parking_lot aws-lc-rs openssl-sys native-tls; do
    if grep -q "^$banned v" <<<"$tree"; then
      echo "$package depends on $banned" >&2
      exit 1
    fi
  done
done
for lock in Cargo.lock bench/rust/Cargo.lock; do
  if [ "$(grep 'source = ' "$lock" | sort -u | wc -l)" -ne 1 ]; then
    echo "$lock names more than the one registry:" >&2
    grep 'source = ' "$lock" | sort -u >&2
    exit 1
  fi
done
for lock in tests/node/package-lock.json bench/node/package-lock.json; do
  if grep -n '"resolved"' "$lock"; then
    echo "$lock records addresses" >&2
    exit 1
  fi
done
for lock in tests/requirements*.txt bench/requirements.txt; do
  if grep -nE '^(-i|--index|--extra-index|--find-links)|://' "$lock"; then
    echo "$lock records addresses" >&2
    exit 1
  fi
done
