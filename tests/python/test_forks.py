"""Forking, as programs do it: the installed wheel in processes that fork and go on."""

from __future__ import annotations

import sys
import urllib.parse

import pytest
from children import WAYS
from conftest import ROOT, Emulator, run
from wire_tap import WireTap

WARNINGS = ["-W", "error", "-W", "ignore:This process:DeprecationWarning"]
"""Python 3.12 and later warn of forks in a process with threads, which is what this is about."""


def fork(emulator: Emulator, scenario: str, *arguments: str, env: dict[str, str] | None = None) -> None:
    """Run a scenario; the source gave the tokens that its processes say they had, and no other."""
    env = emulator.app_service() | {"EMULATOR_ADMIN": emulator["admin"], "AZCRED_SHARING": "off"} | (env or {})
    done = run([sys.executable, *WARNINGS, ROOT / "tests/python/forking.py", scenario, *arguments], env)
    assert done.stderr == ""
    assert emulator.tokens() == int(done.stdout)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("scenario", ["before_first_use", "warm"])
def test_children(emulator: Emulator, scenario: str, way: str) -> None:
    fork(emulator, scenario, way)


def test_a_fork_server(emulator: Emulator) -> None:
    fork(emulator, "fork_server", env={"PYTHONPATH": str(ROOT / "tests/python")})


@pytest.mark.parametrize("way", WAYS)
def test_children_during_a_flight(emulator: Emulator, way: str) -> None:
    fork(emulator, "in_flight", way)


def test_children_that_end_during_a_flight(emulator: Emulator) -> None:
    fork(emulator, "regular_ends")


def test_a_child_that_forks_during_its_own_flight(emulator: Emulator) -> None:
    fork(emulator, "descend")


def test_a_long_line_of_children(emulator: Emulator) -> None:
    fork(emulator, "generations")


def test_many_forks_under_load(emulator: Emulator) -> None:
    emulator.fault(endpoint="app_service", latency_ms=30)
    fork(emulator, "under_load", "300")


def test_threads_that_fork_at_once(emulator: Emulator) -> None:
    fork(emulator, "forking_threads")


def test_the_threads_of_a_child_are_one_request(emulator: Emulator) -> None:
    fork(emulator, "threads_of_a_child")


def test_event_loops_of_a_child(emulator: Emulator) -> None:
    fork(emulator, "loops")


def test_a_fork_inside_an_event_loop(emulator: Emulator) -> None:
    fork(emulator, "inside_a_loop")


def test_a_child_that_outlives_its_parent(emulator: Emulator) -> None:
    fork(emulator, "orphan")


def test_functions_that_fork(emulator: Emulator) -> None:
    env = {
        "FEDERATED": emulator["federated_token_file"],
        "TENANT": emulator["tenant_id"],
        "WORKLOAD": emulator["workload_client_id"],
    }
    fork(emulator, "functions", env=emulator.application() | env)


def test_nothing_is_left_in_the_parent(emulator: Emulator) -> None:
    fork(emulator, "nothing_left")


def test_nobody_speaks_on_the_connection_of_another_process(emulator: Emulator) -> None:
    endpoint = urllib.parse.urlsplit(emulator["identity_endpoint"])
    with WireTap(("127.0.0.1", endpoint.port or 0)) as tap:
        url = endpoint._replace(netloc=f"127.0.0.1:{tap.port}").geturl()
        fork(emulator, "connections", env={"IDENTITY_ENDPOINT": url})
    assert tap.connections == [
        ["parent-1", "parent-2", "parent-3", "parent-4"],
        ["child-1", "child-2"],
        ["child-3", "child-4"],
    ]


def test_nobody_speaks_in_the_tls_session_of_another_process(emulator: Emulator) -> None:
    authority = urllib.parse.urlsplit(emulator["https"])
    with WireTap(("127.0.0.1", authority.port or 0)) as tap:
        env = emulator.application() | {"AZURE_AUTHORITY_HOST": f"https://localhost:{tap.port}"}
        fork(emulator, "tls_connections", env=env)
    assert len(tap.connections) == 2, "one of the parent, before and after the fork, and one of the child"
