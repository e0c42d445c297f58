"""The cases of managed identities and of chains."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from node_cases import AGGREGATE, REFUSED, UNAVAILABLE, WRONG, Came, Case, no
from node_stage import Stage

ASSIGNED = {
    "clientId": "33333333-3333-3333-3333-333333333331",
    "objectId": "44444444-4444-4444-4444-444444444441",
    "resourceId": "/subscriptions/55555555-5555-5555-5555-555555555555/resourceGroups/emulator/providers"
    "/Microsoft.ManagedIdentity/userAssignedIdentities/emulator-1",
}
REFUSAL = "an authority refuses"
HOST = "an identity service of a host refuses, or gives what is no token"
NOBODY = "99999999-9999-9999-9999-999999999999"


def environments(stage: Stage) -> dict[str, dict[str, str]]:
    """Give each host's variables."""
    arc = stage["arc_endpoint"]
    return {
        "IMDS": {"AZURE_POD_IDENTITY_AUTHORITY_HOST": stage["imds"]},
        "App Service": {"IDENTITY_ENDPOINT": stage["identity_endpoint"], "IDENTITY_HEADER": stage["identity_header"]},
        "Azure ML": {"MSI_ENDPOINT": stage["ml_endpoint"], "MSI_SECRET": stage["ml_secret"]},
        "Cloud Shell": {"MSI_ENDPOINT": stage["cloud_shell_endpoint"]},
        "Service Fabric": {
            "IDENTITY_ENDPOINT": stage["service_fabric_endpoint"],
            "IDENTITY_HEADER": stage["service_fabric_header"],
            "IDENTITY_SERVER_THUMBPRINT": stage["service_fabric_thumbprint"],
        },
        "Arc": {"IDENTITY_ENDPOINT": arc, "IMDS_ENDPOINT": arc.partition("/metadata")[0]},
    }


def pod(stage: Stage) -> dict[str, str]:
    """Give a pod's variables."""
    return {
        "AZURE_TENANT_ID": stage["tenant_id"],
        "AZURE_CLIENT_ID": stage["workload_client_id"],
        "AZURE_FEDERATED_TOKEN_FILE": stage["federated_token_file"],
        "AZURE_AUTHORITY_HOST": stage["https"],
    }


