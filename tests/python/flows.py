"""Every way to a token that azcred or a published SDK knows, and what comes of it: one table for all of them.

A flow has the same name in the programs of all peers. It gives a token, or a refusal whose words the peer passes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from stagehand import resource

PYTHON, AIO, NODE, MSAL = "azure-identity", "azure-identity aio", "@azure/identity", "MSAL for Python"
OURS, OURS_AIO, OURS_NODE = "azcred", "azcred aio", "azcred for Node"
PEERS = (PYTHON, AIO, NODE, MSAL, OURS, OURS_AIO, OURS_NODE)
AZCRED = (OURS, OURS_AIO, OURS_NODE)
MODULES = {PYTHON: "azure.identity", AIO: "azure.identity.aio", OURS: "azcred", OURS_AIO: "azcred.aio"}
"""Those that have azure-identity's classes."""

AUDIENCE = "https://storage.azure.com"
OTHER_AUDIENCE = "https://vault.azure.net"
ARC = "Arc"

PUBLIC, SECRET, ASSERTION = "0", "1", "2"
"""How a client showed who it is, as `appidacr` says it."""


@dataclass(frozen=True)
class Flow:
    """One flow, and what must come of it."""

    name: str
    who: str = ""
    """Whom the token speaks for: the application, the user, the host's identity or an assigned one."""
    proof: str = ""
    refusal: str = ""
    """A word of the error's text."""
    audience: str = AUDIENCE
    client: str = "client_id"
    claims: dict[str, object] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()
    """The peers that have no such flow."""
    differs: dict[str, str] = field(default_factory=dict)
    """The peers with another word in their refusal; with none where they get the token that others do not."""
    endpoint: str = ""
    """Which of the emulator's endpoints gives the token, where a client could have gone to another."""
    strict: bool = False
    """Whether the emulator is the one where things are good once, and for a second."""

    def refused(self, peer: str) -> str:
        """Give the word of that peer's refusal; none for a token."""
        return self.differs.get(peer, self.refusal)

    def asked(self, peer: str) -> str:
        """Give what that peer asks for: azcred's cache is the process's, so each of its flows has its own."""
        return resource(self.name) if peer == OURS_NODE and self.audience == AUDIENCE else self.audience


def app(name: str, proof: str, **more: object) -> Flow:
    """Give a flow for an application."""
    return Flow(name, "app", proof, **more)  # type: ignore[arg-type]


def user(name: str, proof: str = PUBLIC, **more: object) -> Flow:
    """Give a flow for a user, by the public client where nothing proves which client it is."""
    client = "public_client_id" if proof == PUBLIC else "client_id"
    return Flow(name, "user", proof, client=client, **more)  # type: ignore[arg-type]


def no(name: str, refusal: str, **more: object) -> Flow:
    """Give a flow that ends in a refusal."""
    return Flow(name, refusal=refusal, **more)  # type: ignore[arg-type]


def host(name: str, endpoint: str, who: str = "system", refusal: str = "", **more: object) -> Flow:
    """Give a flow for a managed identity."""
    return Flow(name, who, ASSERTION, refusal, resource(name), endpoint=endpoint, **more)  # type: ignore[arg-type]


# What needs a person: azure-identity has it in its synchronous half.
BY_HAND = (AIO, OURS_AIO)
# MSAL reads no environment, and knows neither workloads nor pipelines.
NO_MSAL = (MSAL,)
ONLY_MSAL = (PYTHON, AIO, NODE, *AZCRED)

