"""azcred and the published azure-identity in the same place: the same requests, and the same comes of them.

Each goes through all cases in one process, against the same emulator. Where azcred differs, its case says why.
"""

from __future__ import annotations

import json
import re
import sys
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from comparison import BEHIND_THE_OTHER_PROXY, FAILED, OTHER_TENANT, TOKEN, UNKNOWN_HOST, Case, reasons
from comparison_cases import CASES
from comparison_wire import lines
from conftest import ARC_TOKENS, run
from connect_proxy import PRODUCTION, ConnectProxy
from scene import Scene, set_up

HERE = Path(__file__).parent
THEIRS, OURS, OURS_AIO = "azure.identity", "azcred", "azcred.aio"

CONFIG = f"""
arc_token_dir = "{ARC_TOKENS}"
tls_names = ["{UNKNOWN_HOST}"]
refresh_in = 1800
[imds_limits]
enabled = false
[device_code]
interval = 1
[[tenants]]
id = "11111111-1111-1111-1111-111111111111"
domains = ["contoso.example"]
[[tenants]]
id = "{OTHER_TENANT}"
[[apps]]
client_id = "22222222-2222-2222-2222-222222222222"
secrets = ["emulator-client-secret"]
multi_tenant = true
redirect_uris = ["http://localhost", "http://localhost/callback"]
[[apps.federated_credentials]]
subject = "system:serviceaccount:default:workload"
audience = "api://AzureADTokenExchange"
[[apps.federated_credentials]]
subject = "sc://contoso/emulator/connection"
audience = "api://AzureADTokenExchange"
[[apps]]
client_id = "22222222-2222-2222-2222-222222222223"
public = true
[[apps]]
client_id = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
public = true
"""

NAMES = (
    *PRODUCTION,
    "login.microsoftonline.us",
    "login.chinacloudapi.cn",
    "login.partner.microsoftonline.cn",
    "westeurope.login.microsoft.com",
    "usgovvirginia.login.microsoftonline.us",
    UNKNOWN_HOST,
)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Give what all find."""
    with set_up(tmp_path_factory.mktemp("comparison"), CONFIG, NAMES) as scene:
        yield scene


@pytest.fixture(scope="module")
def results(scene: Scene) -> dict[str, dict[str, dict[str, Any]]]:
    """Let everyone go through the cases."""
    emulator = scene.emulator
    address = ("127.0.0.1", urllib.parse.urlsplit(emulator["https"]).port or 0)
    told = {}
    with ConnectProxy({BEHIND_THE_OTHER_PROXY: address}) as other:
        document = json.loads(scene.file.read_text()) | {"other_proxy": other.url}
        file = scene.folder / "comparison.json"
        file.write_text(json.dumps(document))
        # azcred takes its certificates from the environment at its first request.
        env = scene.env() | scene.proxy.env() | {"SSL_CERT_FILE": emulator["ca_file"]}
        env |= {"REQUESTS_CA_BUNDLE": emulator["ca_file"], "NODE_EXTRA_CA_CERTS": ""}
        for module in (THEIRS, OURS, OURS_AIO):
            done = run([sys.executable, HERE / "comparison_runner.py", module, file], env, cwd=scene.folder)
            told[module] = {one["name"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert not scene.proxy.refused
    return told


def ids(case: Case) -> str:
    """Name a case."""
    return case.name


def check(case: Case, one: dict[str, Any], outcome: str, cause: str) -> None:
    """Check what came of a case."""
    assert one["outcome"] == outcome, one.get("error", one.get("value"))
    assert cause.lower() in one.get("error", "").lower()


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_the_outcome(case: Case, results: dict[str, dict[str, dict[str, Any]]]) -> None:
    ours, theirs = results[OURS][case.name], results[THEIRS][case.name]
    check(case, ours, case.outcome, case.cause)
    check(case, theirs, case.theirs or case.outcome, case.cause if case.their_cause is None else case.their_cause)
    if case.theirs or case.their_cause is not None:
        assert case.why
        return
    assert ours.get("value") == theirs.get("value")
    if case.outcome == FAILED:
        assert reasons(ours["error"]) == reasons(theirs["error"])


def left(more: Counter[str], fewer: Counter[str], explained: tuple[str, ...], who: str) -> None:
    """Check that what only one asked is explained, and that each explanation is of something."""
    rest = list((more - fewer).elements())
    unexplained = [line for line in rest if not any(part in line for part in explained)]
    assert not unexplained, f"only {who} asked:\n" + "\n".join(unexplained)
    assert not [part for part in explained if not any(part in line for line in rest)]


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_the_requests(case: Case, results: dict[str, dict[str, dict[str, Any]]]) -> None:
    ours, theirs = (Counter(lines(results[one][case.name]["requests"])) for one in (OURS, THEIRS))
    if case.only_ours or case.only_theirs:
        assert case.why
    left(ours, theirs, case.only_ours, OURS)
    left(theirs, ours, case.only_theirs, THEIRS)


def lasting(one: dict[str, Any]) -> str:
    """Give an error's text without ids of a request and moments."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+ s ago", "…", one.get("error", ""))


@pytest.mark.parametrize("case", [case for case in CASES if case.aio], ids=ids)
def test_both_halves(case: Case, results: dict[str, dict[str, dict[str, Any]]]) -> None:
    """The half for asyncio does the same."""
    one, other = results[OURS][case.name], results[OURS_AIO][case.name]
    assert (one["outcome"], one.get("value")) == (other["outcome"], other.get("value"))
    assert lasting(one) == lasting(other)
    assert Counter(lines(one["requests"])) == Counter(lines(other["requests"]))


def test_names_are_of_one_case() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert TOKEN in {case.outcome for case in CASES}
