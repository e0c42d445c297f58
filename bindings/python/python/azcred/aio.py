"""The credentials of :mod:`azcred` for asyncio.

A live token is returned without touching the event loop. A wait runs on azcred's own thread and is completed on the
loop that asked; cancelling the task leaves the fetch alone, so whoever asks next finds its result.
"""

from __future__ import annotations

from collections import deque
from weakref import WeakKeyDictionary, ref

import azcred as _sync
from azcred._azcred import Credential as _Credential
from azcred._azcred import _log
from azcred._chain import OURS
from azcred._provider import method_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from typing import Any, TypeVar

    from azure.core.credentials import TokenProvider, TokenRequestOptions
    from azure.core.credentials_async import AsyncTokenProvider

    from azcred import AccessToken, AccessTokenInfo

    _Self = TypeVar("_Self", bound="_Async")
    _Chain = TypeVar("_Chain", bound="ChainedTokenCredential")

__all__ = [
    "AuthorizationCodeCredential",
    "AzureCliCredential",
    "AzureDeveloperCliCredential",
    "AzurePipelinesCredential",
    "AzurePowerShellCredential",
    "CertificateCredential",
    "ChainedTokenCredential",
    "ClientAssertionCredential",
    "ClientSecretCredential",
    "DefaultAzureCredential",
    "EnvironmentCredential",
    "HostCredential",
    "ManagedIdentityCredential",
    "OnBehalfOfCredential",
    "SharedTokenCacheCredential",
    "VisualStudioCodeCredential",
    "WorkloadIdentityCredential",
    "get_bearer_token_provider",
]


class _Inbox:
    """Where answers for a loop arrive, so that it is woken once for all that come together."""

    def __init__(self, loop: Any) -> None:
        # The loop has the inbox, not the other way round.
        self._loop = ref(loop)
        self._arrived: Any = deque()
        self._is_woken = False

    def put(self, future: Any, token: Any, error: BaseException | None) -> None:
        """Put an answer in, on azcred's own thread."""
        self._arrived.append((future, token, error))
        # The loop lowers the flag before it looks: what it overlooks finds the flag down.
        if not self._is_woken:
            self._is_woken = True
            loop = self._loop()
            try:
                if loop is not None:
                    loop.call_soon_threadsafe(self._settle)
            except RuntimeError:
                # The loop was closed meanwhile; nobody waits on it any more.
                self._arrived.clear()
                self._is_woken = False

    def _settle(self) -> None:
        self._is_woken = False
        while self._arrived:
            future, token, error = self._arrived.popleft()
            if future.done():
                continue
            if error is None:
                future.set_result(token)
            else:
                future.set_exception(error)
        _log()


_inboxes: WeakKeyDictionary[Any, _Inbox] = WeakKeyDictionary()
"""Each loop's inbox, which goes with it."""


class _Async(_Credential):
    """What all classes here have in common: azure-core's asynchronous protocols."""

    if TYPE_CHECKING:
        # azure-core's protocol has further keywords; none is known, and at run time each is a TypeError.
        async def get_token(  # type: ignore[override]
            self,
            *scopes: str,
            claims: str | None = None,
            tenant_id: str | None = None,
            enable_cae: bool = False,
            timeout: float | None = None,
            min_ttl: int | None = None,
            **kwargs: Any,
        ) -> AccessToken: ...

    else:

        async def get_token(
            self, *scopes, claims=None, tenant_id=None, enable_cae=False, timeout=None, min_ttl=None
        ) -> AccessToken:
            """Get a token, as the pair of its text and its expiry in Unix seconds. Keywords as in :mod:`azcred`."""
            token = self._cached(scopes, claims, tenant_id, enable_cae, timeout, min_ttl)
            if token is None:
                options = {"claims": claims, "tenant_id": tenant_id, "enable_cae": enable_cae}
                token = await self._wait(False, scopes, options | {"timeout": timeout, "min_ttl": min_ttl})
            return token

    async def get_token_info(  # type: ignore[override]
        self, *scopes: str, options: TokenRequestOptions | Mapping[str, Any] | None = None
    ) -> AccessTokenInfo:
        """Get a token with everything known of it; ``options`` is a dictionary of ``get_token``'s keywords."""
        token: AccessTokenInfo | None = self._cached_info(scopes, options)
        if token is None:
            token = await self._wait(True, scopes, options)
        return token

    async def _wait(self, info: bool, scopes: tuple[str, ...], options: Mapping[str, Any] | None) -> Any:
        import asyncio

        loop = asyncio.get_running_loop()
        future = loop.create_future()
        inbox = _inboxes.get(loop) or _inboxes.setdefault(loop, _Inbox(loop))

        def done(token: Any, error: BaseException | None) -> None:
            inbox.put(future, token, error)

        wait = self._start(info, scopes, options, loop, done)
        try:
            return await future
        finally:
            wait.cancel()

    async def close(self) -> None:  # type: ignore[override]
        """Do nothing: tokens and connections belong to the process, not to this object."""

    async def __aenter__(self: _Self) -> _Self:
        """Enter a block that ends with :meth:`close`."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave the block."""


