"""The page that `make bench` writes."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from textwrap import dedent

import machine
import table
from line import Line
from places import BENCH

HEAD = """\
    # Speed and memory, beside the peers

    Written by `make bench`, which measures everything anew; edit `bench/`, not this page. What is aimed at is in
    [goals.py](../bench/goals.py).
"""

METHOD = BENCH / "method.md"


def text(lines: Sequence[Line], day: datetime.date, load: float, rows: Sequence[str]) -> str:
    """Give the page."""
    facts = "".join(f"* {name}: {value}\n" for name, value in machine.facts().items())
    notes = "".join(f"* {table.what(line)}: {note}.\n" for line in lines for note in line.notes)
    names = ", ".join(f"`{name}`" for name in rows)
    return (
        f"{dedent(HEAD)}\nMeasured on {day.isoformat()}, at a load of {load:.1f} before it began.\n\n{facts}\n"
        f"{table.page(lines)}\n## Beside the numbers\n\n{notes}\n{METHOD.read_text()}\n"
        f"`make bench ONLY=c,node` measures a few rows and leaves this page alone. There are {names}.\n"
    )
