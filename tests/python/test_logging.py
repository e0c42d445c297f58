"""azcred's log lines: `logging.getLogger("azcred")` in Python, standard error where `AZCRED_LOG` says so."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Iterator

import azcred
import azcred.aio
import pytest
from conftest import Emulator, python, run

LOGGER = logging.getLogger("azcred")


class Collector(logging.Handler):
    """A handler that keeps what it gets, and on which thread."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.threads: set[int] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.records.append(record)
        self.threads.add(threading.get_ident())

    def texts(self) -> list[str]:
        """Give level and text of each."""
        return [f"{record.levelname} {record.getMessage()}" for record in self.records]


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Collect everything."""
    handler, level = Collector(), LOGGER.level
    LOGGER.addHandler(handler)
    LOGGER.setLevel(1)
    yield handler
    LOGGER.removeHandler(handler)
    LOGGER.setLevel(level)


def test_lines_come_at_once_and_on_the_callers_thread(app_service: Emulator, collector: Collector) -> None:
    # A chain that no other test has: it does not know yet who gives the tokens.
    credential = azcred.DefaultAzureCredential(
        logging_enable=True, retry_backoff_max=3, exclude_powershell_credential=True
    )
    assert collector.texts() == [
        "INFO accepted and not used: logs never hold a secret credential=DefaultAzureCredential option=logging_enable",
        "INFO accepted and not used: every source has the retry rules its documentation asks for "
        "credential=DefaultAzureCredential option=retry_backoff_max",
    ]
    collector.records.clear()
    app_service.fault(endpoint="app_service", status=500, count=1)
    token = credential.get_token("https://lines.example/.default").token
    texts = collector.texts()
    assert any(text.startswith("DEBUG EnvironmentCredential: ") for text in texts)
    assert any(text.startswith("DEBUG asking again attempt=0") for text in texts)
    assert not any(token in text or app_service["identity_header"] in text for text in texts)
    assert collector.threads == {threading.get_ident()}
    record = collector.records[0]
    assert (record.name, record.module, record.levelno) == ("azcred", "azcred::source::chain", logging.DEBUG)
    assert 0 <= record.created - record.msecs / 1000 - int(record.created) < 0.001
    collector.records.clear()
    credential.get_token("https://lines.example/.default")
    assert collector.records == [], "nothing on the way of a cached token"


def test_lines_come_while_a_call_waits(app_service: Emulator, collector: Collector) -> None:
    app_service.fault(endpoint="app_service", status=500, count=1)
    app_service.fault(endpoint="app_service", mode="hang", count=1)
    code = """
import logging, sys, threading, azcred
class Handler(logging.Handler):
    def emit(self, record):
        if record.getMessage().startswith("asking again"):
            print(threading.current_thread() is threading.main_thread(), flush=True)
            raise KeyboardInterrupt
logging.getLogger("azcred").addHandler(Handler())
logging.getLogger("azcred").setLevel("DEBUG")
try:
    azcred.ManagedIdentityCredential().get_token("https://waits.example/.default")
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    done = run([sys.executable, "-c", code], app_service.app_service())
    assert done.stdout == "True\ninterrupted\n"


def test_lines_in_asyncio(app_service: Emulator, collector: Collector) -> None:
    async def main() -> None:
        with pytest.raises(azcred.CredentialUnavailableError):
            await azcred.aio.EnvironmentCredential().get_token("https://asyncio.example/.default")
        # They come with the answers.
        assert [record.levelname for record in collector.records] == ["WARNING"]

    asyncio.run(main())
    assert collector.threads == {threading.get_ident()}


def test_what_the_logger_does_not_want_is_not_made(collector: Collector) -> None:
    def fail(scope: str) -> None:
        with pytest.raises(azcred.CredentialUnavailableError):
            azcred.EnvironmentCredential().get_token(f"https://{scope}.example/.default")

    for level, expected in [(logging.ERROR, 0), (logging.WARNING, 1), (100, 0)]:
        LOGGER.setLevel(level)
        collector.records.clear()
        fail(f"level{level}")
        assert len(collector.records) == expected, level
    LOGGER.setLevel(1)
    logging.disable(logging.WARNING)
    try:
        fail("all-disabled")
    finally:
        logging.disable(logging.NOTSET)
    LOGGER.disabled = True
    try:
        fail("disabled")
    finally:
        LOGGER.disabled = False
    assert collector.records == []


