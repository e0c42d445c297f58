"""Children of a program: the ways to fork them, and how each must end."""

from __future__ import annotations

import json
import multiprocessing
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

LONGEST = 30
"""How long a child may take, in seconds: one that hangs is found out, and a busy machine is none."""

WAYS = ("fork", "process", "pool", "executor")
"""`os.fork`, and what `multiprocessing` and `concurrent.futures` make of it."""

# Whatever goes wrong, no child stays for ever.
os.register_at_fork(after_in_child=lambda: signal.alarm(2 * LONGEST))


class Child:
    """A forked child that runs a function and tells its parent what that gave."""

    def __init__(self, body: Callable[..., Any], *arguments: Any, regular: bool = False) -> None:
        """Fork it. A regular end goes through that of the interpreter, as if the program had forked itself."""
        self._said, say = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid:
            os.close(say)
            return
        status = 1
        try:
            os.close(self._said)
            os.write(say, json.dumps(body(*arguments)).encode() + b"\n")
            status = 0
        except SystemExit:  # the regular end of a child of this child
            raise
        except BaseException:
            traceback.print_exc()
        if regular:
            raise SystemExit(status)
        os._exit(status)

    def result(self) -> Any:
        """Give what the function gave, once the child has ended by itself with status 0."""
        line = self._line()
        gone = os.pidfd_open(self.pid)
        ended = bool(select.select([gone], [], [], LONGEST)[0])
        os.close(gone)
        if not ended:
            os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        assert ended, f"child {self.pid} did not end, after it said {line!r}"
        assert status == 0, f"child {self.pid} ended with status {status}, after it said {line!r}"
        return json.loads(line)

    def _line(self) -> bytes:
        line = b""
        deadline = time.monotonic() + LONGEST
        while not line.endswith(b"\n"):
            left = max(0, deadline - time.monotonic())
            if not select.select([self._said], [], [], left)[0]:
                break
            more = os.read(self._said, 65536)
            if not more:
                break
            line += more
        os.close(self._said)
        return line


def each(way: str, count: int, function: Callable[..., Any], *arguments: Any) -> list[Any]:
    """Run a function in that many children at once; give what it gave in each."""
    if way == "fork":
        children = [Child(function, *arguments) for _ in range(count)]
        return [child.result() for child in children]
    context = multiprocessing.get_context("fork")
    if way == "process":
        pipes = [context.Pipe(duplex=False) for _ in range(count)]
        processes = [context.Process(target=_tell, args=(pipe, function, *arguments)) for _, pipe in pipes]
        for process in processes:
            process.start()
        assert all(said.poll(LONGEST) for said, _ in pipes), "a process said nothing"
        results = [said.recv() for said, _ in pipes]
        for process in processes:
            process.join(LONGEST)
        assert [process.exitcode for process in processes] == [0] * count
        return results
    if way == "pool":
        pool = context.Pool(count)
        results = pool.starmap_async(function, [arguments] * count, chunksize=1).get(LONGEST)
        pool.close()
        pool.join()
        return results
    with ProcessPoolExecutor(count, mp_context=context) as executor:
        return [future.result(LONGEST) for future in [executor.submit(function, *arguments) for _ in range(count)]]


def _tell(pipe: Any, function: Callable[..., Any], *arguments: Any) -> None:
    pipe.send(function(*arguments))
