"""A million credentials come and go at each door, and leave neither memory nor threads nor descriptors behind."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from typing import Any

import pytest
from c_door import LOADER, compiled
from conftest import NODE_MODULES, PATIENCE, ROOT, Emulator, plain

DOORS = ("threads", "asyncio", "node", "c")
COUNT = 1_000_000
GROWTH_KB = 2048
"""Less than the smallest thing there is for each of a million; collectors and allocators round up to some hundred."""

IDENTITIES = [f"33333333-3333-3333-3333-33333333333{number}" for number in range(3)]
"""Those that the emulator has."""


@pytest.fixture(scope="module")
def rounds(_emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Let the programs of all doors run beside each other; give what each told."""
    folder = tmp_path_factory.mktemp("leaks")
    shutil.copytree(ROOT / "bindings/node/tests", folder / "tests")
    (folder / "node_modules").symlink_to(NODE_MODULES)
    python = [sys.executable, "-W", "error", ROOT / "tests/python/leaking.py"]
    commands = {
        "threads": [*python, "threads"],
        "asyncio": [*python, "asyncio"],
        # A heap that V8 lets grow, as it does for a program that makes much garbage, would hide what grows here.
        "node": ["node", "--expose-gc", "--max-semi-space-size=1", "tests/leaks.mjs"],
        "c": [compiled(folder, "leaks")],
    }
    env = plain() | _emulator.app_service() | LOADER
    with contextlib.ExitStack() as stack:
        programs = {}
        for door in DOORS:
            command = [str(part) for part in [*commands[door], COUNT, *IDENTITIES]]
            programs[door] = subprocess.Popen(command, env=env, cwd=folder, stdout=subprocess.PIPE, text=True)
            stack.callback(programs[door].kill)
        return {door: json.loads(program.communicate(timeout=3 * PATIENCE)[0]) for door, program in programs.items()}


@pytest.mark.parametrize("kind", ["used", "distinct", "failing"])
@pytest.mark.parametrize("door", DOORS)
def test_nothing_is_left_behind(rounds: dict[str, dict[str, Any]], door: str, kind: str) -> None:
    told = rounds[door][kind]
    assert told["count"] == (COUNT if kind == "used" else COUNT // 10)
    before, after = told["rss_kb"]
    assert after - before < GROWTH_KB, told
    for name in ("threads", "descriptors"):
        before, after = told[name]
        assert after <= before, told