FLOWS = [
    # ---- an application and its secret
    app("secret", SECRET),
    app("secret: with client capabilities", SECRET, claims={"xms_cc": ["cp1"]}),
    app("secret: from the environment", SECRET, lacks=NO_MSAL),
    app("secret: by the default chain", SECRET, lacks=NO_MSAL),
    # With the SDK's own authority, and its question whether Entra ID knows it.
    app("secret: under the production names", SECRET),
    no("secret: wrong", "AADSTS7000215"),
    no("secret: of nobody", "AADSTS700016"),
    # Who looks for the tenant's metadata first finds none, and has a word of its own for that.
    no(
        "secret: in no tenant",
        "AADSTS90002",
        differs={
            PYTHON: "Unable to get authority configuration",
            MSAL: "Unable to get authority configuration",
            NODE: "endpoints_resolution_error",
        },
    ),
    no(
        "secret: in a single tenant, asked in common",
        "AADSTS50194",
        # It does not even ask.
        differs={NODE: "missing_tenant_id_error"},
    ),
    # ---- its certificate
    app("certificate", ASSERTION),
    app("certificate: with its chain", ASSERTION),
    app("certificate: PFX", ASSERTION, lacks=(NODE,)),
    app("certificate: PFX with its chain", ASSERTION, lacks=(NODE,)),
    # Where azcred has a token of the same identity it gives that: in `code: twice` and here, with or without the chain.
    # azure-identity's asynchronous half sends no chain.
    app("certificate: a successor with its chain", ASSERTION, differs={AIO: "AADSTS700027"}),
    app(
        "certificate: a successor without its chain",
        ASSERTION,
        refusal="AADSTS700027",
        differs=dict.fromkeys((OURS, OURS_AIO), ""),
    ),
    # azcred compares the two before anything is sent.
    no(
        "certificate: another's key",
        "AADSTS700027",
        differs=dict.fromkeys(AZCRED, "does not belong to the private key"),
    ),
    # MSAL uses an assertion again while it lives; without MSAL each request has its own.
    app(
        "certificate: its assertion again",
        ASSERTION,
        refusal="AADSTS50013",
        differs=dict.fromkeys((AIO, *AZCRED), ""),
        strict=True,
    ),
    # ---- an assertion from elsewhere
    app("assertion: federated", ASSERTION),
    app("assertion: signed by the certificate", ASSERTION),
    no("assertion: another's signature", "AADSTS700027"),
    no("assertion: another's audience", "AADSTS700023"),
    no("assertion: expired", "AADSTS700024"),
    no("assertion: of another application", "AADSTS700021"),
    no("assertion: federated, another's signature", "AADSTS700027"),
    no("assertion: federated, another's audience", "AADSTS700212"),
    no("assertion: federated, expired", "AADSTS700024"),
    no("assertion: federated, another's issuer", "AADSTS700211"),
    no("assertion: no token", "AADSTS50027"),
    # ---- a pod
    app("workload", ASSERTION, lacks=NO_MSAL),
    app("workload: by the default chain", ASSERTION, lacks=NO_MSAL),
    app("workload: by the token proxy", ASSERTION, lacks=NO_MSAL),
    app("workload: by the token proxy's name", ASSERTION, lacks=NO_MSAL),
    # azcred looks before it asks.
    no(
        "workload: expired",
        "AADSTS700024",
        lacks=NO_MSAL,
        differs=dict.fromkeys(AZCRED, "holds a token that expired"),
    ),
    no("workload: another's audience", "AADSTS700212", lacks=NO_MSAL),
    no(
        "workload: expired, by the token proxy",
        "AADSTS700024",
        lacks=NO_MSAL,
        differs=dict.fromkeys(AZCRED, "holds a token that expired"),
    ),
    # ---- a pipeline's job
    app("pipeline", ASSERTION, lacks=NO_MSAL),
    no("pipeline: wrong token", "TF400813", lacks=NO_MSAL),
    no("pipeline: wrong connection", "service connection was not found", lacks=NO_MSAL),
    # ---- on behalf of a user
    user("on behalf of: secret", SECRET),
    user("on behalf of: certificate", ASSERTION),
    user("on behalf of: assertion", ASSERTION),
    no("on behalf of: wrong secret", "AADSTS7000215"),
    no("on behalf of: another's signature", "AADSTS50013"),
    no("on behalf of: another's audience", "AADSTS500131"),
    no("on behalf of: expired", "AADSTS500133"),
    no("on behalf of: a second factor wanted", "AADSTS50076"),
    # ---- a code
    user("code", SECRET),
    user("code: public client", PUBLIC),
    user("code: with a verifier", PUBLIC, lacks=ONLY_MSAL),
    no("code: wrong", "AADSTS70000"),
    # The same code is the same user: azcred has the first one's token.
    user("code: twice", refusal="AADSTS54005", differs=dict.fromkeys(AZCRED, "")),
    no("code: another's address", "AADSTS500112"),
    no("code: of another client", "AADSTS70000"),
    no("code: expired", "AADSTS70008", lacks=ONLY_MSAL),
    no("code: wrong verifier", "AADSTS501481", lacks=ONLY_MSAL),
    # ---- a password; MSAL for Python looks up the realm without the port, so this goes by the production names
    user("password", lacks=BY_HAND),
    no("password: wrong", "AADSTS50126", lacks=BY_HAND),
    no("password: of nobody", "AADSTS50034", lacks=BY_HAND),
    no("password: a second factor wanted", "AADSTS50076", lacks=BY_HAND),
    # ---- another device
    user("device", lacks=BY_HAND),
    user("device: slow down", lacks=ONLY_MSAL),
    # @azure/identity's error has no text of the server.
    no("device: declined", "AADSTS70017", lacks=BY_HAND, differs={NODE: "authorization_declined"}),
    no(
        "device: expired",
        "AADSTS70020",
        lacks=BY_HAND,
        differs={NODE: "expired_token", OURS: "before the code expired", OURS_NODE: "before the code expired"},
    ),
    # ---- a browser
    user("browser", lacks=BY_HAND),
    no("browser: declined", "AADSTS65004", lacks=BY_HAND),
    # ---- refresh
    user("refresh: for another resource", audience=OTHER_AUDIENCE, lacks=BY_HAND),
    # @azure/identity says only that somebody has to sign in.
    no("refresh: revoked", "AADSTS50173", lacks=BY_HAND, differs={NODE: "Automatic authentication has been disabled"}),
    no("refresh: expired", "AADSTS700082", lacks=ONLY_MSAL),
    # ---- a managed identity
    host("IMDS", "imds"),
    host("IMDS: assigned", "imds", "assigned"),
    host("IMDS: not assigned", "imds", refusal="Identity not found"),
    host("App Service", "app_service"),
    host("App Service: assigned", "app_service", "assigned"),
    host("App Service: wrong header", "app_service", refusal="X-IDENTITY-HEADER header is missing or"),
    host("Azure ML", "azure_ml"),
    host("Azure ML: assigned", "azure_ml", "assigned"),
    host("Azure ML: wrong secret", "azure_ml", refusal="secret header is missing or"),
    host("Cloud Shell", "cloud_shell", lacks=NO_MSAL),
    host("Cloud Shell: told no", "cloud_shell", refusal="not in this shell", lacks=NO_MSAL),
    host("Service Fabric", "service_fabric"),
    host("Service Fabric: wrong header", "service_fabric", refusal="The secret is not the right one"),
    # Only MSAL for Python looks at the thumbprint; the others trust whoever answers.
    host(
        "Service Fabric: another's certificate",
        "service_fabric",
        refusal="IDENTITY_SERVER_THUMBPRINT",
        differs={AIO: "", NODE: ""},
    ),
    host(ARC, "arc"),
    host(f"{ARC}: assigned", "arc", "assigned"),
    # MSAL for Python looks for a file of that name in the folder where it should be.
    host(
        f"{ARC}: a challenge elsewhere",
        "arc",
        refusal="No such file or directory",
        differs={AIO: "Unexpected file path", NODE: "invalid_file_path"} | dict.fromkeys(AZCRED, "nothing was read"),
    ),
]
