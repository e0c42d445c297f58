"""Chains that a program puts together, of azcred's credentials and others'."""

from __future__ import annotations

from azcred._azcred import Credential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from azure.core.credentials import TokenProvider

    _Self = TypeVar("_Self", bound="ChainedTokenCredential")

__all__ = ["OURS", "ChainedTokenCredential", "is_ours"]


class ChainedTokenCredential(Credential):
    """Asks its members in their order until one is available.

    A member may be any object with ``get_token_info`` or ``get_token``, such as a credential of azure-identity's. One
    that is not azcred's is called on a thread of its own, when a token is renewed too; its
    ``CredentialUnavailableError``, be it azure-identity's or azcred's, means that the next member is asked.
    """

    __module__ = "azcred"
    _for_asyncio = False

    def __init__(self, *credentials: TokenProvider) -> None:
        """Take the members."""
        self._set_members(*credentials)

    def _set_members(self, *credentials: Any) -> None:
        foreign = [not is_ours(member) for member in credentials]
        for position, member in enumerate(credentials, 1):
            if not callable(getattr(member, "get_token_info", None) or getattr(member, "get_token", None)):
                from azcred._errors import make

                raise make(
                    "INVALID_CONFIGURATION",
                    f"ChainedTokenCredential: argument {position}: expected a credential, "
                    f"got an object of type {type(member).__name__}",
                    {},
                )
        if any(foreign):
            # Here, not on azcred's thread, which serves every caller.
            from azcred import _foreign  # noqa: F401
        self._chain(credentials, foreign, self._for_asyncio)

    @property
    def credentials(self) -> tuple[Any, ...]:
        """The members, in their order."""
        import azcred

        return self._members(vars(azcred))

    def _foreign(self, method: str) -> list[Any]:
        """Give the members that are not azcred's and have a method."""
        return [member for member in self.credentials if not is_ours(member) and hasattr(member, method)]

    def close(self) -> None:
        """Close the members that are not azcred's. May be called any number of times."""
        for member in self._foreign("close"):
            member.close()

    def __enter__(self: _Self) -> _Self:
        """Enter the members that are not azcred's."""
        for member in self._foreign("__enter__"):
            member.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave them."""
        for member in self._foreign("__exit__"):
            member.__exit__(*exception)


OURS = {Credential.get_token, Credential.get_token_info}
"""The ways to a token that lead to core."""


def is_ours(member: object) -> bool:
    """Tell whether core can ask a credential by itself: not where a program's class has a way of its own."""
    kind: Any = type(member)
    return isinstance(member, Credential) and {kind.get_token, kind.get_token_info} <= OURS
