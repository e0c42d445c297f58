from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

from typing_extensions import Self

from azcred._token import AccessToken, AccessTokenInfo

__all__ = ["Credential", "VERSION", "Wait"]

VERSION: str

class Credential:
    def __new__(cls, name: str, options: dict[str, Any], members: Sequence[Credential] | None = None) -> Self: ...
    def get_token(self, *scopes: str, **options: Any) -> AccessToken: ...
    def get_token_info(self, *scopes: str, options: Mapping[str, Any] | None = None) -> AccessTokenInfo: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_exception: object) -> None: ...
    def _cached(self, info: bool, scopes: tuple[str, ...], options: Mapping[str, Any] | None) -> Any: ...
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
