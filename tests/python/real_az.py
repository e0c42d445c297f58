"""The real Azure CLI, signed in against the emulator, and azcred's and azure-identity's credential that asks it.

Not among the tests that run by themselves, because the CLI is large: `make test-az`.
"""

from __future__ import annotations

import http.server
import json
import os
import ssl
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import azcred
import azure.identity
import jwt
import pytest
from conftest import AZCRED, STORAGE, WORK, Emulator, run
from tokens import verified

AZ = WORK / "az/bin/az"
SUBSCRIPTION = "55555555-5555-5555-5555-555555555555"
MANAGEMENT = "https://management.core.windows.net/"
AUDIENCE = "https://storage.azure.com"


class Management(http.server.ThreadingHTTPServer):
    """As much of Azure Resource Manager as a sign-in asks: who is who, and with what subscriptions."""

    daemon_threads = True

    def __init__(self, emulator: Emulator) -> None:
        """Listen, with the emulator's certificate."""
        super().__init__(("127.0.0.1", 0), ManagementRequest)
        self.emulator = emulator
        folder = Path(emulator["ca_file"]).parent
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"https://localhost:{self.server_address[1]}"


class ManagementRequest(http.server.BaseHTTPRequestHandler):
    """One question."""

    timeout = 10

    def do_GET(self) -> None:
        """Answer who shows a good token."""
        assert isinstance(self.server, Management)
        emulator = self.server.emulator
        try:
            verified(emulator, self.headers["authorization"].removeprefix("Bearer "), MANAGEMENT)
        except jwt.PyJWTError as error:
            return self._answer(401, {"error": {"code": "InvalidAuthenticationToken", "message": str(error)}})
        tenant = emulator["tenant_id"]
        subscription = {
            "id": f"/subscriptions/{SUBSCRIPTION}",
            "subscriptionId": SUBSCRIPTION,
            "displayName": "Emulator",
            "state": "Enabled",
            "tenantId": tenant,
        }
        known = {
            "/subscriptions": [subscription],
            "/tenants": [{"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": "Contoso"}],
        }
        path = urllib.parse.urlsplit(self.path).path
        if path in known:
            return self._answer(200, {"value": known[path]})
        return self._answer(404, {"error": {"code": "NotFound", "message": path}})

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def signed_in(_emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Sign in as the application; give the variables with which `az` is signed in."""
    env = {
        "PATH": f"{AZ.parent}:{os.environ['PATH']}",
        "AZURE_CONFIG_DIR": str(tmp_path_factory.mktemp("az")),
        "REQUESTS_CA_BUNDLE": _emulator["ca_file"],
        # An authority of our own is not among those that Entra ID knows.
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "AZURE_CORE_COLLECT_TELEMETRY": "no",
        "AZURE_CORE_LOGIN_EXPERIENCE_V2": "off",
        "AZURE_CORE_SURVEY_MESSAGE": "no",
        "AZURE_CORE_NO_COLOR": "yes",
    }
    management = Management(_emulator)
    thread = threading.Thread(target=management.serve_forever, daemon=True)
    thread.start()
    try:
        endpoints = {
            "active-directory": _emulator["https"],
            "active-directory-resource-id": MANAGEMENT,
            "active-directory-graph-resource-id": "https://graph.windows.net/",
            "management": management.url,
            "microsoft-graph-resource-id": "https://graph.microsoft.com/",
            "resource-manager": management.url,
        }
        options = [part for name, value in endpoints.items() for part in (f"--endpoint-{name}", value)]
        run([AZ, "cloud", "register", "--name", "Emulator", "--skip-endpoint-discovery", *options], env)
        run([AZ, "cloud", "set", "--name", "Emulator"], env)
        # Nothing is asked of any other cloud.
        assert run([AZ, "cloud", "show", "--query", "name", "--output", "tsv"], env).stdout.strip() == "Emulator"
        yield env
    finally:
        management.shutdown()
        management.server_close()
        thread.join(10)


def login(emulator: Emulator, env: dict[str, str], secret: str, *, check: bool = True) -> Any:
    """Sign in as the application."""
    who = ["--username", emulator["client_id"], "--password", secret, "--tenant", emulator["tenant_id"]]
    return run([AZ, "login", "--service-principal", *who, "--output", "json"], env, check=check)


@pytest.fixture
def az(emulator: Emulator, signed_in: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Make this process one whose user is signed in."""
    login(emulator, signed_in, emulator["client_secret"])
    for name, value in signed_in.items():
        monkeypatch.setenv(name, value)
    return emulator


def check(emulator: Emulator, token: str) -> None:
    """Check that a token is the application's."""
    claims = verified(emulator, token, AUDIENCE)
    assert (claims["appid"], claims["tid"]) == (emulator["client_id"], emulator["tenant_id"])


def test_a_wrong_secret_is_refused(emulator: Emulator, signed_in: dict[str, str]) -> None:
    done = login(emulator, signed_in, "wrong", check=False)
    assert done.returncode != 0
    assert "AADSTS7000215" in done.stderr


def test_az_gives_a_token(az: Emulator, signed_in: dict[str, str]) -> None:
    done = run([AZ, "account", "get-access-token", "--resource", AUDIENCE, "--output", "json"], signed_in)
    told = json.loads(done.stdout)
    check(az, told["accessToken"])
    assert (told["tenant"], told["subscription"]) == (az["tenant_id"], SUBSCRIPTION)


def test_azcred_gets_it_from_az(az: Emulator) -> None:
    for credential in (azcred.AzureCliCredential(), azcred.AzureCliCredential(tenant_id=az["tenant_id"])):
        check(az, credential.get_token(STORAGE).token)


def test_azcred_on_the_command_line_gets_it_from_az(az: Emulator, signed_in: dict[str, str]) -> None:
    env = signed_in | {"AZURE_TOKEN_CREDENTIALS": "AzureCliCredential"}
    check(az, run([AZCRED, "token", "--scope", STORAGE], env).stdout.strip())


def test_azure_identity_gets_it_from_az(az: Emulator) -> None:
    check(az, azure.identity.AzureCliCredential().get_token(STORAGE).token)


def test_who_is_signed_out_gets_none(az: Emulator, signed_in: dict[str, str]) -> None:
    run([AZ, "logout"], signed_in)
    with pytest.raises(azure.identity.CredentialUnavailableError, match="az login"):
        azure.identity.AzureCliCredential().get_token(STORAGE)
    with pytest.raises(azcred.CredentialUnavailableError, match="az login"):
        azcred.AzureCliCredential().get_token("https://signed-out.example/.default")
