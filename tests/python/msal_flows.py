"""Goes through the flows with the published MSAL for Python: `msal_flows.py SCENE`.

Prints what came of each as one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msal
import requests
from scripted_browser import visit
from stagehand import CODE_ADDRESS, SCOPE, Host, Stagehand, environment

VAULT = "https://vault.azure.net/.default"
# Beyond it a flow with a person in it fails.
PATIENCE = 20

Flows = dict[str, Callable[[], dict[str, Any]]]


class Apps:
    """Makes MSAL's applications."""

    def __init__(self, hand: Stagehand) -> None:
        """Take the scene."""
        self.hand = hand

    def confidential(
        self,
        credential: Any,
        *,
        ready: dict[str, str] | None = None,
        tenant: str | None = None,
        client: str | None = None,
        **more: Any,
    ) -> msal.ConfidentialClientApplication:
        """Give an application that can show who it is."""
        ready = ready or self.hand.ready
        return msal.ConfidentialClientApplication(
            client or ready["client_id"],
            client_credential=credential,
            authority=f"{ready['https']}/{tenant or ready['tenant_id']}",
            instance_discovery=False,
            **more,
        )

    def public(self, ready: dict[str, str] | None = None) -> msal.PublicClientApplication:
        """Give an application that cannot."""
        ready = ready or self.hand.ready
        authority = f"{ready['https']}/{ready['tenant_id']}"
        return msal.PublicClientApplication(ready["public_client_id"], authority=authority, instance_discovery=False)

    def secret(self) -> msal.ConfidentialClientApplication:
        """Give an application with its secret."""
        return self.confidential(self.hand.ready["client_secret"])


def pem(file: str) -> dict[str, str]:
    """Give MSAL's form of a PEM file, to be shown by its thumbprint."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    text = Path(file).read_text()
    thumbprint = x509.load_pem_x509_certificate(text.encode()).fingerprint(hashes.SHA1())  # noqa: S303
    return {"private_key": text[: text.index("-----BEGIN CERT")], "thumbprint": thumbprint.hex()}


def chain(file: str) -> dict[str, str]:
    """Give MSAL's form of a PEM file, to be shown with its chain."""
    text = Path(file).read_text()
    return pem(file) | {"public_certificate": text[text.index("-----BEGIN CERT") :]}


def applications(apps: Apps, hand: Stagehand) -> Flows:
    """Give the flows of an application that keeps a secret or a certificate."""
    ready, strict = hand.ready, hand.strict
    secret = ready["client_secret"]

    def ask(credential: Any, **options: Any) -> Any:
        return apps.confidential(credential, **options).acquire_token_for_client([SCOPE])

    def by_production_names() -> Any:
        with environment(hand.scene["proxy"]):
            authority = f"https://login.microsoftonline.com/{ready['tenant_id']}"
            app = msal.ConfidentialClientApplication(ready["client_id"], secret, authority)
            return app.acquire_token_for_client([SCOPE])

    def twice() -> Any:
        app = apps.confidential(pem(strict["certificate_file"]), ready=strict)
        app.acquire_token_for_client([VAULT])
        return app.acquire_token_for_client([SCOPE])

    pfx = {"private_key_pfx_path": ready["certificate_pfx"], "passphrase": ready["certificate_password"]}
    federated = Path(ready["federated_token_file"]).read_text()
    flows: Flows = {
        "secret": lambda: ask(secret),
        "secret: with client capabilities": lambda: ask(secret, client_capabilities=["CP1"]),
        "secret: under the production names": by_production_names,
        "secret: wrong": lambda: ask("wrong"),
        "secret: of nobody": lambda: ask(secret, client=hand.nobody),
        "secret: in no tenant": lambda: ask(secret, tenant=hand.nobody),
        "secret: in a single tenant, asked in common": lambda: ask(secret, tenant="common"),
        "certificate": lambda: ask(pem(ready["certificate_file"])),
        "certificate: with its chain": lambda: ask(chain(ready["certificate_file"])),
        "certificate: PFX": lambda: ask(pfx),
        "certificate: PFX with its chain": lambda: ask(pfx | {"public_certificate": True}),
        "certificate: a successor with its chain": lambda: ask(chain(ready["certificate_successor_file"])),
        "certificate: a successor without its chain": lambda: ask(pem(ready["certificate_successor_file"])),
        "certificate: another's key": lambda: ask(pem(hand.scene["mismatched"])),
        "certificate: its assertion again": twice,
        "assertion: federated": lambda: ask({"client_assertion": lambda: federated}),
    }
    for name, key in hand.assertion_flows().items():
        flows[name] = lambda key=key: ask({"client_assertion": lambda: hand.scene["assertions"][key]})
    return flows


