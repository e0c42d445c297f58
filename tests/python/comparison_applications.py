"""Applications: secrets, certificates, assertions, pods, pipelines, codes, and what speaks for a user elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from comparison import ARGUMENT, FAILED, TRANSIENT, UNAVAILABLE, Case, Peer, Variables, members
from stagehand import CODE_ADDRESS


def federated(peer: Peer) -> str:
    """Give the pod's token."""
    return Path(peer.ready["federated_token_file"]).read_text()


def certificate(file: str, tenant: str = "", **options: Any) -> Callable[[Peer], Any]:
    """Ask with a certificate."""

    def act(peer: Peer) -> Any:
        own, client, _ = peer.application
        credential = peer.sdk.CertificateCredential(tenant or own, client, peer.ready[file], **peer.own, **options)
        return peer.ask(credential)

    return act


def pfx(**options: Any) -> Callable[[Peer], Any]:
    """Ask with a certificate in a PKCS#12 file."""
    return lambda peer: certificate("certificate_pfx", password=peer.ready["certificate_password"], **options)(peer)


def in_bytes(peer: Peer) -> Any:
    """Ask with a certificate that is no file."""
    data = Path(peer.ready["certificate_file"]).read_bytes()
    return peer.ask(peer.sdk.CertificateCredential(*peer.application[:2], certificate_data=data, **peer.own))


def assertion(text: str = "") -> Callable[[Peer], Any]:
    """Ask with an assertion from a function."""
    return lambda peer: peer.ask(
        peer.sdk.ClientAssertionCredential(*peer.application[:2], lambda: text or federated(peer), **peer.own)
    )


def workload(**options: Any) -> Callable[[Peer], Any]:
    """Ask as a pod."""
    return lambda peer: peer.ask(peer.sdk.WorkloadIdentityCredential(disable_instance_discovery=True, **options))


def pipeline(**given: str) -> Callable[[Peer], Any]:
    """Ask as a pipeline's job."""

    def act(peer: Peer) -> Any:
        ready = peer.ready
        said = {
            "tenant_id": ready["tenant_id"],
            "client_id": ready["pipelines_client_id"],
            "service_connection_id": ready["pipelines_service_connection_id"],
            "system_access_token": ready["pipelines_token"],
        }
        return peer.ask(peer.sdk.AzurePipelinesCredential(**(said | given), **peer.own))

    return act


def on_behalf(proof: Callable[[Peer], dict[str, Any]], user: str = "good") -> Callable[[Peer], Any]:
    """Ask on behalf of a user."""

    def act(peer: Peer) -> Any:
        said = {"user_assertion": peer.scene["user_assertions"][user], **proof(peer)}
        credential = peer.sdk.OnBehalfOfCredential(*peer.application[:2], **said, **peer.own)
        return peer.ask(credential)

    return act


def by_secret(peer: Peer) -> dict[str, Any]:
    """Show the secret."""
    return {"client_secret": peer.ready["client_secret"]}


def by_code(peer: Peer) -> Any:
    """Make the credential of a code."""
    tenant, client, secret = peer.application
    code = peer.hand.code(client)
    return peer.sdk.AuthorizationCodeCredential(tenant, client, code, CODE_ADDRESS, client_secret=secret, **peer.own)


def by_refresh(peer: Peer) -> Any:
    """Redeem a code, and ask for something else."""
    credential = by_code(peer)
    peer.ask(credential)
    return peer.ask(credential, peer.other_scope)


def environment(**other: str) -> Callable[[Peer], Variables]:
    """Give an application's variables, with others."""
    return lambda peer: (
        {
            "AZURE_TENANT_ID": peer.ready["tenant_id"],
            "AZURE_CLIENT_ID": peer.ready["client_id"],
            "AZURE_AUTHORITY_HOST": peer.ready["https"],
        }
        | {name: peer.ready.get(value, value) for name, value in other.items()}
    )


def by_environment(peer: Peer) -> Any:
    """Ask what the variables describe."""
    return peer.ask(peer.sdk.EnvironmentCredential(disable_instance_discovery=True))


def by_default(**options: Any) -> Callable[[Peer], Any]:
    """Ask the default chain."""
    return lambda peer: peer.ask(peer.sdk.DefaultAzureCredential(disable_instance_discovery=True, **options))


def report(peer: Peer) -> Any:
    """Give the members of the default chain's report."""
    try:
        return by_default(exclude_managed_identity_credential=True)(peer)
    except Exception as error:
        return members(error)


