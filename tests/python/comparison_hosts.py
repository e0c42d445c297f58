"""Managed identities: from every source, system-assigned and by each kind of id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from comparison import ARGUMENT, FAILED, OTHER_TENANT, TOKEN, UNAVAILABLE, Case, Peer, Variables

CLIENT = "33333333-3333-3333-3333-333333333331"
OBJECT = "44444444-4444-4444-4444-444444444441"
RESOURCE = (
    "/subscriptions/55555555-5555-5555-5555-555555555555/resourceGroups/emulator/providers/"
    "Microsoft.ManagedIdentity/userAssignedIdentities/emulator-1"
)
IDS: dict[str, dict[str, Any]] = {
    "system": {},
    "client id": {"client_id": CLIENT},
    "client id in identity_config": {"identity_config": {"client_id": CLIENT}},
    "object id": {"identity_config": {"object_id": OBJECT}},
    "resource id": {"identity_config": {"resource_id": RESOURCE}},
    "unknown": {"client_id": "99999999-9999-9999-9999-999999999999"},
}
SOURCES = ("IMDS", "App Service", "Azure ML", "Cloud Shell", "Service Fabric", "Arc")


def on(source: str) -> Callable[[Peer], Variables]:
    """Give the variables of a host."""
    return lambda peer: peer.hand.hosts()[source].env


def identity(**options: Any) -> Callable[[Peer], Any]:
    """Ask for a managed identity's token."""
    return lambda peer: peer.ask(peer.sdk.ManagedIdentityCredential(**options))


def case(source: str, who: str) -> Case:
    """Give the case of a source and an identity."""
    return Case(f"{source}: {who}", identity(**IDS[who]), env=on(source), **DIFFERENT.get((source, who), {}))


OURS_TO_ASK = "the environment names the endpoint as ours: its refusal is final; a chain's next is somebody else"
ANOTHERS_TOKEN = "the endpoint knows client ids only, and would give the token of another identity"
NOT_CHOSEN = "as with every other source: the credential fails when it is asked, and names the id"
ASSIGNED = tuple(IDS)[1:]


def refused(cause: str) -> dict[str, Any]:
    """Give what comes of a refusal by an endpoint that the environment names."""
    return {"outcome": FAILED, "cause": cause, "theirs": UNAVAILABLE, "why": OURS_TO_ASK}


def by_client_id_only(option: str, field: str) -> dict[str, Any]:
    """Give what comes of another id at Azure ML."""
    return {
        "outcome": FAILED,
        "cause": f"does not take {option}",
        "theirs": TOKEN,
        "their_cause": "",
        "only_theirs": (f"{field}=",),
        "why": ANOTHERS_TOKEN,
    }


DIFFERENT: dict[tuple[str, str], dict[str, Any]] = {
    ("IMDS", "unknown"): {"outcome": UNAVAILABLE, "cause": "Identity not found"},
    ("App Service", "unknown"): refused("No User Assigned or Delegated Managed Identity"),
    ("Azure ML", "unknown"): refused("No such identity"),
    ("Arc", "unknown"): refused("Identity not found"),
    ("Azure ML", "object id"): by_client_id_only("object_id", "object_id"),
    ("Azure ML", "resource id"): by_client_id_only("resource_id", "msi_res_id"),
    **{
        ("Cloud Shell", who): {
            "outcome": FAILED,
            "cause": "Cloud Shell does not take",
            "theirs": ARGUMENT,
            "their_cause": "",
            "why": NOT_CHOSEN,
        }
        for who in ASSIGNED
    },
    **{("Service Fabric", who): {"outcome": FAILED, "cause": "Service Fabric"} for who in ASSIGNED},
    # The emulator's agent knows client ids.
    **{("Arc", who): {"outcome": FAILED, "cause": "did not confirm"} for who in ("object id", "resource id")},
}


def fault(endpoint: str, status: int, **headers: str) -> tuple[dict[str, Any], ...]:
    """Let an endpoint fail once."""
    return ({"endpoint": endpoint, "status": status, "count": 1, "headers": headers},)


SCOPES = (
    "https://plain.example",
    "https://slash.example//.default",
    "https://slash-only.example/",
    "99999999-9999-9999-9999-999999999990/.default",
    "api://app/.default",
)
SOON = {"retry-after": "1"}

