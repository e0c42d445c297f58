"""The cases of the options that all credentials of Entra ID take, and of what is asked."""

from __future__ import annotations

import urllib.parse
from typing import Any

from node_cases import LATE, REFUSED, UNAVAILABLE, WRONG, Came, Case, does, no
from node_entra import BROWSER, CERTIFICATE, PASSWORD, SECRET, WORKLOAD, own
from node_hosts import pod
from node_stage import OTHER_TENANT, PRIVATE, Stage

CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1600000000"}}}'


def options(stage: Stage) -> list[Case]:
    """Give the cases of what all of them take."""
    us, secret = (stage["tenant_id"], stage["client_id"]), stage["client_secret"]
    port = urllib.parse.urlsplit(stage.proxy.url).port
    private = {"authorityHost": f"https://{PRIVATE}"}
    unasked = private | {"disableInstanceDiscovery": True}

    once = unasked | {"retryOptions": {"maxRetries": 0}}

    def with_secret(
        name: str, options: dict[str, Any] | None = None, env: dict[str, str] | None = None, **more: Any
    ) -> Case:
        return Case(name, SECRET, (*us, secret, own(stage) if options is None else options), env or {}, **more)

    elsewhere = {"tenantId": OTHER_TENANT}
    unanswered = {"endpoint": "entra_token", "status": 503, "body": '{"error":"temporarily_unavailable"}'}
    throttled = unanswered | {"status": 429, "headers": {"retry-after": "1"}}
    cae = {"enableCae": True}
    all_tenants = own(stage, additionallyAllowedTenants=["*"])
    return [
        with_secret(
            "tenant: another, not allowed",
            request=elsewhere,
            came=no(REFUSED, "additionally_allowed_tenants"),
            theirs=no(UNAVAILABLE, "AdditionallyAllowedTenants"),
            why="a request names a tenant that is not allowed",
        ),
        with_secret(
            "tenant: another, allowed", own(stage, additionallyAllowedTenants=[OTHER_TENANT]), request=elsewhere
        ),
        with_secret("tenant: any allowed", all_tenants, request=elsewhere),
        with_secret("tenant: its own", request={"tenantId": us[0]}),
        with_secret(
            "tenant: its own by a domain",
            request={"tenantId": "contoso.example"},
            came=no(REFUSED, "additionally_allowed_tenants"),
            theirs=no(UNAVAILABLE, "AdditionallyAllowedTenants"),
            why="a request names a tenant that is not allowed",
        ),
        with_secret("tenant: multi-tenant off", env={"AZURE_IDENTITY_DISABLE_MULTITENANTAUTH": "1"}, request=elsewhere),
        with_secret(
            "tenant: adfs",
            request={"tenantId": "adfs"},
            came=no(REFUSED, "additionally_allowed_tenants"),
            theirs=no(UNAVAILABLE, "AdditionallyAllowedTenants"),
            why="a request names a tenant that is not allowed",
        ),
        Case(
            "tenant: common",
            SECRET,
            ("common", us[1], secret, own(stage)),
            came=no(REFUSED),
            asked=(["entra_token"], []),
            why="an application of `common`",
        ),
        Case("tenant: by its domain", SECRET, ("contoso.example", us[1], secret, own(stage))),
        Case(
            "tenant: a workload elsewhere",
            WORKLOAD,
            ({"additionallyAllowedTenants": ["*"], "disableInstanceDiscovery": True},),
            pod(stage),
            request=elsewhere,
        ),
        with_secret("authority: the public cloud", {}),
        with_secret(
            "authority: login.windows.net",
            {"authorityHost": "https://login.windows.net"},
            but=("host",),
            why="a cloud's other names",
        ),
        with_secret(
            "authority: a host without https://",
            {"authorityHost": "login.microsoftonline.com"},
            theirs=no(WRONG, "https"),
            asked=(["entra_token"], []),
            why="`authorityHost` without `https://`",
        ),
        with_secret("authority: http://", {"authorityHost": "http://localhost"}, came=no(WRONG)),
        with_secret(
            "authority: by AZURE_AUTHORITY_HOST",
            {},
            {"AZURE_AUTHORITY_HOST": "https://login.microsoft.com"},
            but=("host",),
            why="a cloud's other names",
        ),
        with_secret("authority: the US government's", {"authorityHost": "https://login.microsoftonline.us"}),
        with_secret(
            "authority: China's",
            {"authorityHost": "https://login.chinacloudapi.cn"},
            but=("host",),
            why="a cloud's other names",
        ),
        with_secret(
            "instance discovery: an unknown host",
            private,
            came=no(WRONG, PRIVATE),
            theirs=no(UNAVAILABLE, "endpoints_resolution_error"),
            why="an authority that Entra ID does not know",
        ),
        with_secret("instance discovery: off", unasked),
        Case(
            "instance discovery: a user, unknown host",
            PASSWORD,
            (us[0], stage["public_client_id"], stage["username"], stage["password"], private),
            came=no(WRONG, PRIVATE),
            theirs=no(UNAVAILABLE, "endpoints_resolution_error"),
            why="an authority that Entra ID does not know",
        ),
        with_secret("region: by name", {}, {"AZURE_REGIONAL_AUTHORITY_NAME": "westeurope"}),
        with_secret("region: in a private cloud", unasked, {"AZURE_REGIONAL_AUTHORITY_NAME": "westeurope"}),
        with_secret(
            "region: TryAutoDetect", {}, {"AZURE_REGIONAL_AUTHORITY_NAME": "TryAutoDetect", "REGION_NAME": "westus2"}
        ),
        Case(
            "region: a certificate",
            CERTIFICATE,
            (*us, stage["certificate_file"], {}),
            {"AZURE_REGIONAL_AUTHORITY_NAME": "westeurope"},
            but=("assertion",),
            why="a certificate's assertion for a region",
        ),
        Case(
            "region: a user has none",
            PASSWORD,
            (us[0], stage["public_client_id"], stage["username"], stage["password"], {}),
            {"AZURE_REGIONAL_AUTHORITY_NAME": "westeurope"},
        ),
        with_secret("claims", request={"claims": CLAIMS}),
        with_secret("claims: none, but CAE", request=cae),
        with_secret("claims: and CAE", request=cae | {"claims": CLAIMS}),
        with_secret(
            "claims: a challenge after a token",
            steps=does("token", {"does": "token", "request": cae | {"claims": CLAIMS}}),
            request=cae,
        ),
        with_secret(
            "claims: no JSON",
            request={"claims": "no JSON"},
            came=no(WRONG, "claims"),
            theirs=Came(),
            asked=([], ["entra_token"]),
            why="`claims` that are no JSON",
        ),
        Case(
            "claims: a user",
            PASSWORD,
            (us[0], stage["public_client_id"], stage["username"], stage["password"], own(stage)),
            request=cae | {"claims": CLAIMS},
        ),
        Case(
            "claims: a code and CAE",
            BROWSER,
            (own(stage) | {"tenantId": us[0], "clientId": stage["public_client_id"]},),
            request=cae,
        ),
        with_secret("proxy: by proxyOptions", unasked | {"proxyOptions": {"host": "http://127.0.0.1", "port": port}}),
        with_secret("proxy: by HTTPS_PROXY", unasked),
        with_secret(
            "proxy: by another HTTPS_PROXY, where nobody is",
            once,
            {"HTTPS_PROXY": "http://127.0.0.1:9"},
            came=no(REFUSED, "HTTPS_PROXY"),
            theirs=no(UNAVAILABLE, "endpoints_resolution_error"),
            why="an authority does not answer",
        ),
        with_secret(
            "proxy: by HTTPS_PROXY that is no URL",
            once,
            {"HTTPS_PROXY": "http://user:pass#word@proxy.example:1"},
            came=no(WRONG, "HTTPS_PROXY"),
            theirs=no(WRONG, "Invalid URL"),
            why="`HTTPS_PROXY`, `ALL_PROXY` with text that is no proxy's URL",
        ),
        with_secret("proxy: by ALL_PROXY", once, {"HTTPS_PROXY": "", "ALL_PROXY": stage.proxy.url}),
        with_secret(
            "proxy: by HTTP_PROXY",
            once,
            {"HTTPS_PROXY": "", "HTTP_PROXY": stage.proxy.url},
            came=no(REFUSED, "no answer"),
            theirs=Came(),
            asked=([], ["entra_token"]),
            why="the proxy of the environment",
        ),
        with_secret(
            "proxy: nobody there",
            unasked | {"proxyOptions": {"host": "http://127.0.0.1", "port": 9}, "retryOptions": {"maxRetries": 0}},
            came=no(REFUSED),
            theirs=no(UNAVAILABLE, "endpoints_resolution_error"),
            why="an authority does not answer",
        ),
        with_secret("retry: after a 503", faults=(unanswered | {"count": 1},)),
        with_secret("retry: after a 429 with Retry-After", faults=(throttled | {"count": 1},)),
        with_secret("retry: never", own(stage, retryOptions={"maxRetries": 0}), faults=(unanswered,), came=no(REFUSED)),
        with_secret("retry: cut off", faults=({"endpoint": "entra_token", "mode": "close", "count": 1},)),
        with_secret(
            "retry: a Retry-After of an hour",
            own(stage, retryOptions={"maxRetries": 0}),
            faults=(throttled | {"headers": {"retry-after": "3600"}},),
            came=no(REFUSED),
        ),
        with_secret(
            "answer: a redirect",
            faults=(
                {"endpoint": "entra_token", "status": 307, "body": "", "headers": {"location": f"https://{PRIVATE}/"}},
            ),
            came=no(REFUSED),
        ),
        with_secret(
            "answer: no JSON", faults=({"endpoint": "entra_token", "status": 200, "body": "<html>"},), came=no(REFUSED)
        ),
        with_secret(
            "answer: slower than the caller waits",
            request={"requestOptions": {"timeout": 300}},
            faults=({"endpoint": "entra_token", "latency_ms": 1500},),
            came=no(LATE),
            theirs=Came(),
            but=("status",),
            why="`requestOptions.timeout`",
        ),
        with_secret(
            "scopes: two",
            steps=({"does": "token", "scopes": ["https://a.example/.default", "openid"]},),
            but=("scope",),
            why="an application asks for `openid`",
        ),
        with_secret("scopes: none", steps=({"does": "token", "scopes": []},), came=no(WRONG, "scope")),
        with_secret(
            "scopes: not .default",
            steps=({"does": "token", "scopes": "https://a.example/read"},),
            came=no(REFUSED, "AADSTS1002012"),
        ),
        with_secret("provider", steps=does("provider"), but=("claims",), why="`getBearerTokenProvider` and CAE"),
        with_secret("twice", steps=does("token", "token")),
        *(with_secret(f"option: {name}", own(stage, **{name: value})) for name, value in UNUSED.items()),
        *(
            with_secret(
                f"option: {name}",
                own(stage, **{name: value}),
                came=no(WRONG, name),
                theirs=Came(),
                asked=([], ["entra_token"]),
                why="options that a program relies on",
            )
            for name, value in RELIED_ON.items()
        ),
    ]


RELIED_ON: dict[str, Any] = {
    "tlsOptions": {},
    "redirectOptions": {"maxRetries": 0},
    "additionalPolicies": [],
    "allowInsecureConnection": False,
}
"""Options about the way to an authority that azcred goes in its own way."""

UNUSED: dict[str, Any] = {
    "loggingOptions": {"allowLoggingAccountIdentifiers": True},
    "userAgentOptions": {"userAgentPrefix": "app"},
    "telemetryOptions": {"clientRequestIdHeaderName": "x-id"},
    "tokenCachePersistenceOptions": {"enabled": False},
}
"""Options about other things than tokens."""
