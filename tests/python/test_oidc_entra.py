"""A certified OAuth server that nobody here wrote, at the paths of Entra ID: published SDKs and azcred against it."""

from __future__ import annotations

import json
import sys
import threading
import urllib.parse
from pathlib import Path
from typing import Any

import azure.identity
import msal
import pytest
from azure.core.exceptions import ClientAuthenticationError
from conftest import run
from oidc_entra import OidcEntra

BACK = "http://localhost:5000"


@pytest.fixture
def oidc(oidc_entra: OidcEntra, monkeypatch: pytest.MonkeyPatch) -> OidcEntra:
    """Make this process trust the server."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", oidc_entra.ca_file)
    return oidc_entra


def published(oidc: OidcEntra) -> dict[str, Any]:
    """Give azure-identity's options."""
    return {"authority": oidc.authority, "disable_instance_discovery": True}


def public(oidc: OidcEntra) -> msal.PublicClientApplication:
    """Give MSAL's client without a secret."""
    authority = f"{oidc.authority}/{oidc.tenant_id}"
    return msal.PublicClientApplication(oidc.public_client_id, authority=authority, instance_discovery=False)


def test_azcred_by_each_of_its_ways(oidc_entra: OidcEntra) -> None:
    """In a process of its own, since azcred reads once in a process whom to trust."""
    env = {"SSL_CERT_FILE": oidc_entra.ca_file}
    done = run([sys.executable, Path(__file__).with_name("oidc_flows.py"), json.dumps(vars(oidc_entra))], env)
    told = json.loads(done.stdout.splitlines()[-1])
    refusals = {name: outcome["error"] for name, outcome in told.items() if "error" in outcome}
    words = {
        "wrong secret": "invalid_client",
        "another's certificate": "invalid_client",
        "another's assertion": "invalid_request",
        "code: twice": "invalid_grant",
    }
    assert set(refusals) == set(words), refusals
    for name, word in words.items():
        assert "AuthenticationFailedError" in refusals[name]
        assert word in refusals[name]
    # By which client, and for whom.
    expected = {
        "secret": [(oidc_entra.secret_client_id, oidc_entra.secret_client_id)],
        "certificate": [(oidc_entra.certificate_client_id, oidc_entra.certificate_client_id)],
        "assertion": [(oidc_entra.certificate_client_id, oidc_entra.certificate_client_id)],
        "device code and refresh": [(oidc_entra.public_client_id, "alex")] * 2,
        "browser and refresh": [(oidc_entra.public_client_id, "alex")] * 2,
        "code and refresh": [(oidc_entra.secret_client_id, "alex")] * 2,
    }
    for name, who in expected.items():
        tokens = told[name]["tokens"]
        claims = [oidc_entra.claims(token) for token in tokens]
        assert [(said["client_id"], said["sub"]) for said in claims] == who, name
        assert len(set(tokens)) == len(tokens), name
    assert told["device code and refresh"]["record"] == "alex@contoso.example"


def test_azure_identity_by_client_secret(oidc: OidcEntra) -> None:
    def token(secret: str) -> str:
        credential = azure.identity.ClientSecretCredential(
            oidc.tenant_id, oidc.secret_client_id, secret, **published(oidc)
        )
        return credential.get_token(oidc.scope).token

    assert oidc.claims(token(oidc.secret))["client_id"] == oidc.secret_client_id
    with pytest.raises(ClientAuthenticationError, match="client authentication failed"):
        token("wrong")


def test_azure_identity_by_certificate(oidc: OidcEntra, tmp_path: Path) -> None:
    def token(client: str, file: str) -> str:
        credential = azure.identity.CertificateCredential(oidc.tenant_id, client, file, **published(oidc))
        return credential.get_token(oidc.scope).token

    claims = oidc.claims(token(oidc.certificate_client_id, oidc.certificate_file))
    assert claims["client_id"] == oidc.certificate_client_id
    # The key is good; it is another client's.
    with pytest.raises(ClientAuthenticationError, match="client authentication failed"):
        token(oidc.secret_client_id, oidc.certificate_file)


def test_azure_identity_by_device_code(oidc: OidcEntra) -> None:
    credential = azure.identity.DeviceCodeCredential(
        oidc.public_client_id,
        tenant_id=oidc.tenant_id,
        prompt_callback=lambda address, user_code, _: oidc.approve_device(address, user_code),
        timeout=20,
        **published(oidc),
    )
    assert oidc.claims(credential.get_token(oidc.scope).token)["sub"] == "alex"


def test_msal_by_code_and_refresh(oidc: OidcEntra) -> None:
    app = public(oidc)

    def signed_in() -> tuple[dict[str, Any], dict[str, str]]:
        flow = app.initiate_auth_code_flow([oidc.scope], redirect_uri=BACK, response_mode="form_post")
        return flow, dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(oidc.authorize(flow["auth_uri"])).query))

    # A wrong verifier takes the code with it.
    flow, answer = signed_in()
    wrong = app.acquire_token_by_auth_code_flow(flow | {"code_verifier": "w" * 43}, answer)
    assert wrong["error"] == "invalid_grant"

    first = app.acquire_token_by_auth_code_flow(*signed_in())["access_token"]
    (account,) = app.get_accounts()
    second = app.acquire_token_silent_with_error([oidc.scope], account, force_refresh=True)["access_token"]
    assert first != second
    assert [oidc.claims(token)["sub"] for token in (first, second)] == ["alex", "alex"]


def test_a_refresh_token_is_good_once(oidc: OidcEntra) -> None:
    app = public(oidc)
    device = app.initiate_device_flow([oidc.scope])
    oidc.approve_device(device["verification_uri"], device["user_code"])
    refresh_token = app.acquire_token_by_device_flow(device)["refresh_token"]
    first, second = (app.acquire_token_by_refresh_token(refresh_token, [oidc.scope]) for _ in range(2))
    assert oidc.claims(first["access_token"])["sub"] == "alex"
    assert second["error"] == "invalid_grant"


def test_azure_identity_by_browser(oidc: OidcEntra, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(address: str) -> bool:
        threading.Thread(target=oidc.browse, args=(address,), daemon=True).start()
        return True

    monkeypatch.setattr("webbrowser.open", opened)
    credential = azure.identity.InteractiveBrowserCredential(
        tenant_id=oidc.tenant_id, client_id=oidc.public_client_id, timeout=20, **published(oidc)
    )
    assert oidc.claims(credential.get_token(oidc.scope).token)["sub"] == "alex"