def managed(stage: Stage) -> list[Case]:
    """Give the cases of managed identities."""
    kind = "ManagedIdentityCredential"
    hosts = environments(stage)
    cases = []
    for host, env in hosts.items():
        cases.append(Case(f"{host}: system-assigned", kind, env=env))
        for option, value in ASSIGNED.items():
            case = Case(f"{host}: by {option}", kind, ({option: value},), env)
            if host in ("Cloud Shell", "Service Fabric") or (host == "Azure ML" and option != "clientId"):
                case = replace(case, came=no(REFUSED, "does not take"), theirs=no(UNAVAILABLE), why=HOST)
            elif host == "Arc" and option != "clientId":
                case = replace(case, came=no(REFUSED, "did not confirm"), theirs=no(UNAVAILABLE), why=HOST)
            cases.append(case)
    cases += [
        Case("IMDS: by its first argument", kind, (ASSIGNED["clientId"],), hosts["IMDS"]),
        Case("IMDS: by two ids", kind, ({"clientId": NOBODY, "objectId": NOBODY},), hosts["IMDS"], came=no(WRONG)),
        Case("IMDS: not assigned", kind, (NOBODY,), hosts["IMDS"], came=no(UNAVAILABLE, "Identity not found")),
        Case(
            "App Service: wrong header",
            kind,
            env=hosts["App Service"] | {"IDENTITY_HEADER": "elsewhere"},
            came=no(REFUSED, "X-IDENTITY-HEADER header is missing or wrong"),
            theirs=no(UNAVAILABLE, "X-IDENTITY-HEADER header is missing or wrong"),
            why=HOST,
        ),
        Case(
            "Azure ML: wrong secret",
            kind,
            env=hosts["Azure ML"] | {"MSI_SECRET": "elsewhere"},
            came=no(REFUSED, "secret header is missing or wrong"),
            theirs=no(UNAVAILABLE, "secret header is missing or wrong"),
            why=HOST,
        ),
        Case(
            "Service Fabric: wrong header",
            kind,
            env=hosts["Service Fabric"] | {"IDENTITY_HEADER": "elsewhere"},
            came=no(REFUSED, "The secret is not the right one"),
            theirs=no(UNAVAILABLE, "The secret is not the right one"),
            why=HOST,
        ),
        Case("AKS: token exchange", kind, env=pod(stage)),
        Case("AKS: token exchange by clientId", kind, (stage["workload_client_id"],), pod(stage)),
    ]
    # Each is answered as the service answers when it has trouble, then well.
    later = {"endpoint": "imds", "status": 503, "count": 1, "body": '{"error":"busy"}'}
    slow = later | {"status": 429, "headers": {"retry-after": "1"}}
    gone = later | {"status": 410}
    for name, fault in (("503", later), ("429 with Retry-After", slow), ("410", gone)):
        cases.append(Case(f"IMDS: after a {name}", kind, env=hosts["IMDS"], faults=(fault,)))
    garbage = {"endpoint": "imds", "status": 200, "count": 5, "body": "<html>", "content_type": "text/html"}
    cases.append(
        Case(
            "IMDS: no JSON",
            kind,
            env=hosts["IMDS"],
            faults=(garbage,),
            came=no(REFUSED),
            theirs=no(UNAVAILABLE),
            why=HOST,
        )
    )
    told_no = json.dumps({"error": {"code": "bad_request_102", "message": "not in this shell"}})
    fault = {"endpoint": "cloud_shell", "status": 400, "count": 1, "body": told_no}
    cases.append(
        Case(
            "Cloud Shell: told no",
            kind,
            env=hosts["Cloud Shell"],
            faults=(fault,),
            came=no(REFUSED, "not in this shell"),
            theirs=no(UNAVAILABLE, "not in this shell"),
            why=HOST,
        )
    )
    for mode in ("arc_realm_outside", "arc_wrong_extension", "arc_large_file", "arc_no_realm"):
        trick = {"endpoint": "arc", "mode": mode, "count": 1}
        cases.append(
            Case(
                f"Arc: {mode}",
                kind,
                env=hosts["Arc"],
                faults=(trick,),
                came=no(REFUSED),
                theirs=no(UNAVAILABLE),
                why=HOST,
            )
        )
    return cases


