"""From the start of a process to its first token."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from line import Line
from places import BUILT, NODE, NODE_FOLDER, PYTHON, RUST, STORAGE
from program import Command, ProgramError, run
from stage import Stage

from rows.loading import over_bare

SETTINGS = "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"
ALONE = "disable_instance_discovery=True"
"""What the peers need to trust an authority on loopback."""

RUST_PEER = "azure_identity"
COLD = "azcred without a store"


def of_a_process(stage: Stage) -> list[Line]:
    """Give the time to a token of IMDS, and to one for a client secret over TLS."""
    imds, application = stage.emulator.imds(), stage.emulator.application()
    lines = []
    for door, bare, managed, secret in (
        (
            "python",
            [PYTHON, "-c", "pass"],
            {"azcred": _python("azcred"), "azure-identity": _python("azure.identity")},
            {"azcred": _python_secret("azcred", ""), "azure-identity": _python_secret("azure.identity", ALONE)},
        ),
        (
            "node",
            [NODE, "-e", "0"],
            {name: _node(name) for name in ("azcred", "@azure/identity")},
            {name: _node_secret(name) for name in ("azcred", "@azure/identity")},
        ),
    ):
        lines.append(_line(door, over_bare(bare, managed, dict.fromkeys(managed, imds))))
        lines.append(_line(f"{door}-tls", over_bare(bare, secret, dict.fromkeys(secret, application))))
    # azure_identity's address of IMDS is fixed; it asks App Service's endpoint by the same code.
    peer_env = {"c": stage.emulator.app_service(), "c-tls": application}
    for line, name, kind, env in (
        ("c", "ManagedIdentityCredential", "managed_identity", imds),
        ("c-tls", "ClientSecretCredential", "client_secret", application),
    ):
        found = over_bare([BUILT / "nothing"], {"azcred": [BUILT / "first", name]}, {"azcred": env})
        peer = {RUST_PEER: [RUST / "peer", "first", kind]}
        found |= over_bare([RUST / "peer", "nothing"], peer, {RUST_PEER: peer_env[line]})
        lines.append(_line(line, found))
    lines.extend(_warm(stage))
    lines[4].notes.append("azure_identity asks App Service's endpoint, since its address of IMDS is fixed")
    lines[5].notes.append(
        "the emulator's authority is the only root for azcred, azure-identity and azure_identity; Node adds it"
    )
    return lines


def _warm(stage: Stage) -> list[Line]:
    """Give the time to a token that another process left in the store, beside the one without a store."""
    folder = Path(f"/dev/shm/azcred-bench-{os.getpid()}")  # noqa: S108  # azcred makes it, or refuses it
    imds = stage.emulator.imds()
    shared = imds | {"AZCRED_SHARING": str(folder)}
    lines = []
    try:
        for door, bare, command in (
            ("python", [PYTHON, "-c", "pass"], _python("azcred")),
            ("node", [NODE, "-e", "0"], _node("azcred")),
            ("c", [BUILT / "nothing"], [BUILT / "first", "ManagedIdentityCredential"]),
        ):
            run(command, shared, cwd=NODE_FOLDER)
            asked = stage.emulator.asked("imds")
            run(command, shared, cwd=NODE_FOLDER)
            if stage.emulator.asked("imds") != asked:
                raise ProgramError(f"{door}: a warm store is not used")
            found = over_bare(bare, {"azcred": command, COLD: command}, {"azcred": shared, COLD: imds})
            lines.append(Line(f"first-token/{door}-warm", found["azcred"], peers={COLD: found[COLD]}))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return lines


def _python(module: str) -> Command:
    code = f"from {module} import ManagedIdentityCredential as C; C().get_token({STORAGE!r})"
    return [PYTHON, "-c", code]


def _python_secret(module: str, options: str) -> Command:
    code = f"import os; from {module} import ClientSecretCredential as C; "
    code += f"C(*(os.environ[name] for name in {SETTINGS!r}), {options}).get_token({STORAGE!r})"
    return [PYTHON, "-c", code]


def _node(package: str) -> Command:
    code = f"new (require({package!r}).ManagedIdentityCredential)().getToken({STORAGE!r})"
    return [NODE, "-e", code + _NODE_FAILS]


def _node_secret(package: str) -> Command:
    words = ", ".join(f"process.env.{name}" for name in SETTINGS)
    options = "{}" if package == "azcred" else "{ disableInstanceDiscovery: true }"
    code = f"new (require({package!r}).ClientSecretCredential)({words}, {options}).getToken({STORAGE!r})"
    return [NODE, "-e", code + _NODE_FAILS]


_NODE_FAILS = ".then((token) => { if (!token) process.exitCode = 1; })"


def _line(door: str, found: dict[str, float]) -> Line:
    return Line(f"first-token/{door}", found["azcred"], peers={name: found[name] for name in found if name != "azcred"})
