"""The developer tools as the published SDKs run them and as azcred does: same tool, same environment, same outcome.

Each SDK runs all cases in one process. A case names azcred's outcome; where a published SDK has another one on purpose,
the case names that too, and a comment says why.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from conftest import NODE_MODULES, run
from peer_tools import NODE, PYTHON, TOOL

CLI, POWERSHELL, AZD = "AzureCliCredential", "AzurePowerShellCredential", "AzureDeveloperCliCredential"
PYTHONS, NODES = "azure-identity for Python", "@azure/identity"
OURS = ("azcred for Python", "azcred for Node")
PEERS = (PYTHONS, NODES)

EXPIRY = int(time.time()) + 3600
UTC = datetime.fromtimestamp(EXPIRY, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
ZONE = "<-05>5"
"""Five hours behind UTC, as POSIX writes it."""
LOCAL = datetime.fromtimestamp(EXPIRY - 5 * 3600, timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")

TOKEN = ["tok", EXPIRY]
GOOD = {
    CLI: json.dumps({"accessToken": "tok", "expires_on": EXPIRY, "expiresOn": LOCAL, "tenant": "t"}),
    AZD: json.dumps({"token": "tok", "expiresOn": UTC}),
    # For @azure/identity's script, and for azure-identity's and ours.
    POWERSHELL: f'{{"Token":"tok","ExpiresOn":"{UTC}"}}\n\nazsdk%tok%{EXPIRY}\n\n',
}
CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'


@dataclass
class Case:
    """One question to one tool."""

    name: str
    credential: str
    does: dict[str, Any]
    outcome: Any
    differs: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    request: dict[str, Any] = field(default_factory=dict)
    scopes: list[str] | None = None
    path: str = "{folder}/bin"
    runs: int = 1


def says(stderr: str, code: int = 1, stdout: str = "") -> dict[str, Any]:
    """Let a tool fail with a message."""
    return {"code": code, "stdout": stdout, "stderr": stderr}


def of_every_tool(credential: str) -> list[Case]:
    """Give the cases that all three tools have."""

    def case(name: str, outcome: Any, differs: dict[str, Any] | None = None, **more: Any) -> Case:
        does = more.pop("does", {"stdout": GOOD[credential]})
        return Case(name, credential, does, outcome, differs or {}, **more)

    local = {PYTHONS: ["tok", EXPIRY + 5 * 3600]} if credential == AZD else {}
    asked_for = {"options": {"tenant_id": "own.example"}, "request": {"tenant_id": "other.example"}}
    # Our InvalidArgument stops a chain before anything is sent; @azure/identity calls whatever goes wrong unavailable.
    wrong_argument: dict[str, Any] = {NODES: "UNAVAILABLE"}
    # Theirs start the tool with the option in its place.
    as_option = dict.fromkeys(PEERS, TOKEN) | local
    return [
        # azure-identity reads azd's UTC as local time.
        case("a token", TOKEN, local),
        case("a tenant of its own", TOKEN, local, options={"tenant_id": "own.example"}),
        case("a tenant of the request", TOKEN, local, request={"tenant_id": "other.example"}),
        # A refusal by the credential itself; @azure/identity has one error for all.
        case("a tenant that is not allowed", "FAILED", {NODES: "UNAVAILABLE"}, runs=0, **asked_for),
        case(
            "a tenant that is allowed",
            TOKEN,
            local,
            options={"tenant_id": "own.example", "additionally_allowed_tenants": ["other.example"]},
            request={"tenant_id": "other.example"},
        ),
        case("a malformed scope", "ARGUMENT", wrong_argument, scopes=["https://x;id"], runs=0),
        case("a malformed tenant", "ARGUMENT", options={"tenant_id": "a;id"}, runs=0),
        case("a scope that reads as an option", "ARGUMENT", as_option, scopes=["--debug"], runs=0),
        case("a tenant that reads as an option", "ARGUMENT", as_option, options={"tenant_id": "-h"}, runs=0),
        case("a shim without its program", "UNAVAILABLE", does=says("x: not found", 127)),
        # Nobody can say whether it will mend: transient, so that a caller may try again.
        case(
            "it hangs",
            "TRANSIENT",
            dict.fromkeys(PEERS, "UNAVAILABLE"),
            does={"hangs": 1},
            options={"process_timeout": 1},
        ),
        case("noise", "TRANSIENT", {PYTHONS: "FAILED", NODES: "UNAVAILABLE"}, does={"stdout": "hello"}),
    ]


def of_a_missing_tool(credential: str) -> list[Case]:
    """Give the cases after which @azure/identity never looks for PowerShell again."""
    cases = {
        "not installed": "{folder}/empty",
        "not executable": "{folder}/plain",
        "only in the caller's folder": "bin",
    }
    return [Case(name, credential, {}, "UNAVAILABLE", path=path, runs=0) for name, path in cases.items()]


LOGIN = "ERROR: Please run 'az login' to setup account."
# @azure/identity calls every failure of a tool unavailable, so that a chain goes on to somebody else's login.
REFUSED: dict[str, Any] = {NODES: "UNAVAILABLE"}

CASES = [
    *(case for credential in (CLI, POWERSHELL, AZD) for case in of_every_tool(credential)),
    # ---- az
    Case("a subscription", CLI, {"stdout": GOOD[CLI]}, TOKEN, options={"subscription": "my sub_1"}),
    # Node takes a zone that POSIX describes for UTC.
    Case(
        "before 2.54",
        CLI,
        {"stdout": json.dumps({"accessToken": "tok", "expiresOn": LOCAL})},
        TOKEN,
        {NODES: ["tok", EXPIRY - 5 * 3600]},
    ),
    Case("nobody signed in", CLI, says(LOGIN), "UNAVAILABLE"),
    Case("no subscription", CLI, says("Please run az account set"), "UNAVAILABLE"),
    Case("refused", CLI, says("ERROR: AADSTS50076: mfa. Run: az login --scope x"), "FAILED", REFUSED),
    Case("broken", CLI, says("Traceback", 2), "FAILED", REFUSED),
    # @azure/identity does not look at the exit code.
    Case("an exit code beside a token", CLI, says("ERROR: boom", 1, GOOD[CLI]), "FAILED", {NODES: TOKEN}),
    # @azure/identity does not look at the token.
    Case("a warning beside a token", CLI, says("WARNING: try az login", 0, GOOD[CLI]), TOKEN, {NODES: "UNAVAILABLE"}),
    # A notice is no reason to do without the token.
    Case(
        "a notice before the token",
        CLI,
        {"stdout": "Update available.\n" + GOOD[CLI]},
        TOKEN,
        {PYTHONS: "FAILED", NODES: "UNAVAILABLE"},
    ),
    # No token that is dead is handed out.
    Case(
        "a dead token",
        CLI,
        {"stdout": json.dumps({"accessToken": "tok", "expires_on": EXPIRY - 7200})},
        "TRANSIENT",
        {sdk: ["tok", EXPIRY - 7200] for sdk in PEERS},
    ),
    Case("a claims challenge", CLI, {}, "UNAVAILABLE", request={"claims": CLAIMS}, runs=0),
    # @azure/identity takes the first scope and forgets the others.
    Case(
        "two scopes", CLI, {"stdout": GOOD[CLI]}, "ARGUMENT", {NODES: TOKEN}, scopes=["https://a", "https://b"], runs=0
    ),
    # ---- PowerShell
    Case("no module", POWERSHELL, {"stdout": "NO_AZ_ACCOUNT_MODULE\n"}, "UNAVAILABLE"),
    Case("nobody signed in", POWERSHELL, says("Run Connect-AzAccount to login."), "UNAVAILABLE"),
    Case("an execution policy", POWERSHELL, says("AuthorizationManager check failed."), "UNAVAILABLE"),
    # A refusal is a failure, as az's and azd's are; theirs hide the reason and go on.
    Case("refused", POWERSHELL, says("AADSTS50076: mfa."), "FAILED", dict.fromkeys(PEERS, "UNAVAILABLE")),
    # @azure/identity takes any word on standard error for a failure.
    Case("a warning beside a token", POWERSHELL, says("old", 0, GOOD[POWERSHELL]), TOKEN, {NODES: "UNAVAILABLE"}),
    Case("a claims challenge", POWERSHELL, {}, "UNAVAILABLE", request={"claims": CLAIMS}, runs=0),
    Case(
        "two scopes",
        POWERSHELL,
        {"stdout": GOOD[POWERSHELL]},
        "ARGUMENT",
        {NODES: TOKEN},
        scopes=["https://a", "https://b"],
        runs=0,
    ),
    # ---- azd
    Case(
        "two scopes",
        AZD,
        {"stdout": GOOD[AZD]},
        TOKEN,
        {PYTHONS: ["tok", EXPIRY + 5 * 3600]},
        scopes=["https://b/.default", "https://a/read"],
    ),
    Case(
        "a claims challenge",
        AZD,
        {"stdout": GOOD[AZD]},
        TOKEN,
        {PYTHONS: ["tok", EXPIRY + 5 * 3600]},
        request={"claims": CLAIMS},
    ),
    Case("nobody signed in", AZD, says("ERROR: not logged in, run `azd auth login` to login"), "UNAVAILABLE"),
    # @azure/identity passes the message on, as unavailable.
    Case(
        "no claims before 1.18.1", AZD, says("Error: unknown flag: --claims"), "UNAVAILABLE", request={"claims": CLAIMS}
    ),
    Case("refused, from 1.24", AZD, says('{"error":"AADSTS1: no","message":"m","suggestion":"s"}'), "FAILED", REFUSED),
    Case(
        "refused, before 1.24",
        AZD,
        says('{"type":"consoleMessage","data":{"message":""}}\n{"error":"AADSTS2: no"}'),
        "FAILED",
        REFUSED,
    ),
    Case(
        "refused, before 1.23.7",
        AZD,
        says('{"type":"consoleMessage","data":{"message":"ERROR: AADSTS3: no"}}'),
        "FAILED",
        REFUSED,
    ),
    # @azure/identity gives a token without a text.
    Case("refused, on standard output", AZD, says("", 0, '{"error":"AADSTS4: no"}'), "FAILED", {NODES: [None, None]}),
    Case("refused for want of a second factor", AZD, says("must use multi-factor authentication"), "FAILED", REFUSED),
    *(case for credential in (CLI, POWERSHELL, AZD) for case in of_a_missing_tool(credential)),
]
for position, one in enumerate(CASES):
    # A scope of its own keeps a case out of the others' cache.
    one.scopes = one.scopes or [f"https://case{position}.example/.default"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the three tools."""
    root = tmp_path_factory.mktemp("tools")
    for name in ("bin", "plain", "empty"):
        (root / name).mkdir()
    for name in ("az", "azd", "pwsh"):
        for place, mode in (("bin", 0o755), ("plain", 0o644)):
            (root / place / name).write_text(f"#!{sys.executable} -I\n{TOOL}")
            (root / place / name).chmod(mode)
    (root / "run.py").write_text(PYTHON)
    (root / "run.mjs").write_text(NODE)
    (root / "node_modules").symlink_to(NODE_MODULES)
    return root


