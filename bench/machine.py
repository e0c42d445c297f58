"""The machine that was measured, and the versions on it."""

from __future__ import annotations

import json
import os
import platform
import re
from importlib import metadata
from pathlib import Path

from places import BENCH, NODE, NODE_FOLDER
from program import run

PYTHON_PEERS = ("azure-identity", "azure-core", "msal", "awscrt", "aiohttp")
NODE_PEERS = ("@azure/identity", "google-auth-library", "@aws-sdk/credential-providers")
RUST_PEERS = ("azure_identity", "azure_core")


def facts() -> dict[str, str]:
    """Give what a reader needs to judge the numbers."""
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "kernel": platform.release(),
        "Python": platform.python_version(),
        "Node": run([NODE, "--version"]).strip().removeprefix("v"),
        "rustc": run(["rustc", "--version"]).split()[1],
        "azcred": metadata.version("azcred"),
        "peers in Python": ", ".join(f"{name} {metadata.version(name)}" for name in PYTHON_PEERS),
        "peers in Node": ", ".join(f"{name} {_node_version(name)}" for name in NODE_PEERS),
        "peers in Rust": ", ".join(f"{name} {_rust_version(name)}" for name in RUST_PEERS),
    }


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _node_version(name: str) -> str:
    return str(json.loads((NODE_FOLDER / "node_modules" / name / "package.json").read_text())["version"])


def _rust_version(name: str) -> str:
    lock = (BENCH / "rust/Cargo.lock").read_text()
    found = re.search(rf'name = "{name}"\nversion = "([^"]+)"', lock)
    return found[1] if found else "?"
