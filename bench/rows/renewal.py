"""Callers whose token lives, while the server stalls: when its renewal is due, and when another scope is fetched."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from line import Line
from places import BUILT, RUST
from program import PATIENCE, Command, ProgramError, plain
from rounds import Answer, in_turn
from stage import Contestant, Stage, node, python

STALL_MS = 1000
LATER = 14 * 3600
"""Seconds: past half of a managed identity's token, which lives for a day: that is when the peers renew it."""

DUE = 1
"""Seconds after which the server wants the token to be renewed: azcred heeds that."""

AZCRED = "azcred/managed_identity"
IN_PYTHON = "azure-identity/managed_identity"
IN_NODE = "@azure/identity/managed_identity"


def while_stalled(stage: Stage) -> list[Line]:
    """Give the requests of 200 callers, and what the one that waited longest waited."""
    doors: Mapping[str, Mapping[str, Command]] = {
        "python-threads": {name: [*python("renewal"), name, "threads"] for name in (AZCRED, IN_PYTHON)},
        "asyncio": {name: [*python("renewal"), name, "asyncio"] for name in (AZCRED, IN_PYTHON)},
        "node": {name: [*node("renewal"), name] for name in (AZCRED, IN_NODE)},
        "c": {AZCRED: [BUILT / "renewal", "due"]},
    }
    lines = []
    for door, commands in doors.items():
        found = in_turn(
            {name: _stalled(stage, command, is_due=True, is_peer=name != AZCRED) for name, command in commands.items()},
            3,
        )
        for what, unit in (("requests", ""), ("seconds", "s")):
            lines.append(_line(f"renewal/{door}/{what}", {name: answer[what] for name, answer in found.items()}, unit))
    others: Mapping[str, Command] = {
        AZCRED: [BUILT / "renewal", "other"],
        "azure_identity": [RUST / "peer", "other"],
    }
    found = in_turn(
        {name: _stalled(stage, command, is_due=False, is_peer=name != AZCRED) for name, command in others.items()}, 3
    )
    lines.append(_line("renewal/other", {name: answer["seconds"] for name, answer in found.items()}, "s"))
    return lines


def _line(key: str, found: Mapping[str, float], unit: str) -> Line:
    peers = {name.removesuffix("/managed_identity"): value for name, value in found.items() if name != AZCRED}
    return Line(key, found[AZCRED], unit=unit, peers=peers)


def _stalled(stage: Stage, command: Command, *, is_due: bool, is_peer: bool) -> Contestant:
    def ask() -> Answer:
        stage.emulator.clear()
        if is_due and not is_peer:
            answer = json.dumps(stage.emulator.managed_token() | {"refresh_in": DUE})
            stage.emulator.fault(
                endpoint="app_service", status=200, body=answer, content_type="application/json", count=1
            )
        with _clock() as clock:
            env = stage.env(AZCRED)
            if is_peer:
                env |= {"LD_PRELOAD": str(BUILT / "clock.so"), "BENCH_CLOCK": str(clock)}
            process = subprocess.Popen(
                [str(word) for word in command],
                env=plain() | env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            try:
                if not process.stdout or process.stdout.readline() != "warm\n":
                    raise ProgramError(f"{command}: got no first token")
                stage.emulator.clear()
                stage.emulator.fault(endpoint="app_service", latency_ms=STALL_MS)
                if is_due and is_peer:
                    with clock.open("r+b") as file:
                        file.write(struct.pack("=q", LATER))
                elif is_due:
                    # Clocks of whole seconds.
                    time.sleep(DUE + 1)
                waits = _answer(process)
                requests = _arrived(stage)
                process.communicate(timeout=PATIENCE)
            finally:
                process.kill()
                process.wait()
        if process.returncode != 0:
            raise ProgramError(f"{command}: ended with {process.returncode}")
        return {**waits, "requests": requests}

    return ask


def _answer(process: subprocess.Popen[str]) -> Answer:
    """Let the callers go; give what they waited."""
    # A program that never answers ends the wait.
    timer = threading.Timer(PATIENCE, process.kill)
    timer.start()
    try:
        if process.stdin and process.stdout:
            process.stdin.write("go\n")
            process.stdin.flush()
            answer: Answer = json.loads(process.stdout.readline() or "{}")
            return answer
    finally:
        timer.cancel()
    return {}


def _arrived(stage: Stage) -> int:
    """Count the requests, when the first one has arrived: who did not wait for it may be done before."""
    end = time.monotonic() + STALL_MS / 1000
    while (requests := stage.emulator.asked("app_service")) == 0 and time.monotonic() < end:
        time.sleep(0.01)
    return requests


@contextmanager
def _clock() -> Iterator[Path]:
    """Give a file that says by how much the clock was moved."""
    descriptor, name = tempfile.mkstemp(prefix="azcred-bench-clock-")
    os.write(descriptor, bytes(8))
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        Path(name).unlink()
