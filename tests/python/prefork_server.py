"""Servers that load a program once and fork workers: how they are started, asked and ended."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from celery_post import Post
from conftest import PATIENCE, ROOT, Emulator, plain

PROGRAMS = Path(sys.executable).parent
HERE = ROOT / "tests/python"
WORKERS = 2
AT_ONCE = 8
"""How many questions are under way at the same time."""


@dataclass(frozen=True)
class Answer:
    """A worker, and the token that it has."""

    pid: int
    token: str


@dataclass
class Server:
    """A running server, and the emulator that its workers ask."""

    emulator: Emulator
    process: subprocess.Popen[bytes]
    log: Path
    ask: Callable[[str, str], Answer]
    """Asks for a token of a credential for a resource, by its name."""
    end: Callable[[], int]
    """Ends one of the workers without a word, and tells which."""

    def ask_all(self, credential: str, name: str) -> list[Answer]:
        """Ask, several at once, until every worker has answered."""
        answers: list[Answer] = []
        deadline = time.monotonic() + PATIENCE
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while len({answer.pid for answer in answers}) < WORKERS:
                assert time.monotonic() < deadline, f"one worker has done all the work\n{self.said()}"
                answers += pool.map(lambda _: self.ask(credential, name), range(AT_ONCE))
        pids = {answer.pid for answer in answers}
        assert len(pids) == WORKERS, f"a worker has come and gone: {pids}\n{self.said()}"
        assert self.process.pid not in pids
        return answers

    def said(self) -> str:
        """Give the end of what it wrote, on both its outputs."""
        return self.log.read_text()[-5000:]

    def requests(self, name: str) -> list[dict[str, object]]:
        """Give what the host's endpoint was asked about a resource."""
        url = f"https://{name}.example"
        return [request for request in self.emulator.requests() if request["query"].get("resource") == url]

    def lose_one(self) -> int:
        """End one of the workers, and wait until the master has noticed."""
        pid = self.end()
        deadline = time.monotonic() + PATIENCE
        while Path(f"/proc/{pid}").exists():
            assert time.monotonic() < deadline, "the master does not notice"
            time.sleep(0.01)
        return pid


def start(kind: str, emulator: Emulator, folder: Path) -> contextlib.AbstractContextManager[Server]:
    """Start a server, which ends with the block."""
    return _celery(emulator, folder) if kind == "celery" else _web(COMMANDS[kind], emulator, folder)


def _gunicorn(*options: str) -> Callable[[int, Path], list[str]]:
    def command(listener: int, _: Path) -> list[str]:
        given = [f"--bind=fd://{listener}", f"--workers={WORKERS}", "--preload", "--no-control-socket", *options]
        return [str(PROGRAMS / "gunicorn"), *given, "wsgi_application:application"]

    return command


def _uwsgi(*settings: str) -> Callable[[int, Path], list[str]]:
    def command(listener: int, folder: Path) -> list[str]:
        lines = [
            "[uwsgi]",
            "master = true",
            f"processes = {WORKERS}",
            f"http-socket = fd://{listener}",
            "module = wsgi_application:application",
            "need-app = true",
            "die-on-term = true",
            "disable-logging = true",
            *settings,
        ]
        (folder / "uwsgi.ini").write_text("\n".join(lines) + "\n")
        return [str(PROGRAMS / "uwsgi"), "--ini", str(folder / "uwsgi.ini")]

    return command


COMMANDS = {
    "gunicorn": _gunicorn(),
    "gunicorn-threads": _gunicorn("--worker-class=gthread", "--threads=8"),
    "uwsgi": _uwsgi(),
    "uwsgi-threads": _uwsgi("threads = 8"),
    # Python's own fork hooks run, which uWSGI otherwise leaves out.
    "uwsgi-with-hooks": _uwsgi("py-call-uwsgi-fork-hooks = true"),
    # Each worker loads the program by itself, after the fork.
    "uwsgi-lazy": _uwsgi("lazy-apps = true"),
}

KINDS = (*COMMANDS, "celery")


@contextlib.contextmanager
def _web(command: Callable[[int, Path], list[str]], emulator: Emulator, folder: Path) -> Iterator[Server]:
    # It listens before there is a server, so nobody has to wait for that.
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        address = listener.getsockname()

        def ask(credential: str, name: str) -> Answer:
            query = urllib.parse.urlencode({"credential": credential, "scope": f"https://{name}.example/.default"})
            connection = http.client.HTTPConnection(*address, timeout=PATIENCE)
            with contextlib.closing(connection):
                connection.request("GET", f"/?{query}", headers={"Connection": "close"})
                response = connection.getresponse()
                body = response.read()
            assert response.status == 200, (response.status, body)
            return Answer(**json.loads(body))

        def end() -> int:
            pid = ask("host", "preloaded").pid
            os.kill(pid, signal.SIGKILL)
            return pid

        number = listener.fileno()
        with _running(command(number, folder), emulator, folder, {}, (number,)) as (process, log):
            yield Server(emulator, process, log, ask, end)


@contextlib.contextmanager
def _celery(emulator: Emulator, folder: Path) -> Iterator[Server]:
    post = Post(folder)

    def ask(credential: str, name: str) -> Answer:
        given = {"credential": credential, "scope": f"https://{name}.example/.default"}
        return Answer(**json.loads(post.ask("answer", given, PATIENCE)))

    def end() -> int:
        return int(post.ask("end", {}, PATIENCE))

    options = [
        "--pool=prefork",
        f"--concurrency={WORKERS}",
        "--without-gossip",
        "--without-mingle",
        "--loglevel=warning",
    ]
    command = [str(PROGRAMS / "celery"), "--app=celery_application", "worker", *options]
    with _running(command, emulator, folder, {"CELERY_FOLDER": str(folder)}, ()) as (process, log):
        yield Server(emulator, process, log, ask, end)


@contextlib.contextmanager
def _running(
    command: list[str], emulator: Emulator, folder: Path, more: dict[str, str], listeners: tuple[int, ...]
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    env = plain() | emulator.app_service() | emulator.application() | more
    env |= {
        "AZCRED_SHARING": "off",
        "HOME": str(folder),
        "PYTHONPATH": str(HERE),
        "PYTHONUNBUFFERED": "1",
        "WORKLOAD_CLIENT_ID": emulator["workload_client_id"],
        "WORKLOAD_TOKEN_FILE": emulator["federated_token_file"],
    }
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=env,
            cwd=folder,
            pass_fds=listeners,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process, log
        process.terminate()
        status = process.wait(PATIENCE)
        assert status == 0, f"{command[0]} ended with {status}\n{log.read_text()[-5000:]}"
    finally:
        # Nothing is left of it in any case.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
