"""1,000 callers at once who find no token: cold.py CONTESTANT threads|asyncio. Prints how long the last waits."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from contestants import STORAGE, make

CALLERS = 1000
LATENCY = 0.05
"""What the server takes, in seconds; the floor's callers wait just that."""


def in_threads(ask: Callable[[], Any]) -> float:
    """Have a thread for each, as a pool starts them.

    Holding all of them back for one moment would measure how 1,000 threads fight for the interpreter's lock: that alone
    takes longer than the server.
    """
    with ThreadPoolExecutor(CALLERS) as pool:
        begun = time.perf_counter()
        for caller in [pool.submit(ask) for _ in range(CALLERS)]:
            caller.result()
        return time.perf_counter() - begun


def once() -> Callable[[], bool]:
    """Give the floor's call: the first one starts a clock, and all wait for it."""
    done = threading.Event()
    timer = threading.Timer(LATENCY, done.set)
    first = threading.Lock()

    def ask() -> bool:
        if first.acquire(blocking=False):
            timer.start()
        return done.wait()

    return ask


async def in_coroutines(ask: Callable[[], Any]) -> float:
    """Gather them."""
    begun = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(CALLERS)))
    return time.perf_counter() - begun


async def main(name: str) -> float:
    """Measure coroutines."""
    if name.startswith("floor"):
        shared = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(LATENCY, shared.set_result, True)

        async def ask() -> object:
            return await asyncio.shield(shared)

        return await in_coroutines(ask)
    credential = make(name, aio=True)
    spent = await in_coroutines(lambda: credential.get_token(STORAGE))
    await credential.close()
    return spent


if __name__ == "__main__":
    name, way = sys.argv[1:]
    if way == "asyncio":
        seconds = asyncio.run(main(name))
    elif name.startswith("floor"):
        seconds = in_threads(once())
    else:
        credential = make(name)
        seconds = in_threads(lambda: credential.get_token(STORAGE))
    print(json.dumps({"seconds": seconds}))
