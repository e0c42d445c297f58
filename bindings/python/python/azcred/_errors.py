"""Why nothing came back. Imported when the first exception is raised or named, since it imports azure-core.

Where azure-core is installed, the classes extend its own, so that ``except ClientAuthenticationError`` goes on working;
elsewhere they extend stand-ins of the same names. Where the program has loaded azure-identity, before or after, two of
them extend its classes of the same names as well, so that its chains go on after a credential of azcred's.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

try:
    from azure.core.exceptions import ClientAuthenticationError
except ImportError:

    class AzureError(Exception):
        """The base of azure-core's errors."""

        def __init__(self, message: object = None, *args: Any, **_: Any) -> None:
            """Take the message."""
            self.message = str(message)
            super().__init__(self.message, *args)

    class HttpResponseError(AzureError):
        """An answer that is an error."""

        response = None
        status_code: int | None = None

    class ClientAuthenticationError(HttpResponseError):  # type: ignore[no-redef]
        """The caller could not authenticate."""


__all__ = [
    "AuthenticationFailedError",
    "AuthenticationRequiredError",
    "AzcredError",
    "CancelledError",
    "ClientAuthenticationError",
    "CredentialUnavailableError",
    "InternalError",
    "InvalidArgumentError",
    "InvalidConfigurationError",
    "TransientError",
    "WaitTimeoutError",
    "make",
]


class AzcredError(Exception):
    """The base of all errors of azcred. Its text is safe to log."""

    kind: str = "INTERNAL"
    """What to do about it: ``UNAVAILABLE``, ``FAILED``, ``TRANSIENT``, …"""
    message: str = ""
    """The whole sentence; a chain's report has a line per member."""
    code: str | None = None
    """The provider's error code, such as ``invalid_client``."""
    claims: str | None = None
    """The claims that a new sign-in must meet, as a JSON object: for ``authenticate``, or for an API's caller."""
    correlation_id: str | None = None
    """The id under which the provider logged the request."""
    status_code: int | None = None
    """The HTTP status of the answer that led to the error."""
    retry_after: float | None = None
    """How long the provider asked us to wait, in seconds."""
    attempts: list[tuple[str, AzcredError]] = []  # noqa: RUF012  # each instance gets its own in make()
    """What each member of a chain answered: its class name and its error, first to last."""


class _Authentication(AzcredError, ClientAuthenticationError):
    """What azure-core's error has in common with azcred's."""

    def __init__(self, message: object = None, *args: Any, **options: Any) -> None:
        """Take what azure-core's error takes."""
        # By name: the classes of azure-identity that come between take other arguments.
        ClientAuthenticationError.__init__(self, message, *args, **options)


class CredentialUnavailableError(_Authentication):
    """The credential could not try here; a chain goes on."""

    kind = "UNAVAILABLE"


class AuthenticationRequiredError(CredentialUnavailableError):
    """The user has to sign in, and the credential may not ask: call ``authenticate`` with these scopes and claims."""

    code = "authentication_required"
    scopes: Iterable[str] = ()
    """The scopes that were asked for."""

    def __init__(
        self, scopes: Iterable[str] = (), message: str | None = None, claims: str | None = None, **options: Any
    ) -> None:
        """Take what azure-identity's error takes."""
        super().__init__(message or "The user has to sign in: call 'authenticate'.", **options)
        self.scopes = scopes
        self.claims = claims

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle with what it was made of."""
        return type(self), (self.scopes, self.message, self.claims), self.__dict__


class AuthenticationFailedError(_Authentication):
    """The credential tried and was refused; it will not mend by itself."""

    kind = "FAILED"


class TransientError(_Authentication):
    """The credential tried and got no answer, after the retries allowed; try again later."""

    kind = "TRANSIENT"


class InvalidConfigurationError(AzcredError, ValueError):
    """A setting (option, environment variable, file) is wrong."""

    kind = "INVALID_CONFIGURATION"


class InvalidArgumentError(AzcredError, ValueError):
    """The call is wrong (scope, tenant, claims)."""

    kind = "INVALID_ARGUMENT"


class CancelledError(AzcredError):
    """The caller left before the answer came."""

    kind = "CANCELLED"


class WaitTimeoutError(AzcredError, TimeoutError):
    """The caller's timeout passed before the answer came."""

    kind = "TIMED_OUT"


class InternalError(AzcredError, RuntimeError):
    """A bug in azcred was contained; please report it."""

    kind = "INTERNAL"


_CLASSES: dict[str, type[AzcredError]] = {
    error.kind: error
    for error in (
        CredentialUnavailableError,
        AuthenticationFailedError,
        TransientError,
        InvalidConfigurationError,
        InvalidArgumentError,
        CancelledError,
        WaitTimeoutError,
        InternalError,
    )
}


_BASES = {
    "CredentialUnavailableError": CredentialUnavailableError,
    "AuthenticationRequiredError": AuthenticationRequiredError,
}
"""The classes that azure-identity has too, each after the one that it extends."""


def meet() -> None:
    """Extend azure-identity's classes, if the program has loaded it and they are not extended yet."""
    identity = sys.modules.get("azure.identity")
    for name, ours in _BASES.items():
        # Not there yet while another thread is loading it.
        theirs = getattr(identity, name, None)
        if isinstance(theirs, type) and not issubclass(ours, theirs) and issubclass(theirs, ClientAuthenticationError):
            ours.__bases__ = (*ours.__bases__, theirs)


def make(kind: str, message: str, fields: dict[str, Any]) -> AzcredError:
    """Make the exception of an error of core; the native half calls this."""
    meet()
    required = fields.get("code") == AuthenticationRequiredError.code and kind == AuthenticationRequiredError.kind
    error = AuthenticationRequiredError(message=message) if required else _CLASSES[kind](message)
    error.message = message
    if not required:
        fields.pop("scopes", None)
    for name, value in fields.items():
        setattr(error, name, value)
    return error
