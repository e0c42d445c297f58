"""Cached calls at the Python door: sync, from many threads, and awaited."""

from __future__ import annotations

from line import Line
from rounds import in_turn, seconds
from stage import Stage

KINDS = {"managed_identity": "managed identity", "default_chain": "default chain", "client_secret": "client secret"}
CALLS = ("scope", "keywords", "info", "info_cae")
FLOOR = "floor/extension"
AWSCRT = "awscrt/static"
PLAIN = "azcred/managed_identity"


def sync(stage: Stage) -> list[Line]:
    """Give the time of a call, in each way that clients make it."""
    peers = {f"azure-identity/{kind}": f"azure-identity ({name})" for kind, name in KINDS.items()}
    names = (FLOOR, AWSCRT, *(f"azcred/{kind}" for kind in KINDS), *peers)
    found = in_turn({name: stage.python("cached", name) for name in names})
    lines = []
    for call in CALLS:
        line = Line(f"python-sync/{call}", found[PLAIN][call], floor=found[FLOOR]["scope"])
        line.peers = {shown: found[name][call] for name, shown in peers.items()} | {"awscrt": found[AWSCRT]["scope"]}
        line.notes.append(_others({kind: found[f"azcred/{kind}"][call] for kind in KINDS}))
        lines.append(line)
    return lines


def threads(stage: Stage) -> list[Line]:
    """Give the 99th percentile of the calls of 64 threads."""
    names = {PLAIN: "", "azure-identity/managed_identity": "azure-identity", AWSCRT: "awscrt", FLOOR: ""}
    found = seconds({name: stage.python("threads", name) for name in names}, 3)
    peers = {shown: found[name] for name, shown in names.items() if shown}
    return [Line("python-threads", found[PLAIN], peers=peers, floor=found[FLOOR])]


def awaited(stage: Stage) -> list[Line]:
    """Give the time of awaiting a call."""
    peers = {f"azure-identity/{kind}": f"azure-identity ({name})" for kind, name in KINDS.items()}
    floor = "floor/coroutine"
    found = seconds(
        {name: stage.python("awaited", name) for name in (floor, *(f"azcred/{kind}" for kind in KINDS), *peers)}
    )
    line = Line("python-asyncio", found[PLAIN], floor=found[floor])
    line.peers = {shown: found[name] for name, shown in peers.items()}
    line.notes.append(_others({kind: found[f"azcred/{kind}"] for kind in KINDS}))
    return [line]


def _others(found: dict[str, float]) -> str:
    shown = (f"{KINDS[kind]} {value * 1e9:.0f} ns" for kind, value in found.items())
    return "azcred by credential: " + ", ".join(shown)
