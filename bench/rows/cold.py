"""1,000 callers at once who find no token, and a server that takes 50 ms."""

from __future__ import annotations

from collections.abc import Mapping

from line import Line
from rounds import Answer, in_turn
from stage import Contestant, Stage

LATENCY_MS = 50
AZCRED = "azcred/managed_identity"
PEERS = {
    "python-threads": "azure-identity/managed_identity",
    "asyncio": "azure-identity/managed_identity",
    "node": "@azure/identity/managed_identity",
    "c": "azure_identity",
}


def at_once(stage: Stage) -> list[Line]:
    """Give the requests that the server saw, and how long it was until the last caller had a token."""
    stage.emulator.fault(endpoint="app_service", latency_ms=LATENCY_MS)
    doors: Mapping[str, Mapping[str, Contestant]] = {
        "python-threads": {name: stage.python("cold", name, "threads") for name in _names("python-threads")},
        "asyncio": {name: stage.python("cold", name, "asyncio") for name in _names("asyncio")},
        "node": {name: stage.node("cold", name) for name in _names("node")},
        "c": {
            "floor": stage.c("cold", "floor"),
            AZCRED: stage.c("cold", "azcred"),
            "azure_identity": stage.peer("cold"),
        },
    }
    lines = []
    for door, contestants in doors.items():
        found = in_turn({name: _counting(stage, contestant) for name, contestant in contestants.items()}, 3)
        peer = PEERS[door]
        shown = peer.removesuffix("/managed_identity")
        for what, unit in (("requests", ""), ("seconds", "s")):
            line = Line(f"cold/{door}/{what}", found[AZCRED][what], unit=unit, peers={shown: found[peer][what]})
            line.floor = found["floor"]["seconds"] if unit else None
            lines.append(line)
    return lines


def _names(door: str) -> tuple[str, ...]:
    return ("floor", AZCRED, PEERS[door])


def _counting(stage: Stage, contestant: Contestant) -> Contestant:
    def ask() -> Answer:
        before = stage.emulator.asked("app_service")
        answer = contestant()
        return {**answer, "requests": stage.emulator.asked("app_service") - before}

    return ask
