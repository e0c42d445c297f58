#!/usr/bin/env bash
# Says in one line what this machine lacks: to build and show azcred, with `test` to test it, with
# `bench` to measure it.
set -euo pipefail
missing=()
need() { # need NAME TEST WHAT
  if ! eval "$2" >/dev/null 2>&1; then missing+=("$1 ($3)"); fi
}
need cargo 'cargo --version' 'a Rust toolchain, https://rustup.rs'
need cc 'cc --version' 'a C compiler'
need c++ 'c++ --version' 'a C++ compiler'
need python3 'python3 -c "import sys; sys.exit(sys.version_info < (3, 10))"' 'Python 3.10 or later'
need venv 'python3 -c "import venv, ensurepip"' 'the venv module of Python'
need node 'node -e "process.exit(+(process.versions.node.split(\".\")[0] < 20))"' 'Node 20 or later'
need npm 'npm --version' 'the npm of Node'
need pkg-config 'pkg-config --version' 'pkg-config'
need curl/curl.h 'echo "#include <curl/curl.h>" | cc -E -' "libcurl's headers, for one example"
if [ "${1:-}" = test ]; then
  need clippy 'cargo clippy --version' 'rustup component add clippy'
  need rustfmt 'cargo fmt --version' 'rustup component add rustfmt'
  need valgrind 'valgrind --version' 'checks the memory of the C door'
  need "Azure Arc's folder" 'mkdir -p /var/opt/azcmagent/tokens && test -w /var/opt/azcmagent/tokens' \
    'its clients look nowhere else; as root: install -d -o YOU /var/opt/azcmagent/tokens'
fi
if [ "${1:-}" = bench ]; then
  need valgrind 'valgrind --version' 'counts the instructions of the C door'
  need unshare 'unshare --version' 'util-linux: makes networks without a metadata service'
  need ip 'ip -V' 'iproute2: the same'
fi
if [ ${#missing[@]} -gt 0 ]; then
  printf 'azcred: this machine lacks: %s\n' "${missing[0]}" >&2
  for one in "${missing[@]:1}"; do printf '                            %s\n' "$one" >&2; done
  exit 1
fi
