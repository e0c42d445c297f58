"""The developer tools and real processes: programs of their names that behave, misbehave and hang."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import azcred
import azcred.aio
import pytest
from conftest import NODE_MODULES, PATIENCE, STORAGE, python, run

CLI, POWERSHELL, AZD = "AzureCliCredential", "AzurePowerShellCredential", "AzureDeveloperCliCredential"
PROGRAMS = {CLI: "az", POWERSHELL: "pwsh", AZD: "azd"}
TITLES = {CLI: "Azure CLI (az)", POWERSHELL: "PowerShell (pwsh)", AZD: "Azure Developer CLI (azd)"}
SOURCES = {CLI: "azure_cli", POWERSHELL: "azure_powershell", AZD: "azure_developer_cli"}


def printed(name: str, lifetime: int = 3600) -> str:
    """Write what a tool prints with a token."""
    expiry = int(time.time()) + lifetime
    utc = datetime.fromtimestamp(expiry, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        CLI: json.dumps({"accessToken": "tok", "expires_on": expiry, "tenant": "t"}),
        POWERSHELL: f"azsdk%tok%{expiry}",
        AZD: json.dumps({"token": "tok", "expiresOn": utc}),
    }[name]


def is_gone(pid: str) -> bool:
    """Tell whether a process ended, reaped or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def eventually(pid: str) -> bool:
    """Wait until a process that was sent SIGKILL is gone: the kernel may still be at it."""
    until = time.monotonic() + PATIENCE / 6
    while not is_gone(pid) and time.monotonic() < until:
        time.sleep(0.01)
    return is_gone(pid)


class Installed:
    """A folder on PATH, and one tool to be put there."""

    def __init__(self, name: str, folder: Path) -> None:
        """Stand for the tool of a credential."""
        self.name = name
        self.program = folder / PROGRAMS[name]
        self.good = f"echo '{printed(name)}'"

    def does(self, script: str, mode: int = 0o755) -> None:
        """Make the tool a shell script."""
        self.program.write_text(f"#!/bin/sh\n{script}\n")
        self.program.chmod(mode)

    def token(self, tenant: str, **options: Any) -> azcred.AccessToken:
        """Ask for a token; a tenant of its own keeps tests out of each other's cache."""
        token: azcred.AccessToken = getattr(azcred, self.name)(tenant_id=tenant, **options).get_token(STORAGE)
        return token