@pytest.fixture(scope="module")
def results(folder: Path) -> dict[str, list[Any]]:
    """Let every SDK go through all cases."""
    cases = [vars(case) | {"path": case.path.format(folder=folder)} for case in CASES]
    (folder / "cases").write_text(json.dumps(cases))
    python, node = [sys.executable, folder / "run.py"], ["node", folder / "run.mjs"]
    sdks = {
        PYTHONS: [*python, "azure.identity"],
        NODES: [*node, "@azure/identity"],
        OURS[0]: [*python, "azcred"],
        OURS[1]: [*node, "azcred"],
    }
    env = {"TZ": ZONE, "AZURE_IDENTITY_POWERSHELL_TENANT_ID": "inherited", "MARK": "inherited"}
    told = {name: run([*sdk, folder], env, cwd=folder).stdout.splitlines()[-1] for name, sdk in sdks.items()}
    return {name: json.loads(line) for name, line in told.items()}


def name_of(case: Case) -> str:
    """Name a case."""
    return f"{case.credential}: {case.name}"


@pytest.mark.parametrize("position", range(len(CASES)), ids=[name_of(case) for case in CASES])
def test_the_outcome(position: int, results: dict[str, list[Any]]) -> None:
    case = CASES[position]
    assert set(case.differs) <= set(PEERS)
    for sdk in (*OURS, *PEERS):
        result = results[sdk][position]
        assert result["outcome"] == case.differs.get(sdk, case.outcome), (sdk, result)
    for sdk in OURS:
        assert len(results[sdk][position]["ran"]) == case.runs, sdk


