"""Options: tenants, authorities, regions, claims, proxies, certificates, timeouts, retries."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from comparison import (
    ARGUMENT,
    BEHIND_THE_OTHER_PROXY,
    CLAIMS,
    FAILED,
    OTHER_TENANT,
    TRANSIENT,
    UNKNOWN_HOST,
    Case,
    Peer,
    Variables,
)


def secret(request: dict[str, Any] | None = None, **options: Any) -> Callable[[Peer], Any]:
    """Ask the emulator with a secret."""
    return lambda peer: peer.ask(peer.secret(**(peer.own | options)), **(request or {}))


def cloud(**options: Any) -> Callable[[Peer], Any]:
    """Ask a host with a secret, by the proxy."""
    return lambda peer: peer.ask(peer.secret(**options))


def again(count: int = 1, status: int = 503, **headers: str) -> tuple[dict[str, Any], ...]:
    """Let the token endpoint fail."""
    return ({"endpoint": "entra_token", "status": status, "count": count, "headers": headers},)


def provider(peer: Peer) -> Any:
    """Give what a provider of texts gives."""
    get = peer.sdk.get_bearer_token_provider(peer.secret(**peer.own), peer.scope)
    return peer.wait(get())


def capable(peer: Peer) -> Any:
    """Ask with and without client capabilities: those are two tokens."""
    credential = peer.secret(**peer.own)
    plain = peer.ask(credential)
    able = peer.ask(credential, enable_cae=True)
    return [plain.token == able.token, peer.ask(credential, enable_cae=True).token == able.token]


def untrusted(**options: Any) -> Callable[[Peer], Any]:
    """Ask an authority whose certificate only an option trusts."""

    def act(peer: Peer) -> Any:
        strict = peer.hand.strict
        given = {name: strict.get(value, value) for name, value in options.items()}
        return peer.ask(peer.secret(**peer.hand.options(strict), **given))

    return act


def silent(peer: Peer) -> Any:
    """Ask an authority that takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        authority = f"https://localhost:{server.getsockname()[1]}"
        own = {"authority": authority, "disable_instance_discovery": True}
        return peer.ask(peer.secret(**own, connection_timeout=0.5, retry_total=0))


def by_name(**options: Any) -> Callable[[Peer], Any]:
    """Ask the emulator with a secret, with its certificates named."""
    return lambda peer: secret(connection_verify=peer.ready["ca_file"], retry_total=0, **options)(peer)


def proxies(**variables: str) -> Callable[[Peer], Variables]:
    """Give variables that name proxies. None is asked unless these say so."""
    return lambda _: {"NO_PROXY": "", "HTTPS_PROXY": "", "ALL_PROXY": ""} | variables


def region(chosen: str, own: str = "westeurope") -> Callable[[Peer], Variables]:
    """Choose a region. The host says where it is, or MSAL would ask the metadata service of the machine under test."""
    return lambda _: {"AZURE_REGIONAL_AUTHORITY_NAME": chosen, "REGION_NAME": own}


def in_a_region(peer: Peer) -> Any:
    """Sign in with a password: regions are for applications."""
    ready = peer.ready
    said = ready["public_client_id"], ready["username"], ready["password"]
    return peer.ask(peer.sdk.UsernamePasswordCredential(*said, tenant_id=ready["tenant_id"]))


OTHER = {"tenant_id": OTHER_TENANT}
PATIENT = {"read_timeout": 0.3, "retry_total": 0}
CUT = ({"endpoint": "entra_token", "mode": "truncate"},)
A_PAGE = ({"endpoint": "entra_token", "status": 200, "body": "<html>"},)
NOBODY = "http://127.0.0.1:1"
MAY_MEND: dict[str, Any] = {"theirs": FAILED, "why": "nobody refused: asking again may help, and the error says so"}

