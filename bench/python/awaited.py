"""How long awaiting one cached call takes, asyncio: awaited.py CONTESTANT. Prints seconds."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from itertools import repeat
from typing import Any

from contestants import STORAGE, make


async def batch(credential: Any, number: int) -> float:
    """Give the seconds per call of so many."""
    scope = STORAGE
    begun = time.perf_counter()
    for _ in repeat(None, number):
        await credential.get_token(scope)
    return (time.perf_counter() - begun) / number


async def main() -> None:
    """Measure batches of some 20 ms; the median of them counts."""
    credential = make(sys.argv[1], aio=True)
    await batch(credential, 20)
    number = max(20, int(0.02 / await batch(credential, 200)))
    await batch(credential, number)
    print(json.dumps({"seconds": statistics.median([await batch(credential, number) for _ in range(9)])}))
    if hasattr(credential, "close"):
        await credential.close()


asyncio.run(main())
