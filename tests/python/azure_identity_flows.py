"""Goes through the flows with azure-identity's classes: `azure_identity_flows.py MODULE SCENE`.

MODULE is the published `azure.identity`, `azcred`, or the `.aio` of either. Prints what came of each as a line of JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import logging
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stagehand import CODE_ADDRESS, SCOPE, Host, Stagehand, environment

VAULT = "https://vault.azure.net/.default"
# Beyond it a flow with a person in it fails.
PATIENCE = 20

Flows = dict[str, Callable[[], Any]]


def sync_token(make: Callable[[], Any], scope: str = SCOPE, **request: Any) -> Any:
    """Ask a credential once."""
    with make() as credential:
        return credential.get_token(scope, **request)


def aio_token(make: Callable[[], Any], scope: str = SCOPE, **request: Any) -> Any:
    """Ask an asynchronous credential once."""

    async def main() -> Any:
        async with make() as credential:
            return await credential.get_token(scope, **request)

    return asyncio.run(main())


def applications(sdk: Any, ask: Callable[..., Any], hand: Stagehand) -> Flows:
    """Give the flows of an application that keeps a secret or a certificate."""
    ready, strict, own = hand.ready, hand.strict, hand.options()
    tenant, client, secret = ready["tenant_id"], ready["client_id"], ready["client_secret"]

    def by_secret(tenant: str = tenant, client: str = client, secret: str = secret, **request: Any) -> Any:
        return ask(lambda: sdk.ClientSecretCredential(tenant, client, secret, **own), **request)

    def by_certificate(file: str, **options: Any) -> Any:
        return ask(lambda: sdk.CertificateCredential(tenant, client, file, **own, **options))

    def by_production_names() -> Any:
        with environment(hand.scene["proxy"]):
            return ask(lambda: sdk.ClientSecretCredential(tenant, client, secret))

    def by_environment(make: Callable[..., Any]) -> Any:
        with environment(hand.application()):
            return ask(lambda: make(disable_instance_discovery=True))

    def twice() -> Any:
        credential = sdk.CertificateCredential(
            strict["tenant_id"], strict["client_id"], strict["certificate_file"], **hand.options(strict)
        )
        if ask is sync_token:
            credential.get_token(VAULT)
            return credential.get_token(SCOPE)

        async def main() -> Any:
            async with credential:
                await credential.get_token(VAULT)
                return await credential.get_token(SCOPE)

        return asyncio.run(main())

    def by_assertion(text: str) -> Any:
        return ask(lambda: sdk.ClientAssertionCredential(tenant, client, lambda: text, **own))

    pfx = {"password": ready["certificate_password"]}
    federated = Path(ready["federated_token_file"]).read_text()
    flows: Flows = {
        "secret": by_secret,
        "secret: with client capabilities": lambda: by_secret(enable_cae=True),
        "secret: from the environment": lambda: by_environment(sdk.EnvironmentCredential),
        "secret: by the default chain": lambda: by_environment(sdk.DefaultAzureCredential),
        "secret: under the production names": by_production_names,
        "secret: wrong": lambda: by_secret(secret="wrong"),
        "secret: of nobody": lambda: by_secret(client=hand.nobody),
        "secret: in no tenant": lambda: by_secret(tenant=hand.nobody),
        "secret: in a single tenant, asked in common": lambda: by_secret(tenant="common"),
        "certificate": lambda: by_certificate(ready["certificate_file"]),
        "certificate: with its chain": lambda: by_certificate(ready["certificate_file"], send_certificate_chain=True),
        "certificate: PFX": lambda: by_certificate(ready["certificate_pfx"], **pfx),
        "certificate: PFX with its chain": lambda: by_certificate(
            ready["certificate_pfx"], send_certificate_chain=True, **pfx
        ),
        "certificate: a successor with its chain": lambda: by_certificate(
            ready["certificate_successor_file"], send_certificate_chain=True
        ),
        "certificate: a successor without its chain": lambda: by_certificate(ready["certificate_successor_file"]),
        "certificate: another's key": lambda: by_certificate(hand.scene["mismatched"]),
        "certificate: its assertion again": twice,
        "assertion: federated": lambda: by_assertion(federated),
    }
    for name, key in hand.assertion_flows().items():
        flows[name] = lambda key=key: by_assertion(hand.scene["assertions"][key])
    return flows


def workloads(sdk: Any, ask: Callable[..., Any], hand: Stagehand) -> Flows:
    """Give the flows of pods and pipelines."""
    ready = hand.ready

    def by_workload(env: dict[str, str], make: Callable[..., Any] = sdk.WorkloadIdentityCredential) -> Any:
        options = {"enable_azure_proxy": True} if "AZURE_KUBERNETES_TOKEN_PROXY" in env else {}
        with environment(hand.workload() | env):
            return ask(lambda: make(**options))

    def by_pipeline(token: str, connection: str) -> Any:
        with environment({"SYSTEM_OIDCREQUESTURI": ready["pipelines_uri"]}):
            return ask(
                lambda: sdk.AzurePipelinesCredential(
                    tenant_id=ready["tenant_id"],
                    client_id=ready["pipelines_client_id"],
                    service_connection_id=connection,
                    system_access_token=token,
                    **hand.options(),
                )
            )

    def by_default_chain() -> Any:
        with environment(hand.workload()):
            return ask(sdk.DefaultAzureCredential)

    expired = {"AZURE_FEDERATED_TOKEN_FILE": hand.scene["federated_expired"]}
    audience = {"AZURE_FEDERATED_TOKEN_FILE": hand.scene["federated_audience"]}
    token, connection = ready["pipelines_token"], ready["pipelines_service_connection_id"]
    return {
        "workload": lambda: by_workload({}),
        "workload: by the default chain": by_default_chain,
        "workload: by the token proxy": lambda: by_workload(hand.token_proxy()),
        "workload: by the token proxy's name": lambda: by_workload(
            hand.token_proxy() | {"AZURE_KUBERNETES_SNI_NAME": ready["token_proxy_sni"]}
        ),
        "workload: expired": lambda: by_workload(expired),
        "workload: another's audience": lambda: by_workload(audience),
        "workload: expired, by the token proxy": lambda: by_workload(hand.token_proxy() | expired),
        "pipeline": lambda: by_pipeline(token, connection),
        "pipeline: wrong token": lambda: by_pipeline("wrong", connection),
        "pipeline: wrong connection": lambda: by_pipeline(token, hand.nobody),
    }


def delegations(sdk: Any, ask: Callable[..., Any], hand: Stagehand) -> Flows:
    """Give the flows for a user who is elsewhere: on behalf of, and with a code."""
    ready, own = hand.ready, hand.options()
    tenant, client, public = ready["tenant_id"], ready["client_id"], ready["public_client_id"]
    users = hand.scene["user_assertions"]
    secret = {"client_secret": ready["client_secret"]}

    def on_behalf(user: str = users["good"], **proof: Any) -> Any:
        return ask(lambda: sdk.OnBehalfOfCredential(tenant, client, user_assertion=user, **(proof or secret), **own))

    def by_code(code: str, client: str = public, address: str = CODE_ADDRESS, **proof: Any) -> Any:
        return ask(lambda: sdk.AuthorizationCodeCredential(tenant, client, code, address, **proof, **own))

    def twice() -> Any:
        code = hand.code(public)
        by_code(code)
        return by_code(code)

    certificate = Path(ready["certificate_file"]).read_bytes()
    federated = Path(ready["federated_token_file"]).read_text()
    return {
        "on behalf of: secret": on_behalf,
        "on behalf of: certificate": lambda: on_behalf(client_certificate=certificate),
        "on behalf of: assertion": lambda: on_behalf(client_assertion_func=lambda: federated),
        "on behalf of: wrong secret": lambda: on_behalf(client_secret="wrong"),
        "on behalf of: another's signature": lambda: on_behalf(users["signature"]),
        "on behalf of: another's audience": lambda: on_behalf(users["audience"]),
        "on behalf of: expired": lambda: on_behalf(users["expired"]),
        "on behalf of: a second factor wanted": lambda: on_behalf(users["mfa"]),
        "code": lambda: by_code(hand.code(client), client, **secret),
        "code: public client": lambda: by_code(hand.code(public)),
        "code: wrong": lambda: by_code("wrong"),
        "code: twice": twice,
        "code: another's address": lambda: by_code(hand.code(public), address="http://localhost:5001/callback"),
        "code: of another client": lambda: by_code(hand.code(client)),
    }


def people(sdk: Any, hand: Stagehand) -> Flows:
    """Give the flows with a person at the machine."""
    ready, strict, own = hand.ready, hand.strict, hand.options()
    tenant, public = {"tenant_id": ready["tenant_id"]}, ready["public_client_id"]

    def by_password(username: str, password: str = ready["password"]) -> Any:
        with environment(hand.scene["proxy"]):
            return sdk.UsernamePasswordCredential(public, username, password, **tenant).get_token(SCOPE)

    def device(prompt: Callable[..., None], ready: dict[str, str] = ready, **more: Any) -> Any:
        options = {**tenant, **hand.options(ready), **more}
        return sdk.DeviceCodeCredential(public, prompt_callback=prompt, timeout=PATIENCE, **options)

    def does(action: str) -> Callable[..., None]:
        return lambda _uri, user_code, _until: hand.decide(user_code, action)

    def browser() -> Any:
        return sdk.InteractiveBrowserCredential(client_id=public, timeout=PATIENCE, **tenant, **own).get_token(SCOPE)

    def declined() -> Any:
        hand.admin("/authorize", {"deny": 1})
        return browser()

    def refreshed(revoke: bool) -> Any:
        with device(does("approve"), disable_automatic_authentication=True) as credential:
            credential.authenticate(scopes=[SCOPE])
            if revoke:
                hand.admin("/revoke", {})
            return credential.get_token(VAULT)

    def late(*_: object) -> None:
        # The clocks of both are real: this is the whole life of a device code there.
        time.sleep(1.2)

    return {
        "password": lambda: by_password(ready["username"]),
        "password: wrong": lambda: by_password(ready["username"], "wrong"),
        "password: of nobody": lambda: by_password("nobody@contoso.example"),
        "password: a second factor wanted": lambda: by_password(ready["mfa_username"]),
        "device": lambda: device(lambda *_: None).get_token(SCOPE),
        "device: declined": lambda: device(does("decline")).get_token(SCOPE),
        "device: expired": lambda: device(late, strict).get_token(SCOPE),
        "browser": browser,
        "browser: declined": declined,
        "refresh: for another resource": lambda: refreshed(revoke=False),
        "refresh: revoked": lambda: refreshed(revoke=True),
    }


def hosts(sdk: Any, ask: Callable[..., Any], hand: Stagehand) -> Flows:
    """Give the flows of managed identities."""

    def one(host: Host) -> Any:
        if host.fault:
            hand.admin("/faults", host.fault)
        with environment(host.env):
            return ask(lambda: sdk.ManagedIdentityCredential(client_id=host.client_id), host.scope)

    return {name: lambda host=host: one(host) for name, host in hand.hosts().items()}


def main() -> None:
    """Go through all of them."""
    logging.disable(logging.CRITICAL)
    # UsernamePasswordCredential is deprecated, and says so.
    warnings.simplefilter("ignore", DeprecationWarning)
    sdk, hand = importlib.import_module(sys.argv[1]), Stagehand(json.loads(Path(sys.argv[2]).read_text()))
    asynchronous = sys.argv[1].endswith(".aio")
    ask = aio_token if asynchronous else sync_token
    parts = [part(sdk, ask, hand) for part in (applications, workloads, delegations, hosts)]
    if not asynchronous:
        parts.append(people(sdk, hand))
    for part in parts:
        for name, flow in part.items():
            outcome = {"flow": name}
            try:
                outcome["token"] = flow().token
            except Exception as error:
                outcome["error"] = f"{type(error).__name__}: {error}"
            print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main()
