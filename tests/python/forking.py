"""A program that forks, by scenario; says how many tokens all of its processes had from the source.

It runs where `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` name an emulator, and `EMULATOR_ADMIN` its admin path. What is
not as promised ends it with a traceback.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import multiprocessing
import os
import select
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import azcred
import azcred.aio
from children import LONGEST, Child, each

MANY = 16
"""How many threads wait, or work, while their process forks."""

credential = azcred.ManagedIdentityCredential()


def scope(name: str) -> str:
    """Give the scope of a resource."""
    return f"https://{name}.example/.default"


def checked(token: azcred.AccessToken, name: str) -> str:
    """Give a token's text, if it is the answer to this question and not to another process's."""
    payload = json.loads(base64.urlsafe_b64decode(token.token.split(".")[1] + "=="))
    assert payload["aud"] == f"https://{name}.example", f"asked for {name}, got {payload['aud']}"
    return token.token


def ask(name: str) -> str:
    """Get a token, wherever it comes from."""
    return checked(credential.get_token(scope(name), timeout=LONGEST), name)


def ask_all(*names: str) -> list[str]:
    """Get a token for each name."""
    return [ask(name) for name in names]


def ask_holding(warmth: str, name: str) -> str:
    """Get a token in a process that holds the one for "warm" already."""
    assert ask("warm") == warmth, f"{os.getpid()} lost its parent's token"
    return ask(name)


def emulator(method: str, path: str, **body: object) -> dict[str, Any]:
    """Speak to the emulator's admin path."""
    data = json.dumps(body).encode() if body else None
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(os.environ["EMULATOR_ADMIN"] + path, data, headers, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        return dict(json.load(answer))


def hold(count: int = 1) -> None:
    """Have the source keep its next answers back."""
    emulator("POST", "/faults", endpoint="app_service", mode="hang", count=count)


def release() -> None:
    """Let the source give the answers that it has kept back."""
    emulator("DELETE", "/faults")


def await_requests(name: str, count: int) -> None:
    """Wait until the emulator has been asked for a resource that many times."""
    deadline = time.monotonic() + LONGEST
    while True:
        requests = emulator("GET", "/requests")["requests"]
        heard = sum(request["query"].get("resource") == f"https://{name}.example" for request in requests)
        if heard >= count:
            return
        assert time.monotonic() < deadline, f"{heard} requests for {name}, expected {count}"
        time.sleep(0.01)


class Waiters:
    """Threads that all wait for one resource."""

    def __init__(self, name: str, count: int = MANY, *, requests: int = 1) -> None:
        """Start them, and come back when the emulator has been asked."""
        self._texts: list[str] = []
        self._threads = [threading.Thread(target=self._wait, args=(name,), daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()
        await_requests(name, requests)

    def _wait(self, name: str) -> None:
        self._texts.append(ask(name))

    def are_waiting(self) -> bool:
        """Tell whether nobody has an answer yet."""
        return not self._texts and all(thread.is_alive() for thread in self._threads)

    def text(self) -> str:
        """Give the one answer that all of them get."""
        for thread in self._threads:
            thread.join(LONGEST)
        assert len(self._texts) == len(self._threads)
        (text,) = set(self._texts)
        return text


def before_first_use(way: str) -> list[str]:
    """Children, then the parent, are the first to ask."""
    texts = [text for texts in each(way, 4, ask_all, "first") for text in texts]
    return [*texts, ask("first")]


def warm(way: str) -> list[str]:
    """Children and grandchildren find what their parent holds."""
    mine = ask("warm")
    for texts in each(way, 4, _held_by_three_generations):
        assert texts == [mine] * 3
    return [mine]


def _held_by_three_generations() -> list[str]:
    return [ask("warm"), *Child(lambda: [ask("warm"), Child(ask, "warm").result()]).result()]


def fork_server() -> list[str]:
    """A process that is there to be forked gets a token as it starts; children hold it, and get their own."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["warm"])
    with context.Pool(3) as pool:
        results = [pool.apply_async(_preloaded, (f"own-{at}",)) for at in range(9)]
        texts = [result.get(LONGEST) for result in results]
        pool.close()
        pool.join()
    assert len({warmth for warmth, _ in texts}) == 1
    return [text for both in texts for text in both]


def _preloaded(name: str) -> tuple[str, str]:
    import warm

    return warm.TEXT, ask_holding(warm.TEXT, name)


def in_flight(way: str) -> list[str]:
    """Children ask for what their parent's threads wait for; each has a flight of its own."""
    hold()
    waiters = Waiters("slow")
    texts = [text for texts in each(way, 3, ask_all, "slow", "after") for text in texts]
    assert waiters.are_waiting()
    release()
    mine = waiters.text()
    assert mine not in texts
    assert ask("slow") == mine
    return [*texts, mine]


def regular_ends() -> list[str]:
    """Children whose interpreter ends while their parent's threads wait harm nobody."""
    hold()
    waiters = Waiters("slow")
    texts = [text for at in range(5) for text in Child(ask_all, "slow", f"own-{at}", regular=True).result()]
    assert waiters.are_waiting()
    release()
    return [*texts, waiters.text()]


def descend(level: int = 1, last: int = 4) -> list[str]:
    """Each generation forks the next while its own flight is under way, and none lands before the last one's."""
    if level == 1:
        hold(last)
    waiters = Waiters("slow", 4, requests=level)
    texts = Child(descend, level + 1, regular=True).result() if level < last else []
    if level == last:
        release()
    return [*texts, waiters.text()]


def generations() -> list[str]:
    """A long line of children, each forked by the one before, with a token of its own."""
    warmth = ask("warm")

    def generation(left: int) -> list[str]:
        texts = Child(generation, left - 1).result() if left else []
        return [*texts, ask_holding(warmth, f"generation-{left}")]

    return [warmth, *generation(30)]


def under_load(forks: str) -> list[str]:
    """Fork again and again while many threads and a loop get tokens, so that locks are held in that moment."""
    warmth = ask("warm")
    texts = [warmth]
    failures: list[BaseException] = []
    stop = threading.Event()

    def work(number: int) -> None:
        for turn in itertools.takewhile(lambda _: not stop.is_set(), itertools.count()):
            texts.append(ask_holding(warmth, f"work-{number}-{turn}"))

    async def work_in_a_loop() -> None:
        asynchronous = azcred.aio.ManagedIdentityCredential()
        for turn in itertools.takewhile(lambda _: not stop.is_set(), itertools.count()):
            names = [f"loop-{number}-{turn}" for number in range(8)]
            tokens = await asyncio.gather(*(asynchronous.get_token(scope(name)) for name in names))
            texts.extend(map(checked, tokens, names))

    def catching(function: Callable[..., object], *arguments: object) -> None:
        try:
            function(*arguments)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=catching, args=(work, number), daemon=True) for number in range(MANY)]
    threads.append(threading.Thread(target=catching, args=(lambda: asyncio.run(work_in_a_loop()),), daemon=True))
    for thread in threads:
        thread.start()
    for first in range(0, int(forks), 4):
        names = [f"own-{fork}" for fork in range(first, first + 4)]
        children = [Child(ask_holding, warmth, name, regular=name == names[0]) for name in names]
        texts += [child.result() for child in children]
    stop.set()
    for thread in threads:
        thread.join(LONGEST)
    assert not failures, failures
    assert not any(thread.is_alive() for thread in threads)
    return texts


def forking_threads() -> list[str]:
    """Several threads fork at once, each again and again."""
    warmth = ask("warm")
    texts = [warmth]

    def work(number: int) -> None:
        for turn in range(10):
            texts.append(Child(ask_holding, warmth, f"own-{number}-{turn}").result())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONGEST)
    assert len(texts) == 1 + 80
    return texts


