"""What may go wrong between a credential and its source, for a while: one line each."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from email.utils import formatdate

from cable import Fault, answers, breaks_off, hangs_up, resets, stalls

REST = 5.0
"""How long a failure may be remembered after its cause is gone, in seconds."""

SLACK = 1.0
"""What the call takes that comes after the rest, and the machine."""


@dataclass(frozen=True)
class Outage:
    """Something that a server, or the way to it, does for a while."""

    fault: Fault | None
    """What connections suffer; without one there are none to be had."""
    leaves: float | None = None
    """When the caller gives up by itself, in seconds: its source would go on for longer."""
    held: float = 0.0
    """How long a flight of before may hold callers up when the cause is gone: what a request has for itself."""
    used: bool = False
    """Whether it answered before, on a connection that is kept."""


def token(**fields: object) -> Fault:
    """Answer as if with a token."""
    return answers(200, {"access_token": "ey.ey.ey", "expires_in": 3600, "token_type": "Bearer"} | fields)


BUSY = {"error": "too_many_requests", "error_description": "Too many requests"}
REFUSED = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
NOT_FOUND = {"error": "invalid_request", "error_description": "Identity not found"}
UNREACHABLE = b"connecting to 169.254.169.254:80: connecting to 169.254.169.254:80: dial tcp: network is unreachable"

SERVERS = {
    "400, no such identity": Outage(answers(400, NOT_FOUND)),
    "400, in other words": Outage(answers(400)),
    "401, as Entra ID says it": Outage(answers(401, REFUSED)),
    "401, without words": Outage(answers(401, b"")),
    "403": Outage(answers(403)),
    "403 of a container runtime": Outage(answers(403, UNREACHABLE)),
    "404": Outage(answers(404)),
    "405": Outage(answers(405)),
    "408": Outage(answers(408)),
    # IMDS is asked again for 70 s.
    "410": Outage(answers(410), leaves=1.0, held=5.0),
    "429": Outage(answers(429, BUSY)),
    "429, later": Outage(answers(429, BUSY, Retry_After="1")),
    "429, then and then": Outage(answers(429, BUSY, Retry_After=formatdate(time.time() + 2, usegmt=True))),
    "429, tomorrow": Outage(answers(429, BUSY, Retry_After="86400")),
    "429, some day": Outage(answers(429, BUSY, Retry_After="soon")),
    "500": Outage(answers(500)),
    "501": Outage(answers(501)),
    "502": Outage(answers(502, b"<html>Bad Gateway</html>", Content_Type="text/html")),
    "503": Outage(answers(503)),
    "504": Outage(answers(504)),
    "599": Outage(answers(599)),
    "a redirect": Outage(answers(302, b"", Location="/elsewhere")),
    "no content": Outage(answers(204, b"")),
    "an empty body": Outage(answers(200, b"")),
    "a page": Outage(answers(200, b"<html>Sign in to this network</html>", Content_Type="text/html")),
    "half of its JSON": Outage(answers(200, b'{"access_token":"ey.ey.ey","expires_')),
    "JSON of another shape": Outage(answers(200, [])),
    "JSON of other types": Outage(token(access_token=7)),
    "no token": Outage(token(access_token=None)),
    "an error with 200": Outage(answers(200, REFUSED)),
    "a NUL in the token": Outage(token(access_token="ey\0ey")),
    "no text in the token": Outage(answers(200, b'{"access_token":"\xff\xfe","expires_in":3600}')),
    "an expiry that is none": Outage(token(expires_in=1e300)),
    "an expiry in milliseconds": Outage(token(expires_in=None, expires_on=1000 * int(time.time() + 3600))),
    "a token that has expired": Outage(token(expires_in=None, expires_on=int(time.time()) - 60)),
    "a token that is about to": Outage(token(expires_in=3)),
    "two megabytes": Outage(answers(200, json.dumps({"access_token": "e" * (2 << 20), "expires_in": 3600}).encode())),
    "no answer, closed": Outage(breaks_off(b"")),
    "half of an answer, closed": Outage(breaks_off(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{")),
    "half of a head, closed": Outage(breaks_off(b"HTTP/1.1 200")),
    "an answer of another protocol": Outage(breaks_off(b"220 mail.example ESMTP\r\n")),
    "reset after the request": Outage(resets(bare=False)),
    "reset at once": Outage(resets(bare=True)),
    "closed at once": Outage(hangs_up()),
    "greeted by another protocol": Outage(hangs_up(b"SSH-2.0-OpenSSH_9.2\r\n")),
    # A managed identity's request has 30 s; who asks meanwhile waits for that one.
    "no answer": Outage(stalls(), leaves=1.0, held=30.0),
    "half of an answer": Outage(stalls(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"), leaves=1.0, held=30.0),
    "nobody takes the connection": Outage(stalls(bare=True), leaves=1.0, held=30.0),
    "nobody listens": Outage(None),
    "nobody listens any more": Outage(None, used=True),
}
"""What a server, or the way to it, may do for a while."""


def printed(life: int = 3600, text: str = "ey.ey.ey") -> str:
    """Write what the Azure CLI prints."""
    return json.dumps({"accessToken": text, "expires_on": int(time.time()) + life, "tenant": "t"})


GOOD_TOOL = f"echo '{printed()}'"

TOOLS = {
    "nobody is signed in": "echo \"Please run 'az login' to setup account.\" >&2; exit 1",
    "Entra ID refuses": 'echo "ERROR: AADSTS700082: The refresh token has expired due to inactivity." >&2; exit 1',
    "it fails without words": "exit 1",
    "it has no network": 'echo "ERROR: Could not connect: Name or service not known" >&2; exit 1',
    "its interpreter is missing": "exit 127",
    "it is killed": "kill -KILL $$",
    "it prints nothing": ":",
    "it prints no JSON": "echo 'WARNING: something is old'",
    "it prints half of its JSON": 'echo \'{"accessToken": "ey\'',
    "it prints no token": "echo '{}'",
    "it prints a dead token": f"echo '{printed(-60)}'",
    "it prints a token that is none": f"echo '{printed(text='e y')}'",
    "it prints without end": "while :; do echo y; done",
    "it hangs": "exec /bin/sleep 100",
    "it fails after its output": f"{GOOD_TOOL}; exit 3",
}
"""What a developer's tool may do for a while: the shell script that it is."""
