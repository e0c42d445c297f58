"""The size of the library for C."""

from __future__ import annotations

import tempfile
from pathlib import Path

from line import Line
from places import DIST
from program import run
from stage import Stage


def of_the_library(_stage: Stage) -> list[Line]:
    """Give the size of libazcred.so without symbols."""
    with tempfile.TemporaryDirectory() as folder:
        stripped = Path(folder) / "libazcred.so"
        run(["strip", "-s", "-o", stripped, (DIST / "lib/libazcred.so").resolve()])
        return [Line("size", stripped.stat().st_size, unit="B")]
