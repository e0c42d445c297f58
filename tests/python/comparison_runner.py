"""Goes through the cases of the comparison: `comparison_runner.py MODULE SCENE`, prints a line of JSON for each."""

from __future__ import annotations

import importlib
import json
import logging
import sys
import time
import urllib.request
import warnings
from pathlib import Path
from typing import Any

from comparison import TOKEN, Case, Peer, kind, told
from comparison_cases import CASES
from stagehand import environment

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def admin(ready: dict[str, str], method: str, path: str, body: Any = None) -> Any:
    """Speak to the admin path of an emulator."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(ready["admin"] + path, data, {"content-type": "application/json"}, method=method)
    with OPENER.open(request, timeout=10) as answer:
        return json.load(answer)


def went_through(peer: Peer, case: Case) -> dict[str, Any]:
    """Go through one case; tell what came of it, and what was asked."""
    emulators = (peer.hand.ready, peer.hand.strict)
    for ready in emulators:
        admin(ready, "DELETE", "/requests")
        admin(ready, "DELETE", "/faults")
    for fault in case.faults:
        admin(peer.ready, "POST", "/faults", fault)
    began = time.monotonic()
    try:
        with environment(case.env(peer)):
            outcome = {"outcome": TOKEN, "value": told(case.act(peer))}
    except Exception as error:
        outcome = {"outcome": kind(error), "error": f"{type(error).__name__}: {error}"}
    requests = [one for ready in emulators for one in admin(ready, "GET", "/requests")["requests"]]
    return {"name": case.name, "took": round(time.monotonic() - began, 1), "requests": requests} | outcome


def main() -> None:
    """Go through those that this module can do."""
    logging.disable(logging.CRITICAL)
    # UsernamePasswordCredential is deprecated, and says so.
    warnings.simplefilter("ignore", DeprecationWarning)
    peer = Peer(importlib.import_module(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()))
    for position, case in enumerate(CASES):
        if case.aio or not peer.asynchronous:
            peer.begin(position)
            print(json.dumps(went_through(peer, case)), flush=True)


if __name__ == "__main__":
    main()
