"""Functions that give a token's text, beside azure-identity's."""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import Any

import azcred
import azcred.aio
import azure.identity
import azure.identity.aio
import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo
from conftest import STORAGE, Emulator

LATER = int(time.time()) + 3600


class Old:
    """A credential that knows the older protocol only."""

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        """Give the scopes as the token."""
        return AccessToken(" ".join(scopes), LATER)


class New(Old):
    """A credential that knows both protocols."""

    def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        """Give the scopes as the token, and who was asked."""
        return AccessTokenInfo("info " + " ".join(scopes), LATER)


class Later:
    """A credential for asyncio."""

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        """Give the scopes as the token."""
        return AccessToken("later " + " ".join(scopes), LATER)


@pytest.mark.parametrize("module", [azcred, azure.identity], ids=["ours", "theirs"])
def test_a_provider(module: Any, app_service: Emulator) -> None:
    scope = f"https://{module.__name__.replace('.', '-')}-provider.example/.default"
    credential = azcred.ManagedIdentityCredential()
    provide = module.get_bearer_token_provider(credential, scope)
    assert app_service.tokens() == 0, "making one asks nobody"
    assert provide() == provide() == credential.get_token(scope).token
    assert app_service.tokens() == 1
    assert module.get_bearer_token_provider(Old(), "a", "b")() == "a b"
    assert module.get_bearer_token_provider(New(), "a", "b")() == "info a b"


@pytest.mark.parametrize("module", [azcred.aio, azure.identity.aio], ids=["ours", "theirs"])
def test_a_provider_for_asyncio(module: Any, app_service: Emulator) -> None:
    scope = f"https://{module.__name__.replace('.', '-')}-provider.example/.default"

    async def main() -> None:
        async with azcred.aio.ManagedIdentityCredential() as credential:
            provide = module.get_bearer_token_provider(credential, scope)
            assert inspect.iscoroutinefunction(provide)
            texts = set(await asyncio.gather(*(provide() for _ in range(20))))
            assert texts == {(await credential.get_token(scope)).token}
        assert await module.get_bearer_token_provider(Later(), "a")() == "later a"
        # A credential for threads will do.
        assert await module.get_bearer_token_provider(New(), "a")() == "info a"

    asyncio.run(main())
    assert app_service.tokens() == 1


@pytest.mark.parametrize("module", [azcred, azcred.aio], ids=["sync", "aio"])
def test_what_a_provider_refuses(module: Any) -> None:
    with pytest.raises(azcred.InvalidArgumentError, match="get_bearer_token_provider: expected at least one scope"):
        module.get_bearer_token_provider(Old())
    with pytest.raises(azcred.InvalidArgumentError, match="get_token, got an object of type str"):
        module.get_bearer_token_provider("a-canary", STORAGE)
    # As theirs, but theirs waits for the first call.
    with pytest.raises(ValueError, match="scope"):
        azure.identity.get_bearer_token_provider(azcred.ManagedIdentityCredential())()


def test_a_credential_for_asyncio_is_told_where_to_go() -> None:
    for credential in (Later(), azcred.aio.ManagedIdentityCredential()):
        with pytest.raises(azcred.InvalidArgumentError, match=r"is for asyncio: take azcred\.aio"):
            azcred.get_bearer_token_provider(credential, STORAGE)()


def test_a_credentials_error_comes_through() -> None:
    with pytest.raises(azcred.CredentialUnavailableError, match=r"^VisualStudioCodeCredential: "):
        azcred.get_bearer_token_provider(azcred.VisualStudioCodeCredential(), STORAGE)()
