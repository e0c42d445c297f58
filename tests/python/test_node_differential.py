"""The published @azure/identity and azcred's package do the same: the same requests, the same outcome.

Each goes through all cases in one process, against an emulator of its own. A case that has another outcome, or other
requests, names the row of docs/differences.md that says why.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import node_entra
import node_hosts
import node_options
import pytest
from conftest import NODE_MODULES, ROOT, plain
from node_cases import AGGREGATE, LATE, RECORD, REFUSED, REQUIRED, TOKEN, UNAVAILABLE, WRONG, Came, Case
from node_stage import Stage, set_up, written
from node_wire import UNASKED, wire

OURS, THEIRS = "azcred", "@azure/identity"
PATIENCE = 120
"""How long all cases may take, in seconds."""

KINDS = {
    "AuthenticationError": {REFUSED},
    "AuthenticationRequiredError": {REQUIRED},
    "CredentialUnavailableError": {UNAVAILABLE},
    "AggregateAuthenticationError": {AGGREGATE},
    "InvalidConfigurationError": {WRONG},
    "InvalidArgumentError": {WRONG},
    "TimeoutError": {LATE},
}
"""What an error's name means."""

KINDS_OF_THEIRS = KINDS | {
    # Its name for whatever MSAL throws: docs/differences.md, "an authority refuses".
    "AuthenticationRequiredError": {REFUSED, REQUIRED},
    "ClientConfigurationError": {WRONG},
    "Error": {WRONG},
    "TypeError": {WRONG},
}

EARLY = {WRONG, UNAVAILABLE}
"""What it means when a constructor of theirs says unavailable: docs/differences.md, "an argument is missing"."""

PASSING = {"iat", "nbf", "exp", "uti", "jti", "aio", "rh", "xms_cc"}
"""Claims that no two tokens share; the capabilities are compared as they were asked for."""


RECORDED = ("homeAccountId", "clientId", "tenantId", "username")
"""What two records of one sign-in share."""


def cases(stage: Stage) -> list[Case]:
    """Give all cases on a stage."""
    kinds = (
        node_hosts.managed,
        node_hosts.chains,
        node_entra.applications,
        node_entra.users,
        node_options.options,
    )
    return [case for kind in kinds for case in kind(stage)]


class Run:
    """What came of all cases with one package."""

    def __init__(self, peer: str, folder: Path) -> None:
        """Go through all cases."""
        self.peer = peer
        with set_up(folder) as stage:
            self.cases = {case.name: case for case in cases(stage)}
            self.results = self.through(stage, written(stage, [case.told() for case in self.cases.values()]))
            self.led_astray = list(stage.proxy.refused)

    def through(self, stage: Stage, file: Path) -> dict[str, dict[str, Any]]:
        """Let the program go through the cases."""
        shutil.copy(ROOT / "tests/node/differential.mjs", stage.folder)
        (stage.folder / "node_modules").symlink_to(NODE_MODULES)
        path = {"PATH": f"{stage.folder}:{os.environ['PATH']}"}
        done = subprocess.run(
            ["node", "differential.mjs", self.peer, file],
            env=plain() | stage.env() | path,
            cwd=stage.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return {one["name"]: one for one in map(json.loads, done.stdout.splitlines())}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Run]]:
    """Give both runs, which go on at the same time."""
    with ThreadPoolExecutor(2) as both:
        started = [both.submit(Run, peer, tmp_path_factory.mktemp("stage")) for peer in (OURS, THEIRS)]
        yield {run.peer: run for run in (one.result() for one in started)}


class Names:
    """A stage of which only the names of the cases are wanted."""

    folder = Path("folder")

    class proxy:  # noqa: N801
        """One that leads nowhere."""

        url = "http://x:1"

    def __getitem__(self, _: str) -> str:
        return "x"

    def user_token(self, **_: Any) -> str:
        return "x"


ALL: list[Case] = cases(Names())  # type: ignore[arg-type]


def kinds(peer: str, result: dict[str, Any]) -> set[str]:
    """Give what an outcome may be called."""
    if "record" in result:
        return {RECORD}
    if "error" not in result:
        return {TOKEN}
    name = result["error"]["name"]
    if peer == OURS:
        return KINDS[name]
    return EARLY if result["early"] and name == "CredentialUnavailableError" else KINDS_OF_THEIRS.get(name, set())


def words(error: dict[str, Any]) -> str:
    """Give all that an error says, its members' words included."""
    return " ".join([error["message"], *(words(one) for one in error.get("errors", []))])


def check(run: Run, case: Case, came: Came) -> None:
    """Check an outcome."""
    result = run.results[case.name]
    error = result.get("error", {"message": ""})
    assert came.kind in kinds(run.peer, result), f"{run.peer}: {error}"
    for word in came.words:
        assert word in words(error), run.peer


NAMES = pytest.mark.parametrize("name", [case.name for case in ALL])


@NAMES
def test_the_outcome_is_the_same(runs: dict[str, Run], name: str) -> None:
    case = runs[OURS].cases[name]
    check(runs[OURS], case, case.came)
    check(runs[THEIRS], case, case.theirs or case.came)
    ours, theirs = (runs[peer].results[name] for peer in (OURS, THEIRS))
    if "claims" in ours and "claims" in theirs:
        said = [{key: one for key, one in run["claims"].items() if key not in PASSING} for run in (ours, theirs)]
        assert said[0] == said[1]
        assert ours.get("tokenType") == theirs.get("tokenType")
        if "lives" in ours:
            assert abs(ours["lives"] - theirs["lives"]) < 60_000
    if "record" in ours and "record" in theirs:
        # Of the two records one has a version; docs/differences.md, "`AuthenticationRecord.authority`".
        said = [{key: run["record"][key] for key in RECORDED} for run in (ours, theirs)]
        assert said[0] == said[1]


@NAMES
def test_the_requests_are_the_same(runs: dict[str, Run], name: str) -> None:
    case = runs[OURS].cases[name]
    ours, theirs = (runs[peer].results[name]["requests"] for peer in (OURS, THEIRS))
    if case.asked:
        asked = [
            [one["endpoint"] for one in run if not any(part in one["path"] for part in UNASKED)]
            for run in (ours, theirs)
        ]
        assert tuple(asked) == case.asked
    else:
        assert wire(ours, case.but) == wire(theirs, case.but)


@pytest.mark.parametrize("case", [case for case in ALL if case.theirs or case.asked or case.but], ids=lambda c: c.name)
def test_what_differs_is_on_record(case: Case) -> None:
    assert case.why, "why does it differ?"
    assert f"\n| {case.why} |" in (ROOT / "docs/differences.md").read_text()


def test_every_case_has_a_name_of_its_own() -> None:
    names = [case.name for case in ALL]
    assert len(set(names)) == len(names)


def test_nothing_goes_elsewhere(runs: dict[str, Run]) -> None:
    # @azure/identity asks for the way to AKS's token proxy at HTTPS_PROXY, whatever NO_PROXY says, then goes itself.
    astray = [name for name in runs[THEIRS].led_astray if not name.startswith("localhost:")]
    assert (runs[OURS].led_astray, astray) == ([], [])
