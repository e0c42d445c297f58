"""Chains of azcred's and azure-identity's credentials, in the chains of either."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import azcred
import azcred.aio
import azure.identity
import azure.identity.aio
import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from conftest import Emulator, python

LATER = int(time.time()) + 3600


class Stranger:
    """A credential that is neither's."""

    def __init__(self, *answers: object) -> None:
        """Take what it gives in turn, the last again and again; exceptions are raised."""
        self.answers = list(answers)
        self.asked: list[tuple[tuple[str, ...], dict[str, Any], int]] = []
        self.log: list[str] = []

    def give(self, scopes: tuple[str, ...], options: dict[str, Any]) -> Any:
        """Note who asks, and give the next answer."""
        self.asked.append((scopes, options, threading.get_ident()))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def close(self) -> None:
        """Note it."""
        self.log.append("closed")


class Old(Stranger):
    """One with the older protocol, of few keywords."""

    def get_token(self, *scopes: str, **options: Any) -> Any:
        """Give an answer."""
        return self.give(scopes, options)

    def __enter__(self) -> None:
        """Note it."""
        self.log.append("entered")

    def __exit__(self, *_: object) -> None:
        """Note it."""
        self.log.append("left")


class New(Stranger):
    """One with the newer protocol."""

    def get_token_info(self, *scopes: str, options: dict[str, Any]) -> Any:
        """Give an answer."""
        return self.give(scopes, options)


class Later(Stranger):
    """One for asyncio, which minds the loop that it is asked on."""

    loop: Any = None

    async def get_token(self, *scopes: str, **options: Any) -> Any:
        """Give an answer, as one whose connections belong to a loop."""
        assert self.loop in (None, asyncio.get_running_loop())
        self.loop = asyncio.get_running_loop()
        await asyncio.sleep(0)
        return self.give(scopes, options)

    async def close(self) -> None:  # type: ignore[override]
        """Note it."""
        self.log.append("closed")

    async def __aenter__(self) -> None:
        """Note it."""
        self.log.append("entered")

    async def __aexit__(self, *_: object) -> None:
        """Note it."""
        self.log.append("left")


def test_members_of_others_are_asked_on_threads_of_their_own() -> None:
    old = Old(AccessToken("old", LATER))
    chain = azcred.ChainedTokenCredential(azcred.EnvironmentCredential(), old)
    token = chain.get_token("https://a.example/.default", tenant_id="t", claims="", enable_cae=True)
    assert (token.token, token.expires_on, token.provenance["credential"]) == ("old", LATER, "Old")
    assert chain.get_token("https://a.example/.default", tenant_id="t", enable_cae=True) is token, "cached"
    ((scopes, options, thread),) = old.asked
    assert (scopes, options) == (("https://a.example/.default",), {"tenant_id": "t", "enable_cae": True})
    assert thread != threading.get_ident()
    new = New(AccessTokenInfo("new", LATER, refresh_on=LATER - 600))
    info = azcred.ChainedTokenCredential(new).get_token_info("a", "b", options={"claims": '{"x":1}'})
    assert (info.token, new.asked[0][:2]) == ("new", (("a", "b"), {"claims": '{"x":1}'}))
    assert LATER - 1000 < info.refresh_on <= LATER - 600


def test_members_of_others_for_asyncio_are_asked_on_the_loop_that_asks() -> None:
    later, old = Later(AccessToken("later", LATER)), Old(AccessToken("old", LATER))
    chain = azcred.aio.ChainedTokenCredential(azcred.aio.EnvironmentCredential(), later)

    async def main() -> None:
        tokens = await asyncio.gather(*(chain.get_token("https://a.example/.default") for _ in range(50)))
        assert {token.token for token in tokens} == {"later"}
        assert (await chain.get_token_info("https://b.example/.default")).token == "later"
        # One that is not for asyncio will do, and a chain within a chain.
        outer = azcred.aio.ChainedTokenCredential(azcred.aio.ChainedTokenCredential(old), later)
        assert (await outer.get_token("https://a.example/.default")).token == "old"

    asyncio.run(main())
    assert len(later.asked) == 2, "one flight for all who ask at once"
    assert {thread for _, _, thread in later.asked + old.asked} == {threading.get_ident()}
    later.loop = None
    asyncio.run(ask(chain, "https://c.example/.default"))
    assert len(later.asked) == 3, "another loop"
    # Nobody is left to ask it.
    with pytest.raises(azcred.TransientError, match="Later: the event loop that it is asked on is closed"):
        azcred.ChainedTokenCredential(chain).get_token("https://d.example/.default")
    with pytest.raises(azcred.TransientError, match="Later: it is asked on an event loop, and none has asked"):
        azcred.ChainedTokenCredential(azcred.aio.ChainedTokenCredential(Later(None))).get_token("x")
    with pytest.raises(ValueError, match=r"Later: it is for asyncio: take azcred\.aio"):
        azcred.ChainedTokenCredential(Later(None)).get_token("x")


