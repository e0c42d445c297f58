"""200 callers when a renewal is due: renewal.py CONTESTANT threads|asyncio.

Prints a line when the token is there, waits for one, then asks; prints what the caller that waited longest waited.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time

from contestants import STORAGE, make

CALLERS = 200


def warm() -> None:
    """Tell that the token is there, and wait until its renewal is due and the server stalls."""
    print("warm", flush=True)
    sys.stdin.readline()


def by_threads(name: str) -> list[float]:
    """Give what each thread waited."""
    credential = make(name)
    credential.get_token(STORAGE)
    warm()
    moment = time.perf_counter() + 0.3
    waits: list[float] = []

    def call() -> None:
        time.sleep(max(0, moment - time.perf_counter()))
        begun = time.perf_counter()
        credential.get_token(STORAGE)
        waits.append(time.perf_counter() - begun)

    threads = [threading.Thread(target=call) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waits


async def by_coroutines(name: str) -> list[float]:
    """Give what each coroutine waited, from when it asked."""
    credential = make(name, aio=True)
    await credential.get_token(STORAGE)
    warm()

    async def call() -> float:
        begun = time.perf_counter()
        await credential.get_token(STORAGE)
        return time.perf_counter() - begun

    waits = await asyncio.gather(*(call() for _ in range(CALLERS)))
    await credential.close()
    return waits


if __name__ == "__main__":
    name, way = sys.argv[1:]
    waits = asyncio.run(by_coroutines(name)) if way == "asyncio" else by_threads(name)
    if len(waits) < CALLERS:
        raise RuntimeError("a caller got nothing")
    print(json.dumps({"seconds": max(waits)}), flush=True)
    # The renewal is on its way meanwhile.
    sys.stdin.read()
