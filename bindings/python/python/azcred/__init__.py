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
from azcred._chain import ChainedTokenCredential
from azcred._provider import get_bearer_token_provider

__version__ = _VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from typing import Any

    from typing_extensions import Unpack

    from azcred import _options
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
    "HostCredential",
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


class DefaultAzureCredential(ChainedTokenCredential):
    """Asks the environment, a managed identity and the developer's login in turn, and stays with the one that answered.

    Options: ``authority``, ``managed_identity_client_id``, ``process_timeout`` (seconds), ``require_envvar``, and the
    ``exclude_*`` flags of azure-identity. ``AZURE_TOKEN_CREDENTIALS`` selects members. Those of azure-identity's chain
    that give no tokens here are asked too, so that the report says what to use instead.
    """

    def __init__(self, **options: Unpack[_options.Default]) -> None:
        """Take the options of the chain."""
        self._make("DefaultAzureCredential", options)

    def _foreign(self, _: str) -> list[Any]:
        return []


class HostCredential(_Credential):
    """The identity that the host's configuration has for a name, or for the resource that a token is for.

    The configuration is one file for every language: ``$AZCRED_CONFIG``, else ``$XDG_CONFIG_HOME/azcred/config.toml``,
    else ``/etc/azcred/config.toml``. An edit counts within a second. Options: ``identity``, the name of one in it.
    """

    def __init__(self, **options: Unpack[_options.Host]) -> None:
        """Take the options; the rest comes from the host."""
        self._make("HostCredential", options)


class ManagedIdentityCredential(_Credential):
    """The identity that Azure gives to what it hosts (virtual machines, App Service, Functions, Container Apps).

    Options: one of ``client_id``, ``object_id`` and ``resource_id`` for a user-assigned identity, or azure-identity's
    ``identity_config``. None of them means the system-assigned one.
    """

    def __init__(self, **options: Unpack[_options.ManagedIdentity]) -> None:
        """Take the options of the identity."""
        self._make("ManagedIdentityCredential", options)


class ClientSecretCredential(_Credential):
    """An application that signs in with its secret.

    Options: ``authority``, ``additionally_allowed_tenants``, ``disable_instance_discovery``; for the way to the
    authority ``connection_verify`` (path of PEM certificates), ``proxies``, ``connection_timeout`` and
    ``read_timeout`` (seconds), ``retry_total``.
    """

    def __init__(self, tenant_id: str, client_id: str, client_secret: str, **options: Unpack[_options.Entra]) -> None:
        """Take the application's tenant, id and secret."""
        self._make(
            "ClientSecretCredential", options, tenant_id=tenant_id, client_id=client_id, client_secret=client_secret
        )


class CertificateCredential(_Credential):
    """An application that signs in with its certificate, of a PEM or PKCS#12 file.

    Options: ``certificate_data`` (bytes) instead of the path, ``password``, ``send_certificate_chain``, ``authority``,
    ``additionally_allowed_tenants``, ``disable_instance_discovery``.
    """

    def __init__(
        self,
        tenant_id: str,
        client_id: str,
        certificate_path: str | None = None,
        **options: Unpack[_options.Certificate],
    ) -> None:
        """Take the application's tenant and id, and where its certificate is."""
        self._make(
            "CertificateCredential",
            options,
            tenant_id=tenant_id,
            client_id=client_id,
            certificate_path=certificate_path,
        )


class ClientAssertionCredential(_Credential):
    """An application that signs in with an assertion (a JWT) that ``func`` gives.

    ``func`` is called for each token that Entra ID is asked for, on a thread of its own, and may block. Options:
    ``authority``, ``additionally_allowed_tenants``, ``disable_instance_discovery``.
    """

    def __init__(
        self, tenant_id: str, client_id: str, func: Callable[[], str], **options: Unpack[_options.Entra]
    ) -> None:
        """Take the application's tenant and id, and the function."""
        self._make("ClientAssertionCredential", options, tenant_id=tenant_id, client_id=client_id, func=func)


