"""Why nothing came back. Imported when the first exception is raised or named, since it imports azure-core.

Where azure-core is installed, the classes extend its own, so that ``except ClientAuthenticationError`` goes on working;
elsewhere they extend stand-ins of the same names.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
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


class CredentialUnavailableError(AzcredError, ClientAuthenticationError):
    """The credential could not try here; a chain goes on."""

    kind = "UNAVAILABLE"


class AuthenticationRequiredError(CredentialUnavailableError):
    """The user has to sign in, and the credential may not ask: call ``authenticate`` with these scopes and claims."""

    code = "authentication_required"
    scopes: tuple[str, ...] = ()
    """The scopes that were asked for."""


class AuthenticationFailedError(AzcredError, ClientAuthenticationError):
    """The credential tried and was refused; it will not mend by itself."""

    kind = "FAILED"


class TransientError(AzcredError, ClientAuthenticationError):
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


def make(kind: str, message: str, fields: dict[str, Any]) -> AzcredError:
    """Make the exception of an error of core; the native half calls this."""
    required = fields.get("code") == AuthenticationRequiredError.code and kind == AuthenticationRequiredError.kind
    error = AuthenticationRequiredError(message) if required else _CLASSES[kind](message)
    error.message = message
    if not required:
        fields.pop("scopes", None)
    for name, value in fields.items():
        setattr(error, name, value)
    return error
