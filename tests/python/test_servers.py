"""Servers that load a program and fork workers: gunicorn, uWSGI, Celery, with the installed wheel."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from conftest import PATIENCE, ROOT, started
from prefork_server import KINDS, WORKERS, Answer, Server, start

CONFIG = "refresh_in = 2\n[imds_limits]\nenabled = false\n"
"""Tokens of applications are to be renewed early."""


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server that has just been started; it ends cleanly and soon."""
    folder = tmp_path_factory.mktemp(request.param)
    with started(folder, CONFIG) as emulator:
        if request.param != "uwsgi-lazy":
            # The first answer to the master comes at once, and the second is the one that the fork does not wait for.
            emulator.fault(endpoint="app_service", latency_ms=1, count=1)
            emulator.fault(endpoint="app_service", mode="hang", count=1)
        with start(request.param, emulator, folder) as running:
            yield running
            began = time.monotonic()
        took = time.monotonic() - began
    assert took < 15, f"{took} s to end\n{running.said()}"
    said = running.log.read_text().replace(str(ROOT), "").lower()
    for word in ("azcred", "panicked", "fatal python error", "segmentation fault"):
        assert word not in said, running.said()


def by_worker(answers: list[Answer]) -> dict[int, set[str]]:
    """Give the tokens that each worker answered with."""
    return {
        pid: {answer.token for answer in answers if answer.pid == pid} for pid in {answer.pid for answer in answers}
    }


def loads_in_each_worker(server: Server) -> bool:
    """Tell whether it is no master that loads the program."""
    return "uwsgi-lazy" in str(server.log)


def test_workers_have_the_masters_token(server: Server) -> None:
    answers = server.ask_all("host", "preloaded")
    loads = WORKERS if loads_in_each_worker(server) else 1
    assert len({answer.token for answer in answers}) == loads
    assert len(server.requests("preloaded")) == loads


def test_workers_do_not_wait_for_a_fetch_of_their_master(server: Server) -> None:
    answers = server.ask_all("host", "under-way")
    assert all(len(tokens) == 1 for tokens in by_worker(answers).values())
    requests = server.requests("under-way")
    if loads_in_each_worker(server):
        assert len(requests) == WORKERS
    else:
        assert [request["status"] for request in requests] == [0] + [200] * WORKERS, "the first is still under way"


@pytest.mark.parametrize("credential", ["host", "loop"])
def test_a_new_resource_is_one_request_of_each_worker(server: Server, credential: str) -> None:
    server.emulator.fault(endpoint="app_service", latency_ms=200, count=WORKERS)
    answers = server.ask_all(credential, f"new-{credential}") + server.ask_all(credential, f"new-{credential}")
    assert [len(tokens) for tokens in by_worker(answers).values()] == [1] * WORKERS
    assert len({answer.token for answer in answers}) == WORKERS
    assert len(server.requests(f"new-{credential}")) == WORKERS


def test_workers_renew(server: Server) -> None:
    answers: dict[str, list[Answer]] = {"application": [], "function": []}
    deadline = time.monotonic() + PATIENCE
    while not all(given and min(map(len, by_worker(given).values())) >= 3 for given in answers.values()):
        assert time.monotonic() < deadline, "too few tokens in one minute"
        for credential, given in answers.items():
            given.extend(server.ask_all(credential, "preloaded"))
        time.sleep(0.1)


def test_a_worker_that_replaces_another(server: Server) -> None:
    before = server.ask_all("host", "preloaded")
    requests = len(server.requests("preloaded"))
    old = server.lose_one()
    after = server.ask_all("host", "preloaded")
    (new,) = {answer.pid for answer in after} - {answer.pid for answer in before}
    assert old not in {answer.pid for answer in after}
    if loads_in_each_worker(server):
        assert len(server.requests("preloaded")) == requests + 1
    else:
        assert {answer.token for answer in after} == {answer.token for answer in before}
        assert len(server.requests("preloaded")) == requests
    answers = server.ask_all("host", "after-replacing")
    assert len(by_worker(answers)[new]) == 1
    assert len(server.requests("after-replacing")) == WORKERS
