"""`azcred emulator`, the server of all measurements."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from places import AZCRED
from program import PATIENCE, plain

# Many callers at once are what is measured; the peers run into the limits of IMDS otherwise.
UNLIMITED = "[imds_limits]\nenabled = false\n"


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
        """Forget requests and faults; what hangs is let go."""
        self.call("DELETE", "/faults")
        self.call("DELETE", "/requests")

    def fault(self, **fault: Any) -> None:
        """Inject a fault."""
        self.call("POST", "/faults", fault)

    def managed_token(self) -> dict[str, str]:
        """Get what App Service answers for storage."""
        query = urllib.parse.urlencode({"resource": "https://storage.azure.com", "api-version": "2019-08-01"})
        headers = {"X-IDENTITY-HEADER": self["identity_header"]}
        request = urllib.request.Request(f"{self['identity_endpoint']}?{query}", headers=headers)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            token: dict[str, str] = json.load(answer)
        return token

    def asked(self, endpoint: str) -> int:
        """Count the requests to an endpoint."""
        counters = self.call("GET", "/counters")
        return int(counters["by_endpoint"].get(endpoint, {}).get("requests", 0))

    def app_service(self) -> dict[str, str]:
        """Give the variables of an App Service worker."""
        return {"IDENTITY_ENDPOINT": self["identity_endpoint"], "IDENTITY_HEADER": self["identity_header"]}

    def imds(self) -> dict[str, str]:
        """Give the variable of a host whose metadata service is elsewhere."""
        return {"AZURE_POD_IDENTITY_AUTHORITY_HOST": self["imds"]}

    def application(self) -> dict[str, str]:
        """Give the variables of an application, its authority's certificate included, as each library wants it."""
        return {
            "AZURE_TENANT_ID": self["tenant_id"],
            "AZURE_CLIENT_ID": self["client_id"],
            "AZURE_CLIENT_SECRET": self["client_secret"],
            "AZURE_AUTHORITY_HOST": self["https"],
            "SSL_CERT_FILE": self["ca_file"],
            "REQUESTS_CA_BUNDLE": self["ca_file"],
            "NODE_EXTRA_CA_CERTS": self["ca_file"],
        }

    def env(self, kind: str) -> dict[str, str]:
        """Give the variables with which that kind of credential gets tokens here."""
        return self.application() if kind == "client_secret" else self.app_service()


@contextlib.contextmanager
def started(config: str = UNLIMITED) -> Iterator[Emulator]:
    """Give an emulator with that configuration, which ends with the block."""
    with tempfile.TemporaryDirectory(prefix="azcred-bench-") as folder:
        file = Path(folder) / "emulator.toml"
        file.write_text(config)
        process = subprocess.Popen(
            [AZCRED, "emulator", "--dir", folder, "--config", file, "--with-stdin"],
            env=plain(),
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
            if not line:
                raise RuntimeError("the emulator did not come up")
            yield Emulator(json.loads(line))
        finally:
            process.terminate()
            process.wait(10)