def delegations(apps: Apps, hand: Stagehand) -> Flows:
    """Give the flows for a user who is elsewhere: on behalf of, and with a code."""
    ready = hand.ready
    users = hand.scene["user_assertions"]
    federated = Path(ready["federated_token_file"]).read_text()

    def on_behalf(user: str = users["good"], proof: Any = ready["client_secret"]) -> Any:
        return apps.confidential(proof).acquire_token_on_behalf_of(user, [SCOPE])

    def by_code(text: str, address: str = CODE_ADDRESS) -> Any:
        return apps.public().acquire_token_by_authorization_code(text, [SCOPE], redirect_uri=address)

    def code(client: str = "public_client_id") -> str:
        return hand.code(ready[client])

    def twice() -> Any:
        text = code()
        by_code(text)
        return by_code(text)

    def by_flow(**tampered: str) -> Any:
        app = apps.public()
        flow = app.initiate_auth_code_flow([SCOPE], redirect_uri=CODE_ADDRESS, response_mode="form_post")
        return app.acquire_token_by_auth_code_flow(flow | tampered, visit(flow["auth_uri"], ready["ca_file"])[1])

    return {
        "on behalf of: secret": on_behalf,
        "on behalf of: certificate": lambda: on_behalf(proof=pem(ready["certificate_file"])),
        "on behalf of: assertion": lambda: on_behalf(proof={"client_assertion": federated}),
        "on behalf of: wrong secret": lambda: on_behalf(proof="wrong"),
        "on behalf of: another's signature": lambda: on_behalf(users["signature"]),
        "on behalf of: another's audience": lambda: on_behalf(users["audience"]),
        "on behalf of: expired": lambda: on_behalf(users["expired"]),
        "on behalf of: a second factor wanted": lambda: on_behalf(users["mfa"]),
        "code": lambda: apps.secret().acquire_token_by_authorization_code(
            code("client_id"), [SCOPE], redirect_uri=CODE_ADDRESS
        ),
        "code: public client": lambda: by_code(code()),
        "code: with a verifier": by_flow,
        "code: wrong": lambda: by_code("wrong"),
        "code: twice": twice,
        "code: another's address": lambda: by_code(code(), "http://localhost:5001/callback"),
        "code: of another client": lambda: by_code(code("client_id")),
        "code: wrong verifier": lambda: by_flow(code_verifier="w" * 43),
    }