async def ask(credential: Any, scope: str) -> Any:
    """Ask one of either half."""
    token = credential.get_token(scope)
    return await token if hasattr(token, "__await__") else token


def chained(half: str, *members: object) -> Any:
    """Give azcred's chain of a half."""
    return {"sync": azcred, "aio": azcred.aio}[half].ChainedTokenCredential(*members)


halves = pytest.mark.parametrize("half", ["sync", "aio"])


@halves
@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (azure.identity.CredentialUnavailableError("not here"), "UNAVAILABLE", "Old: not here"),
        (azcred.CredentialUnavailableError("not here"), "UNAVAILABLE", "Old: not here"),
        (ClientAuthenticationError("refused"), "FAILED", "Old: ClientAuthenticationError: refused"),
        (azcred.TransientError("busy"), "TRANSIENT", "Old: busy"),
        (azcred.InvalidArgumentError("no such tenant"), "INVALID_ARGUMENT", "Old: no such tenant"),
        (ServiceRequestError("no route"), "TRANSIENT", "Old: ServiceRequestError: no route"),
        (TimeoutError(), "TRANSIENT", "Old: TimeoutError"),
        (KeyError("a\nb"), "FAILED", r"Old: KeyError: 'a\nb'"),
        (SystemExit(1), "TRANSIENT", "Old: SystemExit: 1"),
    ],
)
def test_what_members_of_others_raise(half: str, error: BaseException, kind: str, text: str) -> None:
    if half == "aio" and isinstance(error, SystemExit):
        # It ends the loop, as it would anywhere.
        with pytest.raises(SystemExit):
            asyncio.run(ask(chained(half, Old(error)), "x"))
        return
    second = Old(AccessToken("second", LATER))
    chain = chained(half, Old(error), second)
    if kind == "UNAVAILABLE":
        assert asyncio.run(ask(chain, "https://a.example/.default")).token == "second"
        chain = chained(half, Old(error))
    with pytest.raises(azcred.AzcredError) as caught:
        asyncio.run(ask(chain, "x"))
    assert (caught.value.kind, [(name, str(e)) for name, e in caught.value.attempts]) == (kind, [("Old", text)])
    assert len(second.asked) == (kind == "UNAVAILABLE"), "a refusal ends the walk"


@halves
def test_what_members_of_others_give(half: str) -> None:
    good = AccessToken("good", LATER)
    for answer, text in [
        (AccessToken("dead", 5), "it gave a token that is dead"),
        (None, "AttributeError: 'NoneType' object has no attribute 'token'"),
        (AccessToken("text", "soon"), "ValueError: invalid literal for int"),  # type: ignore[arg-type]
        (AccessToken(5, LATER), "TypeError: "),  # type: ignore[arg-type]
        (AccessToken("two words", LATER), "characters that no token has"),
    ]:
        with pytest.raises(azcred.AzcredError) as caught:
            asyncio.run(ask(chained(half, Old(answer)), "x"))
        assert text in str(caught.value)
    # Seconds with a fraction, as some have them.
    fraction = AccessToken("fraction", LATER + 0.5)  # type: ignore[arg-type]
    assert asyncio.run(ask(chained(half, Old(fraction)), "x")).expires_on == LATER
    assert asyncio.run(ask(chained(half, Old(AccessToken("dead", 5)), Old(good)), "x")).token == "good"


def test_a_class_with_a_way_of_its_own_is_asked_by_it(app_service: Emulator) -> None:
    class Counted(azcred.ManagedIdentityCredential):
        """A program's class over one of azcred's."""

        calls = 0

        def get_token(self, *scopes: str, **options: Any) -> Any:
            """Count, and ask."""
            self.calls += 1
            return super().get_token(*scopes, **options)

        def get_token_info(self, *scopes: str, options: Any = None) -> Any:
            """Count, and ask."""
            self.calls += 1
            return super().get_token_info(*scopes, options=options)

    counted = Counted()
    token = azcred.ChainedTokenCredential(counted).get_token("https://counted.example/.default")
    assert (counted.calls, token.provenance["credential"], app_service.tokens()) == (1, "Counted", 1)