CASES = [
    # ---- tenants
    Case("tenant: not allowed", secret(OTHER), FAILED, "additionally_allowed_tenants"),
    Case("tenant: allowed", secret(OTHER, additionally_allowed_tenants=[OTHER_TENANT])),
    Case("tenant: all allowed", secret(OTHER, additionally_allowed_tenants=["*"])),
    Case(
        "tenant: overruled by a variable", secret(OTHER), env=lambda _: {"AZURE_IDENTITY_DISABLE_MULTITENANTAUTH": "1"}
    ),
    Case(
        "tenant: allowed by a variable",
        lambda peer: peer.ask(peer.sdk.EnvironmentCredential(disable_instance_discovery=True), **OTHER),
        env=lambda peer: peer.hand.application() | {"AZURE_ADDITIONALLY_ALLOWED_TENANTS": f"x;{OTHER_TENANT}"},
        theirs=FAILED,
        their_cause="additionally_allowed_tenants",
        only_ours=(OTHER_TENANT,),
        why="the variable is @azure/identity's",
    ),
    Case(
        "tenant: malformed",
        secret({"tenant_id": "a b"}, additionally_allowed_tenants=["*"]),
        ARGUMENT,
        "a b",
        theirs=FAILED,
        why="it is the caller's mistake, and nobody is asked",
    ),
    # ---- authorities
    Case("authority: the public cloud", cloud()),
    Case("authority: the United States' government", cloud(authority="login.microsoftonline.us")),
    Case("authority: China", cloud(authority="https://login.chinacloudapi.cn/")),
    Case("authority: by a variable", cloud(), env=lambda _: {"AZURE_AUTHORITY_HOST": "login.microsoftonline.us"}),
    Case(
        "authority: with a slash",
        lambda peer: peer.ask(peer.secret(**(peer.own | {"authority": f"{peer.ready['https']}/"}))),
    ),
    Case("authority: China's other name", cloud(authority="login.partner.microsoftonline.cn")),
    Case("authority: without TLS", lambda peer: peer.secret(authority="http://localhost"), ARGUMENT),
    Case(
        "authority: unknown",
        cloud(authority=UNKNOWN_HOST),
        ARGUMENT,
        "disable_instance_discovery",
        theirs=FAILED,
        only_ours=("api-version=1.1",),
        only_theirs=("api-version=1.0",),
        why="a wrong setting; the question's version is that of MSAL in other languages",
    ),
    Case("authority: unknown, not asked about", cloud(authority=UNKNOWN_HOST, disable_instance_discovery=True)),
    # ---- regions
    Case("region: named", cloud(), env=region("westeurope")),
    Case(
        "region: named, in another cloud",
        cloud(authority="login.microsoftonline.us"),
        env=region("usgovvirginia"),
    ),
    Case(
        "region: found",
        cloud(),
        env=region("tryautodetect"),
    ),
    Case(
        "region: found, with a space in it",
        cloud(),
        env=region("tryautodetect", "West Europe"),
        only_ours=("westeurope.login.microsoft.com",),
        only_theirs=("login.microsoftonline.com",),
        why="MSAL in other languages takes the spaces out; MSAL for Python drops the name",
    ),
    Case(
        "region: named by MSAL's variable",
        cloud(),
        env=lambda _: {"MSAL_FORCE_REGION": "westeurope", "REGION_NAME": "westeurope"},
    ),
    Case(
        "region: named by both variables",
        cloud(),
        env=lambda peer: region("westeurope")(peer) | {"MSAL_FORCE_REGION": "northeurope"},
    ),
    Case("region: of a user's token", in_a_region, env=region("westeurope"), aio=False),
    # ---- claims
    Case("claims", secret({"claims": CLAIMS})),
    Case("claims: empty", secret({"claims": ""})),
    Case("tenant: empty", secret({"tenant_id": ""})),
    Case("claims: with client capabilities", secret({"claims": CLAIMS, "enable_cae": True})),
    Case("client capabilities", secret({"enable_cae": True})),
    Case("client capabilities: two tokens", capable),
    # ---- the way there
    Case(
        "proxies: by an option",
        lambda peer: peer.ask(
            peer.secret(
                authority=BEHIND_THE_OTHER_PROXY,
                disable_instance_discovery=True,
                proxies={"https": peer.scene["other_proxy"]},
            )
        ),
    ),
    Case(
        "proxies: one that refuses",
        lambda peer: peer.ask(
            peer.secret(
                authority="login.microsoftonline.us", proxies={"https": peer.scene["other_proxy"]}, retry_total=0
            )
        ),
        TRANSIENT,
        "proxy",
        **MAY_MEND,
    ),
    Case(
        "proxies: by a variable",
        by_name(authority=BEHIND_THE_OTHER_PROXY),
        env=lambda peer: proxies(HTTPS_PROXY=peer.scene["other_proxy"], ALL_PROXY=NOBODY)(peer),
    ),
    Case(
        "proxies: by the variable for all",
        by_name(authority=BEHIND_THE_OTHER_PROXY),
        env=lambda peer: proxies(ALL_PROXY=peer.scene["other_proxy"])(peer),
    ),
    Case(
        "proxies: by a variable, and an exception",
        by_name(),
        env=proxies(HTTPS_PROXY=NOBODY, NO_PROXY="other.example, localhost"),
    ),
    Case(
        "proxies: by a variable, and an exception for another port",
        by_name(),
        TRANSIENT,
        "proxy",
        env=proxies(HTTPS_PROXY=NOBODY, NO_PROXY="localhost:1"),
        **MAY_MEND,
    ),
    Case(
        "proxies: by a variable, which is not to count",
        by_name(use_env_settings=False),
        env=proxies(HTTPS_PROXY=NOBODY),
    ),
    *(
        Case(
            f"proxies: by a variable that can't be read: {text}",
            by_name(),
            ARGUMENT,
            "HTTPS_PROXY",
            env=proxies(HTTPS_PROXY=text),
            theirs=theirs,
            their_cause="",
            why="a setting is wrong; the error names it, and not its text",
        )
        for text, theirs in (
            ("http://user:pass#word@proxy.example:1", FAILED),
            ("http://127.0.0.1:99999", FAILED),
            ("gopher://127.0.0.1:1", FAILED),
        )
    ),
    Case("connection_timeout", silent, TRANSIENT, "timed out", **MAY_MEND),
    Case("connection_verify", untrusted(connection_verify="ca_file")),
    Case("connection_verify: left out", untrusted(retry_total=0), FAILED, "certificate"),
    Case(
        "read_timeout",
        secret(**PATIENT),
        TRANSIENT,
        "timed out",
        **MAY_MEND,
        faults=({"endpoint": "entra_token", "latency_ms": 1500, "count": 1},),
    ),
    Case(
        "nobody there",
        lambda peer: peer.ask(
            peer.secret(authority="https://localhost:1", disable_instance_discovery=True, retry_total=0)
        ),
        TRANSIENT,
        "refused",
        **MAY_MEND,
    ),
    # ---- again
    Case("503 once", secret(), faults=again()),
    Case("503 once, with Retry-After", secret(), faults=again(**{"retry-after": "1"})),
    Case("429 once, with Retry-After", secret(), faults=again(status=429, **{"retry-after": "1"})),
    Case("503, and retry_total", secret(retry_total=1), TRANSIENT, "503", faults=again(9), **MAY_MEND),
    Case(
        "a cut answer",
        secret(retry_total=0),
        TRANSIENT,
        "",
        faults=CUT,
        **MAY_MEND,
    ),
    Case(
        "no JSON",
        secret(retry_total=0),
        TRANSIENT,
        "JSON",
        faults=A_PAGE,
        **MAY_MEND,
    ),
    # ---- providers
    Case("get_bearer_token_provider", provider),
]
