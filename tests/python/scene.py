"""What the peers' programs find: emulators, a proxy, a browser, and things that are wrong in one way each."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import sys
import time
import urllib.parse
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from conftest import ARC_TOKENS, Emulator, started
from connect_proxy import PRODUCTION, ConnectProxy
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from stagehand import Stagehand

# Two answers of "pending", then the user approves by himself.
CONFIG = f"""
arc_token_dir = "{ARC_TOKENS}"
[imds_limits]
enabled = false
[device_code]
interval = 1
approve_after = 2
"""

# What is given out there is old soon, and good once.
STRICT = """
refuse_replayed_assertions = true
authorization_code_lifetime = 1
refresh_token_lifetime = 1
[imds_limits]
enabled = false
[device_code]
interval = 1
lifetime = 1
"""


@dataclass
class Scene:
    """Emulators, and the file that tells the programs about them."""

    emulator: Emulator
    strict: Emulator
    file: Path
    ca_file: Path
    proxy: ConnectProxy
    folder: Path

    def env(self) -> dict[str, str]:
        """Give the variables of a program that trusts the emulators and has a browser."""
        browser = str(self.folder / "xdg-open")
        return {
            "REQUESTS_CA_BUNDLE": str(self.ca_file),
            "SSL_CERT_FILE": str(self.ca_file),
            "NODE_EXTRA_CA_CERTS": str(self.ca_file),
            "BROWSER_CA_FILE": str(self.ca_file),
            # For Python's webbrowser, and for the desktop's opener that @azure/identity starts.
            "BROWSER": browser,
            "HOME": str(self.folder),
        }


def tampered(token: str) -> str:
    """Give the token with another signature."""
    head, _, signature = token.rpartition(".")
    return f"{head}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def by_certificate(emulator: Emulator, file: str, **claims: Any) -> str:
    """Give a client assertion signed with the key of a PEM file."""
    pem = Path(file).read_bytes()
    key = serialization.load_pem_private_key(pem, None)
    der = x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
    thumbprint = base64.urlsafe_b64encode(hashlib.sha1(der).digest()).rstrip(b"=").decode()  # noqa: S324
    now = int(time.time())
    said = {
        "aud": f"{emulator['https']}/{emulator['tenant_id']}/oauth2/v2.0/token",
        "iss": emulator["client_id"],
        "sub": emulator["client_id"],
        "jti": str(uuid.uuid4()),
        "nbf": now - 60,
        "exp": now + 600,
    }
    return jwt.encode(said | claims, key, "RS256", {"x5t": thumbprint})  # type: ignore[arg-type]


def client_assertions(emulator: Emulator, mismatched: Path) -> dict[str, str]:
    """Give client assertions, and some with a flaw."""
    own = emulator["certificate_file"]
    now = int(time.time())
    federated = emulator.call("POST", "/federated-token", {})["token"]
    audience = emulator.call("POST", "/federated-token", {"audience": "api://elsewhere"})["token"]
    expired = emulator.call("POST", "/federated-token", {"lifetime": -600})["token"]
    # The pod's file is as it was.
    emulator.call("POST", "/federated-token", {})
    return {
        "certificate": by_certificate(emulator, own),
        "signature": by_certificate(emulator, str(mismatched)),
        "audience": by_certificate(emulator, own, aud="https://elsewhere.example/oauth2/v2.0/token"),
        "expired": by_certificate(emulator, own, nbf=now - 7200, exp=now - 3600),
        "application": by_certificate(emulator, own, iss=str(uuid.uuid4())),
        "federated_signature": tampered(federated),
        "federated_audience": audience,
        "federated_expired": expired,
        "federated_issuer": by_certificate(emulator, own, iss="https://elsewhere.example/"),
        "no_token": "no token",
    }


def user_assertions(emulator: Emulator) -> dict[str, str]:
    """Give what a user's client sends to a service, and some with a flaw."""

    def token(**wish: Any) -> str:
        said = {"username": emulator["username"], "client_id": emulator["client_id"]} | wish
        return emulator.call("POST", "/user-token", said)["access_token"]  # type: ignore[no-any-return]

    return {
        "good": token(),
        "signature": tampered(token()),
        "audience": token(audience="api://elsewhere"),
        "expired": token(lifetime=-600),
        "mfa": token(username=emulator["mfa_username"]),
    }


def mismatch(certificate_file: str) -> bytes:
    """Give the certificate of a file with a key that is not its own."""
    certificate = x509.load_pem_x509_certificate(Path(certificate_file).read_bytes())
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


@contextlib.contextmanager
def set_up(folder: Path, config: str = CONFIG, names: Iterable[str] = PRODUCTION) -> Iterator[Scene]:
    """Start everything, and write it down; it ends with the block. The proxy leads the names to the first emulator."""
    (folder / "main").mkdir()
    (folder / "strict").mkdir()
    with contextlib.ExitStack() as stack:
        emulator = stack.enter_context(started(folder / "main", config))
        strict = stack.enter_context(started(folder / "strict", STRICT))
        address = ("127.0.0.1", urllib.parse.urlsplit(emulator["https"]).port or 0)
        proxy = stack.enter_context(ConnectProxy(dict.fromkeys(names, address)))
        ca_file = folder / "ca.pem"
        ca_file.write_text("".join(Path(one["ca_file"]).read_text() for one in (emulator, strict)))
        mismatched = folder / "mismatched.pem"
        mismatched.write_bytes(mismatch(emulator["certificate_file"]))
        assertions = client_assertions(emulator, mismatched)
        for name in ("federated_expired", "federated_audience"):
            (folder / name).write_text(assertions[name])
        opener = folder / "xdg-open"
        program = Path(__file__).with_name("scripted_browser.py")
        opener.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{program}" "$@"\n')
        opener.chmod(0o755)
        file = folder / "scene.json"
        told: dict[str, Any] = {
            "main": emulator.ready,
            "strict": strict.ready,
            "assigned": "33333333-3333-3333-3333-333333333331",
            "assertions": assertions,
            "user_assertions": user_assertions(emulator),
            "mismatched": str(mismatched),
            "federated_expired": str(folder / "federated_expired"),
            "federated_audience": str(folder / "federated_audience"),
            "proxy": proxy.env(),
        }
        told["hosts"] = [vars(host) | {"scope": host.scope} for host in Stagehand(told).hosts().values()]
        file.write_text(json.dumps(told))
        yield Scene(emulator, strict, file, ca_file, proxy, folder)
