"""How long one cached call takes, sync, in each way that clients make it: cached.py CONTESTANT. Prints seconds."""

from __future__ import annotations

import json
import statistics
import sys
import timeit
from typing import Any

from contestants import STORAGE, make

CALLS = {
    "scope": "credential.get_token(scope)",
    # What azure-core passes to a credential that has no get_token_info.
    "keywords": "credential.get_token(scope, claims=None, tenant_id=None, enable_cae=True)",
    # What azure-core passes without, and with continuous access evaluation.
    "info": "credential.get_token_info(scope, options=plain)",
    "info_cae": "credential.get_token_info(scope, options=cae)",
}


def seconds(statement: str, given: tuple[Any, ...]) -> float:
    """Measure batches of some 20 ms, each long enough for the timer; the median of them counts."""
    # Local names: what a loop of a program's own would have. The collector runs, as it does in programs.
    setup = "import gc; gc.enable(); credential, scope, plain, cae = given"
    timer = timeit.Timer(statement, setup, globals={"given": given})
    timer.timeit(20)
    number = max(20, int(0.02 / (timer.timeit(200) / 200)))
    timer.timeit(number)
    return statistics.median(timer.timeit(number) / number for _ in range(7))


def main() -> None:
    """Measure the calls that the contestant has."""
    name = sys.argv[1]
    given = (make(name), STORAGE, {}, {"enable_cae": True})
    if name.startswith("awscrt"):
        found = {"scope": seconds("credential.get_credentials().result()", given)}
    elif name.startswith("floor"):
        found = {"scope": seconds(CALLS["scope"], given)}
    else:
        found = {call: seconds(statement, given) for call, statement in CALLS.items()}
    print(json.dumps(found))


main()