def chains(stage: Stage) -> list[Case]:
    """Give the cases of `DefaultAzureCredential` and `ChainedTokenCredential`."""
    kind = "DefaultAzureCredential"
    own: dict[str, Any] = {"disableInstanceDiscovery": True}
    # No developer tool is found there.
    bare = {"PATH": str(stage.folder)}
    application = {
        "AZURE_TENANT_ID": stage["tenant_id"],
        "AZURE_CLIENT_ID": stage["client_id"],
        "AZURE_CLIENT_SECRET": stage["client_secret"],
        "AZURE_AUTHORITY_HOST": stage["https"],
    }
    hosts = environments(stage)
    # @azure/identity asks a host that is silent for 20 seconds otherwise.
    once = {"retryOptions": {"maxRetries": 0}}
    # Nobody listens there.
    nowhere = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:9"}
    managed_id = {"managedIdentityClientId": ASSIGNED["clientId"]}
    secret = [stage["tenant_id"], stage["client_id"], stage["client_secret"], {"authorityHost": stage["https"]} | own]
    wrong = [*secret[:2], "elsewhere", secret[3]]
    return [
        Case("default: the environment", kind, (own,), bare | application | hosts["App Service"]),
        Case("default: the pod", kind, (own,), bare | pod(stage) | hosts["IMDS"]),
        Case(
            "default: the pod by an option",
            kind,
            (own | {"workloadIdentityClientId": stage["workload_client_id"]},),
            bare | pod(stage) | {"AZURE_CLIENT_ID": NOBODY},
        ),
        Case("default: App Service", kind, (own,), bare | hosts["App Service"]),
        Case("default: IMDS", kind, (own,), bare | hosts["IMDS"]),
        Case("default: IMDS by client id", kind, (own | managed_id,), bare | hosts["IMDS"]),
        Case(
            "default: IMDS by resource id",
            kind,
            (own | {"managedIdentityResourceId": ASSIGNED["resourceId"]},),
            bare | hosts["IMDS"],
        ),
        Case(
            "default: IMDS by AZURE_CLIENT_ID",
            kind,
            (own,),
            bare | hosts["IMDS"] | {"AZURE_CLIENT_ID": ASSIGNED["clientId"]},
        ),
        Case(
            "default: nobody",
            kind,
            (own | once,),
            bare | nowhere,
            came=no(
                AGGREGATE,
                "EnvironmentCredential",
                "WorkloadIdentityCredential",
                "ManagedIdentityCredential",
                "AzureCliCredential",
                "AzurePowerShellCredential",
                "AzureDeveloperCliCredential",
            ),
            theirs=no(
                AGGREGATE,
                "EnvironmentCredential",
                "ManagedIdentityCredential",
                "Azure CLI",
            ),
            why="how a chain's report names its members",
        ),
        Case(
            "default: a wrong secret",
            kind,
            (own,),
            bare | application | {"AZURE_CLIENT_SECRET": "elsewhere"},
            came=no(AGGREGATE, "AADSTS7000215"),
            theirs=no(REFUSED, "AADSTS7000215"),
            why=REFUSAL,
        ),
        Case(
            "default: prod",
            kind,
            (own | once,),
            bare | nowhere | {"AZURE_TOKEN_CREDENTIALS": "prod"},
            came=no(AGGREGATE, "EnvironmentCredential", "ManagedIdentityCredential"),
        ),
        Case(
            "default: dev",
            kind,
            (own,),
            bare | hosts["IMDS"] | {"AZURE_TOKEN_CREDENTIALS": "dev"},
            came=no(AGGREGATE, "AzureCliCredential"),
            theirs=no(AGGREGATE, "Azure CLI"),
            why="how a chain's report names its members",
        ),
        Case(
            "default: one by name",
            kind,
            (own,),
            bare | hosts["IMDS"] | {"AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential"},
        ),
        Case(
            "default: a name that is none",
            kind,
            (own,),
            bare | {"AZURE_TOKEN_CREDENTIALS": "nobody"},
            came=no(WRONG, "AZURE_TOKEN_CREDENTIALS"),
        ),
        Case(
            "chain: the second",
            "ChainedTokenCredential",
            ({"$credential": ["EnvironmentCredential"]}, {"$credential": ["ClientSecretCredential", *secret]}),
            bare,
        ),
        Case(
            "chain: a refusal",
            "ChainedTokenCredential",
            ({"$credential": ["ClientSecretCredential", *wrong]}, {"$credential": ["ClientSecretCredential", *secret]}),
            bare,
            came=no(AGGREGATE, "AADSTS7000215"),
            theirs=Came(),
            why=REFUSAL,
            asked=(["entra_token"], ["entra_token", "entra_token"]),
        ),
        Case(
            "chain: nobody",
            "ChainedTokenCredential",
            ({"$credential": ["EnvironmentCredential"]}, {"$credential": ["AzureCliCredential"]}),
            bare,
            came=no(AGGREGATE, "EnvironmentCredential", "AzureCliCredential"),
            theirs=no(AGGREGATE, "EnvironmentCredential", "Azure CLI"),
            why="how a chain's report names its members",
        ),
    ]