class WorkloadIdentityCredential(_Credential):
    """A workload of Kubernetes, which signs in with the token that its platform leaves in a file.

    Options: ``tenant_id``, ``client_id`` and ``token_file_path``, by default those of the environment
    (``AZURE_TENANT_ID``, ``AZURE_CLIENT_ID``, ``AZURE_FEDERATED_TOKEN_FILE``); ``enable_azure_proxy`` (asks the token
    proxy of an AKS cluster, where ``AZURE_KUBERNETES_TOKEN_PROXY`` names one); ``authority``,
    ``additionally_allowed_tenants``, ``disable_instance_discovery``.
    """

    def __init__(self, **options: Unpack[_options.WorkloadIdentity]) -> None:
        """Take the options; the rest comes from the environment."""
        self._make("WorkloadIdentityCredential", options)


class AzurePipelinesCredential(_Credential):
    """A job of Azure Pipelines, which signs in through its service connection.

    Options: ``authority``, ``additionally_allowed_tenants``, ``disable_instance_discovery``.
    """

    def __init__(
        self,
        *,
        tenant_id: str,
        client_id: str,
        service_connection_id: str,
        system_access_token: str,
        **options: Unpack[_options.Entra],
    ) -> None:
        """Take the service connection and the job's ``System.AccessToken``."""
        self._make(
            "AzurePipelinesCredential",
            options,
            tenant_id=tenant_id,
            client_id=client_id,
            service_connection_id=service_connection_id,
            system_access_token=system_access_token,
        )


class OnBehalfOfCredential(_Credential):
    """An API that asks for tokens of the user who called it.

    Options: one of ``client_secret``, ``client_assertion_func`` and ``client_certificate`` (bytes), the last with
    ``password`` and ``send_certificate_chain``; ``authority``,
    ``additionally_allowed_tenants``, ``disable_instance_discovery``.
    """

    def __init__(
        self, tenant_id: str, client_id: str, *, user_assertion: str, **options: Unpack[_options.OnBehalfOf]
    ) -> None:
        """Take the API's tenant and id, and the token that the user called with."""
        self._make(
            "OnBehalfOfCredential", options, tenant_id=tenant_id, client_id=client_id, user_assertion=user_assertion
        )


class AuthorizationCodeCredential(_Credential):
    """A web application that redeems the code that its user's browser brought.

    Options: ``client_secret``, ``authority``, ``additionally_allowed_tenants``, ``disable_instance_discovery``.
    """

    def __init__(
        self,
        tenant_id: str,
        client_id: str,
        authorization_code: str,
        redirect_uri: str,
        **options: Unpack[_options.AuthorizationCode],
    ) -> None:
        """Take the application's tenant and id, the code, and the address that the browser brought it to."""
        self._make(
            "AuthorizationCodeCredential",
            options,
            tenant_id=tenant_id,
            client_id=client_id,
            authorization_code=authorization_code,
            redirect_uri=redirect_uri,
        )


class _User(_Credential):
    """What the credentials have in common that somebody signs in to."""

    def authenticate(
        self,
        *,
        scopes: Iterable[str] | None = None,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        timeout: float | None = None,
        **ignored: Any,
    ) -> AuthenticationRecord:
        """Have the user sign in now, and get the record of the account.

        ``scopes`` and ``claims`` are those of an :class:`AuthenticationRequiredError`; without scopes it is the cloud's
        management. ``timeout`` (seconds) is that of ``get_token``; what azure-core's methods take beside is ignored.
        """
        from azcred._record import AuthenticationRecord

        asked = (scopes,) if isinstance(scopes, str) else tuple(scopes or ())
        options = {"claims": claims, "tenant_id": tenant_id, "enable_cae": enable_cae, "timeout": timeout}
        return AuthenticationRecord.deserialize(self._authenticate(asked, options | ignored))


class UsernamePasswordCredential(_User):
    """A user by name and password. Works without a second factor only; prefer any other credential.

    Options: ``tenant_id``, ``authentication_record``, ``authority``, ``additionally_allowed_tenants``,
    ``disable_instance_discovery``.
    """

    def __init__(
        self, client_id: str, username: str, password: str, **options: Unpack[_options.UsernamePassword]
    ) -> None:
        """Take the application's id, and the user's name and password."""
        self._make("UsernamePasswordCredential", options, client_id=client_id, username=username, password=password)


