"""Cached calls when the cache holds many scopes."""

from __future__ import annotations

import json
from collections.abc import Mapping

from line import Line, shown
from rounds import in_turn
from stage import Contestant, Stage

from emulator import Emulator

MANY = 10_000
FEW = 500
"""So many for the peers, since the time that filling takes them grows with the square."""

AZCRED = "azcred/managed_identity"
PEERS = {
    "azure-identity/managed_identity": "azure-identity (managed identity)",
    "azure-identity/client_secret": "azure-identity (client secret)",
    "@azure/identity/managed_identity": "@azure/identity (managed identity)",
    "@azure/identity/client_secret": "@azure/identity (client secret)",
}
IN_PYTHON = {name: FEW for name in PEERS if name.startswith("azure-identity")}
IN_NODE = {name: FEW for name in PEERS if name.startswith("@azure/identity")}
ROUNDS = 3


def in_the_cache(stage: Stage) -> list[Line]:
    """Give the time of a call for one of many scopes."""
    _answer_at_once(stage.emulator)
    own = {AZCRED: MANY}
    doors: Mapping[str, Mapping[str, Contestant]] = {
        "python-sync": {name: stage.python("scopes", name, "sync", str(of)) for name, of in (own | IN_PYTHON).items()},
        "asyncio": {name: stage.python("scopes", name, "asyncio", str(of)) for name, of in (own | IN_PYTHON).items()},
        "node": {name: stage.node("scopes", name, str(of)) for name, of in (own | IN_NODE).items()},
        "c": {AZCRED: stage.c("scopes", str(MANY))},
    }
    return [_line(f"scopes/{door}", contestants) for door, contestants in doors.items()]


def _line(key: str, contestants: Mapping[str, Contestant]) -> Line:
    found = in_turn(contestants, ROUNDS)
    own = found[AZCRED]
    line = Line(key, own["many"], base=own["one"])
    for name, answer in found.items():
        if name != AZCRED:
            line.peers[f"{PEERS[name]}, {FEW:,} scopes"] = answer["many"]
            line.notes.append(f"{PEERS[name]}: {shown(answer['one'], 's')} with one scope")
    filling, turn = shown(own["filling"], "s"), shown(own["turn"], "s")
    line.notes.append(
        f"azcred: {turn} when all are asked for in turn; a scope more took {filling}, the server's part included"
    )
    return line


def _answer_at_once(emulator: Emulator) -> None:
    """Have every question answered with the same token: signing one for each would be most of the time."""
    managed = emulator.managed_token()
    application = {"token_type": "Bearer", "expires_in": 3599, "access_token": managed["access_token"]}
    emulator.fault(endpoint="app_service", status=200, body=json.dumps(managed), content_type="application/json")
    emulator.fault(endpoint="entra_token", status=200, body=json.dumps(application), content_type="application/json")
