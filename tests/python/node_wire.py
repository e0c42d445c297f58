"""What went over the wire, less what may differ everywhere; each thing that is left out is here, with its reason."""

from __future__ import annotations

import json
import re
from typing import Any

UNASKED = (
    # MSAL reads the paths of an authority from its metadata; azcred has them, as azure-identity without MSAL has.
    "openid-configuration",
)
"""Requests of @azure/identity that azcred does without, by a part of their path."""

TELEMETRY = re.compile(
    r"^x-(client|app|ms-lib|anchormailbox)|^client-request-id$|^x-ms-client-request-id$", re.IGNORECASE
)
"""Says who asks and counts how often; nothing depends on it."""

ASIDE = {
    # Asks for who signed in, beside the token. azcred asks where it keeps a record of the account.
    "client_info",
    # MSAL's own count of what a page is for.
    "clidata",
    # azcred checks that the ID token is of this sign-in; MSAL for Node does not.
    "nonce",
}
"""Parts of requests that change no token."""

ASIDE_IN_FORMS = {
    # Of MSAL's, with a password. It says what a page is to give; the token endpoint has no use for it.
    "response_type",
}

OWN = ("state", "code_challenge", "jti", "iat", "nbf", "exp", "device_code")
"""Parts that are made anew each time."""

SPELLINGS = {
    # MSAL has the name of the drafts, azcred that of RFC 8628; Entra ID knows both.
    "device_code": "urn:ietf:params:oauth:grant-type:device_code",
}
"""What a grant is called, where it has two names."""

HEADERS = ("metadata", "secret", "x-identity-header", "content-type", "authorization")
"""The headers by which a server decides."""

UNREAD = {
    # Where a secret's header is asked for, this one is not: azure-identity sends it to the first, MSAL to the second.
    "app_service": {"metadata"},
    "azure_ml": {"metadata"},
}
"""Headers that an endpoint has no use for."""


def value(name: str, text: str) -> Any:
    """Give what a part says, in one form."""
    if name in OWN:
        return "…"
    if name == "scope":
        return sorted(text.split())
    if name == "grant_type":
        return SPELLINGS.get(text, text)
    if name == "claims":
        return claims(text)
    # Where browsers come back to has a port of its own each time, and each emulator has one.
    return re.sub(r"(localhost|127\.0\.0\.1)(:\d+)?", "here", text)


def claims(text: str) -> Any:
    """Give what is asked of the access token."""
    try:
        asked = json.loads(text)
    except ValueError:
        return text
    # MSAL asks for more of what the ID token says; no token depends on it.
    asked.pop("id_token", None)
    # Python's SDKs say CP1, Node's cp1; Entra ID does not mind the case.
    return json.loads(json.dumps(asked).replace('"cp1"', '"CP1"')) or None


def parts(given: dict[str, str], aside: set[str] = ASIDE) -> dict[str, Any]:
    """Give the parts of a query or form that count."""
    told = {
        name: value(name, text)
        for name, text in sorted(given.items())
        if not TELEMETRY.search(name) and name not in aside
    }
    return {name: one for name, one in told.items() if one is not None}


def header(name: str, text: str) -> str:
    """Give a header's value without what is no part of its meaning."""
    if name == "content-type":
        return text.partition(";")[0].lower()
    # The emulator has struck secrets out; how it is meant is before them.
    return text.partition(" ")[0] if name == "authorization" else text


def assertion(given: dict[str, Any] | None) -> Any:
    """Give the shape of a client assertion: who says it for whom, and how it names its key."""
    if given is None:
        return None
    head, claims = given["header"], given["claims"]
    return {
        "head": sorted(head),
        "alg": head.get("alg"),
        "claims": {name: value(name, str(text)) for name, text in sorted(claims.items())},
    }


def request(record: dict[str, Any]) -> dict[str, Any]:
    """Give what counts of a request."""
    unread = UNREAD.get(record["endpoint"], set())
    if record["method"] == "GET":
        # MSAL says of what kind the body is that is not there.
        unread = unread | {"content-type"}
    return {
        "endpoint": record["endpoint"],
        "method": record["method"],
        "host": value("host", record["host"] or ""),
        # MSAL ends some with a stroke; the services do not mind.
        "path": record["path"].rstrip("/"),
        "query": parts(record["query"]),
        "form": parts(record["form"], ASIDE | ASIDE_IN_FORMS),
        "headers": {
            name: header(name, text)
            for name, text in record["headers"].items()
            if name in HEADERS and name not in unread
        },
        "assertion": assertion(record.get("assertion")),
        "status": record["status"],
    }


def polls(record: dict[str, Any]) -> bool:
    """Whether a request asks if the user has approved a device."""
    return "device_code" in record["form"].get("grant_type", "")


def wire(records: list[dict[str, Any]], but: tuple[str, ...] = ()) -> list[str]:
    """Give all requests as sorted lines, without those that azcred does without and without the parts of `but`."""
    lines = []
    for index, record in enumerate(records):
        # MSAL begins to ask while the code is still being shown, azcred an interval later: the last answer counts.
        if polls(record) and any(polls(later) for later in records[index + 1 : index + 2]):
            continue
        if any(part in record["path"] for part in UNASKED):
            continue
        one = request(record)
        for name in but:
            for part in (one, one["query"], one["form"], one["headers"]):
                part.pop(name, None)
        lines.append(json.dumps(one, sort_keys=True, ensure_ascii=False))
    return sorted(lines)