def resource(run: dict[str, Any]) -> Any:
    """Give what a run of PowerShell is for, wherever it was told."""
    env = run["env"]
    if "-EncodedCommand" not in run["argv"]:
        return env["AZURE_IDENTITY_POWERSHELL_RESOURCE"], env["AZURE_IDENTITY_POWERSHELL_TENANT_ID"]
    script = base64.b64decode(run["argv"][-1]).decode("utf-16-le")
    if "$env:AZURE_IDENTITY_POWERSHELL_RESOURCE" in script:
        return env["AZURE_IDENTITY_POWERSHELL_RESOURCE"], env["AZURE_IDENTITY_POWERSHELL_TENANT_ID"]
    parts = {line.split(" = ")[0].strip(): line for line in script.splitlines() if " = " in line}
    return parts["$params"].split("'")[3], parts["$tenantId"].split("'")[1]


def flags(run: dict[str, Any]) -> list[str]:
    """Give a run's arguments without PowerShell's script."""
    return run["argv"][:-1] if run["program"] == "pwsh" else run["argv"]


@pytest.mark.parametrize("position", range(len(CASES)), ids=[name_of(case) for case in CASES])
def test_the_arguments(position: int, results: dict[str, list[Any]]) -> None:
    """Who runs a tool runs it in the same way."""
    runs = {sdk: told[position]["ran"] for sdk, told in results.items()}
    ours = runs[OURS[0]]
    if CASES[position].outcome == TOKEN:
        assert {len(ran) for ran in runs.values()} == {1}
    assert [(run["program"], run["argv"]) for run in ours] == [(run["program"], run["argv"]) for run in runs[OURS[1]]]
    for sdk in PEERS:
        for mine, theirs in zip(ours, runs[sdk], strict=False):
            assert mine["program"] == theirs["program"]
            if mine["program"] == "pwsh":
                # Values by the environment, as @azure/identity has it; the script is encoded, as azure-identity has it.
                assert resource(mine) == resource(theirs)
                assert flags(theirs) in (flags(mine), ["-NoProfile", "-NonInteractive", "-Command"])
            else:
                assert mine["argv"] == theirs["argv"], sdk


