"""What the default chain takes to say no, and to say it again: default_chain.py LIBRARY. Prints seconds."""

from __future__ import annotations

import json
import sys
import time

from contestants import STORAGE, make


def refusal(credential: object) -> float:
    """Give how long a refusal takes; a token is a mistake of the scene's."""
    begun = time.perf_counter()
    try:
        credential.get_token(STORAGE)  # type: ignore[attr-defined]
    except Exception:
        return time.perf_counter() - begun
    raise RuntimeError("somebody gave a token")


credential = make(f"{sys.argv[1]}/default_chain")
print(json.dumps({"first": refusal(credential), "second": refusal(credential)}))
