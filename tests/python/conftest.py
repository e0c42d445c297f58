"""What all tests have: dist/, an emulator of their own, and an environment without anybody's settings."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from connect_proxy import ConnectProxy
    from oidc_entra import OidcEntra

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "dist"
WORK = ROOT / ".work"
AZCRED = DIST / "bin" / "azcred"
NODE_MODULES = WORK / "node" / "node_modules"
PATIENCE = 60
"""How long anything may take, in seconds."""

STORAGE = "https://storage.azure.com/.default"
ARC_TOKENS = "/var/opt/azcmagent/tokens"
"""The one folder in which Azure Arc's clients look for its challenges."""


# Whoever runs the tests in the background may have these ignored, and programs inherit that.
for _ignored in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(_ignored) == signal.SIG_IGN:
        signal.signal(_ignored, signal.default_int_handler if _ignored == signal.SIGINT else signal.SIG_DFL)


@dataclass
class Emulator:
    """A running `azcred emulator`."""

    ready: dict[str, str]

    def __getitem__(self, name: str) -> str:
        """Give a value of the ready line."""
        return self.ready[name]

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Speak to the admin path."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(self.ready["admin"] + path, data, headers, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            return json.load(answer)

    def clear(self) -> None:
        """Forget requests and faults."""
        self.call("DELETE", "/requests")
        self.call("DELETE", "/faults")

    def fault(self, **fault: Any) -> None:
        """Inject a fault."""
        self.call("POST", "/faults", fault)

    def requests(self) -> list[dict[str, Any]]:
        """Give the log."""
        return self.call("GET", "/requests")["requests"]  # type: ignore[no-any-return]

    def tokens(self) -> int:
        """Count the tokens given out."""
        return self.call("GET", "/counters")["tokens_issued"]  # type: ignore[no-any-return]

    def app_service(self) -> dict[str, str]:
        """Give the variables of an App Service worker."""
        return {"IDENTITY_ENDPOINT": self["identity_endpoint"], "IDENTITY_HEADER": self["identity_header"]}

    def imds(self) -> dict[str, str]:
        """Give the variable of a host whose metadata service is elsewhere."""
        return {"AZURE_POD_IDENTITY_AUTHORITY_HOST": self["imds"]}

    def application(self) -> dict[str, str]:
        """Give the variables of an application, its authority's certificate included."""
        return {
            "AZURE_TENANT_ID": self["tenant_id"],
            "AZURE_CLIENT_ID": self["client_id"],
            "AZURE_CLIENT_SECRET": self["client_secret"],
            "AZURE_AUTHORITY_HOST": self["https"],
            "SSL_CERT_FILE": self["ca_file"],
            "REQUESTS_CA_BUNDLE": self["ca_file"],
        }


def plain() -> dict[str, str]:
    """Give an environment without anybody's Azure, proxy or certificate settings, and without their tokens."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"AZCRED_SHARING": "off"}


def run(
    command: list[Any],
    env: dict[str, str] | None = None,
    *,
    check: bool = True,
    cwd: Path | None = None,
    **options: Any,
) -> subprocess.CompletedProcess[str]:
    """Run a program in a plain environment to its end."""
    done = subprocess.run(
        [str(part) for part in command],
        env=plain() | (env or {}),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        cwd=cwd,
        **options,
    )
    if check and done.returncode != 0:
        pytest.fail(f"{command[0]} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def python(code: str, env: dict[str, str] | None = None, *arguments: str) -> Any:
    """Run Python code in a process of its own, with the installed wheel; give the JSON it prints last."""
    done = run([sys.executable, "-W", "error", "-c", code, *arguments], env)
    return json.loads(done.stdout.splitlines()[-1])


@contextlib.contextmanager
def started(folder: Path, config: str) -> Iterator[Emulator]:
    """Give an emulator of its own, with that configuration, which ends with the block."""
    folder.mkdir(exist_ok=True)
    file = folder / "emulator.toml"
    file.write_text(config)
    process = subprocess.Popen(
        [AZCRED, "emulator", "--dir", folder, "--config", file, "--with-stdin"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        # A server that does not come up ends the wait.
        timer = threading.Timer(PATIENCE, process.kill)
        timer.start()
        line = process.stdout.readline() if process.stdout else ""
        timer.cancel()
        assert line, "the emulator did not come up"
        yield Emulator(json.loads(line))
    finally:
        process.terminate()
        process.communicate(timeout=10)
    assert process.returncode == 0


@pytest.fixture(scope="session")
def _emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    # 200 callers at once are a test of ours; the limits of IMDS are tested where they matter.
    with started(
        tmp_path_factory.mktemp("emulator"), "[imds_limits]\nenabled = false\n[device_code]\ninterval = 1\n"
    ) as emulator:
        yield emulator


@pytest.fixture
def emulator(_emulator: Emulator) -> Emulator:
    """Give an emulator that has seen nothing yet."""
    _emulator.clear()
    return _emulator


@pytest.fixture
def app_service(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Make this process an App Service worker."""
    for name, value in emulator.app_service().items():
        monkeypatch.setenv(name, value)
    return emulator


@pytest.fixture
def connect_proxy(emulator: Emulator) -> Iterator[ConnectProxy]:
    """Give a proxy that leads the names of Entra ID to the emulator, and nothing anywhere else."""
    from connect_proxy import PRODUCTION, ConnectProxy

    address = ("127.0.0.1", urllib.parse.urlsplit(emulator["https"]).port or 0)
    with ConnectProxy(dict.fromkeys(PRODUCTION, address)) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def oidc_entra(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcEntra]:
    """Give an OAuth server that we did not write, at the paths of Entra ID."""
    from oidc_entra import set_up

    with set_up(tmp_path_factory.mktemp("oidc")) as server:
        yield server


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the settings of whoever runs the tests out of their environment."""
    for name in set(os.environ) - set(plain()):
        if not name.startswith(("PYTEST", "PYTHON", "VIRTUAL_ENV")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AZCRED_SHARING", "off")
