"""The unmodified SDKs and azcred go through every flow of the emulator: each gets the right token or refusal.

Each peer goes through all of its flows in one process; `flows.py` says what must come of them.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import NODE_MODULES, ROOT, run
from flows import AZCRED, FLOWS, MODULES, MSAL, NODE, OURS_NODE, PEERS, Flow
from scene import Scene, set_up
from tokens import verified

HERE = Path(__file__).parent
USER = "66666666-6666-6666-6666-666666666661"
SYSTEM = ("33333333-3333-3333-3333-333333333330", "44444444-4444-4444-4444-444444444440")
ASSIGNED = ("33333333-3333-3333-3333-333333333331", "44444444-4444-4444-4444-444444444441")


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Give what all peers find."""
    with set_up(tmp_path_factory.mktemp("scene")) as scene:
        shutil.copy(ROOT / "tests/node/azure_identity_flows.mjs", scene.folder)
        (scene.folder / "node_modules").symlink_to(NODE_MODULES)
        yield scene


class Runs:
    """What came of each peer's flows; a peer runs when it is first asked for."""

    def __init__(self, scene: Scene) -> None:
        """Take the scene."""
        self.scene = scene
        self.outcomes: dict[str, dict[str, dict[str, str]]] = {}
        self.requests: dict[str, list[dict[str, Any]]] = {}

    def of(self, peer: str) -> dict[str, dict[str, str]]:
        """Give the outcomes of that peer by flow."""
        if peer not in self.outcomes:
            commands = {
                name: [sys.executable, HERE / "azure_identity_flows.py", module] for name, module in MODULES.items()
            } | {
                NODE: ["node", self.scene.folder / "azure_identity_flows.mjs"],
                OURS_NODE: ["node", self.scene.folder / "azure_identity_flows.mjs"],
                MSAL: [sys.executable, HERE / "msal_flows.py"],
            }
            # That program knows @azure/identity, and all packages with its names.
            packages = {OURS_NODE: ["azcred"]}
            # azcred reads its proxies once.
            proxies = self.scene.proxy.env() if peer in AZCRED else {}
            self.scene.emulator.clear()
            path = {"PATH": f"{self.scene.folder}:{os.environ['PATH']}"}
            env = self.scene.env() | proxies | path
            command = [*commands[peer], self.scene.file, *packages.get(peer, [])]
            done = run(command, env, cwd=self.scene.folder)
            told = [json.loads(line) for line in done.stdout.splitlines()]
            self.requests[peer] = self.scene.emulator.requests()
            self.outcomes[peer] = {one["flow"]: one for one in told}
        return self.outcomes[peer]


@pytest.fixture(scope="module")
def runs(scene: Scene) -> Runs:
    """Give what came of it all."""
    return Runs(scene)


def known(peer: str) -> list[Flow]:
    """Give the flows that a peer has."""
    return [flow for flow in FLOWS if peer not in flow.lacks]


def check(scene: Scene, peer: str, flow: Flow, token: str) -> None:
    """Check a token of the flow: for whom, by which client, shown how."""
    emulator = scene.strict if flow.strict else scene.emulator
    claims = verified(emulator, token, flow.asked(peer))
    client = emulator[flow.client]
    appid, oid = {"app": (client, client), "user": (client, USER), "system": SYSTEM, "assigned": ASSIGNED}[flow.who]
    said = {"tid": emulator["tenant_id"], "appid": appid, "oid": oid, "appidacr": flow.proof}
    if flow.who == "user":
        said |= {"upn": emulator["username"], "scp": "user_impersonation"}
    assert {name: claims.get(name) for name in said} == said
    # Python says CP1, Node cp1.
    capabilities = [name.lower() for name in claims.get("xms_cc", [])]
    assert flow.claims.get("xms_cc", capabilities) == capabilities


@pytest.mark.parametrize(
    ("peer", "flow"),
    [pytest.param(peer, flow, id=f"{peer}: {flow.name}") for peer in PEERS for flow in known(peer)],
)
def test_flow(runs: Runs, peer: str, flow: Flow) -> None:
    outcome = runs.of(peer)[flow.name]
    if refusal := flow.refused(peer):
        assert refusal in outcome.get("error", "a token")
    else:
        assert "error" not in outcome, outcome["error"]
        check(runs.scene, peer, flow, outcome["token"])
        if flow.endpoint:
            asked = [one["endpoint"] for one in runs.requests[peer] if flow.audience in str(one)]
            assert set(asked) == {flow.endpoint}


@pytest.mark.parametrize("peer", PEERS)
def test_no_flow_is_forgotten(runs: Runs, peer: str) -> None:
    assert set(runs.of(peer)) == {flow.name for flow in known(peer)}


@pytest.mark.parametrize("peer", PEERS)
def test_production_names_lead_to_the_emulator(runs: Runs, peer: str) -> None:
    """The SDKs' own authority is asked, and whether Entra ID knows it; nothing goes anywhere else."""
    runs.of(peer)
    asked = {one["endpoint"] for one in runs.requests[peer] if one["host"] == "login.microsoftonline.com"}
    assert "entra_token" in asked
    assert not runs.scene.proxy.refused
