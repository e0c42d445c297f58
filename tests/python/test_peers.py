"""The emulator against code that we did not write: the published azure-identity, PyJWT, Azurite's storage client."""

from __future__ import annotations

import asyncio

import azcred
import azure.identity
import azure.identity.aio
import pytest
from conftest import STORAGE, Emulator
from tokens import verified


@pytest.fixture
def application(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Make this process an application that trusts the emulator."""
    for name, value in emulator.application().items():
        monkeypatch.setenv(name, value)
    return emulator


def test_our_tokens_verify(application: Emulator) -> None:
    token = azcred.EnvironmentCredential().get_token(STORAGE)
    claims = verified(application, token.token, "https://storage.azure.com")
    assert claims["appid"] == application["client_id"]
    assert claims["tid"] == application["tenant_id"]


def test_azure_identity_gets_a_token_by_client_secret(application: Emulator) -> None:
    credential = azure.identity.ClientSecretCredential(
        application["tenant_id"],
        application["client_id"],
        application["client_secret"],
        authority=application["https"],
        disable_instance_discovery=True,
    )
    assert verified(application, credential.get_token(STORAGE).token, "https://storage.azure.com")["appid"]


def test_azure_identity_aio_gets_a_token_by_client_secret(application: Emulator) -> None:
    async def main() -> str:
        async with azure.identity.aio.ClientSecretCredential(
            application["tenant_id"],
            application["client_id"],
            application["client_secret"],
            authority=application["https"],
            # aiohttp reads the trust of the environment once, when it is imported.
            connection_verify=application["ca_file"],
        ) as credential:
            return (await credential.get_token(STORAGE)).token

    assert verified(application, asyncio.run(main()), "https://storage.azure.com")["appid"]


def test_azure_identity_gets_a_token_by_app_service(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in emulator.app_service().items():
        monkeypatch.setenv(name, value)
    for credential in (azure.identity.ManagedIdentityCredential(), azure.identity.DefaultAzureCredential()):
        assert verified(emulator, credential.get_token(STORAGE).token, "https://storage.azure.com")["oid"]


def test_both_libraries_send_the_same(application: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """What azure-identity sends beyond ours is telemetry, and MSAL's discovery and `client_info`."""
    azure.identity.ClientSecretCredential(
        application["tenant_id"],
        application["client_id"],
        application["client_secret"],
        authority=application["https"],
        disable_instance_discovery=True,
    ).get_token("https://same.example/.default")
    azcred.EnvironmentCredential().get_token("https://same.example/.default")
    theirs, ours = (entry for entry in application.requests() if entry["endpoint"] == "entra_token")
    assert theirs["path"] == ours["path"]
    assert theirs["form"] | {"client_info": None} == ours["form"] | {"client_info": None}

    application.clear()
    for name, value in application.app_service().items():
        monkeypatch.setenv(name, value)
    azure.identity.ManagedIdentityCredential(client_id="33333333-3333-3333-3333-333333333331").get_token(
        "https://same.example/.default"
    )
    azcred.ManagedIdentityCredential(client_id="33333333-3333-3333-3333-333333333331").get_token(
        "https://same.example/.default"
    )
    theirs, ours = application.requests()
    assert (theirs["path"], theirs["query"]) == (ours["path"], ours["query"])
    assert {"x-identity-header", "metadata"} <= set(theirs["headers"]) & set(ours["headers"])
