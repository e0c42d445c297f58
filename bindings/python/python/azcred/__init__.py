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
    from collections.abc import Callable
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
    "KnownAuthorities",
    "ManagedIdentityCredential",
    "SharedTokenCacheCredential",
    "TransientError",
    "VisualStudioCodeCredential",
    "WaitTimeoutError",
    "__version__",
    "get_bearer_token_provider",
]


class AzureAuthorityHosts:
    """The hosts of the clouds, for the option ``authority``."""

    AZURE_PUBLIC_CLOUD = "login.microsoftonline.com"
    AZURE_GOVERNMENT = "login.microsoftonline.us"
    AZURE_CHINA = "login.chinacloudapi.cn"


class KnownAuthorities(AzureAuthorityHosts):
    """The older name of :class:`AzureAuthorityHosts`."""


class DefaultAzureCredential(_Credential):
    """Asks the environment, a managed identity and the developer's login in turn, and stays with the one that answered.

    Options: ``authority``, ``managed_identity_client_id``, ``process_timeout`` (seconds), ``require_envvar``, and the
    ``exclude_*`` flags of azure-identity. ``AZURE_TOKEN_CREDENTIALS`` selects members. Those of azure-identity's chain
    that give no tokens here are asked too, so that the report says what to use instead.
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


class SharedTokenCacheCredential(_Credential):
    """Whoever signed in with one of Microsoft's applications. Always unavailable: azcred does not use their tokens.

    Takes azure-identity's arguments, so that a program moves over as it is.
    """

    def __new__(cls: type[_Self], username: str | None = None, **options: Any) -> _Self:
        """Take the account and the options."""
        return _Credential.__new__(cls, "SharedTokenCacheCredential", options | {"username": username})

    @staticmethod
    def supported() -> bool:
        """Tell whether there is such a cache to read; there is none."""
        return False


class VisualStudioCodeCredential(_Credential):
    """Whoever signed in to Visual Studio Code. Always unavailable: azcred does not ask the operating system's broker.

    Takes azure-identity's options, so that a program moves over as it is.
    """

    def __new__(cls: type[_Self], **options: Any) -> _Self:
        """Take the options of the editor's login."""
        return _Credential.__new__(cls, "VisualStudioCodeCredential", options)


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


def get_bearer_token_provider(credential: Any, *scopes: str) -> Callable[[], str]:
    """Give a function that gives the text of a live token, for clients that want one instead of a credential.

    It asks ``credential`` at each call, which may be any object with ``get_token_info`` or ``get_token``.
    """
    ask = _ask(credential, scopes)

    def provide() -> str:
        token = ask(*scopes)
        if hasattr(token, "__await__"):
            if hasattr(token, "close"):
                token.close()
            raise _refused(f"{type(credential).__name__} is for asyncio: take azcred.aio.get_bearer_token_provider")
        text: str = token.token
        return text

    return provide


def _ask(credential: Any, scopes: tuple[str, ...]) -> Callable[..., Any]:
    """Give the method that a provider calls."""
    if not scopes:
        raise _refused("expected at least one scope, got none")
    for name in ("get_token_info", "get_token"):
        method: Callable[..., Any] | None = getattr(credential, name, None)
        if method is not None:
            return method
    raise _refused(
        f"expected a credential with get_token_info or get_token, got an object of type {type(credential).__name__}"
    )


def _refused(sentence: str) -> AzcredError:
    from azcred._errors import make

    return make("INVALID_ARGUMENT", f"get_bearer_token_provider: {sentence}", {})


def __getattr__(name: str) -> Any:
    """Import the error and token classes when somebody names one."""
    if name in __all__:
        from azcred import _errors, _token

        for module in (_errors, _token):
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module 'azcred' has no attribute {name!r}")
