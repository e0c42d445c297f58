"""Cached calls at the Node door."""

from __future__ import annotations

from line import Line
from rounds import seconds
from stage import Stage

KINDS = {"managed_identity": "managed identity", "default_chain": "default chain", "client_secret": "client secret"}
FLOOR = "floor/resolved"
PEERS = {
    **{f"@azure/identity/{kind}": f"@azure/identity ({name})" for kind, name in KINDS.items()},
    "google-auth-library/oauth2": "google-auth-library",
    "@aws-sdk/credential-providers/chain": "aws-sdk",
}


def awaited(stage: Stage) -> list[Line]:
    """Give the time of awaiting a call."""
    own = [f"azcred/{kind}" for kind in KINDS]
    found = seconds({name: stage.node("cached", name) for name in (FLOOR, *own, *PEERS)})
    line = Line("node", found["azcred/managed_identity"], floor=found[FLOOR])
    line.peers = {shown: found[name] for name, shown in PEERS.items()}
    shown = (f"{KINDS[kind]} {found[f'azcred/{kind}'] * 1e9:.0f} ns" for kind in KINDS)
    line.notes.append("azcred by credential: " + ", ".join(shown))
    return [line]
