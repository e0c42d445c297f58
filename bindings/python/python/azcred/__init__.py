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
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from typing import Any, TypeVar

    from azcred._errors import (
        AuthenticationFailedError,
        AuthenticationRequiredError,
        AzcredError,
        CancelledError,
        CredentialUnavailableError,
        InternalError,
        InvalidArgumentError,
        InvalidConfigurationError,
        TransientError,
        WaitTimeoutError,
    )
    from azcred._record import AuthenticationRecord
    from azcred._token import AccessToken, AccessTokenInfo

    _Self = TypeVar("_Self", bound=_Credential)

__all__ = [
    "AccessToken",
    "AccessTokenInfo",
    "AuthenticationFailedError",
    "AuthenticationRecord",
    "AuthenticationRequiredError",
    "AuthorizationCodeCredential",
    "AzcredError",
    "AzureAuthorityHosts",
    "AzureCliCredential",
    "AzureDeveloperCliCredential",
    "AzurePipelinesCredential",
    "AzurePowerShellCredential",
    "CancelledError",
    "CertificateCredential",
    "ChainedTokenCredential",
    "ClientAssertionCredential",
    "ClientSecretCredential",
    "CredentialUnavailableError",
    "DefaultAzureCredential",
    "DeviceCodeCredential",
    "EnvironmentCredential",
    "InteractiveBrowserCredential",
    "InternalError",
    "InvalidArgumentError",
    "InvalidConfigurationError",
    "KnownAuthorities",
    "ManagedIdentityCredential",
    "OnBehalfOfCredential",
    "SharedTokenCacheCredential",
    "TokenCachePersistenceOptions",
    "TransientError",
    "UsernamePasswordCredential",
    "VisualStudioCodeCredential",
    "WaitTimeoutError",
    "WorkloadIdentityCredential",
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


class TokenCachePersistenceOptions:
    """What azure-identity takes as ``cache_persistence_options``. azcred writes tokens nowhere, and does not use it."""

    def __init__(self, *, allow_unencrypted_storage: bool = False, name: str = "msal.cache", **_: Any) -> None:
        self.allow_unencrypted_storage = allow_unencrypted_storage
        self.name = name


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

    Options: ``authority``, ``additionally_allowed_tenants``, ``disable_instance_discovery``; for the way to the
    authority ``connection_verify`` (path of PEM certificates), ``proxies``, ``connection_timeout`` and
    ``read_timeout`` (seconds), ``retry_total``.
    """

    def __new__(cls: type[_Self], tenant_id: str, client_id: str, client_secret: str, **options: Any) -> _Self:
        """Take the application's tenant, id and secret."""
        options.update(tenant_id=tenant_id, client_id=client_id, client_secret=client_secret)
        return _Credential.__new__(cls, "ClientSecretCredential", options)


class CertificateCredential(_Credential):
    """An application that signs in with its certificate, of a PEM or PKCS#12 file.

    Options: ``certificate_data`` (bytes) instead of the path, ``password``, ``send_certificate_chain``, ``authority``,
    ``additionally_allowed_tenants``, ``disable_instance_discovery``.
    """

    def __new__(
        cls: type[_Self], tenant_id: str, client_id: str, certificate_path: str | None = None, **options: Any
    ) -> _Self:
        """Take the application's tenant and id, and where its certificate is."""
        options.update(tenant_id=tenant_id, client_id=client_id)
        if certificate_path is not None:
            options.update(certificate_path=certificate_path)
        return _Credential.__new__(cls, "CertificateCredential", options)


class ClientAssertionCredential(_Credential):
    """An application that signs in with an assertion (a JWT) that ``func`` gives.

    ``func`` is called for each token that Entra ID is asked for, on a thread of its own, and may block. Options:
    ``authority``, ``additionally_allowed_tenants``, ``disable_instance_discovery``.
    """

    def __new__(cls: type[_Self], tenant_id: str, client_id: str, func: Callable[[], str], **options: Any) -> _Self:
        """Take the application's tenant and id, and the function."""
        options.update(tenant_id=tenant_id, client_id=client_id, func=func)
        return _Credential.__new__(cls, "ClientAssertionCredential", options)


class WorkloadIdentityCredential(_Credential):
    """A workload of Kubernetes, which signs in with the token that its platform leaves in a file.

    Options: ``tenant_id``, ``client_id`` and ``token_file_path``, by default those of the environment
    (``AZURE_TENANT_ID``, ``AZURE_CLIENT_ID``, ``AZURE_FEDERATED_TOKEN_FILE``); ``enable_azure_proxy`` (asks the token
    proxy of an AKS cluster, where ``AZURE_KUBERNETES_TOKEN_PROXY`` names one); ``authority``,
    ``additionally_allowed_tenants``, ``disable_instance_discovery``.
    """

    def __new__(cls: type[_Self], **options: Any) -> _Self:
        """Take the options; the rest comes from the environment."""
        return _Credential.__new__(cls, "WorkloadIdentityCredential", options)


class AzurePipelinesCredential(_Credential):
    """A job of Azure Pipelines, which signs in through its service connection.

    Options: ``authority``, ``additionally_allowed_tenants``, ``disable_instance_discovery``.
    """

    def __new__(
        cls: type[_Self],
        *,
        tenant_id: str,
        client_id: str,
        service_connection_id: str,
        system_access_token: str,
        **options: Any,
    ) -> _Self:
        """Take the service connection and the job's ``System.AccessToken``."""
        options.update(tenant_id=tenant_id, client_id=client_id)
        options.update(service_connection_id=service_connection_id, system_access_token=system_access_token)
        return _Credential.__new__(cls, "AzurePipelinesCredential", options)


class OnBehalfOfCredential(_Credential):
    """An API that asks for tokens of the user who called it.

    Options: one of ``client_secret``, ``client_assertion_func`` and ``client_certificate`` (bytes), the last with
    ``password`` and ``send_certificate_chain``; ``authority``,
    ``additionally_allowed_tenants``, ``disable_instance_discovery``.
    """

    def __new__(cls: type[_Self], tenant_id: str, client_id: str, *, user_assertion: str, **options: Any) -> _Self:
        """Take the API's tenant and id, and the token that the user called with."""
        options.update(tenant_id=tenant_id, client_id=client_id, user_assertion=user_assertion)
        return _Credential.__new__(cls, "OnBehalfOfCredential", options)


class AuthorizationCodeCredential(_Credential):
    """A web application that redeems the code that its user's browser brought.

    Options: ``client_secret``, ``authority``, ``additionally_allowed_tenants``, ``disable_instance_discovery``.
    """

    def __new__(
        cls: type[_Self], tenant_id: str, client_id: str, authorization_code: str, redirect_uri: str, **options: Any
    ) -> _Self:
        """Take the application's tenant and id, the code, and the address that the browser brought it to."""
        options.update(tenant_id=tenant_id, client_id=client_id)
        options.update(authorization_code=authorization_code, redirect_uri=redirect_uri)
        return _Credential.__new__(cls, "AuthorizationCodeCredential", options)


class _User(_Credential):
    """What the credentials have in common that somebody signs in to."""

    def authenticate(
        self,
        *,
        scopes: Iterable[str] | None = None,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **options: Any,
    ) -> AuthenticationRecord:
        """Have the user sign in now, and get the record of the account.

        ``scopes`` and ``claims`` are those of an :class:`AuthenticationRequiredError`; without scopes it is the cloud's
        management. Takes ``timeout`` (seconds) as ``get_token`` does.
        """
        from azcred._record import AuthenticationRecord

        asked = (scopes,) if isinstance(scopes, str) else tuple(scopes or ())
        options.update(claims=claims, tenant_id=tenant_id, enable_cae=enable_cae)
        return AuthenticationRecord.deserialize(self._authenticate(asked, options))


class UsernamePasswordCredential(_User):
    """A user by name and password. Works without a second factor only; prefer any other credential.

    Options: ``tenant_id``, ``authentication_record``, ``authority``, ``additionally_allowed_tenants``,
    ``disable_instance_discovery``.
    """

    def __new__(cls: type[_Self], client_id: str, username: str, password: str, **options: Any) -> _Self:
        """Take the application's id, and the user's name and password."""
        options.update(client_id=client_id, username=username, password=password)
        return _Credential.__new__(cls, "UsernamePasswordCredential", options)


class DeviceCodeCredential(_User):
    """A user who signs in on another device, with a code that this program shows.

    ``prompt_callback(verification_uri, user_code, expires_on)`` shows it, called on a thread of its own; without it the
    standard output does. Options: ``tenant_id``, ``authentication_record``, ``disable_automatic_authentication``,
    ``authority``, ``additionally_allowed_tenants``, ``disable_instance_discovery``.
    """

    def __new__(
        cls: type[_Self],
        client_id: str | None = None,
        *,
        timeout: float | None = None,
        prompt_callback: Callable[[str, str, datetime], None] | None = None,
        **options: Any,
    ) -> _Self:
        """Take the application's id, how long the user may take (seconds), and how the code is shown."""
        options.update(client_id=client_id, timeout=timeout, prompt_callback=prompt_callback)
        return _Credential.__new__(cls, "DeviceCodeCredential", options)


class InteractiveBrowserCredential(_User):
    """A user who signs in in the browser of this machine.

    Options: ``tenant_id``, ``client_id``, ``login_hint``, ``redirect_uri``, ``authentication_record``,
    ``disable_automatic_authentication``, ``timeout`` (seconds), ``authority``, ``additionally_allowed_tenants``,
    ``disable_instance_discovery``.
    """

    def __new__(cls: type[_Self], **options: Any) -> _Self:
        """Take the options."""
        return _Credential.__new__(cls, "InteractiveBrowserCredential", options)


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
    """Import the error, token and record classes when somebody names one."""
    if name in __all__:
        if name == "AuthenticationRecord":
            from azcred._record import AuthenticationRecord

            return AuthenticationRecord
        from azcred import _errors, _token

        for module in (_errors, _token):
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module 'azcred' has no attribute {name!r}")