def test_the_surroundings(results: dict[str, list[Any]]) -> None:
    expected = {"az": {"AZURE_CORE_NO_COLOR": "true"}, "azd": {"NO_COLOR": "true"}, "pwsh": {"NO_COLOR": "true"}}
    mine = [run for sdk in OURS for result in results[sdk] for run in result["ran"]]
    assert {run["program"] for run in mine} == set(expected)
    for run_ in mine:
        assert run_["absolute"]
        assert run_["input"] == ""
        assert run_["folder"] == "/"
        assert run_["env"]["MARK"] == "inherited"
        for name, value in expected[run_["program"]].items():
            assert run_["env"][name] == value
    for result in results[PYTHONS]:
        for run_ in result["ran"]:
            # azure-identity says the same to az and azd, and nothing to PowerShell.
            if run_["program"] != "pwsh":
                for name, value in expected[run_["program"]].items():
                    assert run_["env"][name] == value


def test_no_secret_is_told(results: dict[str, list[Any]]) -> None:
    for sdk in OURS:
        for result in results[sdk]:
            assert "tok%" not in result["error"]
            assert '"tok"' not in result["error"]


CHAIN = {
    PYTHONS: "import azure.identity as m",
    OURS[0]: "import azcred as m",
}


@pytest.mark.parametrize("sdk", [*CHAIN, NODES, OURS[1]])
def test_the_order_of_the_default_chain(sdk: str, folder: Path) -> None:
    (folder / "does").write_text(json.dumps(says("boom")))
    (folder / "ran").write_text("")
    env = {"PATH": f"{folder}/bin:{os.environ['PATH']}", "AZURE_TOKEN_CREDENTIALS": "dev"}
    if sdk in CHAIN:
        code = f"{CHAIN[sdk]}\ntry: m.DefaultAzureCredential().get_token('https://x/.default')\nexcept Exception: pass"
        run([sys.executable, "-c", code], env)
    else:
        package = "azcred" if sdk in OURS else "@azure/identity"
        code = f"new (require('{package}').DefaultAzureCredential)().getToken('https://x/.default').catch(() => {{}})"
        run(["node", "-e", code], env, cwd=folder)
    ran = [json.loads(line)["program"] for line in (folder / "ran").read_text().splitlines()]
    assert ran == ["az", "pwsh", "azd"]
