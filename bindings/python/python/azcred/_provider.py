"""Functions that give a token's text, for clients that want one instead of a credential."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from azure.core.credentials import TokenProvider

    from azcred._errors import AzcredError

__all__ = ["get_bearer_token_provider", "method_of"]


def get_bearer_token_provider(credential: TokenProvider, *scopes: str) -> Callable[[], str]:
    """Give a function that gives the text of a live token, for clients that want one instead of a credential.

    It asks ``credential`` at each call, which may be any object with ``get_token_info`` or ``get_token``.
    """
    ask = method_of(credential, scopes)

    def provide() -> str:
        token = ask(*scopes)
        if hasattr(token, "__await__"):
            if hasattr(token, "close"):
                token.close()
            raise _refused(f"{type(credential).__name__} is for asyncio: take azcred.aio.get_bearer_token_provider")
        text: str = token.token
        return text

    return provide


def method_of(credential: Any, scopes: tuple[str, ...]) -> Callable[..., Any]:
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