def threads_of_a_child() -> list[str]:
    """The threads of a child share its flight."""
    warmth = ask("warm")
    hold()
    waiting = Child(lambda: Waiters("slow", 64).text())
    await_requests("slow", 1)
    release()
    return [warmth, waiting.result()]


def loops() -> list[str]:
    """A child has event loops of its own after its parent's have ended."""
    mine = asyncio.run(_gather("loop"))
    texts = Child(lambda: [asyncio.run(_gather("loop")), asyncio.run(_gather("loop-of-child"))], regular=True).result()
    assert texts[0] == mine
    return [mine, *texts, asyncio.run(_gather("loop-after"))]


def inside_a_loop() -> list[str]:
    """A coroutine forks while others of its loop wait; the child runs a loop of its own."""

    async def main() -> list[str]:
        hold()
        waiting = [asyncio.ensure_future(_gather("slow", 4)) for _ in range(8)]
        await asyncio.to_thread(await_requests, "slow", 1)
        child = Child(lambda: [asyncio.run(_gather("slow")), asyncio.run(_gather("after")), ask("blocking")])
        texts = await asyncio.to_thread(child.result)
        assert not any(task.done() for task in waiting)
        release()
        (mine,) = set(await asyncio.gather(*waiting))
        assert mine not in texts
        return [*texts, mine]

    return asyncio.run(main())


