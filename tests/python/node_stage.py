"""Where both Node packages go through the cases: an emulator of each one's own, the same but for its ports and keys."""

from __future__ import annotations

import contextlib
import json
import sys
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conftest import ARC_TOKENS, Emulator, started
from connect_proxy import PRODUCTION, ConnectProxy
from cryptography import x509
from cryptography.hazmat.primitives import serialization

PRIVATE = "sts.contoso.example"
"""An authority that Entra ID does not know, and that only the proxy leads to."""

NATIONAL = ("login.microsoftonline.us", "login.chinacloudapi.cn", "login.partner.microsoftonline.cn")
REGIONAL = ("westeurope.login.microsoft.com", "westus2.login.microsoft.com", f"westeurope.{PRIVATE}")

TENANT = "11111111-1111-1111-1111-111111111111"
OTHER_TENANT = "11111111-1111-1111-1111-111111111112"

CONFIG = f"""
arc_token_dir = "{ARC_TOKENS}"
tls_names = ["{PRIVATE}", "*.{PRIVATE}"]
[imds_limits]
enabled = false
[device_code]
interval = 1
[[tenants]]
id = "{TENANT}"
domains = ["contoso.example"]
[[tenants]]
id = "{OTHER_TENANT}"
domains = ["fabrikam.example"]
[[apps]]
client_id = "22222222-2222-2222-2222-222222222222"
secrets = ["emulator-client-secret"]
multi_tenant = true
redirect_uris = ["http://localhost"]
[[apps]]
client_id = "22222222-2222-2222-2222-222222222223"
public = true
[[apps]]
client_id = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
public = true
"""


@dataclass
class Stage:
    """An emulator, a proxy to it, and files."""

    emulator: Emulator
    proxy: ConnectProxy
    folder: Path

    def __getitem__(self, name: str) -> str:
        """Give a value of the emulator's ready line."""
        return self.emulator[name]

    def user_token(self, **wish: Any) -> str:
        """Give the token of a user who calls the application."""
        said = {"username": self["username"], "client_id": self["client_id"]} | wish
        return self.emulator.call("POST", "/user-token", said)["access_token"]  # type: ignore[no-any-return]

    def env(self) -> dict[str, str]:
        """Give the variables that a program has from its start: whom it trusts, and a browser."""
        trusted = self["ca_file"]
        return {
            "SSL_CERT_FILE": trusted,
            "NODE_EXTRA_CA_CERTS": trusted,
            "BROWSER_CA_FILE": trusted,
            # azcred asks BROWSER; @azure/identity has the desktop's opener, found by PATH.
            "BROWSER": str(self.folder / "xdg-open"),
            "HOME": str(self.folder),
            # Loopback stays out of it.
            **self.proxy.env(),
        }


def encrypted(certificate_file: str, password: str) -> bytes:
    """Give the PEM of a file with its key encrypted."""
    pem = Path(certificate_file).read_bytes()
    key = serialization.load_pem_private_key(pem, None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password.encode()),
    )
    chain = x509.load_pem_x509_certificates(pem)
    return locked + b"".join(one.public_bytes(serialization.Encoding.PEM) for one in chain)


@contextlib.contextmanager
def set_up(folder: Path) -> Iterator[Stage]:
    """Start everything; it ends with the block."""
    with started(folder, CONFIG) as emulator:
        address = ("127.0.0.1", urllib.parse.urlsplit(emulator["https"]).port or 0)
        names = (*PRODUCTION, *NATIONAL, *REGIONAL, PRIVATE)
        with ConnectProxy(dict.fromkeys(names, address)) as proxy:
            (folder / "encrypted.pem").write_bytes(encrypted(emulator["certificate_file"], "password"))
            (folder / "empty.jwt").write_text("")
            expired = emulator.call("POST", "/federated-token", {"lifetime": -600})["token"]
            (folder / "expired.jwt").write_text(expired)
            emulator.call("POST", "/federated-token", {})
            opener = folder / "xdg-open"
            program = Path(__file__).with_name("scripted_browser.py")
            opener.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{program}" "$@"\n')
            opener.chmod(0o755)
            yield Stage(emulator, proxy, folder)


def written(stage: Stage, cases: list[dict[str, Any]]) -> Path:
    """Write down what the program goes through."""
    file = stage.folder / "stage.json"
    file.write_text(json.dumps({"ready": stage.emulator.ready, "cases": cases}))
    return file
