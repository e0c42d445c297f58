"""Processes of one user share the tokens of a developer's tool: it is run once, as long as nobody else signs in."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from stores import commands, environment, start, store, told

STORAGE = "https://storage.azure.com/.default"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give the folder of a store."""
    with store() as folder:
        yield folder


AZ = """#!/bin/sh
echo "$$" >> "$SPAWNS"
sleep "$LASTS"
cat "$ANSWER"
"""


def tool(tmp_path: Path, lasts: float) -> dict[str, str]:
    """Put an `az` on the path that takes its time."""
    tmp_path.mkdir(exist_ok=True)
    az, answer = tmp_path / "az", tmp_path / "answer"
    az.write_text(AZ)
    az.chmod(0o755)
    answer.write_text(json.dumps({"accessToken": "of-az", "expires_on": int(time.time()) + 3600}))
    profile = tmp_path / "profile"
    profile.mkdir(exist_ok=True)
    (profile / "azureProfile.json").write_text("{}")
    return {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "SPAWNS": str(tmp_path / "spawns"),
        "LASTS": str(lasts),
        "ANSWER": str(answer),
        "AZURE_CONFIG_DIR": str(profile),
    }


def test_a_developers_tool_is_run_once(tmp_path: Path, folder: Path) -> None:
    """50 callers of three doors at once, and an az that takes 12 s."""
    env = environment(folder, tool(tmp_path / "az", 12))
    python, node, program = commands("AzureCliCredential", {"process_timeout": 30}, STORAGE)
    node[4] = json.dumps({"processTimeoutInMs": 30_000})
    running = [start([python, node, program][at % 3], env) for at in range(50)]
    answers = [told(process) for process in running]
    assert {answer.get("token") for answer in answers} == {"of-az"}, answers
    assert len((tmp_path / "az/spawns").read_text().split()) == 1


def test_a_tools_failure_is_everybodys_who_waits(tmp_path: Path, folder: Path) -> None:
    settings = tool(tmp_path / "az", 3)
    (tmp_path / "az/answer").write_text("nothing\n")
    env = environment(folder, settings)
    running = [start(commands("AzureCliCredential", {}, STORAGE)[2], env) for _ in range(8)]
    begun = time.monotonic()
    for process in running:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 1, (out, err)
        assert "AzureCliCredential: the output of az is not the JSON of a token" in err
    assert time.monotonic() - begun < 9
    assert len((tmp_path / "az/spawns").read_text().split()) <= 2


def test_another_login_has_other_tokens(tmp_path: Path, folder: Path) -> None:
    settings = tool(tmp_path / "az", 0)
    env = environment(folder, settings)
    program = commands("AzureCliCredential", {}, STORAGE)[2]
    assert [told(start(program, env)).get("token") for _ in range(2)] == ["of-az"] * 2
    assert len((tmp_path / "az/spawns").read_text().split()) == 1
    (tmp_path / "az/profile/azureProfile.json").write_text('{"subscriptions": []}')
    answer = json.dumps({"accessToken": "of-another", "expires_on": int(time.time()) + 3600})
    (tmp_path / "az/answer").write_text(answer)
    assert told(start(program, env)).get("token") == "of-another"
