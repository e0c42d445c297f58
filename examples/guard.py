"""Ends what a program started, and removes its folder, when that program ends without doing so itself.

It is told on standard input: `started PID` and `ended PID` of process groups, `folder PATH`, and `done`. When the input
ends without `done`, nobody else is left to clean up.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable

PATIENCE = 2
"""How long killed processes may take to go, in seconds."""


def listen(lines: Iterable[str]) -> tuple[set[int], str | None]:
    """Give the groups and the folder that are left behind."""
    groups: set[int] = set()
    folder = None
    for line in lines:
        word, _, rest = line.rstrip("\n").partition(" ")
        if word == "started":
            groups.add(int(rest))
        elif word == "ended":
            groups.discard(int(rest))
        elif word == "folder":
            folder = rest
        elif word == "done":
            return set(), None
    return groups, folder


def end(group: int, kind: int) -> bool:
    """Send a signal to a group; say whether it was there."""
    try:
        os.killpg(group, kind)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def main() -> None:
    """Wait for the program's end."""
    for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(kind, signal.SIG_IGN)
    groups, folder = listen(sys.stdin)
    left = [group for group in groups if end(group, signal.SIGKILL)]
    deadline = time.monotonic() + PATIENCE
    while any(end(group, 0) for group in left) and time.monotonic() < deadline:
        time.sleep(0.02)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
