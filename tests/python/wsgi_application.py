"""A web application whose every answer is a token: `/?credential=host&scope=…`."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Callable
from typing import Any

import preloaded


def application(environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]) -> list[bytes]:
    """Answer one request."""
    query = dict(urllib.parse.parse_qsl(environ["QUERY_STRING"]))
    body = json.dumps(preloaded.answer(**query)).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