OURS |= {_Async.get_token, _Async.get_token_info}


class ChainedTokenCredential(_Async, _sync.ChainedTokenCredential):
    """Asks its members in their order until one is available.

    A member may be any object with ``get_token_info`` or ``get_token``, such as a credential of azure-identity's, for
    asyncio or not. One that is not azcred's is asked on the event loop that asked the chain last, when a token is
    renewed too; its ``CredentialUnavailableError``, be it azure-identity's or azcred's, means that the next member is
    asked.
    """

    _for_asyncio = True

    if TYPE_CHECKING:

        def __init__(self, *credentials: AsyncTokenProvider | TokenProvider) -> None: ...

    @property
    def credentials(self) -> tuple[Any, ...]:
        """The members, in their order."""
        return self._members(globals())

    async def close(self) -> None:  # type: ignore[override]
        """Close the members that are not azcred's."""
        for member in self._foreign("close"):
            closing = member.close()
            if hasattr(closing, "__await__"):
                await closing

    async def __aenter__(self: _Chain) -> _Chain:
        """Enter the members that are not azcred's."""
        for member in self._foreign("__aenter__"):
            await member.__aenter__()
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Leave them."""
        for member in self._foreign("__aexit__"):
            await member.__aexit__(*exception)


class DefaultAzureCredential(ChainedTokenCredential, _sync.DefaultAzureCredential):
    __doc__ = _sync.DefaultAzureCredential.__doc__


class BrokerCredential(_Async, _sync.BrokerCredential):
    __doc__ = _sync.BrokerCredential.__doc__


class ManagedIdentityCredential(_Async, _sync.ManagedIdentityCredential):
    __doc__ = _sync.ManagedIdentityCredential.__doc__


class ClientSecretCredential(_Async, _sync.ClientSecretCredential):
    __doc__ = _sync.ClientSecretCredential.__doc__


class CertificateCredential(_Async, _sync.CertificateCredential):
    __doc__ = _sync.CertificateCredential.__doc__


class ClientAssertionCredential(_Async, _sync.ClientAssertionCredential):
    __doc__ = _sync.ClientAssertionCredential.__doc__


class WorkloadIdentityCredential(_Async, _sync.WorkloadIdentityCredential):
    __doc__ = _sync.WorkloadIdentityCredential.__doc__


class AzurePipelinesCredential(_Async, _sync.AzurePipelinesCredential):
    __doc__ = _sync.AzurePipelinesCredential.__doc__


class OnBehalfOfCredential(_Async, _sync.OnBehalfOfCredential):
    __doc__ = _sync.OnBehalfOfCredential.__doc__


class AuthorizationCodeCredential(_Async, _sync.AuthorizationCodeCredential):
    __doc__ = _sync.AuthorizationCodeCredential.__doc__


class EnvironmentCredential(_Async, _sync.EnvironmentCredential):
    __doc__ = _sync.EnvironmentCredential.__doc__


class HostCredential(_Async, _sync.HostCredential):
    __doc__ = _sync.HostCredential.__doc__


class AzureCliCredential(_Async, _sync.AzureCliCredential):
    __doc__ = _sync.AzureCliCredential.__doc__


class AzurePowerShellCredential(_Async, _sync.AzurePowerShellCredential):
    __doc__ = _sync.AzurePowerShellCredential.__doc__


class AzureDeveloperCliCredential(_Async, _sync.AzureDeveloperCliCredential):
    __doc__ = _sync.AzureDeveloperCliCredential.__doc__


class SharedTokenCacheCredential(_Async, _sync.SharedTokenCacheCredential):
    __doc__ = _sync.SharedTokenCacheCredential.__doc__


class VisualStudioCodeCredential(_Async, _sync.VisualStudioCodeCredential):
    __doc__ = _sync.VisualStudioCodeCredential.__doc__


def get_bearer_token_provider(
    credential: AsyncTokenProvider | TokenProvider, *scopes: str
) -> Callable[[], Coroutine[Any, Any, str]]:
    """Give a coroutine function that gives the text of a live token.

    It asks ``credential`` at each call, which may be any object with ``get_token_info`` or ``get_token``, for asyncio
    or not.
    """
    ask = method_of(credential, scopes)

    async def provide() -> str:
        token = ask(*scopes)
        if hasattr(token, "__await__"):
            token = await token
        text: str = token.token
        return text

    return provide
