"""The page that `make bench` writes."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from textwrap import dedent

import machine
import table
from line import Line

HEAD = """\
    # Speed and memory, beside the peers

    Written by `make bench`, which measures everything anew; edit `bench/`, not this page.

    All numbers of a row come from one run on one machine, the contestants taking turns, each in a process of its own;
    each number is a median, of five rounds where nothing else is said. The servers are `azcred emulator` on loopback. A
    floor is a program that does only what can't be left out of such a call. Loops are a part of all numbers, floors
    included. `make bench ONLY=c,node` measures a few rows and leaves this page alone.
"""


def text(lines: Sequence[Line], day: datetime.date) -> str:
    """Give the page."""
    facts = "".join(f"* {name}: {value}\n" for name, value in machine.facts().items())
    notes = "".join(f"* {table.what(line)}: {note}.\n" for line in lines for note in line.notes)
    measured = f"Measured on {day.isoformat()}.\n\n{facts}"
    return f"{dedent(HEAD)}\n{measured}\n{table.page(lines)}\n## Beside the numbers\n\n{notes}"
