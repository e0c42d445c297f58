"""What azcred aims at: the one table of it. The rows measure; here is what for."""

from __future__ import annotations

from dataclasses import dataclass

from line import AheadOfAll, AtMost, Bound, Exactly, Faster, TimesBase, TimesFloor

MS = 1e-3
MB = 1e6


@dataclass
class Goal:
    """What a line says, and what was aimed at; nothing is aimed at where a line is there to be looked at."""

    what: str
    bounds: tuple[Bound, ...] = ()


LIBRARY = "azure-identity"
RUST = "azure_identity"
NODE = "@azure/identity"

_C = (TimesFloor(2), Faster(4, RUST))
_TWO = (TimesBase(1.3, "one thread"),)
_PYTHON_SCOPE = (TimesFloor(3), Faster(80, LIBRARY))
_PYTHON_REST = (TimesFloor(8), Faster(80, LIBRARY))
_FLAT = (TimesBase(1.3, "one scope"),)
_START = (AtMost(15 * MS),)
_TLS = (AtMost(25 * MS),)
_COLD = (AtMost(100 * MS),)
_ONE = (Exactly(1),)
_NOBODY_WAITS = (AtMost(50 * MS),)
"""Of a stall of a second: what 200 threads on two cores take to have their turn."""
_NO = (AtMost(300 * MS),)
_NO_AGAIN = (AtMost(5 * MS),)

_DOORS = {"python": "Python", "node": "Node"}
_NOBODY = {
    "unreachable": "unreachable",
    "silent": "silent",
    "refusing": "refusing connections",
    "strange": "another cloud's, which answers 404",
}

GOALS: dict[str, Goal] = {
    "c/get_token": Goal("cached `get_token`, C", _C),
    "c/provider": Goal("cached, C, a prepared request (`azcred_bearer_token_provider_get`)", _C),
    "c-threads/get_token": Goal("cached `get_token`, C, on each of 2 threads on 2 cores", _TWO),
    "c-threads/provider": Goal("cached, C, a prepared request, on each of 2 threads on 2 cores", _TWO),
    "c-instructions/get_token": Goal("instructions of a cached `get_token`, C"),
    "c-instructions/provider": Goal("instructions of a cached prepared request, C"),
    "python-sync/scope": Goal("cached, Python sync: `get_token(scope)`", _PYTHON_SCOPE),
    "python-sync/keywords": Goal(
        "cached, Python sync: `get_token(scope, claims=…, tenant_id=…, enable_cae=…)`", _PYTHON_REST
    ),
    "python-sync/info": Goal("cached, Python sync: `get_token_info(scope, options={})`", _PYTHON_REST),
    "python-sync/info_cae": Goal(
        'cached, Python sync: `get_token_info(scope, options={"enable_cae": True})`', _PYTHON_REST
    ),
    "python-threads": Goal("cached, Python sync, 64 threads: 99th percentile", (AtMost(0.1 * MS),)),
    "python-asyncio": Goal("cached, asyncio: `await get_token(scope)`", (TimesFloor(3.5), Faster(20, LIBRARY))),
    "node": Goal("cached, Node: `await getToken(scope)`", (TimesFloor(3), AheadOfAll())),
    "import/wall": Goal("`import` (Python) over the bare interpreter: time", (AtMost(8 * MS),)),
    "import/modules": Goal("`import` (Python): modules", (AtMost(10),)),
    "import/memory": Goal("`import` (Python): memory", (AtMost(5 * MB),)),
    "require/wall": Goal("`require` (Node) over bare node: time", (AtMost(8 * MS),)),
    "require/memory": Goal("`require` (Node): memory", (AtMost(5 * MB),)),
    "first-token/python": Goal("start to first token from IMDS, over the bare process: Python", _START),
    "first-token/node": Goal("start to first token from IMDS, over the bare process: Node", _START),
    "first-token/c": Goal("start to first token from IMDS, over the bare process: C", _START),
    "first-token/python-tls": Goal("start to first token by a client secret over TLS: Python", _TLS),
    "first-token/node-tls": Goal("start to first token by a client secret over TLS: Node", _TLS),
    "first-token/c-tls": Goal("start to first token by a client secret over TLS: C", _TLS),
    "first-token/python-warm": Goal("start to first token from a warm store, over the bare process: Python", ()),
    "first-token/node-warm": Goal("start to first token from a warm store, over the bare process: Node", ()),
    "first-token/c-warm": Goal("start to first token from a warm store, over the bare process: C", ()),
    "cold/python-threads/requests": Goal("1,000 cold callers, 50 ms server, Python threads: requests", _ONE),
    "cold/python-threads/seconds": Goal(
        "1,000 cold callers, 50 ms server, Python threads: until the last has it", _COLD
    ),
    "cold/asyncio/requests": Goal("1,000 cold callers, 50 ms server, asyncio: requests", _ONE),
    "cold/asyncio/seconds": Goal("1,000 cold callers, 50 ms server, asyncio: until the last has it", _COLD),
    "cold/node/requests": Goal("1,000 cold callers, 50 ms server, Node: requests", _ONE),
    "cold/node/seconds": Goal("1,000 cold callers, 50 ms server, Node: until the last has it", _COLD),
    "cold/c/requests": Goal("1,000 cold callers, 50 ms server, C threads: requests", _ONE),
    "cold/c/seconds": Goal("1,000 cold callers, 50 ms server, C threads: until the last has it", _COLD),
    "renewal/python-threads/requests": Goal(
        "200 callers at renewal time, server stalls for 1 s, Python threads: requests", _ONE
    ),
    "renewal/python-threads/seconds": Goal(
        "200 callers at renewal time, server stalls for 1 s, Python threads: the longest wait", _NOBODY_WAITS
    ),
    "renewal/asyncio/requests": Goal("200 callers at renewal time, server stalls for 1 s, asyncio: requests", _ONE),
    "renewal/asyncio/seconds": Goal(
        "200 callers at renewal time, server stalls for 1 s, asyncio: the longest wait", _NOBODY_WAITS
    ),
    "renewal/node/requests": Goal("200 callers at renewal time, server stalls for 1 s, Node: requests", _ONE),
    "renewal/node/seconds": Goal(
        "200 callers at renewal time, server stalls for 1 s, Node: the longest wait", _NOBODY_WAITS
    ),
    "renewal/c/requests": Goal("200 callers at renewal time, server stalls for 1 s, C threads: requests", _ONE),
    "renewal/c/seconds": Goal(
        "200 callers at renewal time, server stalls for 1 s, C threads: the longest wait", _NOBODY_WAITS
    ),
    "renewal/other": Goal(
        "a cached scope while another is fetched, server stalls for 1 s, C: the longest wait", _NOBODY_WAITS
    ),
    "size": Goal("size of libazcred.so, stripped", (AtMost(5.5 * MB),)),
    "scopes/python-sync": Goal("cached latency with 10,000 scopes in the cache: Python sync", _FLAT),
    "scopes/asyncio": Goal("cached latency with 10,000 scopes in the cache: asyncio", _FLAT),
    "scopes/node": Goal("cached latency with 10,000 scopes in the cache: Node", _FLAT),
    "scopes/c": Goal("cached latency with 10,000 scopes in the cache: C", _FLAT),
}
for _which, _bounds, _more in (("first", _NO, ""), ("second", _NO_AGAIN, ", the second call")):
    for _door, _language in _DOORS.items():
        for _network, _words in _NOBODY.items():
            _what = f"default chain, nothing configured, metadata address {_words}: {_language}{_more}"
            GOALS[f"default-chain/{_door}/{_network}/{_which}"] = Goal(_what, _bounds)