@pytest.fixture(params=[CLI, POWERSHELL, AZD])
def tool(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    """Put a folder on PATH, before everything else, for each tool."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return Installed(request.param, folder)


def node(tool: Installed, code: str, tmp_path: Path) -> Any:
    """Run JavaScript with the installed package; give the JSON it prints."""
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    start = f'import {{ {tool.name} as Credential }} from "azcred"; const scope = {json.dumps(STORAGE)};\n'
    done = run(["node", "--input-type=module", "-e", start + code], {"PATH": os.environ["PATH"]}, cwd=tmp_path)
    return json.loads(done.stdout)


def test_it_runs_without_a_shell_in_the_root_folder(tool: Installed, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    shown = f'printf "%s\\n" "$PWD" "$AZURE_CORE_NO_COLOR$NO_COLOR" "$#" > {seen}'
    tool.does(f"{shown}\nread line || echo no-input >> {seen}\n{tool.good}")
    assert tool.token("args").provenance["source"] == SOURCES[tool.name]
    count = {CLI: "8", POWERSHELL: "4", AZD: "9"}[tool.name]
    assert seen.read_text().splitlines() == ["/", "true", count, "no-input"]


def test_one_token_is_one_run(tool: Installed, tmp_path: Path) -> None:
    tool.does(f"echo run >> {tmp_path}/runs\n{tool.good}")
    for _ in range(3):
        assert tool.token("once").token == "tok"
    assert (tmp_path / "runs").read_text() == "run\n"


async def _asynchronous(name: str) -> str:
    async with getattr(azcred.aio, name)(tenant_id="aio") as credential:
        return (await credential.get_token(STORAGE)).token  # type: ignore[no-any-return]


def test_asyncio(tool: Installed) -> None:
    import asyncio

    tool.does(tool.good)
    assert asyncio.run(_asynchronous(tool.name)) == "tok"


def test_node(tool: Installed, tmp_path: Path) -> None:
    tool.does(f"echo run >> {tmp_path}/runs\n{tool.good}")
    code = """
const credential = new Credential({ tenantId: "node", processTimeoutInMs: 5000 });
const tokens = await Promise.all(Array.from({ length: 20 }, () => credential.getToken(scope)));
console.log(JSON.stringify([...new Set(tokens.map(({ token }) => token)), tokens[0].provenance.source]));
"""
    assert node(tool, code, tmp_path) == ["tok", SOURCES[tool.name]]
    assert (tmp_path / "runs").read_text() == "run\n"


def test_node_says_why(tool: Installed, tmp_path: Path) -> None:
    tool.does("echo boom >&2; exit 3")
    code = """
const errors = [];
for (const options of [{}, { tenantId: "-h" }, { additionallyAllowedTenants: ["$(id)"] }]) {
  try {
    await new Credential(options).getToken(scope);
  } catch ({ code, message }) {
    errors.push([code, message]);
  }
}
console.log(JSON.stringify(errors));
"""
    failed, tenant, allowed = node(tool, code, tmp_path)
    assert failed == ["FAILED", f"{tool.name}: {PROGRAMS[tool.name]} failed (exit code 3): boom"]
    assert tenant[0] == allowed[0] == "INVALID_CONFIGURATION"


def test_one_that_hangs_ends_with_its_children(tool: Installed, tmp_path: Path) -> None:
    tool.does(f"trap '' TERM\nsleep 600 &\necho $! $$ > {tmp_path}/pids\nwait")
    start = time.monotonic()
    with pytest.raises(azcred.TransientError, match=r"did not answer within 0\.5 s; the option process_timeout"):
        tool.token("hangs", process_timeout=0.5)
    assert time.monotonic() - start < PATIENCE / 2
    for pid in (tmp_path / "pids").read_text().split():
        assert eventually(pid), pid


def test_one_that_closes_its_output_and_stays(tool: Installed, tmp_path: Path) -> None:
    tool.does(f"echo $$ > {tmp_path}/pid\n{tool.good}\nexec >&- 2>&-\nexec sleep 600")
    assert tool.token("stays").token == "tok"
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


def test_one_that_leaves_something_behind(tool: Installed, tmp_path: Path) -> None:
    """A child of the tool that holds its output open does not hold up a token that is complete."""
    tool.does(f"sleep 30 &\necho $! > {tmp_path}/pid\n{tool.good}")
    start = time.monotonic()
    assert tool.token("leaves", process_timeout=20).token == "tok"
    assert time.monotonic() - start < 10
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_the_tool_takes_signals(tool: Installed, tmp_path: Path) -> None:
    tool.does(f"grep SigBlk /proc/self/status > {tmp_path}/mask\n{tool.good}")
    tool.token("signals")
    assert int((tmp_path / "mask").read_text().split()[1], 16) == 0


@pytest.mark.parametrize(
    ("case", "script", "error", "words"),
    [
        ("refused", "echo 'ERROR: AADSTS50076: mfa.' >&2; exit 1", "AuthenticationFailedError", "AADSTS50076"),
        ("broken", "echo 'Traceback' >&2; exit 2", "AuthenticationFailedError", "exit code 2"),
        ("silent", "exit 1", "AuthenticationFailedError", "printed no reason"),
        ("shim", "no-such-program", "CredentialUnavailableError", "exit code 127"),
        ("noise", "echo hello", "TransientError", "the output of"),
        ("bytes", "head -c 100000 /dev/urandom", "TransientError", "the output of"),
        ("flood", "exec cat /dev/zero", "TransientError", "larger than a token"),
        ("complaints", "exec cat /dev/zero >&2", "TransientError", "larger than a token"),
        ("killed", "kill -9 $$", "TransientError", "the output of"),
    ],
)
def test_what_it_may_do_wrong(tool: Installed, case: str, script: str, error: str, words: str) -> None:
    tool.does(script)
    with pytest.raises(getattr(azcred, error), match=words):
        tool.token(f"wrong-{case}")


LOGINS = {
    CLI: ("ERROR: Please run az login to setup account.", "run 'az login'"),
    POWERSHELL: ("Run Connect-AzAccount to login.", "run 'Connect-AzAccount'"),
    AZD: ("ERROR: not logged in, run `azd auth login` to login", "run 'azd auth login'"),
}


def test_nobody_is_signed_in(tool: Installed) -> None:
    said, meaning = LOGINS[tool.name]
    tool.does(f"echo '{said}' >&2; exit 1")
    with pytest.raises(azcred.CredentialUnavailableError, match=meaning):
        tool.token("nobody")


IGNORES = "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)"
REAPS = """
import os, threading, time
def reap():
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            time.sleep(0.001)
threading.Thread(target=reap, daemon=True).start()
"""


@pytest.mark.parametrize("host", [IGNORES, REAPS], ids=["ignores", "reaps"])
def test_a_host_that_takes_exit_codes_from_everybody(tool: Installed, host: str, tmp_path: Path) -> None:
    """Complete output is what counts, also with a child left behind; messages are still understood."""
    said, meaning = LOGINS[tool.name]
    good = tmp_path / "good"
    tool.does(f"test -e {good} || {{ echo '{said}' >&2; exit 1; }}\nsleep 20 &\necho $! > {tmp_path}/pid\n{tool.good}")
    code = f"""
import json, azcred
{host}
def ask(tenant):
    try:
        return azcred.{tool.name}(tenant_id=tenant).get_token({STORAGE!r}).token
    except azcred.AzcredError as error:
        return [error.kind, error.message]
print(json.dumps(ask("a")))
open({str(good)!r}, "w")
print(json.dumps(ask("b")), flush=True)
import os; os._exit(0)
"""
    done = run([sys.executable, "-c", code], {"PATH": os.environ["PATH"]})
    (kind, message), token = (json.loads(line) for line in done.stdout.splitlines())
    assert (kind, token) == ("UNAVAILABLE", "tok")
    assert meaning in message
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_nothing_but_a_program_on_an_absolute_path_runs(tool: Installed, tmp_path: Path) -> None:
    name = tool.program.name
    tool.does(f"echo run >> {tmp_path}/runs\n{tool.good}")
    (tmp_path / name).symlink_to(tool.program)
    plain, folder = tmp_path / "plain", tmp_path / "folder"
    plain.mkdir()
    (plain / name).write_text(tool.program.read_text())
    (folder / name).mkdir(parents=True)
    code = f"import azcred; azcred.{tool.name}().get_token({STORAGE!r})"
    for path in (".:", "bin", "", str(plain), str(folder), f"{tmp_path}/none"):
        done = run([sys.executable, "-c", code], {"PATH": path}, check=False, cwd=tmp_path)
        assert f"{TITLES[tool.name]} was not found on PATH" in done.stderr, path
    assert not (tmp_path / "runs").exists()
    # The next entry is looked at, and a link is followed.
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / name).symlink_to(tool.program)
    assert python(f"import json; {code}; print(json.dumps(1))", {"PATH": f"{plain}:.:{linked}:/usr/bin:/bin"}) == 1


def test_a_program_that_is_none(tool: Installed) -> None:
    tool.program.write_bytes(b"\x7fELF not really")
    tool.program.chmod(0o755)
    with pytest.raises(azcred.CredentialUnavailableError, match="could not be started"):
        tool.token("none")


def test_what_reads_as_something_else_runs_nothing(tool: Installed, tmp_path: Path) -> None:
    tool.does(f"echo run >> {tmp_path}/runs\n{tool.good}")
    make = getattr(azcred, tool.name)
    for attack in (
        "-h",
        f"$(touch${{IFS}}{tmp_path}/runs)",
        f"a;touch {tmp_path}/runs",
        "a'b",
        "a\nb",
        "a|b",
        "a\x00b",
    ):
        for options in ({"tenant_id": attack}, {"additionally_allowed_tenants": [attack]}):
            with pytest.raises(azcred.InvalidConfigurationError):
                make(**options)
        for scope, request in ((attack, {}), (STORAGE, {"tenant_id": attack})):
            with pytest.raises(azcred.InvalidArgumentError):
                make().get_token(scope, **request)
    assert not (tmp_path / "runs").exists()


def test_the_default_chain_leaves_tools_out(tool: Installed) -> None:
    tool.does(tool.good)
    flags = {CLI: "exclude_cli_credential", POWERSHELL: "exclude_powershell_credential"}
    flag = flags.get(tool.name, "exclude_developer_cli_credential")
    others = {name: True for name in (*flags.values(), "exclude_developer_cli_credential") if name != flag}
    # The name keeps each tool's token apart.
    chain: dict[str, Any] = {"exclude_managed_identity_credential": True, "tenant_id": flag.replace("_", "-")}
    assert (
        azcred.DefaultAzureCredential(**chain, **others).get_token(STORAGE).provenance["source"] == SOURCES[tool.name]
    )
    with pytest.raises(azcred.CredentialUnavailableError) as caught:
        azcred.DefaultAzureCredential(**chain, **others, **{flag: True}).get_token(STORAGE)
    assert tool.name not in str(caught.value)
