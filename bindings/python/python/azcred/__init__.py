"""One token source and one identity configuration for Microsoft Entra ID.

The classes have the names and options of azure-identity; a program moves over by changing one import line::

    from azcred import DefaultAzureCredential

    BlobServiceClient(url, credential=DefaultAzureCredential())

Making a credential does no I/O and starts no thread. All credentials of a process with the same identity share their
tokens, also across threads and after ``fork``. The classes for asyncio are in :mod:`azcred.aio`.
"""

from __future__ import annotations

from azcred._azcred import VERSION as _VERSION
from azcred._azcred import Credential as _Credential

__version__ = _VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from azcred._errors import (
        AuthenticationFailedError,
        AzcredError,
        CancelledError,
        CredentialUnavailableError,
        InternalError,
        InvalidArgumentError,
        InvalidConfigurationError,
        TransientError,
        WaitTimeoutError,
    )
    from azcred._token import AccessToken, AccessTokenInfo

    _Self = TypeVar("_Self", bound=_Credential)

__all__ = [
    "AccessToken",
    "AccessTokenInfo",
    "AuthenticationFailedError",
    "AzcredError",
    "AzureAuthorityHosts",
    "AzureCliCredential",
    "AzureDeveloperCliCredential",
    "AzurePowerShellCredential",
    "CancelledError",
    "ChainedTokenCredential",
    "ClientSecretCredential",
    "CredentialUnavailableError",
    "DefaultAzureCredential",
    "EnvironmentCredential",
    "InternalError",
    "InvalidArgumentError",
    "InvalidConfigurationError",
    "ManagedIdentityCredential",
    "TransientError",
    "WaitTimeoutError",
    "__version__",
]


class AzureAuthorityHosts:
    """The hosts of the clouds, for the option ``authority``."""

    AZURE_PUBLIC_CLOUD = "login.microsoftonline.com"
    AZURE_GOVERNMENT = "login.microsoftonline.us"
    AZURE_CHINA = "login.chinacloudapi.cn"


class DefaultAzureCredential(_Credential):
    """Asks the environment, a managed identity and the developer's login in turn, and stays with the one that answered.

    Options: ``authority``, ``managed_identity_client_id``, ``process_timeout`` (seconds), ``require_envvar``, and the
    ``exclude_*`` flags of azure-identity. ``AZURE_TOKEN_CREDENTIALS`` selects members.
    """

    def __new__(cls: type[_Self], **options: Any) -> _Self:
        """Take the options of the chain."""
        return _Credential.__new__(cls, "DefaultAzureCredential", options)


class ManagedIdentityCredential(_Credential):
    """The identity that Azure gives to what it hosts (virtual machines, App Service, Functions, Container Apps).

    Options: one of ``client_id``, ``object_id`` and ``resource_id`` for a user-assigned identity, or azure-identity's
    ``identity_config``. None of them means the system-assigned one.
    """

    def __new__(cls: type[_Self], **options: Any) -> _Self:
        """Take the options of the identity."""
        return _Credential.__new__(cls, "ManagedIdentityCredential", options)


class ClientSecretCredential(_Credential):
    """An application that signs in with its secret.

    Options: ``authority``, ``additionally_allowed_tenants``, ``disable_instance_discovery``; for the way to the authority
    ``connection_verify`` (path of PEM certificates), ``proxies``, ``connection_timeout`` and ``read_timeout`` (seconds),
    ``retry_total``.
    """

    def __new__(cls: type[_Self], tenant_id: str, client_id: str, client_secret: str, **options: Any) -> _Self:
        """Take the application's tenant, id and secret."""
        options.update(tenant_id=tenant_id, client_id=client_id, client_secret=client_secret)
        return _Credential.__new__(cls, "ClientSecretCredential", options)


class EnvironmentCredential(_Credential):
    """An application described by ``AZURE_TENANT_ID``, ``AZURE_CLIENT_ID`` and ``AZURE_CLIENT_SECRET``."""

    def __new__(cls: type[_Self], **options: Any) -> _Self:
        """Take the options; the identity comes from the environment."""
        return _Credential.__new__(cls, "EnvironmentCredential", options)


class AzureCliCredential(_Credential):
    """The developer who is signed in to the Azure CLI.

    Options: ``tenant_id``, ``subscription``, ``additionally_allowed_tenants``, ``process_timeout`` (seconds).
    """

    def __new__(cls: type[_Self], **options: Any) -> _Self:
        """Take the options of the tool."""
        return _Credential.__new__(cls, "AzureCliCredential", options)


class AzurePowerShellCredential(_Credential):
    """The developer who is signed in to Azure PowerShell.

    Options: ``tenant_id``, ``additionally_allowed_tenants``, ``process_timeout`` (seconds).
    """

    def __new__(cls: type[_Self], **options: Any) -> _Self:
        """Take the options of the tool."""
        return _Credential.__new__(cls, "AzurePowerShellCredential", options)


class AzureDeveloperCliCredential(_Credential):
    """The developer who is signed in to the Azure Developer CLI.

    Options: ``tenant_id``, ``additionally_allowed_tenants``, ``process_timeout`` (seconds).
    """

    def __new__(cls: type[_Self], **options: Any) -> _Self:
        """Take the options of the tool."""
        return _Credential.__new__(cls, "AzureDeveloperCliCredential", options)


class ChainedTokenCredential(_Credential):
    """Asks its members in their order until one is available."""

    def __new__(cls: type[_Self], *credentials: _Credential) -> _Self:
        """Take the members: credentials of azcred."""
        for position, member in enumerate(credentials, 1):
            if not isinstance(member, _Credential):
                from azcred._errors import make

                raise make(
                    "INVALID_CONFIGURATION",
                    f"ChainedTokenCredential: argument {position}: expected a credential of azcred, "
                    f"got an object of type {type(member).__name__}",
                    {},
                )
        return _Credential.__new__(cls, "ChainedTokenCredential", {}, list(credentials))


def __getattr__(name: str) -> Any:
    """Import the error and token classes when somebody names one."""
    if name in __all__:
        from azcred import _errors, _token

        for module in (_errors, _token):
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module 'azcred' has no attribute {name!r}")
