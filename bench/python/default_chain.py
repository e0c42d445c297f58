"""What the default chain takes to say no, and to say it again: default_chain.py LIBRARY. Prints seconds."""

from __future__ import annotations

import json
import sys
import time

from contestants import STORAGE, make

PATIENCE = 5
"""Seconds: who needs more for the first no is not asked again."""


def refusal(credential: object) -> float:
    """Give how long a refusal takes; a token is a mistake of the scene's."""
    begun = time.perf_counter()
    try:
        credential.get_token(STORAGE)  # type: ignore[attr-defined]
    except Exception:
        return time.perf_counter() - begun
    raise RuntimeError("somebody gave a token")


if __name__ == "__main__":
    credential = make(f"{sys.argv[1]}/default_chain")
    found = {"first": refusal(credential)}
    if found["first"] < PATIENCE:
        found["second"] = refusal(credential)
    print(json.dumps(found))
