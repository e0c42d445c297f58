"""Where things are."""

from __future__ import annotations

import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
DIST = ROOT / "dist"
WORK = ROOT / ".work" / "bench"
PAGE = ROOT / "docs" / "benchmarks.md"

AZCRED = DIST / "bin" / "azcred"
PYTHON = Path(sys.executable)
NODE = "node"
NODE_FOLDER = WORK / "node"
RUST = WORK / "target" / "release"
BUILT = WORK / "built"

STORAGE = "https://storage.azure.com/.default"
