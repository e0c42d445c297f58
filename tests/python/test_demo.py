"""`make demo`: the main job on real parts, and nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

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


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    env = plain() | {"TMPDIR": str(tmp_path)}
    process = subprocess.Popen(DEMO, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + PATIENCE
    while len(started := children(process.pid)) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert errors == "demo: interrupted\n"
    for pid in started:
        assert not alive(pid)
    assert list(tmp_path.iterdir()) == []


def alive(pid: int) -> bool:
    """Say whether a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_failure_is_told() -> None:
    done = run(DEMO, {"PATH": "/nonexistent"}, check=False)
    assert done.returncode == 1
    assert done.stderr == "demo: Azurite could not be started: [Errno 2] No such file or directory: 'node'\n"
