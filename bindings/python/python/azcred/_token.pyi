from azure.core import credentials
from typing_extensions import Self

__all__ = ["AccessToken", "AccessTokenInfo", "make"]

# For type checkers these are azure-core's types. At run time azcred does without azure-core, and they only look like
# them.
class AccessToken(credentials.AccessToken):
    provenance: dict[str, str | None]
    def __new__(cls, token: str, expires_on: int) -> Self: ...

class AccessTokenInfo(credentials.AccessTokenInfo):
    provenance: dict[str, str | None]
    def __init__(
        self,
        token: str,
        expires_on: int,
        *,
        token_type: str = ...,
        refresh_on: int | None = None,
        provenance: dict[str, str | None] | None = None,
    ) -> None: ...

def make(
    token: str, expires_on: int, refresh_on: int, provenance: dict[str, str | None]
) -> tuple[AccessToken, AccessTokenInfo]: ...
