"""What a program sees of the cache engine at the Python door: refused tokens, and what happened so far."""

from __future__ import annotations

from conftest import Emulator, python


def test_what_happened_is_counted(emulator: Emulator) -> None:
    """In a process of its own, whose numbers start at zero."""
    code = """
import asyncio, json, azcred, azcred.aio
from concurrent.futures import ThreadPoolExecutor
scope = "https://counted.example/.default"
credential = azcred.ManagedIdentityCredential()
seen = [credential.statistics()]
with ThreadPoolExecutor(8) as pool:
    list(pool.map(lambda _: credential.get_token(scope), range(8)))
seen.append(credential.statistics())
for _ in range(10):
    credential.get_token(scope)
    credential.get_token_info(scope, options={"enable_cae": True})
async def main():
    other = azcred.aio.ManagedIdentityCredential()
    for _ in range(10):
        await other.get_token(scope)
    try:
        await other.get_token("https://counted.example/one", "https://counted.example/two")
    except azcred.InvalidArgumentError:
        pass
    return other.statistics()
seen.append(asyncio.run(main()))
print(json.dumps(seen))
"""
    emulator.fault(endpoint="app_service", latency_ms=500, count=1)
    before, first, last = python(code, emulator.app_service())
    names = ["failures", "flights", "hits", "misses", "upstream_requests", "waiters"]
    assert sorted(before) == names
    assert set(before.values()) == {0}
    assert (first["hits"], first["misses"], first["waiters"], first["flights"]) == (0, 8, 7, 1)
    assert (last["hits"], last["misses"], last["flights"], last["failures"]) == (30, 9, 2, 1)
    assert last["upstream_requests"] == 1 == emulator.tokens(), "two scopes for a managed identity go nowhere"


def test_a_refused_token_is_replaced_once(emulator: Emulator) -> None:
    code = """
import json, azcred, azcred.aio
scope = "https://refused.example/.default"
credential = azcred.ManagedIdentityCredential()
first = credential.get_token(scope)
told = [credential.reject("no token of ours"), credential.reject(first), credential.reject(first.token)]
second = azcred.ManagedIdentityCredential().get_token_info(scope)
told += [second.token != first.token, credential.get_token(scope).token == second.token]
told += [credential.reject(first), azcred.aio.ManagedIdentityCredential().reject(second)]
for wrong in (None, 7):
    try:
        credential.reject(wrong)
    except (AttributeError, TypeError, ValueError):
        told.append("refused")
print(json.dumps(told))
"""
    told = python(code, emulator.app_service())
    assert told == [False, True, False, True, True, False, False, "refused", "refused"]
    assert emulator.tokens() == 2
