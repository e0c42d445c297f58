"""Cached calls with one scope in the cache, and with many: scopes.py CONTESTANT sync|asyncio NUMBER. Prints seconds."""

from __future__ import annotations

import asyncio
import inspect
import json
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

from contestants import STORAGE, make

MOST = 200_000
"""No batch has more calls."""


async def fill(credential: Any, scopes: Sequence[str]) -> None:
    """Get a token for each."""
    for scope in scopes:
        token = credential.get_token(scope)
        if inspect.isawaitable(token):
            await token


async def batch(credential: Any, way: str, scopes: Sequence[str]) -> float:
    """Give the seconds per call."""
    begun = time.perf_counter()
    if way == "asyncio":
        for scope in scopes:
            await credential.get_token(scope)
    else:
        for scope in scopes:
            credential.get_token(scope)
    return (time.perf_counter() - begun) / len(scopes)


async def measured(credential: Any, way: str, scopes: Sequence[str]) -> float:
    """Measure batches of some 20 ms; the median of them counts."""
    spent = await batch(credential, way, scopes[:5])
    spent = await batch(credential, way, scopes[: max(5, int(0.005 / spent))])
    few = scopes[: max(5, int(0.02 / spent))]
    return statistics.median([await batch(credential, way, few) for _ in range(9)])


async def main() -> None:
    """Measure the first scope alone, then the last one among many, and then all of them in turn."""
    name, way, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
    credential = make(name, aio=way == "asyncio")
    many = [f"https://resource-{at}.example.net/.default" for at in range(number - 1)]
    await fill(credential, [STORAGE])
    one = await measured(credential, way, [STORAGE] * MOST)
    begun = time.perf_counter()
    await fill(credential, many)
    filling = (time.perf_counter() - begun) / len(many)
    last = await measured(credential, way, many[-1:] * MOST)
    turn = await measured(credential, way, many)
    print(json.dumps({"one": one, "many": last, "turn": turn, "filling": filling}))
    if way == "asyncio":
        await credential.close()


asyncio.run(main())
