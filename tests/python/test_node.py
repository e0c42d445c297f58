"""The Node door: the installed npm package, in tests of its own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from conftest import DIST, NODE_MODULES, ROOT, Emulator, run

TESTS = ROOT / "bindings/node/tests"


@pytest.mark.parametrize("name", sorted(path.name for path in TESTS.glob("*.test.mjs")))
def test_node(name: str, emulator: Emulator, tmp_path: Path) -> None:
    shutil.copytree(TESTS, tmp_path / "tests")
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    env = {"AZCRED_EMULATOR": json.dumps(emulator.ready), "NODE_EXTRA_CA_CERTS": emulator["ca_file"]}
    run(["node", "--expose-gc", "--test", f"tests/{name}"], env, cwd=tmp_path)


def test_the_types(tmp_path: Path) -> None:
    shutil.copy(TESTS / "types.test-d.ts", tmp_path)
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    options = ["--noEmit", "--strict", "--module", "nodenext", "--moduleResolution", "nodenext", "--target", "es2022"]
    run(["node", NODE_MODULES / "typescript/bin/tsc", *options, "--skipLibCheck", "types.test-d.ts"], cwd=tmp_path)


def test_the_package_installs_by_itself(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name":"user","version":"1.0.0","private":true}')
    (package,) = (DIST / "node").glob("azcred-*.tgz")
    run(["npm", "install", "--silent", "--offline", "--no-audit", "--no-fund", package], cwd=tmp_path)
    done = run(["node", "-e", "console.log(typeof require('azcred').DefaultAzureCredential)"], cwd=tmp_path)
    assert done.stdout == "function\n"
    installed = {path.name for path in (tmp_path / "node_modules/azcred").iterdir()}
    assert {"LICENSE-MIT", "LICENSE-APACHE", "THIRD-PARTY-NOTICES.txt", "README.md"} <= installed
