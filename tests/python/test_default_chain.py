"""Who is in the default chain: the same as in azure-identity's, in the same order, whatever selects them."""

from __future__ import annotations

import asyncio
from itertools import product
from pathlib import Path
from typing import Any

import azcred
import azcred.aio
import azure.identity
import azure.identity.aio
import pytest
from conftest import STORAGE

SELECTIONS = [
    "",
    "prod",
    " Dev ",
    "environmentcredential",
    "WorkloadIdentityCredential",
    "managedidentitycredential",
    "VisualStudioCodeCredential",
    "azureclicredential",
    "azurepowershellcredential",
    "azuredeveloperclicredential",
    "sharedtokencachecredential",
    "brokercredential",
    "staging",
]
EXCLUSIONS: list[dict[str, bool | None]] = [
    {},
    {"exclude_broker_credential": True, "exclude_shared_token_cache_credential": True},
    {"exclude_visual_studio_code_credential": True},
    {"exclude_shared_token_cache_credential": False, "exclude_environment_credential": None},
    {"exclude_visual_studio_code_credential": False, "exclude_broker_credential": False},
    {"exclude_environment_credential": True, "exclude_workload_identity_credential": True},
    {"exclude_cli_credential": True, "exclude_powershell_credential": False},
    {"exclude_developer_cli_credential": True, "exclude_cli_credential": False},
]


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Make this a host where nobody is signed in."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))


def theirs(module: Any, options: dict[str, bool | None]) -> list[str] | None:
    """Name the members of azure-identity's chain, or None where it refuses."""
    try:
        chain = module.DefaultAzureCredential(**options)
    except ValueError:
        return None
    return [getattr(member, "_credential_name", type(member).__name__) for member in chain.credentials]


def ours(options: dict[str, bool | None]) -> list[str] | None:
    """Name the members that our chain asks, or None where it refuses."""
    try:
        chain = azcred.DefaultAzureCredential(**options)
    except ValueError:
        return None
    with pytest.raises(azcred.AzcredError) as caught:
        chain.get_token(STORAGE)
    return [name for name, _ in caught.value.attempts]


@pytest.mark.parametrize("selection", SELECTIONS)
def test_the_members_are_azure_identitys(selection: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for exclusions in EXCLUSIONS:
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", selection)
        expected = theirs(azure.identity, exclusions)
        assert ours(exclusions) == expected, exclusions
        # Theirs for asyncio has no broker at all; ours is one chain for every door.
        of_aio = theirs(azure.identity.aio, exclusions)
        assert of_aio == (expected and [name for name in expected if name != "BrokerCredential"]) or not of_aio


def test_the_members_that_give_no_tokens_say_what_does() -> None:
    with pytest.raises(azcred.CredentialUnavailableError) as caught:
        azcred.DefaultAzureCredential().get_token(STORAGE)
    silent = dict(caught.value.attempts)
    for name in ("SharedTokenCacheCredential", "VisualStudioCodeCredential", "BrokerCredential"):
        assert isinstance(silent[name], azcred.CredentialUnavailableError)
        assert silent[name].message.startswith(f"{name}: ")
        assert "az login" in silent[name].message


def test_they_are_classes_too() -> None:
    for module, name in product((azcred, azcred.aio), ("SharedTokenCacheCredential", "VisualStudioCodeCredential")):
        options = {"tenant_id": "t", "authority": "login.microsoftonline.us"}
        with getattr(azcred, name)(**options) as sync, pytest.raises(azcred.CredentialUnavailableError, match=name):
            sync.get_token(STORAGE, tenant_id="another")
        with pytest.raises(azcred.InvalidConfigurationError, match="tenant_id: expected a string"):
            getattr(module, name)(tenant_id=5)
        with pytest.raises(azcred.InvalidConfigurationError, match="unknown option tenant;"):
            getattr(module, name)(tenant="t")

    async def main(name: str) -> None:
        async with getattr(azcred.aio, name)() as credential:
            with pytest.raises(azcred.CredentialUnavailableError, match=name):
                await credential.get_token_info(STORAGE)

    for name in ("SharedTokenCacheCredential", "VisualStudioCodeCredential"):
        asyncio.run(main(name))
    record = azure.identity.AuthenticationRecord("t", "c", "login.microsoftonline.com", "h", "u")
    shared = azcred.SharedTokenCacheCredential("someone@example.com", authentication_record=record)
    with pytest.raises(azcred.CredentialUnavailableError):
        shared.get_token(STORAGE)
    assert not azcred.SharedTokenCacheCredential.supported()
    assert not azcred.aio.SharedTokenCacheCredential.supported()
    with pytest.raises(azcred.InvalidConfigurationError, match="option username: expected a string"):
        azcred.SharedTokenCacheCredential(5)  # type: ignore[arg-type]