async def _gather(name: str, count: int = 50) -> str:
    async with azcred.aio.ManagedIdentityCredential() as asynchronous:
        tokens = await asyncio.gather(*(asynchronous.get_token(scope(name)) for _ in range(count)))
    (text,) = {checked(token, name) for token in tokens}
    return text


def orphan() -> list[str]:
    """A child outlives its parent, and speaks for both."""
    mine = ask("warm")
    parent = os.getpid()
    sys.stdout.flush()
    if os.fork():
        os._exit(0)
    if os.getppid() == parent:
        select.select([os.pidfd_open(parent)], [], [], LONGEST)
    assert ask("warm") == mine
    return [mine, ask("slow"), ask("after")]


def functions() -> list[str]:
    """An option that is a function forks on the thread it is called on; in a child it is called there."""
    assertion = Path(os.environ["FEDERATED"]).read_text()
    warmth = ask("warm")
    texts: list[str] = []
    callers: list[int] = []

    def func() -> str:
        texts.append(Child(ask_holding, warmth, f"function-{len(callers)}").result())
        callers.append(os.getpid())
        return assertion

    workload = azcred.ClientAssertionCredential(os.environ["TENANT"], os.environ["WORKLOAD"], func)

    def child() -> list[str]:
        own = checked(workload.get_token(scope("assertion-of-child"), timeout=LONGEST), "assertion-of-child")
        assert callers[-1] == os.getpid()
        return [own, *texts[1:]]

    mine = checked(workload.get_token(scope("assertion"), timeout=LONGEST), "assertion")
    assert callers == [os.getpid()]
    theirs = Child(child, regular=True).result()
    return [warmth, mine, *texts, *theirs]


def nothing_left() -> list[str]:
    """Forking leaves no thread and no descriptor behind in the parent."""
    warmth = ask("warm")
    texts = [warmth]

    def here() -> tuple[int, int]:
        return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))

    before = here()
    for at in range(50):
        texts.append(Child(ask_holding, warmth, f"own-{at}").result())
    assert here() == before
    return texts


def connections() -> list[str]:
    """Ask in turn in parent and children: whose connection each question takes is for the test to see."""
    texts = [ask("parent-1"), *Child(ask_all, "child-1", "child-2", regular=True).result(), ask("parent-2")]
    hold()
    waiters = Waiters("parent-3")
    texts += Child(ask_all, "child-3", "child-4").result()
    assert waiters.are_waiting()
    release()
    return [*texts, waiters.text(), ask("parent-4")]


def tls_connections() -> list[str]:
    """The same over TLS, where a child that ended a connection of its parent's would end the session on it."""
    application = azcred.EnvironmentCredential()

    def get(*names: str) -> list[str]:
        return [checked(application.get_token(scope(name), timeout=LONGEST), name) for name in names]

    return [*get("parent-1"), *Child(get, "child-1", "child-2", regular=True).result(), *get("parent-2")]


SCENARIOS = (
    before_first_use,
    warm,
    fork_server,
    in_flight,
    regular_ends,
    descend,
    generations,
    under_load,
    forking_threads,
    threads_of_a_child,
    loops,
    inside_a_loop,
    orphan,
    functions,
    nothing_left,
    connections,
    tls_connections,
)

if __name__ == "__main__":
    scenario = {function.__name__: function for function in SCENARIOS}[sys.argv[1]]
    print(len(set(scenario(*sys.argv[2:]))))
