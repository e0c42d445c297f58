"""`make demo`: the main job on real parts, and nothing left behind."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import PATIENCE, ROOT, plain, run

DEMO = [sys.executable, str(ROOT / "examples/demo.py")]


def test_three_programs_share_their_blobs() -> None:
    rows = [re.split(r" {2,}", line) for line in run(DEMO).stdout.splitlines()]
    assert rows[0] == ["program", "identity", "source", "bytes verified", "token requests"]
    table = {program: (source, size, requests) for program, _, source, size, requests in rows[1:]}
    assert table == {
        "Python": ("app_service", "65536", "1"),
        "Node": ("imds", "65536", "1"),
        "C++": ("entra", "65536", "1"),
    }


def children(session: int) -> list[int]:
    """Give the processes whose parents' line leads to a process."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    found = {session}
    while new := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= new
    return sorted(found - {session})


@contextlib.contextmanager
def demo(folder: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """Give a demo in the middle of its work, and what it has started: its guard, the emulator, Azurite."""
    env = plain() | {"TMPDIR": str(folder)}
    process = subprocess.Popen(DEMO, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + PATIENCE
        while len(started := children(process.pid)) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        yield process, started
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    "signals",
    [[signal.SIGINT], [signal.SIGTERM], [signal.SIGHUP], [signal.SIGINT, signal.SIGINT, signal.SIGTERM, signal.SIGHUP]],
    ids=lambda signals: "-".join(kind.name for kind in signals),
)
def test_a_signal_leaves_nothing_behind(signals: list[signal.Signals], tmp_path: Path) -> None:
    with demo(tmp_path) as (process, started):
        for kind in signals:
            process.send_signal(kind)
            # The demo is in the midst of its end when the next one comes.
            time.sleep(0.03)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert errors == "demo: interrupted\n"
    assert [pid for pid in started if alive(pid)] == []
    assert list(tmp_path.iterdir()) == []


def test_whoever_kills_it_leaves_nothing_behind(tmp_path: Path) -> None:
    with demo(tmp_path) as (process, started):
        process.kill()
        process.wait()
        deadline = time.monotonic() + PATIENCE
        while (any(map(alive, started)) or any(tmp_path.iterdir())) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert [pid for pid in started if alive(pid)] == []
    assert list(tmp_path.iterdir()) == []


def alive(pid: int) -> bool:
    """Say whether a process is there, and no zombie that nobody takes leave of."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_failure_is_told() -> None:
    done = run(DEMO, {"PATH": "/nonexistent"}, check=False)
    assert done.returncode == 1
    assert done.stderr == "demo: Azurite could not be started: [Errno 2] No such file or directory: 'node'\n"
