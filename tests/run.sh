#!/usr/bin/env bash
# Everything that is seen from outside: the installed wheel, the installed npm package, C programs against dist/, the
# program with real SDKs.
set -euo pipefail
cd "$(dirname "$0")/.."
.work/venv/bin/python -m pytest -q -p no:cacheprovider tests/python "$@"
