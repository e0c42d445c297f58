"""The default chain: what its options mean for its members, and which member answers from then on."""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from comparison import FAILED, UNAVAILABLE, Case, Peer, Variables, members
from stagehand import environment

ONLY_BROWSER = {
    "exclude_interactive_browser_credential": False,
    "exclude_managed_identity_credential": True,
    "exclude_cli_credential": True,
    "exclude_powershell_credential": True,
    "exclude_developer_cli_credential": True,
}
NO_TOOLS = {"PATH": "/nowhere"}
"""For programs of developers' tools that the machine under test may have."""


def chain(peer: Peer, **options: Any) -> Any:
    """Make the chain."""
    return peer.sdk.DefaultAzureCredential(disable_instance_discovery=True, **options)


def by_browser(*of_ready: str, **options: Any) -> Callable[[Peer], Any]:
    """Sign in with the browser, with options whose values are the emulator's."""

    def act(peer: Peer) -> Any:
        named = {
            f"interactive_browser_{name}": peer.ready[value] for name, value in (one.split("=") for one in of_ready)
        }
        return peer.ask(chain(peer, **(ONLY_BROWSER | named | options)))

    return act


def at_the_emulator(**variables: str) -> Callable[[Peer], Variables]:
    """Give the variable of the authority, and others."""
    return lambda peer: {"AZURE_AUTHORITY_HOST": peer.ready["https"]} | NO_TOOLS | variables


def in_a_pod(**variables: str) -> Callable[[Peer], Variables]:
    """Give a pod's variables, and others."""
    return lambda peer: peer.hand.workload() | NO_TOOLS | variables


def pod(*of_ready: str, **options: Any) -> Callable[[Peer], Any]:
    """Ask in a pod, with options whose values are the emulator's."""

    def act(peer: Peer) -> Any:
        named = {name: peer.ready[value] for name, value in (one.split("=") for one in of_ready)}
        return peer.ask(chain(peer, **(named | options)))

    return act


@contextlib.contextmanager
def a_login(peer: Peer) -> Iterator[None]:
    """Have an Azure CLI on the path whose login gives a token of the emulator's."""
    token = peer.ask(peer.secret(**peer.own), peer.other_scope)
    said = {"accessToken": token.token, "expires_on": int(time.time()) + 3600, "tokenType": "Bearer"}
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "az"
        program.write_text(f"#!/bin/sh\nprintf '%s' '{json.dumps(said)}'\n")
        program.chmod(0o755)
        with environment({"PATH": f"{folder}:/bin:/usr/bin"}):
            yield


def third(peer: Peer) -> str:
    """Give one more scope of this case alone."""
    return peer.scope.replace("case", "third")


def sticky(peer: Peer) -> Any:
    """Ask for two resources. The managed identity that is unknown is asked for the first only."""
    with a_login(peer):
        credential = chain(peer, managed_identity_client_id=peer.hand.nobody, exclude_environment_credential=True)
        first = peer.ask(credential)
        return [first.token == peer.ask(credential, third(peer)).token]


def lost(peer: Peer) -> Any:
    """Ask for two resources. The login that could answer in the winner's place does not."""
    with a_login(peer):
        credential = chain(peer)
        peer.ask(credential)
        peer.hand.admin("/faults", {"endpoint": "app_service", "status": 400, "count": 9})
        return peer.ask(credential, third(peer))


def chosen(peer: Peer) -> Any:
    """Give the members of a chain that nobody is in, with the browser brought in by name."""
    try:
        return peer.ask(chain(peer, **(ONLY_BROWSER | {"exclude_interactive_browser_credential": True})))
    except Exception as error:
        return members(error)


ONLY_SYNC: dict[str, Any] = {"aio": False}
"""azure-identity has no browser in its other half."""
OURS_ALONE = "the option is for all members that ask an authority; theirs gives it to two of them"

CASES = [
    Case(
        "default chain: browser",
        by_browser("client_id=public_client_id", "tenant_id=tenant_id"),
        env=at_the_emulator(),
        **ONLY_SYNC,
    ),
    Case(
        "default chain: browser, the tenant of the environment",
        by_browser("client_id=public_client_id"),
        env=lambda peer: at_the_emulator(AZURE_TENANT_ID=peer.ready["tenant_id"])(peer),
        **ONLY_SYNC,
    ),
    Case(
        "default chain: browser, the tools' own application",
        by_browser("tenant_id=tenant_id"),
        env=at_the_emulator(),
        **ONLY_SYNC,
    ),
    Case(
        "default chain: browser alone",
        lambda peer: peer.ask(chain(peer, interactive_browser_client_id=peer.ready["public_client_id"])),
        env=lambda peer: at_the_emulator(
            AZURE_TENANT_ID=peer.ready["tenant_id"], AZURE_TOKEN_CREDENTIALS="InteractiveBrowserCredential"
        )(peer),
        **ONLY_SYNC,
    ),
    Case(
        "default chain: the browser's tenant",
        lambda peer: peer.ask(
            chain(
                peer,
                interactive_browser_client_id=peer.ready["public_client_id"],
                interactive_browser_tenant_id=peer.ready["tenant_id"],
            )
        ),
        env=at_the_emulator(AZURE_TENANT_ID="bogus.example", AZURE_TOKEN_CREDENTIALS="InteractiveBrowserCredential"),
        **ONLY_SYNC,
    ),
    Case("default chain: no browser", chosen, env=at_the_emulator()),
    Case(
        "default chain: a workload's identity and tenant",
        pod("workload_identity_client_id=workload_client_id", "workload_identity_tenant_id=tenant_id"),
        env=in_a_pod(AZURE_CLIENT_ID="bogus", AZURE_TENANT_ID="bogus.example"),
    ),
    Case(
        "default chain: a workload's identity is the managed one's",
        pod("managed_identity_client_id=workload_client_id"),
        env=in_a_pod(AZURE_CLIENT_ID="bogus"),
    ),
    Case(
        "default chain: an authority, and a workload",
        pod("authority=https", exclude_managed_identity_credential=True, exclude_environment_credential=True),
        env=in_a_pod(AZURE_AUTHORITY_HOST="https://localhost:1"),
        theirs=FAILED,
        their_cause="",
        only_ours=("jwt-bearer",),
        why=OURS_ALONE,
    ),
    Case(
        "default chain: who answered stays",
        sticky,
        env=lambda peer: peer.hand.hosts()["IMDS"].env,
    ),
    Case(
        "default chain: who answered refuses, and stays",
        lost,
        FAILED,
        "emulated_fault",
        env=lambda peer: peer.hand.hosts()["App Service"].env,
        theirs=UNAVAILABLE,
        their_cause="invalid_scope",
        why="the environment names the endpoint as ours: its refusal is final",
    ),
]
