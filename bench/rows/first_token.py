"""From the start of a process to its first token."""

from __future__ import annotations

from line import Line
from places import BUILT, NODE, PYTHON, RUST, STORAGE
from program import Command
from stage import Stage

from rows.loading import over_bare

SETTINGS = "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"
ALONE = "disable_instance_discovery=True"
"""What the peers need to trust an authority on loopback."""

RUST_PEER = "azure_identity"


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
    lines[4].notes.append("azure_identity asks App Service's endpoint, since its address of IMDS is fixed")
    lines[5].notes.append(
        "the emulator's authority is the only root for azcred, azure-identity and azure_identity; Node adds it"
    )
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
