"""The default chain where nothing is configured and nobody is the metadata service."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from line import Line
from network import NETWORKS, within
from program import ask
from rounds import Answer, in_turn
from stage import Contestant, Stage, node, python

IN_PYTHON = "azure-identity"
IN_NODE = "@azure/identity"
PEERS = {"python": IN_PYTHON, "node": IN_NODE}


def saying_no(_stage: Stage) -> list[Line]:
    """Give the time of the first no and of the second, in each network."""
    with tempfile.TemporaryDirectory() as home:
        own = in_turn(
            {f"{door}/{network}": _contestant(door, "azcred", network, home) for door in PEERS for network in NETWORKS}
        )
        # The peers wait most of the time: all of them at once, and one round.
        peers = {
            f"{door}/{network}": _contestant(door, peer, network, home)
            for door, peer in PEERS.items()
            for network in NETWORKS
        }
        with ThreadPoolExecutor(len(peers)) as pool:
            theirs: dict[str, Answer] = dict(
                zip(peers, pool.map(lambda contestant: contestant(), peers.values()), strict=True)
            )
    lines = []
    for which in ("first", "second"):
        for case, found in own.items():
            line = Line(f"default-chain/{case}/{which}", found[which])
            if which in theirs[case]:
                line.peers[PEERS[case.partition("/")[0]]] = theirs[case][which]
            lines.append(line)
    return lines


def _contestant(door: str, library: str, network: str, home: str) -> Contestant:
    program = (python if door == "python" else node)("default_chain")
    return partial(ask, within(network, [*program, library]), {"HOME": home})
