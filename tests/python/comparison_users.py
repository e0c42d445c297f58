"""Users: passwords, device codes, browsers, and the records of who signed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from comparison import ARGUMENT, FAILED, REQUIRED, Case, Peer

PATIENCE = 20
"""How long a user may take, in seconds; nobody does."""


def password(username: str = "username", word: str = "password") -> Callable[[Peer], Any]:
    """Ask with a name and a password, under the production names."""

    def act(peer: Peer) -> Any:
        ready = peer.ready
        said = ready.get(username, username), ready.get(word, word)
        tenant = {"tenant_id": ready["tenant_id"]}
        return peer.ask(peer.sdk.UsernamePasswordCredential(ready["public_client_id"], *said, **tenant))

    return act


def device(peer: Peer, **options: Any) -> Any:
    """Make the credential of a user who types a code at once."""
    said = {"prompt_callback": peer.approve, "timeout": PATIENCE, **peer.public, **peer.own}
    return peer.sdk.DeviceCodeCredential(**(said | options))


def browser(peer: Peer, **options: Any) -> Any:
    """Make the credential of a user at a browser."""
    return peer.sdk.InteractiveBrowserCredential(**({"timeout": PATIENCE, **peer.public, **peer.own} | options))


def twice(make: Callable[..., Any]) -> Callable[[Peer], Any]:
    """Sign in, and ask for something else by the refresh token."""

    def act(peer: Peer) -> Any:
        credential = make(peer)
        peer.ask(credential)
        return peer.ask(credential, peer.other_scope)

    return act


def record(make: Callable[..., Any], **request: Any) -> Callable[[Peer], Any]:
    """Sign in without asking for a token; give the record."""

    def act(peer: Peer) -> Any:
        kept = make(peer).authenticate(scopes=[peer.scope], **request)
        again = peer.sdk.AuthenticationRecord.deserialize(kept.serialize())
        names = ("authority", "client_id", "home_account_id", "tenant_id", "username")
        return {name: getattr(again, name) for name in names}

    return act


def silent(peer: Peer) -> Any:
    """Sign in by hand only; then ask without a prompt, by a refresh token that is taken back."""
    credential = device(peer, disable_automatic_authentication=True)
    credential.authenticate(scopes=[peer.scope])
    peer.hand.admin("/revoke", {})
    return peer.ask(credential, peer.other_scope)


def cae(peer: Peer) -> Any:
    """Sign in with client capabilities, and ask again in the same way."""
    credential = device(peer)
    peer.ask(credential, enable_cae=True)
    return peer.ask(credential, peer.other_scope, enable_cae=True)


def declined(peer: Peer) -> Any:
    """Be turned away in the browser."""
    peer.hand.admin("/authorize", {"deny": 1})
    return peer.ask(browser(peer))


def required(peer: Peer) -> Any:
    """Give what the error says that has to be passed on."""
    try:
        return peer.ask(device(peer, disable_automatic_authentication=True), claims='{"a":1}')
    except Exception as error:
        return [type(error).__name__, *(list(error.scopes), error.claims)]  # type: ignore[attr-defined]


def of_the_tools(peer: Peer) -> Any:
    """Sign in to the application that developers' tools have."""
    return peer.ask(peer.sdk.DeviceCodeCredential(prompt_callback=peer.approve, timeout=PATIENCE, **peer.own))


def decline(peer: Peer) -> Callable[..., None]:
    """Decline a device code."""
    return lambda *said: peer.hand.decide(said[1], "decline")


ONLY_SYNC: dict[str, Any] = {"aio": False}

CASES = [
    Case("password", password(), **ONLY_SYNC),
    Case("password: wrong", password(word="another"), FAILED, **ONLY_SYNC),
    Case("password: a second factor wanted", password("mfa_username"), FAILED, **ONLY_SYNC),
    Case("device code and refresh", twice(device), **ONLY_SYNC),
    Case("device code: with client capabilities", cae, **ONLY_SYNC),
    Case(
        "device code: declined",
        lambda peer: peer.ask(device(peer, prompt_callback=decline(peer))),
        FAILED,
        **ONLY_SYNC,
    ),
    Case("device code: record", record(device), **ONLY_SYNC),
    Case(
        "device code: only by hand",
        lambda peer: peer.ask(device(peer, disable_automatic_authentication=True)),
        REQUIRED,
        **ONLY_SYNC,
    ),
    Case("device code: only by hand, the error's parts", required, **ONLY_SYNC),
    Case("device code: only by hand, refresh taken back", silent, REQUIRED, **ONLY_SYNC),
    Case("device code: the tools' own application", of_the_tools, **ONLY_SYNC),
    Case(
        "device code: too late",
        lambda peer: peer.ask(device(peer, prompt_callback=lambda *_: None, timeout=1)),
        FAILED,
        only_theirs=("device_code=",),
        why="theirs asks at once, as if the user had been there already",
        **ONLY_SYNC,
    ),
    Case("browser", lambda peer: peer.ask(browser(peer)), **ONLY_SYNC),
    Case("browser: and refresh", twice(browser), **ONLY_SYNC),
    Case(
        "browser: whom to expect",
        lambda peer: peer.ask(browser(peer, login_hint=peer.ready["username"])),
        **ONLY_SYNC,
    ),
    Case("browser: claims and capabilities", lambda peer: peer.ask(browser(peer), enable_cae=True), **ONLY_SYNC),
    Case(
        "browser: a redirect URI of the program's",
        lambda peer: peer.ask(browser(peer, redirect_uri="http://localhost:28731")),
        **ONLY_SYNC,
    ),
    Case("browser: declined", declined, FAILED, **ONLY_SYNC),
    Case("browser: record", record(browser), **ONLY_SYNC),
    Case(
        "browser: a bad redirect URI",
        lambda peer: browser(peer, redirect_uri="nowhere"),
        ARGUMENT,
        **ONLY_SYNC,
    ),
]