def info(peer: Peer) -> Any:
    """Give what is known of a token besides its text."""
    token = peer.ask(peer.secret(**peer.own), method="get_token_info", options={"enable_cae": True})
    # azcred's moments of renewal are spread, so that a fleet does not renew in step.
    renewed = time.time() < token.refresh_on < token.expires_on
    return [type(token).__name__, token.token_type, renewed, round((token.expires_on - time.time()) / 60)]


NO_FILE = "theirs lets the operating system's error through; a token's file may come yet"
MISTAKEN: dict[str, Any] = {
    "theirs": FAILED,
    "only_theirs": ("scope=a b",),
    "why": "it is the caller's mistake, and nobody is asked",
}
SIGNED: dict[str, Any] = {
    "only_ours": ('"PS256"',),
    "only_theirs": ('"RS256"',),
    "why": "PS256 and x5t#S256, as MSAL in other languages; MSAL for Python has RS256 and SHA-1",
}
OFFLINE: dict[str, Any] = {
    "only_ours": ("offline_access openid profile",),
    "only_theirs": ("grant_type=authorization_code",),
    "why": "theirs gets no refresh token unless the program's scopes say so",
}


def twice(peer: Peer) -> Any:
    """Tell whether a token asked for again is the same."""
    credential = peer.secret(**peer.own)
    return peer.ask(credential).token == peer.ask(credential).token


