from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

from typing_extensions import Self

from azcred._token import AccessToken, AccessTokenInfo

__all__ = ["Credential", "VERSION", "Wait", "_close", "_record"]

VERSION: str

def _close() -> None: ...
def _record(text: str) -> tuple[str, str, str, str, str]: ...

class Credential:
    def __new__(cls, name: str, options: dict[str, Any], members: Sequence[Credential] | None = None) -> Self: ...
    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        timeout: float | None = None,
        min_ttl: int | None = None,
    ) -> AccessToken: ...
    def get_token_info(self, *scopes: str, options: Mapping[str, Any] | None = None) -> AccessTokenInfo: ...
    def reject(self, token: str | AccessToken | AccessTokenInfo) -> bool: ...
    def statistics(self) -> dict[str, int]: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_exception: object) -> None: ...
    def _authenticate(self, scopes: tuple[str, ...], options: Mapping[str, Any] | None) -> str: ...
    def _cached(
        self,
        scopes: tuple[str, ...],
        claims: str | None,
        tenant_id: str | None,
        enable_cae: bool | None,
        timeout: float | None,
        min_ttl: int | None,
    ) -> AccessToken | None: ...
    def _cached_info(self, scopes: tuple[str, ...], options: Mapping[str, Any] | None) -> AccessTokenInfo | None: ...
    def _start(
        self,
        info: bool,
        scopes: tuple[str, ...],
        options: Mapping[str, Any] | None,
        done: Callable[[Any, BaseException | None], None],
    ) -> Wait: ...

@final
class Wait:
    def cancel(self) -> None: ...
