"""The benchmarks: `make bench` measures all rows and writes the page, `make bench ONLY=c,node` shows a few."""

from __future__ import annotations

import datetime
import os
import sys
import time
from collections.abc import Callable

import page
import table
from compiler import compile_all
from line import Line
from places import PAGE
from rows import cached_c, cached_node, cached_python, cold, default_chain, first_token, loading, renewal, scopes, size
from stage import Stage

import emulator

ROWS: dict[str, Callable[[Stage], list[Line]]] = {
    "c": cached_c.on_one_thread,
    "c-threads": cached_c.on_two_threads,
    "python-sync": cached_python.sync,
    "python-threads": cached_python.threads,
    "python-asyncio": cached_python.awaited,
    "node": cached_node.awaited,
    "import": loading.by_import,
    "require": loading.by_require,
    "first-token": first_token.of_a_process,
    "cold": cold.at_once,
    "scopes": scopes.in_the_cache,
    "renewal": renewal.while_stalled,
    "default-chain": default_chain.saying_no,
    "size": size.of_the_library,
    "c-instructions": cached_c.in_instructions,
}


def main() -> int:
    """Measure, print, and write the page if nothing was left out."""
    only = [name for name in os.environ.get("ONLY", "").split(",") if name]
    if unknown := set(only) - set(ROWS):
        print(f"bench: no row is called {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}", file=sys.stderr)
        return 2
    load = os.getloadavg()[0]
    compile_all()
    lines: list[Line] = []
    failures: list[table.Failure] = []
    with emulator.started() as running:
        stage = Stage(running)
        for name in only or ROWS:
            begun = time.monotonic()
            running.clear()
            try:
                lines += ROWS[name](stage)
            except Exception as error:
                failures.append(table.Failure(name, str(error)))
            print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    print(table.terminal(lines))
    for failure in failures:
        print(f"{failure.row}: could not be measured: {failure.reason}", file=sys.stderr)
    if not only and not failures:
        day = datetime.datetime.now(datetime.timezone.utc).date()
        PAGE.write_text(page.text(lines, day, load, list(ROWS)))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
