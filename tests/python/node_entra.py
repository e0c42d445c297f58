"""The cases of credentials that ask Entra ID, and of the options for that."""

from __future__ import annotations

from typing import Any

from node_cases import RECORD, REFUSED, REQUIRED, UNAVAILABLE, WRONG, Came, Case, does, no
from node_hosts import NOBODY, pod
from node_stage import Stage

SECRET, CERTIFICATE = "ClientSecretCredential", "ClientCertificateCredential"
ASSERTION, WORKLOAD = "ClientAssertionCredential", "WorkloadIdentityCredential"
PIPELINES, ON_BEHALF = "AzurePipelinesCredential", "OnBehalfOfCredential"
CODE, PASSWORD = "AuthorizationCodeCredential", "UsernamePasswordCredential"
DEVICE, BROWSER, ENVIRONMENT = "DeviceCodeCredential", "InteractiveBrowserCredential", "EnvironmentCredential"

ADDRESS = "http://localhost:5000"


def own(stage: Stage, **more: Any) -> dict[str, Any]:
    """Give the options for the emulator's own authority."""
    return {"authorityHost": stage["https"], "disableInstanceDiscovery": True} | more


def application(stage: Stage) -> dict[str, str]:
    """Give an application's variables."""
    return {
        "AZURE_TENANT_ID": stage["tenant_id"],
        "AZURE_CLIENT_ID": stage["client_id"],
        "AZURE_AUTHORITY_HOST": stage["https"],
    }