def test_handlers_that_ask_for_tokens_or_fail(app_service: Emulator) -> None:
    """One that asks is not asked again and again; one that fails costs no token."""
    code = """
import json, logging, sys, azcred
credential = azcred.ManagedIdentityCredential()
told = []
sys.unraisablehook = lambda hook: told.append(str(hook.exc_value))
class Handler(logging.Handler):
    def emit(self, record):
        told.append(record.levelname)
        for scope in ("handler", f"handler-{len(told)}"):
            try:
                azcred.EnvironmentCredential().get_token(f"https://{scope}.example/.default")
            except azcred.CredentialUnavailableError:
                pass
            credential.get_token("https://handler.example/.default")
class Broken(logging.Filter):
    def filter(self, record):
        raise ValueError("broken filter")
logging.getLogger("azcred").addHandler(Handler())
logging.getLogger("azcred").setLevel("WARNING")
try:
    azcred.EnvironmentCredential().get_token("https://first.example/.default")
except azcred.CredentialUnavailableError:
    pass
logging.getLogger("azcred").addFilter(Broken())
try:
    azcred.EnvironmentCredential().get_token("https://second.example/.default")
except azcred.CredentialUnavailableError:
    told.append("unavailable")
print(json.dumps(told[0:1] + told[-1:] + [told.count("broken filter") > 0, len(told) < 20]))
"""
    assert python(code, app_service.app_service()) == ["WARNING", "unavailable", True, True]


def test_programs_without_logging_and_those_that_load_it_later(app_service: Emulator) -> None:
    code = """
import json, sys, azcred
def fail(scope):
    try:
        azcred.EnvironmentCredential().get_token(scope)
    except azcred.CredentialUnavailableError:
        pass
fail("a")
told = ["logging" in sys.modules]
import logging
fail("b")  # no handler anywhere: `logging` would print it to standard error
records = []
class Handler(logging.Handler):
    def emit(self, record):
        records.append(record.getMessage()[:21])
logging.getLogger().addHandler(Handler())
fail("c")
print(json.dumps(told + records))
"""
    # azure-core, which exceptions are made of where it is installed, loads `logging`.
    code = "import sys\nsys.modules['azure'] = None\n" + code
    done = run([sys.executable, "-c", code], app_service.app_service())
    assert done.stdout == '[false, "EnvironmentCredential"]\n'
    assert done.stderr == ""


def test_a_forked_child_does_not_tell_its_parents_lines(app_service: Emulator) -> None:
    code = """
import json, logging, os, sys, azcred
told = []
class Handler(logging.Handler):
    def emit(self, record):
        told.append(record.getMessage()[:21])
        if len(told) == 1:
            # More lines wait: they are the parent's.
            read, write = os.pipe()
            if os.fork() == 0:
                told.clear()
                try:
                    azcred.EnvironmentCredential().get_token("child")
                except azcred.CredentialUnavailableError:
                    pass
                azcred.EnvironmentCredential(retry_mode="x")
                os.write(write, json.dumps(len(told)).encode())
                os._exit(0)
            os.wait()
            told.append(json.loads(os.read(read, 100)))
logging.getLogger("azcred").addHandler(Handler())
logging.getLogger("azcred").setLevel("DEBUG")
azcred.EnvironmentCredential(retry_mode="x", retry_backoff_max=1)
print(json.dumps(told))
"""
    first, child, second = python(code, app_service.app_service())
    assert (first, child, second) == ("accepted and not used", 0, "accepted and not used")


@pytest.mark.parametrize(
    ("level", "seen"), [("debug", True), ("azcred=trace", True), ("off", False), ("hyper=trace", False)]
)
def test_the_environment_asks_for_standard_error(app_service: Emulator, level: str, seen: bool) -> None:
    code = """
import azcred
print(azcred.DefaultAzureCredential(retry_mode="x").get_token("https://stderr.example/.default").token)
"""
    done = run([sys.executable, "-c", code], app_service.app_service() | {"AZCRED_LOG": level})
    lines = done.stderr.splitlines()
    assert bool(lines) == seen
    if seen:
        assert lines[0].startswith("INFO azcred::options: accepted and not used")
        assert any(line.startswith("DEBUG azcred::source::chain: EnvironmentCredential: ") for line in lines)
    assert done.stdout.strip() not in done.stderr
    # A standard error that takes nothing costs no token.
    full = run(
        ["sh", "-c", 'exec "$@" 2> /dev/full', "sh", sys.executable, "-c", code],
        app_service.app_service() | {"AZCRED_LOG": level},
    )
    assert full.stdout


def test_lines_that_wait_at_the_end_are_told() -> None:
    code = """
import logging, azcred
def fail(scope):
    try:
        azcred.EnvironmentCredential().get_token(scope)
    except azcred.CredentialUnavailableError:
        pass
class Handler(logging.Handler):
    def emit(self, record):
        print(record.levelname, flush=True)
        fail("from-the-handler")
logging.getLogger("azcred").addHandler(Handler())
fail("from-the-program")
print("end", flush=True)
"""
    assert run([sys.executable, "-c", code]).stdout == "WARNING\nend\nWARNING\n"


def test_nobody_is_told_twice(app_service: Emulator, collector: Collector) -> None:
    threads = [
        threading.Thread(target=lambda: azcred.DefaultAzureCredential(retry_mode="x", logging_enable=True))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(collector.records) == 16