CASES = [
    *(case(source, who) for source in SOURCES for who in IDS),
    Case(
        "a managed identity by two ids",
        identity(client_id=CLIENT, identity_config={"object_id": OBJECT}),
        ARGUMENT,
        env=on("IMDS"),
    ),
    Case("AKS: token exchange", identity(), env=lambda peer: peer.hand.workload()),
    Case(
        "AKS: token exchange by client id",
        lambda peer: peer.ask(peer.sdk.ManagedIdentityCredential(client_id=peer.ready["workload_client_id"])),
        env=lambda peer: peer.hand.workload() | {"AZURE_CLIENT_ID": ""},
    ),
    Case(
        "AKS: token exchange at an authority of the program's",
        lambda peer: identity(**peer.own)(peer),
        env=lambda peer: peer.hand.workload() | {"AZURE_AUTHORITY_HOST": "https://localhost:1"},
    ),
    Case(
        "AKS: token exchange in another tenant",
        lambda peer: peer.ask(
            peer.sdk.ManagedIdentityCredential(additionally_allowed_tenants=["*"]), tenant_id=OTHER_TENANT
        ),
        env=lambda peer: peer.hand.workload(),
    ),
    Case(
        "IMDS: options about an authority",
        lambda peer: identity(**peer.own, additionally_allowed_tenants=["*"])(peer),
        env=on("IMDS"),
    ),
    Case(
        "Azure ML: the workspace's own identity",
        lambda peer: bool(identity()(peer)),
        env=lambda peer: peer.hand.hosts()["Azure ML"].env | {"DEFAULT_IDENTITY_CLIENT_ID": CLIENT},
        only_ours=(f"clientid={CLIENT}",),
        only_theirs=("GET ",),
        why="the workspace says whom it means, and the SDKs of other languages listen",
    ),
    Case("IMDS: throttled, with Retry-After", identity(), env=on("IMDS"), faults=fault("imds", 429, **SOON)),
    Case("IMDS: not there yet", identity(), env=on("IMDS"), faults=fault("imds", 404)),
    Case("IMDS: an error once", identity(), env=on("IMDS"), faults=fault("imds", 500)),
    Case(
        "IMDS: refused for another reason",
        identity(),
        env=on("IMDS"),
        faults=fault("imds", 400),
        **(refused("emulated_fault") | {"why": "the host has an identity; the next of a chain is somebody else"}),
    ),
    Case(
        "App Service: an error once",
        identity(),
        env=on("App Service"),
        faults=fault("app_service", 503, **SOON),
    ),
    Case(
        "App Service: a wrong header",
        identity(),
        env=on("App Service: wrong header"),
        **refused("X-IDENTITY-HEADER header is missing or wrong"),
    ),
    Case(
        "Azure ML: a wrong secret",
        identity(),
        env=on("Azure ML: wrong secret"),
        **refused("secret header is missing or wrong"),
    ),
    Case(
        "Service Fabric: a wrong header",
        identity(),
        env=on("Service Fabric: wrong header"),
        **refused("The secret is not the right one"),
    ),
    Case(
        "Service Fabric: another's certificate",
        identity(),
        FAILED,
        "THUMBPRINT",
        env=on("Service Fabric: another's certificate"),
        theirs="SSLError",
        why="theirs lets the HTTP library's own error through",
    ),
    Case(
        "Arc: a challenge elsewhere",
        identity(),
        FAILED,
        "/var/opt/azcmagent/tokens",
        env=on("Arc"),
        faults=({"endpoint": "arc", "mode": "arc_realm_outside", "count": 1},),
        theirs="FileNotFoundError",
        why="MSAL for Python looks for a file of that name in the right folder",
    ),
    *(
        Case(
            f"a managed identity's resource: {scope}",
            lambda peer, scope=scope: peer.ask(peer.sdk.ManagedIdentityCredential(), scope),
            env=on("IMDS"),
        )
        for scope in SCOPES
    ),
    Case(
        "a managed identity and two scopes",
        lambda peer: peer.wait(peer.sdk.ManagedIdentityCredential().get_token("https://a/.default", "https://b")),
        ARGUMENT,
        env=on("IMDS"),
    ),
    Case(
        "a managed identity in another tenant",
        lambda peer: peer.ask(peer.sdk.ManagedIdentityCredential(), tenant_id="x", claims="{}"),
        env=on("App Service"),
    ),
]