def people(apps: Apps, hand: Stagehand) -> Flows:
    """Give the flows with a person at the machine."""
    ready = hand.ready

    def by_password(username: str, password: str = ready["password"]) -> Any:
        with environment(hand.scene["proxy"]):
            authority = f"https://login.microsoftonline.com/{ready['tenant_id']}"
            app = msal.PublicClientApplication(ready["public_client_id"], authority=authority)
            return app.acquire_token_by_username_password(username, password, [SCOPE])

    def device(action: str | None, app: msal.PublicClientApplication | None = None) -> Any:
        app = app or apps.public()
        flow = app.initiate_device_flow([SCOPE])
        flow["expires_at"] = time.time() + PATIENCE
        if action:
            hand.decide(flow["user_code"], action)
        return app.acquire_token_by_device_flow(flow)

    def hasty() -> Any:
        app = apps.public()
        flow = app.initiate_device_flow([SCOPE])
        form = {"grant_type": "device_code", "client_id": app.client_id, "device_code": flow["device_code"]}
        requests.post(app.authority.token_endpoint, form, timeout=PATIENCE)

        def once() -> Any:
            return app.acquire_token_by_device_flow(flow, exit_condition=lambda _: True)

        # What somebody else asked a moment ago counts: MSAL is told to slow down, and does.
        told, interval = once()["error"], flow["interval"]
        if (told, interval) != ("slow_down", 6):
            raise AssertionError(f"told {told!r}, and waits {interval} s")
        hand.decide(flow["user_code"], "approve")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return once()

    def browser() -> Any:
        # It opens what BROWSER names.
        return apps.public().acquire_token_interactive([SCOPE], timeout=PATIENCE)

    def declined() -> Any:
        hand.admin("/authorize", {"deny": 1})
        return browser()

    def refreshed(revoke: bool) -> Any:
        app = apps.public()
        device("approve", app)
        if revoke:
            hand.admin("/revoke", {})
        return app.acquire_token_silent_with_error([VAULT], app.get_accounts()[0])

    return {
        "password": lambda: by_password(ready["username"]),
        "password: wrong": lambda: by_password(ready["username"], "wrong"),
        "password: of nobody": lambda: by_password("nobody@contoso.example"),
        "password: a second factor wanted": lambda: by_password(ready["mfa_username"]),
        "device": lambda: device(None),
        "device: slow down": hasty,
        "device: declined": lambda: device("decline"),
        "browser": browser,
        "browser: declined": declined,
        "refresh: for another resource": lambda: refreshed(revoke=False),
        "refresh: revoked": lambda: refreshed(revoke=True),
    }


def late(apps: Apps, hand: Stagehand) -> Flows:
    """Give the flows that come too late, where everything lives for a second."""
    strict = hand.strict
    app = apps.public(strict)
    code = hand.code(strict["public_client_id"], strict)
    app.acquire_token_by_authorization_code(
        hand.code(strict["public_client_id"], strict), [SCOPE], redirect_uri=CODE_ADDRESS
    )
    flow = app.initiate_device_flow([SCOPE])
    # The clocks of both are real.
    time.sleep(1.1)
    return {
        "code: expired": lambda: app.acquire_token_by_authorization_code(code, [SCOPE], redirect_uri=CODE_ADDRESS),
        "refresh: expired": lambda: app.acquire_token_silent_with_error([VAULT], app.get_accounts()[0]),
        "device: expired": lambda: app.acquire_token_by_device_flow(flow),
    }


def hosts(hand: Stagehand) -> Flows:
    """Give the flows of managed identities."""

    def one(host: Host) -> Any:
        if host.fault:
            hand.admin("/faults", host.fault)
        identity: Any = msal.SystemAssignedManagedIdentity()
        if host.client_id:
            identity = msal.UserAssignedManagedIdentity(client_id=host.client_id)
        with environment(host.env), requests.Session() as session:
            client = msal.ManagedIdentityClient(identity, http_client=session)
            return client.acquire_token_for_client(resource=host.scope.removesuffix("/.default"))

    # MSAL by itself takes a Cloud Shell for a machine with IMDS.
    known = [host for host in hand.hosts().values() if not host.name.startswith("Cloud Shell")]
    return {host.name: lambda host=host: one(host) for host in known}


def main() -> None:
    """Go through all of them."""
    warnings.simplefilter("ignore", DeprecationWarning)
    hand = Stagehand(json.loads(Path(sys.argv[1]).read_text()))
    apps = Apps(hand)
    for part in (applications(apps, hand), delegations(apps, hand), people(apps, hand), late(apps, hand), hosts(hand)):
        for name, flow in part.items():
            outcome = {"flow": name}
            try:
                result = flow()
                if "access_token" in result:
                    outcome["token"] = result["access_token"]
                else:
                    outcome["error"] = f"{result['error']}: {result.get('error_description')}"
            except Exception as error:
                outcome["error"] = f"{type(error).__name__}: {error}"
            print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    main()
