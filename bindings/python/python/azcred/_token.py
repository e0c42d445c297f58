"""What comes back: azure-core's two token types, without azure-core."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["AccessToken", "AccessTokenInfo", "make"]


class AccessToken(tuple):  # type: ignore[type-arg]
    """A token and its expiry: a pair, as azure-core's type of this name."""

    provenance: dict[str, str | None]

    def __new__(cls, token: str, expires_on: int) -> AccessToken:
        """Make the pair of a token and the moment it expires, in Unix seconds."""
        return tuple.__new__(cls, (token, expires_on))

    @property
    def token(self) -> str:
        """The token. Don't log it."""
        return self[0]  # type: ignore[no-any-return]

    @property
    def expires_on(self) -> int:
        """When the token dies, in Unix seconds."""
        return self[1]  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        """Show everything but the token."""
        return f"AccessToken(token=…, expires_on={self[1]})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as a pair."""
        return (AccessToken, (self[0], self[1]))


class AccessTokenInfo:
    """A token with everything known of it, as azure-core's type of this name."""

    __slots__ = ("expires_on", "provenance", "refresh_on", "token", "token_type")

    def __init__(
        self,
        token: str,
        expires_on: int,
        *,
        token_type: str = "Bearer",
        refresh_on: int | None = None,
        provenance: dict[str, str | None] | None = None,
    ) -> None:
        """Take a token and its times, in Unix seconds."""
        self.token = token
        self.expires_on = expires_on
        self.token_type = token_type
        self.refresh_on = refresh_on
        self.provenance = provenance or {}

    def __repr__(self) -> str:
        """Show everything but the token."""
        return (
            f"AccessTokenInfo(token=…, expires_on={self.expires_on}, token_type={self.token_type!r}, "
            f"refresh_on={self.refresh_on}, provenance={self.provenance})"
        )


def make(
    token: str, expires_on: int, refresh_on: int, provenance: dict[str, str | None]
) -> tuple[AccessToken, AccessTokenInfo]:
    """Make both objects of one token; the native half calls this once per token."""
    pair = AccessToken(token, expires_on)
    pair.provenance = provenance
    return pair, AccessTokenInfo(token, expires_on, refresh_on=refresh_on, provenance=provenance)
