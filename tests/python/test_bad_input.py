"""Bad input: the same kind and the same words at every door."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import DIST, NODE_MODULES, ROOT, STORAGE, Emulator, run

CASES = json.loads((ROOT / "tests/scenarios/bad_input.json").read_text())


@pytest.fixture(scope="session")
def probes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build and lay out the three probes."""
    folder = tmp_path_factory.mktemp("probes")
    strict = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    library = ["-I", DIST / "include", "-L", DIST / "lib", "-lazcred"]
    run(["cc", *strict, ROOT / "tests/c/probe.c", "-o", folder / "probe", *library])
    shutil.copy(ROOT / "tests/probes/probe.mjs", folder)
    (folder / "node_modules").symlink_to(NODE_MODULES)
    return folder


def c_arguments(case: dict[str, Any]) -> list[str]:
    """Write a case as the C probe takes it."""
    arguments = [case["credential"]]
    for name, value in case.get("options", {}).items():
        arguments.append(f"{'int' if isinstance(value, int) else 'text'}:{name}={value}")
    arguments += [f"scope:{scope}" for scope in case.get("scopes", [STORAGE])]
    arguments += [
        f"{kind}:{case[name]}" for kind, name in (("tenant", "tenant_id"), ("claims", "claims")) if name in case
    ]
    return arguments


def snake(message: str) -> str:
    """Take the names of a message back from Node's spelling."""
    message = message.replace("authorityHost", "authority")
    return re.sub(r"\b[a-z]+(?:[A-Z][a-z]+)+\b", lambda word: re.sub("[A-Z]", r"_\g<0>", word[0]).lower(), message)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_same_words_at_every_door(case: dict[str, Any], probes: Path, emulator: Emulator) -> None:
    named = case.get("env", {})
    env = dict(getattr(emulator, named)() if isinstance(named, str) else named)
    for name in case.get("without", []):
        env.pop(name)
    if "fault" in case:
        emulator.fault(**case["fault"])
    text = json.dumps(case)
    doors = {
        "Python": ([sys.executable, ROOT / "tests/probes/probe.py", text], env),
        "Node": (["node", probes / "probe.mjs", text], env),
        "C": ([probes / "probe", *c_arguments(case)], env | {"LD_LIBRARY_PATH": str(DIST / "lib")}),
    }
    for door in case.get("doors", doors):
        command, variables = doors[door]
        answer = json.loads(run(command, variables).stdout)
        message = snake(answer["message"]) if door == "Node" else answer["message"]
        message = re.sub(r"expired \d+ s", "expired # s", message)
        assert (answer["kind"], message) == (case["kind"], case["message"]), door
        assert "canary" not in message
