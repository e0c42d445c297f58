"""A program as a user might write it, for `mypy --strict`: each `type: ignore` here is an error that it must find."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import azcred
import azcred.aio
from azure.core.credentials import AccessToken, AccessTokenInfo, SupportsTokenInfo, TokenCredential, TokenRequestOptions
from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential
from azure.storage.blob import BlobServiceClient
from azure.storage.blob.aio import BlobServiceClient as AsyncBlobServiceClient

URL = "https://account.blob.core.windows.net"


def clients(sync: azcred.DefaultAzureCredential, asynchronous: azcred.aio.DefaultAzureCredential) -> None:
    """Give credentials to clients, by their own types and by azure-core's protocols."""
    BlobServiceClient(URL, credential=sync)
    AsyncBlobServiceClient(URL, credential=asynchronous)
    old: TokenCredential = sync
    new: SupportsTokenInfo = sync
    old_async: AsyncTokenCredential = asynchronous
    new_async: AsyncSupportsTokenInfo = asynchronous
    BlobServiceClient(URL, credential=asynchronous)  # type: ignore[arg-type]
    azcred.ChainedTokenCredential(old, new, sync, azcred.ChainedTokenCredential(sync))
    azcred.aio.ChainedTokenCredential(old_async, new_async, asynchronous, sync)
    azcred.ChainedTokenCredential("x")  # type: ignore[arg-type]


def tokens(credential: azcred.ClientSecretCredential) -> tuple[str, int]:
    """Ask for tokens, which are azure-core's to a type checker."""
    token: AccessToken = credential.get_token(
        "scope", claims=None, tenant_id="t", enable_cae=True, timeout=2.5, min_ttl=60
    )
    options: TokenRequestOptions = {"claims": "{}", "enable_cae": True}
    info: AccessTokenInfo = credential.get_token_info("scope", options=options)
    credential.get_token_info("scope", options={"timeout": 1, "min_ttl": 60})
    print(credential.get_token("scope").provenance["source"], info.refresh_on)
    credential.get_token("scope", claims=5)  # type: ignore[arg-type]
    credential.get_token(5)  # type: ignore[arg-type]
    text, expires_on = token
    return text, expires_on


async def tokens_later(credential: azcred.aio.ClientSecretCredential) -> AccessToken:
    """Ask on an event loop."""
    async with credential as same:
        info: AccessTokenInfo = await same.get_token_info("scope", options={"tenant_id": "t"})
    print(info.token_type)
    await credential.get_token("scope", tenant_id=5)  # type: ignore[arg-type]
    return await credential.get_token("scope", timeout=1.0)


def shown(uri: str, code: str, expires_on: datetime) -> None:
    """Show a device code."""
    print(uri, code, expires_on)


def options() -> None:
    """Give options, right and wrong."""
    azcred.DefaultAzureCredential(authority=azcred.AzureAuthorityHosts.AZURE_CHINA, exclude_cli_credential=True)
    azcred.DefaultAzureCredential(logging_enable=True, retry_backoff_max=3, process_timeout=5)
    azcred.ManagedIdentityCredential(client_id="c", connection_timeout=1)
    azcred.ManagedIdentityCredential(identity_config={"object_id": "o"})
    azcred.CertificateCredential("t", "c", "file.pem", password="p", send_certificate_chain=True)
    azcred.CertificateCredential("t", "c", certificate_data=b"...")
    azcred.WorkloadIdentityCredential(token_file_path=Path("/token"))
    azcred.ClientAssertionCredential("t", "c", lambda: "a.b.c", proxies={"https": "http://proxy:8080"})
    azcred.DeviceCodeCredential(prompt_callback=shown, timeout=60)
    azcred.aio.OnBehalfOfCredential("t", "c", user_assertion="u", client_secret="s")
    azcred.InteractiveBrowserCredential(cache_persistence_options=azcred.TokenCachePersistenceOptions())
    azcred.ClientSecretCredential("t", "c", "s", bogus=1)  # type: ignore[call-arg]
    azcred.ClientSecretCredential("t", "c")  # type: ignore[call-arg]
    azcred.ManagedIdentityCredential(client_idd="c")  # type: ignore[call-arg]
    azcred.aio.AzureCliCredential(process_timeout="5")  # type: ignore[arg-type]
    azcred.DeviceCodeCredential(prompt_callback=lambda code: None)  # type: ignore[misc, arg-type]


def providers(sync: azcred.AzureCliCredential, asynchronous: azcred.aio.AzureCliCredential) -> str:
    """Take functions instead of credentials."""
    azcred.aio.get_bearer_token_provider(asynchronous, "scope")
    azcred.get_bearer_token_provider(5, "scope")  # type: ignore[arg-type]
    return azcred.get_bearer_token_provider(sync, "scope")()


class Reports(azcred.DefaultAzureCredential):
    """A class over one of azcred's."""

    def __init__(self, purpose: str) -> None:
        """Take an argument of its own."""
        super().__init__(exclude_powershell_credential=True)
        self.purpose = purpose


def errors(credential: azcred.InteractiveBrowserCredential) -> azcred.AuthenticationRecord | None:
    """Ask the user where it is needed."""
    try:
        credential.get_token("scope")
    except azcred.AuthenticationRequiredError as error:
        return credential.authenticate(scopes=error.scopes, claims=error.claims, timeout=60)
    except azcred.AzcredError as error:
        print(error.kind, error.code, error.retry_after, [name for name, _ in error.attempts])
    return None
