"""One case of the comparison of azcred with azure-identity, and who goes through it.

Both get the same variables, faults and arguments. Where something else comes of it, the case says why.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from stagehand import Stagehand

TOKEN, UNAVAILABLE, FAILED, TRANSIENT, ARGUMENT, REQUIRED = (
    "token",
    "unavailable",
    "failed",
    "transient",
    "argument",
    "required",
)
"""What comes of a case: a token, or what a caller is to do about the error."""

OTHER_TENANT = "11111111-1111-1111-1111-111111111112"
UNKNOWN_HOST = "login.contoso.example"
"""An authority that Entra ID does not know; the proxy leads it to the emulator."""
BEHIND_THE_OTHER_PROXY = "option.login.microsoft.com"
CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}'

Variables = dict[str, str]


class Peer:
    """One of the two in its process: its module, and what it finds there."""

    def __init__(self, sdk: ModuleType, scene: dict[str, Any]) -> None:
        """Take the module, and the scene as its file has it."""
        self.sdk: Any = sdk
        self.asynchronous = sdk.__name__.endswith(".aio")
        self.scene = scene
        self.hand = Stagehand(scene)
        self.ready = self.hand.ready
        self.scope = ""
        self.other_scope = ""
        """Of this case alone: azcred keeps tokens for the whole process."""

    def begin(self, position: int) -> None:
        """Begin a case."""
        self.scope = f"https://case-{position}.example/.default"
        self.other_scope = f"https://case-{position}-other.example/.default"

    @property
    def own(self) -> dict[str, Any]:
        """Give the options for an authority that Entra ID does not know."""
        return self.hand.options()

    @property
    def application(self) -> tuple[str, str, str]:
        """Give the application's tenant, id and secret."""
        return self.ready["tenant_id"], self.ready["client_id"], self.ready["client_secret"]

    @property
    def public(self) -> dict[str, str]:
        """Give the tenant and the application that users sign in to."""
        return {"tenant_id": self.ready["tenant_id"], "client_id": self.ready["public_client_id"]}

    def ask(self, credential: Any, scope: str | None = None, method: str = "get_token", **request: Any) -> Any:
        """Ask once."""
        return self.wait(getattr(credential, method)(scope or self.scope, **request))

    def wait(self, answer: Any) -> Any:
        """Wait for an answer where it is one of asyncio's."""
        if not self.asynchronous:
            return answer

        async def main() -> Any:
            return await answer

        return asyncio.run(main())

    def secret(self, **options: Any) -> Any:
        """Make the credential of an application with its secret."""
        return self.sdk.ClientSecretCredential(*self.application, **options)

    def approve(self, *said: Any) -> None:
        """Be the user of a device code."""
        self.hand.decide(said[1], "approve")


def nothing(_: Peer) -> Variables:
    """Give no variables."""
    return {}


@dataclass(frozen=True)
class Case:
    """What both do, and what comes of it."""

    name: str
    act: Callable[[Peer], Any]
    outcome: str = TOKEN
    """What azcred gives."""
    cause: str = ""
    """What both messages say, in any case of letters."""
    env: Callable[[Peer], Variables] = nothing
    faults: tuple[dict[str, Any], ...] = ()
    theirs: str = ""
    """What azure-identity gives, where it is something else."""
    their_cause: str | None = None
    """A word of azure-identity's own, where it does not say what azcred says."""
    only_theirs: tuple[str, ...] = ()
    """Parts of the requests that only azure-identity makes."""
    only_ours: tuple[str, ...] = ()
    """Parts of the requests that only azcred makes."""
    why: str = ""
    """The reason for any difference."""
    aio: bool = True
    """Whether azcred's other half can do it too."""


def parts(token: str) -> dict[str, Any]:
    """Give the claims that say whose token it is."""
    body = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    kept = ("aud", "tid", "appid", "appidacr", "oid", "upn", "scp", "xms_cc")
    return {name: claims[name] for name in kept if name in claims}


def told(result: Any) -> Any:
    """Give what can be compared of a result."""
    text = getattr(result, "token", result)
    if not isinstance(text, str) or text.count(".") != 2:
        return result
    # A difference of seconds is one of moments.
    lives = round((result.expires_on - time.time()) / 60) if hasattr(result, "expires_on") else None
    return parts(text) | {"lives": lives}


def kind(error: Exception) -> str:
    """Give what a caller is to do about an error."""
    from azure.core.exceptions import AzureError, ClientAuthenticationError

    own = getattr(error, "kind", None)
    names = [cls.__name__ for cls in type(error).__mro__]
    if "AuthenticationRequiredError" in names:
        return REQUIRED
    if own:
        return {"INVALID_CONFIGURATION": ARGUMENT, "INVALID_ARGUMENT": ARGUMENT}.get(own, own.lower())
    if "CredentialUnavailableError" in names:
        return UNAVAILABLE
    if isinstance(error, ClientAuthenticationError):
        return FAILED
    if isinstance(error, ValueError | TypeError):
        return ARGUMENT
    return TRANSIENT if isinstance(error, AzureError) else names[0]


def reasons(message: str) -> list[str]:
    """Give Entra ID's codes in a message."""
    return sorted(set(re.findall(r"AADSTS\d+", message)))


def members(error: Exception) -> list[str]:
    """Give the members of a chain that its report names, in its order."""
    return re.findall(r"^\s*(\w+Credential): ", str(error), re.MULTILINE)