class DeviceCodeCredential(_User):
    """A user who signs in on another device, with a code that this program shows.

    ``prompt_callback(verification_uri, user_code, expires_on)`` shows it, called on a thread of its own; without it,
    standard error does. Options: ``tenant_id``, ``authentication_record``, ``disable_automatic_authentication``,
    ``authority``, ``additionally_allowed_tenants``, ``disable_instance_discovery``.
    """

    def __init__(
        self,
        client_id: str | None = None,
        *,
        timeout: float | None = None,
        prompt_callback: Callable[[str, str, datetime], None] | None = None,
        **options: Unpack[_options.DeviceCode],
    ) -> None:
        """Take the application's id, how long the user may take (seconds), and how the code is shown."""
        self._make(
            "DeviceCodeCredential", options, client_id=client_id, timeout=timeout, prompt_callback=prompt_callback
        )


class InteractiveBrowserCredential(_User):
    """A user who signs in in the browser of this machine.

    Options: ``tenant_id``, ``client_id``, ``login_hint``, ``redirect_uri``, ``authentication_record``,
    ``disable_automatic_authentication``, ``timeout`` (seconds), ``authority``, ``additionally_allowed_tenants``,
    ``disable_instance_discovery``.
    """

    def __init__(self, **options: Unpack[_options.InteractiveBrowser]) -> None:
        """Take the options."""
        self._make("InteractiveBrowserCredential", options)


class EnvironmentCredential(_Credential):
    """An application or a user that the environment describes.

    ``AZURE_TENANT_ID`` and ``AZURE_CLIENT_ID`` with ``AZURE_CLIENT_SECRET`` or ``AZURE_CLIENT_CERTIFICATE_PATH`` (and
    ``AZURE_CLIENT_CERTIFICATE_PASSWORD``, ``AZURE_CLIENT_SEND_CERTIFICATE_CHAIN``), or ``AZURE_CLIENT_ID`` with
    ``AZURE_USERNAME`` and ``AZURE_PASSWORD``. Options: ``authority``, ``additionally_allowed_tenants``,
    ``disable_instance_discovery``.
    """

    def __init__(self, **options: Unpack[_options.Entra]) -> None:
        """Take the options; the identity comes from the environment."""
        self._make("EnvironmentCredential", options)


class AzureCliCredential(_Credential):
    """The developer who is signed in to the Azure CLI.

    Options: ``tenant_id``, ``subscription``, ``additionally_allowed_tenants``, ``process_timeout`` (seconds).
    """

    def __init__(self, **options: Unpack[_options.AzureCli]) -> None:
        """Take the options of the tool."""
        self._make("AzureCliCredential", options)


class AzurePowerShellCredential(_Credential):
    """The developer who is signed in to Azure PowerShell.

    Options: ``tenant_id``, ``additionally_allowed_tenants``, ``process_timeout`` (seconds).
    """

    def __init__(self, **options: Unpack[_options.Tool]) -> None:
        """Take the options of the tool."""
        self._make("AzurePowerShellCredential", options)


class AzureDeveloperCliCredential(_Credential):
    """The developer who is signed in to the Azure Developer CLI.

    Options: ``tenant_id``, ``additionally_allowed_tenants``, ``process_timeout`` (seconds).
    """

    def __init__(self, **options: Unpack[_options.Tool]) -> None:
        """Take the options of the tool."""
        self._make("AzureDeveloperCliCredential", options)


class BrokerCredential(_Credential):
    """Whoever the operating system's broker knows: a member of the default chain that is always unavailable."""


class SharedTokenCacheCredential(_Credential):
    """Whoever signed in with one of Microsoft's applications. Always unavailable: azcred does not use their tokens.

    Takes azure-identity's arguments, so that a program moves over as it is.
    """

    def __init__(self, username: str | None = None, **options: Unpack[_options.Absent]) -> None:
        """Take the account and the options."""
        self._make("SharedTokenCacheCredential", options, username=username)

    @staticmethod
    def supported() -> bool:
        """Tell whether there is such a cache to read; there is none."""
        return False


class VisualStudioCodeCredential(_Credential):
    """Whoever signed in to Visual Studio Code. Always unavailable: azcred does not ask the operating system's broker.

    Takes azure-identity's options, so that a program moves over as it is.
    """

    def __init__(self, **options: Unpack[_options.Absent]) -> None:
        """Take the options of the editor's login."""
        self._make("VisualStudioCodeCredential", options)


def __getattr__(name: str) -> Any:
    """Import the error, token and record classes when somebody names one."""
    if name in __all__:
        if name == "AuthenticationRecord":
            from azcred._record import AuthenticationRecord

            return AuthenticationRecord
        from azcred import _errors, _token

        _errors.meet()
        for module in (_errors, _token):
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module 'azcred' has no attribute {name!r}")
