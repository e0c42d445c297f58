"""A request as the comparison sees it: one line, without what is no difference. What is left out says here why."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any

from comparison import UNKNOWN_HOST

TELEMETRY = "who the library is, and how it fares"
HTTP = "the HTTP library's own"
HEADERS = {
    "user-agent": TELEMETRY,
    "x-client-sku": TELEMETRY,
    "x-client-ver": TELEMETRY,
    "x-client-os": TELEMETRY,
    "x-client-cpu": TELEMETRY,
    "x-client-current-telemetry": TELEMETRY,
    "x-client-last-telemetry": TELEMETRY,
    "x-ms-lib-capability": TELEMETRY,
    "client-request-id": "a new one each time",
    "x-ms-client-request-id": "a new one each time",
    "return-client-request-id": "whether the answer has it too; azcred knows what it asked",
    "x-anchormailbox": "a hint of MSAL's where the account's mailbox is",
    "accept": HTTP,
    "accept-encoding": HTTP,
    "connection": HTTP,
    "content-length": HTTP,
    "content-type": HTTP,
    "host": "compared as the host",
    "transfer-encoding": HTTP,
}
"""Headers that are left out."""

FIELDS = {
    "client_info": "asks who signed in, which is no part of a token",
    "state": "a new one each time",
    "nonce": "a new one each time",
    "code_challenge": "a new one each time",
    "client-request-id": "a new one each time",
    "x-anchormailbox": "a hint of MSAL's where the account's mailbox is",
    "x-client-sku": TELEMETRY,
    "x-client-ver": TELEMETRY,
    "x-client-os": TELEMETRY,
}
"""Fields of forms and queries that are left out."""

VOLATILE = {
    "exp": "a moment",
    "iat": "a moment",
    "nbf": "a moment",
    "jti": "a new one each time",
}
"""Claims of a client assertion of which only their presence counts."""


def is_left_out(request: dict[str, Any]) -> bool:
    """Tell whether a request is none of the two libraries' talk about tokens."""
    path, query = request["path"], request["query"]
    # Metadata about an authority whose paths are documented; MSAL reads it before its first request.
    if path.endswith("/.well-known/openid-configuration"):
        return True
    # Whether a user's password is another server's to check: azcred speaks to Entra ID only.
    if "/userrealm/" in path.lower():
        return True
    # The browser's.
    if path.endswith("/authorize"):
        return False
    # MSAL asks about the aliases of known hosts; azcred knows them, and asks about others only.
    asked = urllib.parse.urlsplit(query.get("authorization_endpoint", "")).hostname
    return path == "/common/discovery/instance" and asked != UNKNOWN_HOST


def value(name: str, text: str) -> str:
    """Give a field's value in one of its spellings."""
    if name == "scope":
        return " ".join(sorted(text.split()))
    if name == "claims":
        return json.dumps(json.loads(text), sort_keys=True)
    if name == "redirect_uri":
        address = urllib.parse.urlsplit(text)
        # Where nobody names a port it is the system's choice.
        return text if address.port == 28731 else f"{address.scheme}://{address.hostname}{address.path.rstrip('/')}"
    return text


def shape(assertion: dict[str, Any]) -> dict[str, Any]:
    """Give a client assertion without its moments."""
    header = dict(assertion["header"])
    if "x5c" in header:
        header["x5c"] = len(header["x5c"])
    claims = {name: "…" if name in VOLATILE else said for name, said in assertion["claims"].items()}
    return {"header": header, "claims": claims}


def line(request: dict[str, Any]) -> str:
    """Give a request as a line."""
    # RFC 8628 has neither. MSAL for Python says the device code twice; azcred and others repeat the scopes.
    more = {"code", "scope"} if request["form"].get("grant_type", "").endswith(":device_code") else set()
    fields = [
        f"{name}={value(name, text)}"
        for part in ("query", "form")
        for name, text in sorted(request[part].items())
        if name.lower() not in FIELDS and name not in more
    ]
    headers = [f"{name}: {text}" for name, text in sorted(request["headers"].items()) if name not in HEADERS]
    shown = [json.dumps(shape(request["assertion"]), sort_keys=True)] if request.get("assertion") else []
    return " | ".join([f"{request['method']} {request['host']}{request['path']}", *fields, *headers, *shown])


def lines(requests: list[dict[str, Any]]) -> list[str]:
    """Give the requests that count, in their order."""
    return [line(request) for request in requests if not is_left_out(request)]
