"""The C door under stress: tests/c/stress.c alone, and watched by valgrind's two tools."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from c_door import LOADER, VALGRIND, compiled
from conftest import ROOT, Emulator, run

HELGRIND = ["valgrind", "--quiet", "--error-exitcode=9", "--tool=helgrind"]
HELGRIND += [f"--suppressions={ROOT / 'tests/c/helgrind.supp'}"]


@pytest.fixture(scope="module")
def stress(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile the program."""
    return compiled(tmp_path_factory.mktemp("stress"), "stress")


@pytest.mark.parametrize(
    ("checker", "load"),
    [([], (64, 5, 100_000_000)), (VALGRIND, (16, 30, 200)), (HELGRIND, (8, 30, 200))],
    ids=["alone", "memcheck", "helgrind"],
)
def test_every_call_ends_and_every_token_is_whole(
    stress: Path, emulator: Emulator, checker: list[str], load: tuple[int, int, int]
) -> None:
    """The load is so many threads, for so many seconds or turns."""
    # Slow enough for callers to leave before the answer comes.
    emulator.fault(endpoint="app_service", latency_ms=3)
    done = run([*checker, stress, *load], emulator.app_service() | LOADER)
    told = json.loads(done.stdout)
    assert told["turns"] >= load[0]
    assert told["tokens"] > 0 and told["errors"] > 0, "some stayed, some left"


def test_helgrind_finds_a_race(stress: Path, emulator: Emulator) -> None:
    """What azcred does is beyond helgrind; between azcred's thread and the program's it sees what it has to see."""
    done = run([*HELGRIND, stress, 4, 30, 50, "racy"], emulator.app_service() | LOADER, check=False)
    assert done.returncode == 9
    reports = done.stderr.split("Possible data race")[1:]
    assert any("start (stress.c" in report and "note (stress.c" in report for report in reports), done.stderr
