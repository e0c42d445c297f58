"""What the peers' programs in Python share: their scene, the person they wait for, the variables of each host."""

from __future__ import annotations

import contextlib
import json
import os
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scripted_browser import visit

SCOPE = "https://storage.azure.com/.default"
CODE_ADDRESS = "http://localhost:5000"
"""Where codes are sent; nobody listens there."""


@dataclass
class Host:
    """A flow of a managed identity: the host's variables, who is asked for, and what goes wrong."""

    name: str
    env: dict[str, str]
    client_id: str | None = None
    fault: dict[str, Any] | None = None

    @property
    def scope(self) -> str:
        """What is asked for."""
        return f"{resource(self.name)}/.default"


def resource(flow: str) -> str:
    """Give the resource that only this flow asks for."""
    return f"https://{re.sub('[^a-z]+', '-', flow.lower())}.example"


@contextlib.contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """Have these variables for a while."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Stagehand:
    """Knows the scene and plays the person."""

    nobody = "99999999-9999-9999-9999-999999999999"

    def __init__(self, scene: dict[str, Any]) -> None:
        """Take the scene as its file has it."""
        self.scene = scene
        self.ready: dict[str, str] = scene["main"]
        self.strict: dict[str, str] = scene["strict"]

    def options(self, ready: dict[str, str] | None = None) -> dict[str, Any]:
        """Give azure-identity's options for an authority that Entra ID does not know."""
        return {"authority": (ready or self.ready)["https"], "disable_instance_discovery": True}

    def admin(self, path: str, body: dict[str, Any]) -> None:
        """Tell the emulator what happens."""
        request = urllib.request.Request(self.ready["admin"] + path, json.dumps(body).encode())
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            answer.read()

    def decide(self, user_code: str, action: str) -> None:
        """Type the code on another device, and approve or decline."""
        self.admin("/devicecode", {"user_code": user_code, "action": action})

    def code(self, client: str, ready: dict[str, str] | None = None) -> str:
        """Sign in; give the code."""
        ready = ready or self.ready
        query = {
            "client_id": client,
            "response_type": "code",
            "redirect_uri": CODE_ADDRESS,
            "scope": f"{SCOPE} openid offline_access",
            "state": "state",
        }
        address = f"{ready['https']}/{ready['tenant_id']}/oauth2/v2.0/authorize?{urllib.parse.urlencode(query)}"
        return visit(address, ready["ca_file"])[1]["code"]

    def assertion_flows(self) -> dict[str, str]:
        """Give the flows with a client assertion by the name of the assertion."""
        return {
            "assertion: signed by the certificate": "certificate",
            "assertion: another's signature": "signature",
            "assertion: another's audience": "audience",
            "assertion: expired": "expired",
            "assertion: of another application": "application",
            "assertion: federated, another's signature": "federated_signature",
            "assertion: federated, another's audience": "federated_audience",
            "assertion: federated, expired": "federated_expired",
            "assertion: federated, another's issuer": "federated_issuer",
            "assertion: no token": "no_token",
        }

    def application(self) -> dict[str, str]:
        """Give the variables of an application."""
        return {
            "AZURE_TENANT_ID": self.ready["tenant_id"],
            "AZURE_CLIENT_ID": self.ready["client_id"],
            "AZURE_CLIENT_SECRET": self.ready["client_secret"],
            "AZURE_AUTHORITY_HOST": self.ready["https"],
        }

    def workload(self) -> dict[str, str]:
        """Give the variables of a pod."""
        return {
            "AZURE_TENANT_ID": self.ready["tenant_id"],
            "AZURE_CLIENT_ID": self.ready["workload_client_id"],
            "AZURE_FEDERATED_TOKEN_FILE": self.ready["federated_token_file"],
            "AZURE_AUTHORITY_HOST": self.ready["https"],
        }

    def token_proxy(self) -> dict[str, str]:
        """Give the variables of a pod with an identity binding, beyond the others."""
        return {
            "AZURE_KUBERNETES_TOKEN_PROXY": self.ready["token_proxy"],
            "AZURE_KUBERNETES_CA_FILE": self.ready["token_proxy_ca_file"],
        }

    def hosts(self) -> dict[str, Host]:
        """Give each flow of a managed identity, with a resource of its own: SDKs keep tokens for the whole process."""
        ready = self.ready
        imds = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": ready["imds"]}
        app_service = {"IDENTITY_ENDPOINT": ready["identity_endpoint"], "IDENTITY_HEADER": ready["identity_header"]}
        ml = {"MSI_ENDPOINT": ready["ml_endpoint"], "MSI_SECRET": ready["ml_secret"]}
        fabric = {
            "IDENTITY_ENDPOINT": ready["service_fabric_endpoint"],
            "IDENTITY_HEADER": ready["service_fabric_header"],
            "IDENTITY_SERVER_THUMBPRINT": ready["service_fabric_thumbprint"],
        }
        shell = {"MSI_ENDPOINT": ready["cloud_shell_endpoint"]}
        told_no = json.dumps({"error": {"code": "bad_request_102", "message": "not in this shell"}})
        no_shell = {"endpoint": "cloud_shell", "status": 400, "count": 1, "body": told_no}
        assigned = self.scene["assigned"]
        flows = [
            Host("IMDS", imds),
            Host("IMDS: assigned", imds, assigned),
            Host("IMDS: not assigned", imds, self.nobody),
            Host("App Service", app_service),
            Host("App Service: assigned", app_service, assigned),
            Host("App Service: wrong header", app_service | {"IDENTITY_HEADER": "another's"}),
            Host("Azure ML", ml),
            Host("Azure ML: assigned", ml, assigned),
            Host("Azure ML: wrong secret", ml | {"MSI_SECRET": "another's"}),
            Host("Cloud Shell", shell),
            Host("Cloud Shell: told no", shell, fault=no_shell),
            Host("Service Fabric", fabric),
            Host("Service Fabric: wrong header", fabric | {"IDENTITY_HEADER": "another's"}),
            Host("Service Fabric: another's certificate", fabric | {"IDENTITY_SERVER_THUMBPRINT": "A" * 40}),
        ]
        arc = {
            "IDENTITY_ENDPOINT": ready["arc_endpoint"],
            "IMDS_ENDPOINT": ready["arc_endpoint"].partition("/metadata")[0],
        }
        elsewhere = {"endpoint": "arc", "mode": "arc_realm_outside", "count": 1}
        flows += [
            Host("Arc", arc),
            Host("Arc: assigned", arc, assigned),
            Host("Arc: a challenge elsewhere", arc, fault=elsewhere),
        ]
        return {host.name: host for host in flows}
