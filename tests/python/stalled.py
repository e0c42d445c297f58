"""A program that waits on a server that stalls, and reads other tokens meanwhile.

usage: stalled.py threads|asyncio; the conversation on standard input and output is that of test_herds.py.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Iterator

import azcred
import azcred.aio

FIRST, DUE, LIVE, LATER = (f"https://stall-{name}.example/.default" for name in ("first", "due", "live", "later"))
PAUSE, SLOW = 0.005, 0.05


def arguments() -> dict[str, object]:
    """Give the arguments of an application that never asks twice, and has more patience than any server here."""
    named = {name: os.environ[f"AZURE_{name.upper()}"] for name in ("tenant_id", "client_id", "client_secret")}
    server = {"authority": os.environ["AZURE_AUTHORITY_HOST"], "disable_instance_discovery": True}
    return {**named, **server, "retry_total": 0, "read_timeout": 100}


def say(word: str) -> None:
    """Tell the test."""
    print(word, flush=True)


class Watch:
    """The reads of half a minute, and how slow they were."""

    def __init__(self) -> None:
        """Begin with none."""
        self.reads = self.slow = 0
        self.slowest = 0.0

    def until_the_end(self) -> Iterator[str]:
        """Give scope after scope to read."""
        end = time.monotonic() + float(os.environ["STALL"])
        while time.monotonic() < end:
            yield (DUE, LIVE, LATER)[self.reads % 3]
            self.reads += 1

    def note(self, took: float) -> None:
        """Note how long a read took."""
        self.slowest = max(self.slowest, took)
        self.slow += took >= SLOW

    def report(self, first: float) -> str:
        """Write it down, with the time of a first call."""
        counts = {"reads": self.reads, "slow": self.slow}
        return json.dumps(counts | {"slowest_ms": 1e3 * self.slowest, "first_ms": 1e3 * first})


def threads() -> None:
    """Wait on a thread, read on another."""
    credential = azcred.ClientSecretCredential(**arguments())  # type: ignore[arg-type]
    watch = Watch()

    def read(scope: str) -> float:
        began = time.perf_counter()
        credential.get_token(scope)
        return time.perf_counter() - began

    read(DUE)
    read(LIVE)
    say("held")
    sys.stdin.readline()
    waiting = threading.Thread(target=read, args=(FIRST,))
    waiting.start()
    sys.stdin.readline()
    watch.note(read(DUE))  # starts a renewal, which stalls too
    say("due")
    sys.stdin.readline()
    first = read(LATER)
    for scope in watch.until_the_end():
        watch.note(read(scope))
        time.sleep(PAUSE)
    assert waiting.is_alive()
    say(watch.report(first))
    waiting.join()
    say("landed")


async def coroutines() -> None:
    """Wait in a task, read in another."""
    credential = azcred.aio.ClientSecretCredential(**arguments())  # type: ignore[arg-type]
    watch = Watch()

    async def read(scope: str) -> float:
        began = time.perf_counter()
        await credential.get_token(scope)
        return time.perf_counter() - began

    await read(DUE)
    await read(LIVE)
    say("held")
    await asyncio.to_thread(sys.stdin.readline)
    waiting = asyncio.create_task(read(FIRST))
    await asyncio.to_thread(sys.stdin.readline)
    watch.note(await read(DUE))  # starts a renewal, which stalls too
    say("due")
    await asyncio.to_thread(sys.stdin.readline)
    first = await read(LATER)
    for scope in watch.until_the_end():
        watch.note(await read(scope))
        await asyncio.sleep(PAUSE)
    assert not waiting.done()
    say(watch.report(first))
    await waiting
    say("landed")


if __name__ == "__main__":
    if sys.argv[1] == "threads":
        threads()
    else:
        asyncio.run(coroutines())
