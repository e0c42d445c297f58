"""1,000 callers at once who find no token: cold.py CONTESTANT threads|asyncio. Prints how long the last waits."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from contestants import STORAGE, make

CALLERS = 1000
LATENCY = 0.05
"""What the server takes, in seconds; the floor's callers wait just that."""


def in_threads(ask: Callable[[], Any]) -> float:
    """Have all threads there before the first asks: they sleep until one moment, which costs less than a barrier."""
    moment = 0.0
    set_out = threading.Event()
    ends: list[float] = []

    def call() -> None:
        set_out.wait()
        time.sleep(max(0, moment - time.perf_counter()))
        ask()
        ends.append(time.perf_counter())

    threads = [threading.Thread(target=call) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    moment = time.perf_counter() + 1
    set_out.set()
    for thread in threads:
        thread.join()
    if len(ends) < CALLERS:
        raise RuntimeError("a thread got nothing")
    return max(ends) - moment


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
        seconds = in_threads(lambda: time.sleep(LATENCY))
    else:
        credential = make(name)
        seconds = in_threads(lambda: credential.get_token(STORAGE))
    print(json.dumps({"seconds": seconds}))
