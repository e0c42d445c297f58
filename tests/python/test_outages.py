"""No failure outlives its cause: what goes wrong for a while at each source, and the call after it.

Every source has a process of its own that goes through outages.py with credentials that it keeps.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from typing import Any

import pytest
from conftest import PATIENCE, ROOT, Emulator, plain, run
from outages import REST, SERVERS, SLACK, TOOLS

ROWS = dict.fromkeys(("imds", "app_service", "client_secret", "workload_identity"), SERVERS) | {"azure_cli": TOOLS}
"""What each source goes through at least; it has more of its own."""

SOURCES = (*ROWS, "no_certificates", "other_certificates")


@pytest.fixture(scope="module")
def told(_emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Let all processes run beside each other; give what each told."""
    folder = tmp_path_factory.mktemp("outages")
    names = folder / "names.so"
    run(["cc", "-std=c99", "-shared", "-fPIC", "-Wall", "-Werror", ROOT / "tests/c/names.c", "-o", names, "-ldl"])
    with contextlib.ExitStack() as stack:
        programs = {}
        for source in SOURCES:
            cwd = folder / source
            (cwd / "bin").mkdir(parents=True)
            (cwd / "names").mkdir()
            env = plain() | {"AZCRED_EMULATOR": json.dumps(_emulator.ready)}
            if source == "azure_cli":
                env["PATH"] = str(cwd / "bin")
            elif source == "client_secret":
                env |= {"LD_PRELOAD": str(names), "NAMES": str(cwd / "names")}
            command = [sys.executable, "-W", "error", str(ROOT / "tests/python/outage_runner.py"), source]
            programs[source] = subprocess.Popen(command, env=env, cwd=cwd, stdout=subprocess.PIPE, text=True)
            stack.callback(programs[source].kill)
        return {source: json.loads(one.communicate(timeout=2 * PATIENCE)[0]) for source, one in programs.items()}


@pytest.mark.parametrize("source", SOURCES)
def test_no_failure_outlives_its_cause(told: dict[str, dict[str, Any]], source: str) -> None:
    rows = told[source]
    assert rows and set(ROWS.get(source, {})) <= set(rows)
    assert not {name for name, row in rows.items() if row["kind"] is None}, "an outage that nobody noticed"
    shortages = {name: row["kind"] for name, row in rows.items() if name.startswith("no descriptors")}
    assert set(shortages.values()) <= {"TRANSIENT"}, shortages
    held = {name: outage.held for name, outage in SERVERS.items()}
    late = {name: row for name, row in rows.items() if row.get("rest", 1e9) > REST + SLACK + held.get(name, 0.0)}
    assert not late, json.dumps(late, indent=1)
