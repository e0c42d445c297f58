"""How long cached calls take when 64 threads make them: threads.py CONTESTANT. Prints the 99th percentile."""

from __future__ import annotations

import json
import sys
import threading
import time

from contestants import STORAGE, make

THREADS = 64
SPAN = 1.0
"""Seconds."""


def main() -> None:
    """Let all threads ask in a loop for a while, and each note how long each of its calls took."""
    name = sys.argv[1]
    credential = make(name)
    if name.startswith("awscrt"):
        provider = credential

        def ask() -> object:
            return provider.get_credentials().result()
    else:

        def ask() -> object:
            return credential.get_token(STORAGE)

    ask()
    begin = threading.Barrier(THREADS)
    spans: list[list[int]] = [[] for _ in range(THREADS)]

    def loop(mine: list[int]) -> None:
        clock = time.perf_counter_ns
        begin.wait()
        end = clock() + int(SPAN * 1e9)
        before = clock()
        while before < end:
            ask()
            after = clock()
            mine.append(after - before)
            before = clock()

    threads = [threading.Thread(target=loop, args=(mine,)) for mine in spans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    together = sorted(span for mine in spans for span in mine)
    print(json.dumps({"seconds": together[len(together) * 99 // 100] / 1e9, "calls": len(together)}))


main()