def applications(stage: Stage) -> list[Case]:
    """Give the cases of applications by themselves."""
    us = (stage["tenant_id"], stage["client_id"])
    secret, options = stage["client_secret"], own(stage)
    certificate, locked = stage["certificate_file"], str(stage.folder / "encrypted.pem")
    chain = options | {"sendCertificateChain": True}
    federated = {"$text": stage["federated_token_file"]}
    pipelines = (stage["tenant_id"], stage["pipelines_client_id"], stage["pipelines_service_connection_id"])
    agent = {"SYSTEM_OIDCREQUESTURI": stage["pipelines_uri"]}
    both = application(stage)
    proxied = {
        "AZURE_KUBERNETES_TOKEN_PROXY": stage["token_proxy"],
        "AZURE_KUBERNETES_CA_FILE": stage["token_proxy_ca_file"],
    }
    return [
        Case("secret", SECRET, (*us, secret, options)),
        Case("secret: wrong", SECRET, (*us, "elsewhere", options), came=no(REFUSED, "AADSTS7000215")),
        Case("secret: of nobody", SECRET, (us[0], NOBODY, secret, options), came=no(REFUSED, "AADSTS700016")),
        Case("secret: empty", SECRET, (*us, "", options), came=no(WRONG, "clientSecret")),
        Case("secret: no tenant", SECRET, ("", us[1], secret, options), came=no(WRONG, "tenantId")),
        Case("secret: a tenant that is none", SECRET, ("a/b", us[1], secret, options), came=no(WRONG, "tenant")),
        Case("certificate: PEM by its path", CERTIFICATE, (*us, certificate, options)),
        Case("certificate: PEM by certificatePath", CERTIFICATE, (*us, {"certificatePath": certificate}, options)),
        Case("certificate: PEM text", CERTIFICATE, (*us, {"certificate": {"$text": certificate}}, options)),
        Case("certificate: with its chain", CERTIFICATE, (*us, certificate, chain)),
        Case(
            "certificate: an encrypted key",
            CERTIFICATE,
            (*us, {"certificatePath": locked, "certificatePassword": "password"}, options),
        ),
        Case(
            "certificate: another password",
            CERTIFICATE,
            (*us, {"certificatePath": locked, "certificatePassword": "other"}, options),
            came=no(WRONG),
        ),
        Case("certificate: no file", CERTIFICATE, (*us, "/nowhere.pem", options), came=no(WRONG, "/nowhere.pem")),
        Case(
            "certificate: its successor with the chain", CERTIFICATE, (*us, stage["certificate_successor_file"], chain)
        ),
        Case(
            "certificate: its successor without",
            CERTIFICATE,
            (*us, stage["certificate_successor_file"], options),
            came=no(REFUSED, "AADSTS700027"),
        ),
        Case("assertion", ASSERTION, (*us, {"$gives": federated}, options)),
        Case("assertion: no JWT", ASSERTION, (*us, {"$gives": "no JWT"}, options), came=no(REFUSED, "AADSTS50027")),
        Case(
            "assertion: the function throws",
            ASSERTION,
            (*us, {"$throws": "no key today"}, options),
            came=no(REFUSED, "no key today"),
        ),
        Case("assertion: the function gives nothing", ASSERTION, (*us, {"$gives": ""}, options), came=no(REFUSED)),
        Case("workload", WORKLOAD, ({"disableInstanceDiscovery": True},), pod(stage)),
        Case(
            "workload: by options",
            WORKLOAD,
            (
                options
                | {
                    "tenantId": us[0],
                    "clientId": stage["workload_client_id"],
                    "tokenFilePath": stage["federated_token_file"],
                },
            ),
        ),
        Case(
            "workload: an expired token",
            WORKLOAD,
            ({"disableInstanceDiscovery": True},),
            pod(stage) | {"AZURE_FEDERATED_TOKEN_FILE": str(stage.folder / "expired.jwt")},
            came=no(REFUSED, "expired.jwt"),
            theirs=no(REFUSED, "AADSTS700024"),
            asked=([], ["entra_token"]),
            why="a federated token that expired",
        ),
        Case(
            "workload: no file",
            WORKLOAD,
            ({"disableInstanceDiscovery": True},),
            pod(stage) | {"AZURE_FEDERATED_TOKEN_FILE": "/nowhere.jwt"},
            came=no(REFUSED, "/nowhere.jwt"),
        ),
        Case(
            "workload: an empty file",
            WORKLOAD,
            ({"disableInstanceDiscovery": True},),
            pod(stage) | {"AZURE_FEDERATED_TOKEN_FILE": str(stage.folder / "empty.jwt")},
            came=no(REFUSED, "empty.jwt"),
        ),
        Case("workload: no pod", WORKLOAD, (), came=no(WRONG, "AZURE_CLIENT_ID")),
        Case(
            "workload: by the token proxy",
            WORKLOAD,
            ({"enableAzureProxy": True},),
            pod(stage) | proxied,
        ),
        Case(
            "workload: the token proxy unwanted", WORKLOAD, ({"disableInstanceDiscovery": True},), pod(stage) | proxied
        ),
        Case(
            "pipelines",
            PIPELINES,
            (*pipelines, stage["pipelines_token"], options),
            agent,
            asked=(["pipelines", "entra_token"], ["pipelines", "pipelines", "entra_token"]),
            why="`AzurePipelinesCredential` asks the pipeline",
        ),
        Case(
            "pipelines: wrong token", PIPELINES, (*pipelines, "elsewhere", options), agent, came=no(REFUSED, "TF400813")
        ),
        Case(
            "pipelines: wrong connection",
            PIPELINES,
            (*pipelines[:2], NOBODY, stage["pipelines_token"], options),
            agent,
            came=no(REFUSED, "service connection was not found"),
        ),
        Case(
            "pipelines: elsewhere",
            PIPELINES,
            (*pipelines, stage["pipelines_token"], options),
            came=no(UNAVAILABLE, "SYSTEM_OIDCREQUESTURI"),
        ),
        Case(
            "environment: secret",
            ENVIRONMENT,
            ({"disableInstanceDiscovery": True},),
            both | {"AZURE_CLIENT_SECRET": secret},
        ),
        Case(
            "environment: certificate",
            ENVIRONMENT,
            ({"disableInstanceDiscovery": True},),
            both | {"AZURE_CLIENT_CERTIFICATE_PATH": certificate},
        ),
        Case(
            "environment: encrypted certificate",
            ENVIRONMENT,
            ({"disableInstanceDiscovery": True},),
            both | {"AZURE_CLIENT_CERTIFICATE_PATH": locked, "AZURE_CLIENT_CERTIFICATE_PASSWORD": "password"},
        ),
        Case(
            "environment: certificate with its chain",
            ENVIRONMENT,
            ({"disableInstanceDiscovery": True},),
            both | {"AZURE_CLIENT_CERTIFICATE_PATH": certificate, "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN": "true"},
        ),
        Case(
            "environment: password",
            ENVIRONMENT,
            ({"disableInstanceDiscovery": True},),
            both
            | {
                "AZURE_CLIENT_ID": stage["public_client_id"],
                "AZURE_USERNAME": stage["username"],
                "AZURE_PASSWORD": stage["password"],
            },
        ),
        Case("environment: nothing", ENVIRONMENT, (), came=no(UNAVAILABLE, "EnvironmentCredential")),
        Case(
            "environment: half",
            ENVIRONMENT,
            (),
            both,
            came=no(UNAVAILABLE, "AZURE_CLIENT_SECRET"),
            theirs=no(UNAVAILABLE),
            why="`EnvironmentCredential` with something missing",
        ),
    ]