@halves
def test_a_chain_shows_and_closes_its_members(half: str) -> None:
    module = {"sync": azcred, "aio": azcred.aio}[half]
    theirs = {"sync": azure.identity, "aio": azure.identity.aio}[half]
    stranger = {"sync": Old, "aio": Later}[half](AccessToken("x", LATER))
    members = (module.EnvironmentCredential(), stranger, New(None))
    chain = module.ChainedTokenCredential(*members)
    assert chain.credentials == members == theirs.ChainedTokenCredential(*members).credentials

    async def main() -> None:
        if half == "sync":
            with chain as entered:
                assert entered is chain
            chain.close()
        else:
            async with chain as entered:
                assert entered is chain
            await chain.close()

    asyncio.run(main())
    assert stranger.log == ["entered", "left", "closed"]
    assert members[2].log == ["closed"]


@halves
def test_the_default_chain_shows_its_members(half: str) -> None:
    module = {"sync": azcred, "aio": azcred.aio}[half]
    theirs = {"sync": azure.identity, "aio": azure.identity.aio}[half]
    credential = module.DefaultAzureCredential(exclude_powershell_credential=True)
    assert isinstance(credential, module.ChainedTokenCredential)
    members = credential.credentials
    assert credential.credentials is members
    names = [type(member).__name__ for member in members]
    assert "AzurePowerShellCredential" not in names
    their = theirs.DefaultAzureCredential(exclude_powershell_credential=True)
    # Theirs leaves a workload identity out where none is set up; for asyncio it has no broker.
    their_names = [type(member).__name__ for member in their.credentials if hasattr(member, "close")]
    assert [name for name in names if name in their_names] == [name for name in their_names if name in names]
    assert {"EnvironmentCredential", "ManagedIdentityCredential", "AzureCliCredential"} <= set(names) & set(their_names)
    assert all(type(member).__module__ == module.__name__ for member in members)
    with pytest.raises(azcred.CredentialUnavailableError, match=r"^EnvironmentCredential: "):
        asyncio.run(ask(members[0], "x"))


def test_members_of_azcreds_in_azure_identitys_chain(app_service: Emulator) -> None:
    sync = azure.identity.ChainedTokenCredential(azcred.EnvironmentCredential(), azcred.ManagedIdentityCredential())
    assert sync.get_token("https://theirs.example/.default").token

    async def main() -> None:
        chain = azure.identity.aio.ChainedTokenCredential(
            azcred.aio.EnvironmentCredential(), azcred.aio.ManagedIdentityCredential()
        )
        assert (await chain.get_token("https://theirs.example/.default")).token
        assert (await chain.get_token_info("https://theirs.example/.default")).token

    asyncio.run(main())
    assert app_service.tokens() == 1


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_errors_are_azure_identitys_whichever_is_loaded_first(before: bool) -> None:
    code = """
import json, azcred
def fail():
    try:
        azcred.EnvironmentCredential().get_token("x")
    except azcred.CredentialUnavailableError as error:
        return error
early = fail()
import azure.identity
try:
    raise fail()
except azure.identity.CredentialUnavailableError as error:
    late = error
told = [isinstance(error, azure.identity.CredentialUnavailableError) for error in (early, late)]
pairs = [(azcred.CredentialUnavailableError, azure.identity.CredentialUnavailableError),
         (azcred.AuthenticationRequiredError, azure.identity.AuthenticationRequiredError)]
told += [issubclass(ours, theirs) and not issubclass(theirs, ours) for ours, theirs in pairs]
told.append(issubclass(azcred.AuthenticationFailedError, azure.identity.CredentialUnavailableError))
required = azcred.AuthenticationRequiredError(["s"], claims="c")
told += [required.scopes, required.claims, bool(required.message)]
print(json.dumps(told))
"""
    if before:
        code = "import azure.identity\n" + code
    assert python(code) == [True, True, True, True, False, ["s"], "c", True]


def test_azcred_does_not_load_azure_identity() -> None:
    code = """
import json, sys, azcred
try:
    azcred.EnvironmentCredential().get_token("x")
except azcred.CredentialUnavailableError:
    pass
class Stranger:
    def get_token(self, *scopes): raise ValueError("x")
try:
    azcred.ChainedTokenCredential(Stranger()).get_token("x")
except azcred.AuthenticationFailedError:
    print(json.dumps([name for name in sys.modules if name.startswith("azure.identity")]))
"""
    assert python(code) == []