CASES = [
    Case("secret", lambda peer: peer.ask(peer.secret(**peer.own))),
    Case("secret: everything known of the token", info),
    Case("secret: asked twice", twice),
    Case(
        "secret: wrong",
        lambda peer: peer.ask(peer.sdk.ClientSecretCredential(*peer.application[:2], "wrong", **peer.own)),
        FAILED,
    ),
    Case(
        "secret: of nobody",
        lambda peer: peer.ask(
            peer.sdk.ClientSecretCredential(peer.ready["tenant_id"], peer.hand.nobody, "s", **peer.own)
        ),
        FAILED,
    ),
    Case("secret: no scope", lambda peer: peer.wait(peer.secret(**peer.own).get_token()), ARGUMENT, "scope"),
    Case(
        "secret: two scopes",
        lambda peer: peer.wait(peer.secret(**peer.own).get_token(peer.scope, peer.other_scope)),
        FAILED,
    ),
    Case("secret: a scope of another shape", lambda peer: peer.ask(peer.secret(**peer.own), "api://x"), FAILED),
    Case("secret: an id for a scope", lambda peer: peer.ask(peer.secret(**peer.own), f"{peer.hand.nobody}/.default")),
    Case("secret: a bad scope", lambda peer: peer.ask(peer.secret(**peer.own), "a b"), ARGUMENT, "scope", **MISTAKEN),
    Case("secret: no client", lambda peer: peer.sdk.ClientSecretCredential("t", "", "s"), ARGUMENT, "client"),
    Case(
        "secret: a tenant by its name",
        lambda peer: peer.ask(peer.sdk.ClientSecretCredential("contoso.example", *peer.application[1:], **peer.own)),
        only_ours=("/contoso.example/",),
        only_theirs=("/11111111-",),
        why="MSAL takes its addresses from the metadata, where the tenant has its id",
    ),
    Case("secret: no secret", lambda peer: peer.sdk.ClientSecretCredential(*peer.application[:2], ""), ARGUMENT),
    Case("secret: a bad tenant", lambda peer: peer.sdk.ClientSecretCredential("a b", "c", "s"), ARGUMENT, "tenant"),
    Case("certificate: PEM", certificate("certificate_file"), **SIGNED),
    Case("certificate: PEM with its chain", certificate("certificate_file", send_certificate_chain=True), **SIGNED),
    Case("certificate: in bytes", in_bytes, **SIGNED),
    Case("certificate: PFX with a password", pfx(), **SIGNED),
    Case("certificate: PFX with its chain", pfx(send_certificate_chain=True), **SIGNED),
    Case("certificate: PFX with a wrong password", certificate("certificate_pfx", password="wrong"), ARGUMENT),
    Case("certificate: a successor", certificate("certificate_successor_file", send_certificate_chain=True), **SIGNED),
    Case("certificate: a successor without its chain", certificate("certificate_successor_file"), FAILED, **SIGNED),
    Case("certificate: no certificate", certificate("ca_file"), ARGUMENT),
    Case("certificate: none", lambda peer: peer.sdk.CertificateCredential(*peer.application[:2]), ARGUMENT),
    Case(
        "certificate: no such file",
        lambda peer: peer.sdk.CertificateCredential(*peer.application[:2], "/nowhere/x.pem", **peer.own),
        ARGUMENT,
        "/nowhere/x.pem",
        theirs="FileNotFoundError",
        why=NO_FILE,
    ),
    Case(
        "AD FS: secret",
        lambda peer: peer.ask(peer.sdk.ClientSecretCredential("adfs", *peer.application[1:], **peer.own)),
    ),
    Case(
        "AD FS: certificate",
        certificate("certificate_file", tenant="adfs"),
        only_ours=('"alg": "RS256"',),
        only_theirs=('="}}',),
        why="RFC 7515 has no '=' at the end of a hash; MSAL for Python adds it",
    ),
    Case("assertion", assertion()),
    Case("assertion: no token", assertion("no token"), FAILED),
    Case("workload", workload(), env=lambda peer: peer.hand.workload()),
    Case(
        "workload: by its arguments",
        lambda peer: workload(
            tenant_id=peer.ready["tenant_id"],
            client_id=peer.ready["workload_client_id"],
            token_file_path=peer.ready["federated_token_file"],
        )(peer),
        env=lambda peer: {"AZURE_AUTHORITY_HOST": peer.ready["https"]},
    ),
    Case(
        "workload: no such file",
        workload(),
        TRANSIENT,
        "/nowhere/token",
        theirs="FileNotFoundError",
        why=NO_FILE,
        env=lambda peer: peer.hand.workload() | {"AZURE_FEDERATED_TOKEN_FILE": "/nowhere/token"},
    ),
    Case("workload: nothing set", workload(), ARGUMENT, "client_id"),
    Case(
        "workload: by the token proxy",
        workload(enable_azure_proxy=True),
        env=lambda peer: peer.hand.workload() | peer.hand.token_proxy(),
    ),
    Case(
        "workload: by the token proxy's name",
        workload(enable_azure_proxy=True),
        env=lambda peer: (
            peer.hand.workload()
            | peer.hand.token_proxy()
            | {"AZURE_KUBERNETES_SNI_NAME": peer.ready["token_proxy_sni"]}
        ),
    ),
    Case(
        "workload: by the token proxy, with certificates in a variable",
        workload(enable_azure_proxy=True),
        env=lambda peer: (
            peer.hand.workload()
            | {
                "AZURE_KUBERNETES_TOKEN_PROXY": peer.ready["token_proxy"],
                "AZURE_KUBERNETES_CA_DATA": Path(peer.ready["token_proxy_ca_file"]).read_text(),
            }
        ),
    ),
    Case(
        "workload: by a token proxy without TLS",
        workload(enable_azure_proxy=True),
        ARGUMENT,
        "https",
        env=lambda peer: peer.hand.workload() | {"AZURE_KUBERNETES_TOKEN_PROXY": "http://localhost"},
    ),
    Case(
        "workload: expired",
        workload(),
        TRANSIENT,
        "federated",
        theirs=FAILED,
        their_cause="AADSTS700024",
        only_theirs=("client_assertion_type",),
        why="a dead token is not sent: the platform renews the file",
        env=lambda peer: peer.hand.workload() | {"AZURE_FEDERATED_TOKEN_FILE": peer.scene["federated_expired"]},
    ),
    Case("pipeline", pipeline(), env=lambda peer: {"SYSTEM_OIDCREQUESTURI": peer.ready["pipelines_uri"]}),
    Case(
        "pipeline: a wrong token",
        pipeline(system_access_token="wrong"),
        FAILED,
        env=lambda peer: {"SYSTEM_OIDCREQUESTURI": peer.ready["pipelines_uri"]},
    ),
    Case("pipeline: no job", pipeline(), UNAVAILABLE, "SYSTEM_OIDCREQUESTURI"),
    Case("on behalf of: secret", on_behalf(by_secret)),
    Case(
        "on behalf of: certificate",
        on_behalf(lambda peer: {"client_certificate": Path(peer.ready["certificate_file"]).read_bytes()}),
        **SIGNED,
    ),
    Case("on behalf of: assertion", on_behalf(lambda peer: {"client_assertion_func": lambda: federated(peer)})),
    Case("on behalf of: a second factor wanted", on_behalf(by_secret, "mfa"), FAILED),
    Case("on behalf of: expired", on_behalf(by_secret, "expired"), FAILED),
    Case("on behalf of: without a proof", on_behalf(lambda _: {}), ARGUMENT, "client_secret"),
    Case("code", lambda peer: peer.ask(by_code(peer)), **OFFLINE),
    Case(
        "code, then for another resource",
        by_refresh,
        theirs=FAILED,
        **(OFFLINE | {"only_ours": ("grant_type=authorization_code", "grant_type=refresh_token")}),
    ),
    Case(
        "code: wrong",
        lambda peer: peer.ask(
            peer.sdk.AuthorizationCodeCredential(
                peer.ready["tenant_id"], peer.ready["public_client_id"], "no such code", CODE_ADDRESS, **peer.own
            )
        ),
        FAILED,
        **OFFLINE,
    ),
    Case("environment: secret", by_environment, env=environment(AZURE_CLIENT_SECRET="client_secret")),
    Case(
        "environment: certificate",
        by_environment,
        env=environment(
            AZURE_CLIENT_CERTIFICATE_PATH="certificate_pfx", AZURE_CLIENT_CERTIFICATE_PASSWORD="certificate_password"
        ),
        **SIGNED,
    ),
    Case(
        "environment: certificate with its chain",
        by_environment,
        env=environment(AZURE_CLIENT_CERTIFICATE_PATH="certificate_file", AZURE_CLIENT_SEND_CERTIFICATE_CHAIN="True"),
        **SIGNED,
    ),
    Case(
        "environment: user",
        by_environment,
        env=lambda peer: (
            peer.scene["proxy"]
            | {
                "AZURE_TENANT_ID": peer.ready["tenant_id"],
                "AZURE_CLIENT_ID": peer.ready["public_client_id"],
                "AZURE_USERNAME": peer.ready["username"],
                "AZURE_PASSWORD": peer.ready["password"],
            }
        ),
    ),
    Case("environment: incomplete", by_environment, UNAVAILABLE, "environment", env=environment()),
    Case("default chain: environment", by_default(), env=environment(AZURE_CLIENT_SECRET="client_secret")),
    Case(
        "default chain: refused",
        by_default(),
        FAILED,
        env=environment(AZURE_CLIENT_SECRET="wrong"),
    ),
    Case("default chain: workload", by_default(), env=lambda peer: peer.hand.workload()),
    Case("default chain: App Service", by_default(), env=lambda peer: peer.hand.hosts()["App Service"].env),
    Case(
        "default chain: App Service, assigned by a variable",
        by_default(),
        env=lambda peer: peer.hand.hosts()["App Service"].env | {"AZURE_CLIENT_ID": peer.scene["assigned"]},
    ),
    Case(
        "default chain: IMDS, found by a probe",
        by_default(),
        env=lambda peer: peer.hand.hosts()["IMDS"].env,
    ),
    Case(
        "default chain: IMDS, found by a probe, assigned",
        lambda peer: by_default(managed_identity_client_id=peer.scene["assigned"])(peer),
        env=lambda peer: peer.hand.hosts()["IMDS"].env,
    ),
    Case(
        "default chain: managed identity alone",
        by_default(),
        env=lambda peer: peer.hand.hosts()["IMDS"].env | {"AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential"},
    ),
    Case(
        "default chain: nobody, and its error",
        by_default(exclude_managed_identity_credential=True),
        UNAVAILABLE,
        "DefaultAzureCredential failed to retrieve a token from the included credentials",
        env=lambda _: {"PATH": "/nowhere"},
        theirs=FAILED,
        why="a chain without anybody is unavailable, as each of its members",
    ),
    Case("default chain: nobody", report, env=lambda _: {"PATH": "/nowhere"}),
    Case(
        "default chain: nobody of production",
        report,
        env=lambda _: {"PATH": "/nowhere", "AZURE_TOKEN_CREDENTIALS": "prod"},
    ),
    Case(
        "default chain: nobody of development",
        report,
        env=lambda _: {"PATH": "/nowhere", "AZURE_TOKEN_CREDENTIALS": "dev"},
    ),
    Case(
        "default chain: an unknown name of a member",
        by_default(),
        ARGUMENT,
        "AZURE_TOKEN_CREDENTIALS",
        env=lambda _: {"AZURE_TOKEN_CREDENTIALS": "Nobody"},
    ),
    Case("default chain: a variable is required", by_default(require_envvar=True), ARGUMENT, "AZURE_TOKEN_CREDENTIALS"),
    Case(
        "chain: the second",
        lambda peer: peer.ask(
            peer.sdk.ChainedTokenCredential(peer.sdk.EnvironmentCredential(), peer.secret(**peer.own))
        ),
    ),
]