def users(stage: Stage) -> list[Case]:
    """Give the cases of users."""
    tenant, client, public = stage["tenant_id"], stage["client_id"], stage["public_client_id"]
    options = own(stage)
    mine = options | {"tenantId": tenant, "clientId": public}
    api = options | {"tenantId": tenant, "clientId": client, "userAssertionToken": stage.user_token()}
    secret = {"clientSecret": stage["client_secret"]}
    certificate = {"certificatePath": stage["certificate_file"]}
    flawed = {
        "expired": ("AADSTS500133", {"lifetime": -600}),
        "audience": ("AADSTS500131", {"audience": "api://x"}),
        "factor": ("AADSTS50076", {"username": stage["mfa_username"]}),
    }
    code = {"$code": public}
    device = mine | {"userPromptCallback": {"$prompt": "approve"}}
    by_hand = {"disableAutomaticAuthentication": True}
    vault = {"does": "token", "scopes": "https://refreshed.example/.default"}
    password = (tenant, public, stage["username"])
    return [
        Case("on behalf of: secret", ON_BEHALF, (api | secret,)),
        Case("on behalf of: certificate", ON_BEHALF, (api | certificate,)),
        Case(
            "on behalf of: certificate with its chain", ON_BEHALF, (api | certificate | {"sendCertificateChain": True},)
        ),
        Case(
            "on behalf of: assertion",
            ON_BEHALF,
            (api | {"getAssertion": {"$gives": {"$text": stage["federated_token_file"]}}},),
        ),
        Case(
            "on behalf of: wrong secret",
            ON_BEHALF,
            (api | {"clientSecret": "elsewhere"},),
            came=no(REFUSED, "AADSTS7000215"),
        ),
        *(
            Case(
                f"on behalf of: {name}",
                ON_BEHALF,
                (api | secret | {"userAssertionToken": stage.user_token(**wish)},),
                came=no(REFUSED, word),
            )
            for name, (word, wish) in flawed.items()
        ),
        Case("on behalf of: nothing to show", ON_BEHALF, (api,), came=no(WRONG)),
        Case("code", CODE, (tenant, client, stage["client_secret"], {"$code": client}, ADDRESS, options)),
        Case("code: public client", CODE, (tenant, public, code, ADDRESS, options)),
        Case(
            "code: another's address",
            CODE,
            (tenant, public, code, "http://localhost:5001/x", options),
            came=no(REFUSED, "AADSTS500112"),
        ),
        Case("code: then another scope", CODE, (tenant, public, code, ADDRESS, options), steps=does("token", vault)),
        Case("password", PASSWORD, (*password, stage["password"], options)),
        Case("password: wrong", PASSWORD, (*password, "elsewhere", options), came=no(REFUSED, "AADSTS50126")),
        Case(
            "password: a second factor",
            PASSWORD,
            (tenant, public, stage["mfa_username"], stage["password"], options),
            came=no(REFUSED, "AADSTS50076"),
        ),
        Case("password: empty", PASSWORD, (*password, "", options), came=no(WRONG, "password")),
        Case("device", DEVICE, (device,)),
        Case(
            "device: declined",
            DEVICE,
            (mine | {"userPromptCallback": {"$prompt": "decline"}},),
            came=no(REFUSED, "AADSTS70017"),
            theirs=no(REFUSED, "authorization_declined"),
            why="a device's sign-in is declined",
        ),
        Case(
            "device: pending once",
            DEVICE,
            (mine | {"userPromptCallback": {"$prompt": ""}},),
            faults=(
                {"endpoint": "entra_token", "status": 400, "count": 1, "body": '{"error":"authorization_pending"}'},
                {"endpoint": "entra_token", "status": 400, "count": 1, "body": '{"error":"expired_token"}'},
            ),
            came=no(REFUSED),
        ),
        Case("device: not automatically", DEVICE, (device | by_hand,), came=no(REQUIRED)),
        Case("device: authenticate", DEVICE, (device | by_hand,), steps=does("authenticate"), came=no(RECORD)),
        Case(
            "device: authenticate without scopes",
            DEVICE,
            (device,),
            steps=({"does": "authenticate", "scopes": None},),
            came=no(RECORD),
            theirs=no(REFUSED, "trim"),
            asked=(["entra_device_code", "entra_token"], []),
            why="`authenticate()` without scopes",
        ),
        Case("device: refreshed", DEVICE, (device | by_hand,), steps=does("authenticate", vault)),
        Case(
            "device: refresh token taken back",
            DEVICE,
            (device | by_hand,),
            steps=does("authenticate", {"does": "admin", "path": "/revoke", "body": {}}, vault),
            came=no(REQUIRED),
        ),
        Case("device: again by its record", DEVICE, (device,), steps=does("authenticate", "again", "token")),
        Case(
            "device: another's record",
            DEVICE,
            (device,),
            steps=does("authenticate", {"does": "again", "as": {"homeAccountId": f"{NOBODY}.{tenant}"}}, "token"),
            came=no(REFUSED, "expected a sign-in of"),
            theirs=Came(),
            why="another account than the record's",
        ),
        Case("browser", BROWSER, (mine,)),
        Case(
            "browser: a login hint",
            BROWSER,
            (mine | {"loginHint": stage["mfa_username"]},),
            but=("prompt",),
            why="`loginHint`",
        ),
        Case("browser: authenticate", BROWSER, (mine | by_hand,), steps=does("authenticate", vault)),
        Case("browser: not automatically", BROWSER, (mine | by_hand,), came=no(REQUIRED)),
        Case(
            "browser: declined",
            BROWSER,
            (mine,),
            steps=does({"does": "admin", "path": "/authorize", "body": {"deny": 1}}, "token"),
            came=no(REFUSED, "AADSTS65004"),
        ),
    ]
