"""What is measured in Python, by name: `library/kind`."""

from __future__ import annotations

import os
from typing import Any

STORAGE = "https://storage.azure.com/.default"


def make(name: str, *, aio: bool = False) -> Any:
    """Give a credential, or what stands for one."""
    library, _, kind = name.partition("/")
    if library == "floor":
        return _Trivial() if aio else _floor()
    if library == "awscrt":
        return _awscrt()
    if library == "azcred":
        if aio:
            import azcred.aio as classes
        else:
            import azcred as classes
    elif aio:
        import azure.identity.aio as classes
    else:
        import azure.identity as classes
    if kind == "managed_identity":
        return classes.ManagedIdentityCredential()
    if kind == "default_chain":
        return classes.DefaultAzureCredential()
    ours = {} if library == "azcred" else {"disable_instance_discovery": True}
    names = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")
    return classes.ClientSecretCredential(*(os.environ[name] for name in names), **ours)


class _Trivial:
    """Its coroutine returns at once."""

    def __init__(self) -> None:
        self._token = object()

    async def get_token(self, scope: str) -> object:
        return self._token


def _floor() -> Any:
    """Give the extension that looks up and checks, and does nothing else."""
    import floor

    cache = floor.Floor()
    cache.put(STORAGE, object())
    return cache


def _awscrt() -> Any:
    from awscrt.auth import AwsCredentialsProvider

    return AwsCredentialsProvider.new_static("id", "secret")
