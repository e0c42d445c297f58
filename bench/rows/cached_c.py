"""Cached calls at the C door: on one thread, on two, and counted in instructions."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from line import Line
from places import BUILT, RUST
from program import Command, run
from rounds import in_turn
from stage import Stage

WAYS = ("get_token", "provider")
RUST_PEER = "azure_identity (managed identity)"
FEW, MANY = 20_000, 120_000
"""How many calls the two counted runs make."""


def on_one_thread(stage: Stage) -> list[Line]:
    """Give the time of a call."""
    return _timed(stage, "one", "c")


def on_two_threads(stage: Stage) -> list[Line]:
    """Give the time of a call while another thread makes them too."""
    return _timed(stage, "two", "c-threads")


def _timed(stage: Stage, threads: str, row: str) -> list[Line]:
    contestants = {"floor": stage.c("floor", "time"), RUST_PEER: stage.peer("cached", "time")}
    contestants |= {way: stage.c("cached", way, "time") for way in WAYS}
    found = in_turn(contestants)
    lines = []
    for way in WAYS:
        line = Line(f"{row}/{way}", found[way][threads])
        line.peers = {RUST_PEER: found[RUST_PEER][threads]}
        line.floor = found["floor"][threads]
        if threads == "two":
            line.base = found[way]["one"]
            line.notes.append("on one thread " + ", ".join(_alone(found, name) for name in (way, RUST_PEER, "floor")))
        lines.append(line)
    return lines


def _alone(found: Mapping[str, Mapping[str, float]], name: str) -> str:
    owner = "azcred" if name in WAYS else name
    return f"{owner} {found[name]['one'] * 1e9:.1f} ns"


def in_instructions(stage: Stage) -> list[Line]:
    """Give the instructions of a call, which don't drift with the machine.

    They are the difference of two runs of different length, under callgrind.
    """
    floor = _instructions([BUILT / "floor"], stage)
    peer = _instructions([RUST / "peer", "cached"], stage)
    lines = []
    for way in WAYS:
        line = Line(f"c-instructions/{way}", _instructions([BUILT / "cached", way], stage), unit="")
        line.peers, line.floor = {RUST_PEER: peer}, floor
        lines.append(line)
    return lines


def _instructions(command: Command, stage: Stage) -> float:
    return (_counted(command, MANY, stage) - _counted(command, FEW, stage)) / (MANY - FEW)


def _counted(command: Command, calls: int, stage: Stage) -> int:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "callgrind.out"
        run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={file}", *command, str(calls)], stage.env(""))
        found = re.search(r"^(?:summary|totals): (\d+)", file.read_text(), re.MULTILINE)
    if found is None:
        raise ValueError("callgrind counted nothing")
    return int(found[1])
