"""Credentials that come and go; prints as JSON what the process held before and after.

It runs where IDENTITY_ENDPOINT and IDENTITY_HEADER name an emulator.
usage: leaking.py threads|asyncio COUNT CLIENT_ID...
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import azcred
import azcred.aio

SCOPE = "https://leaks.example/.default"
DOOR, COUNT, IDENTITIES = sys.argv[1], int(sys.argv[2]), sys.argv[3:]


def held() -> dict[str, int]:
    """Tell what the process holds."""
    status = Path("/proc/self/status").read_text()
    return {
        "rss_kb": int(status.partition("VmRSS:")[2].split()[0]),
        "threads": len(os.listdir("/proc/self/task")),
        "descriptors": len(os.listdir("/proc/self/fd")),
    }


def told(count: int, began: float, before: dict[str, int]) -> dict[str, Any]:
    """Tell what that many left behind."""
    after = held()
    pairs = {name: [before[name], after[name]] for name in before}
    return {"count": count, "seconds": round(time.monotonic() - began, 1), **pairs}


def used(number: int) -> None:
    """One of a few identities, asked for a token that is in the cache."""
    azcred.ManagedIdentityCredential(client_id=IDENTITIES[number % len(IDENTITIES)]).get_token(SCOPE)


def distinct(number: int) -> None:
    """An identity that nobody else has, which is never asked."""
    azcred.ManagedIdentityCredential(client_id=f"client-{number}")
    azcred.DefaultAzureCredential(managed_identity_client_id=f"client-{number}")


def failing(_: int) -> None:
    """Calls that are wrong."""
    with contextlib.suppress(azcred.InvalidConfigurationError):
        azcred.AzureCliCredential(nonsense="nonsense")
    with contextlib.suppress(azcred.InvalidArgumentError):
        azcred.ManagedIdentityCredential().get_token("bad scope")


async def used_in_a_task(number: int) -> None:
    """Use one of a few identities, as above."""
    async with azcred.aio.ManagedIdentityCredential(client_id=IDENTITIES[number % len(IDENTITIES)]) as credential:
        await credential.get_token(SCOPE)


async def distinct_in_a_task(number: int) -> None:
    """Make one as above."""
    azcred.aio.ManagedIdentityCredential(client_id=f"client-{number}")
    azcred.aio.DefaultAzureCredential(managed_identity_client_id=f"client-{number}")


async def failing_in_a_task(_: int) -> None:
    """Make the same mistakes."""
    with contextlib.suppress(azcred.InvalidConfigurationError):
        azcred.aio.AzureCliCredential(nonsense="nonsense")
    with contextlib.suppress(azcred.InvalidArgumentError):
        await azcred.aio.ManagedIdentityCredential().get_token("bad scope")


def watch(once: Callable[[int], None], count: int) -> dict[str, Any]:
    """Do it often, after a tenth of that to warm up."""
    warm = count // 10
    for number in range(warm):
        once(number)
    before, began = held(), time.monotonic()
    for number in range(warm, warm + count):
        once(number)
    return told(count, began, before)


async def watch_tasks(once: Callable[[int], Awaitable[None]], count: int) -> dict[str, Any]:
    """Do it often, as above; each turn of the loop has a hundred."""
    warm = count // 10
    for number in range(warm):
        await once(number)
    before, began = held(), time.monotonic()
    for number in range(warm, warm + count):
        await once(number)
        if number % 100 == 0:
            await asyncio.sleep(0)
    return told(count, began, before)


async def main() -> dict[str, Any]:
    """Go through all of it in a loop."""
    return {
        "used": await watch_tasks(used_in_a_task, COUNT),
        "distinct": await watch_tasks(distinct_in_a_task, COUNT // 10),
        "failing": await watch_tasks(failing_in_a_task, COUNT // 10),
    }


if DOOR == "threads":
    rounds = {
        "used": watch(used, COUNT),
        "distinct": watch(distinct, COUNT // 10),
        "failing": watch(failing, COUNT // 10),
    }
else:
    rounds = asyncio.run(main())
print(json.dumps(rounds))
