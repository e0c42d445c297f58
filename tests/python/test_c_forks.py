"""Forking in C, where threads really run at once: tests/c/forks.c against dist/."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import DIST, PATIENCE, ROOT, Emulator, run
from test_c import LOADER, SHARED, C


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile the program that forks."""
    program = tmp_path_factory.mktemp("forks") / "forks"
    run([*C, ROOT / "tests/c/forks.c", "-o", program, *SHARED])
    return program


def fork(program: Path, emulator: Emulator, env: dict[str, str], *arguments: str) -> None:
    """Run a scenario; the source gave the tokens that its processes say they had, and no other."""
    done = run([program, *arguments], env | LOADER | {"AZCRED_SHARING": "off"})
    assert done.stderr == ""
    assert emulator.tokens() == int(done.stdout)


@pytest.mark.parametrize("scenario", ["grandchild", "in_a_completion", "leaves_nothing"])
def test_children(forks: Path, emulator: Emulator, scenario: str) -> None:
    fork(forks, emulator, emulator.app_service(), scenario)


def fork_in_flight(program: Path, emulator: Emulator) -> None:
    """Run that scenario; no flight lands before all processes have one: 16 children, theirs, and the parent."""
    emulator.fault(endpoint="app_service", mode="hang")
    with ThreadPoolExecutor() as pool:
        done = pool.submit(fork, program, emulator, emulator.app_service(), "in_flight")
        while len(emulator.requests()) < 33 and not done.done():
            time.sleep(0.01)
        emulator.call("DELETE", "/faults")
        done.result(PATIENCE)


def test_children_during_a_flight(forks: Path, emulator: Emulator) -> None:
    fork_in_flight(forks, emulator)


def test_many_forks_under_load(forks: Path, emulator: Emulator) -> None:
    emulator.fault(endpoint="app_service", latency_ms=20)
    fork(forks, emulator, emulator.app_service(), "under_load", "300")


def test_many_forks_under_load_over_tls(forks: Path, emulator: Emulator) -> None:
    emulator.fault(endpoint="entra_token", latency_ms=20)
    fork(forks, emulator, emulator.application(), "under_load", "100")


def test_the_static_library(emulator: Emulator, tmp_path: Path) -> None:
    pkg_config = ["pkg-config", "--static", "--libs-only-l", "azcred"]
    libraries = run(pkg_config, {"PKG_CONFIG_PATH": str(DIST / "lib/pkgconfig")}).stdout.split()
    libraries = [DIST / "lib/libazcred.a" if library == "-lazcred" else library for library in libraries]
    run([*C, ROOT / "tests/c/forks.c", "-o", tmp_path / "forks", "-I", DIST / "include", *libraries])
    fork_in_flight(tmp_path / "forks", emulator)
