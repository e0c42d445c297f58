"""`AzureCliCredential` and real processes: programs named `az` that behave, misbehave and hang."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import azcred
import pytest
from conftest import PATIENCE, STORAGE, python, run


def good(lifetime: int = 3600) -> str:
    """Write what `az` prints."""
    told = {"accessToken": "tok", "expires_on": int(time.time()) + lifetime, "tenant": "t"}
    return f"echo '{json.dumps(told)}'"


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a program named `az` on PATH, before everything else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def write(script: str) -> Path:
        program = folder / "az"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return program

    return write


def token(tenant: str, **options: Any) -> azcred.AccessToken:
    """Ask for a token; a tenant of its own keeps tests out of each other's cache."""
    return azcred.AzureCliCredential(tenant_id=tenant, **options).get_token(STORAGE)


def test_it_runs_without_a_shell_in_the_root_folder(az: Any, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    shown = f'printf "%s\\n" "$PWD" "$AZURE_CORE_NO_COLOR" "$@" > {seen}'
    az(f"{shown}\nread line || echo no-input >> {seen}\n{good()}")
    assert token("cli-args", subscription="my sub").provenance["source"] == "azure_cli"
    arguments = ["account", "get-access-token", "--output", "json", "--resource", "https://storage.azure.com"]
    expected = ["/", "true", *arguments, "--tenant", "cli-args", "--subscription", "my sub", "no-input"]
    assert seen.read_text().splitlines() == expected


def test_one_token_is_one_run(az: Any, tmp_path: Path) -> None:
    az(f"echo run >> {tmp_path}/runs\n{good()}")
    for _ in range(3):
        token("cli-once")
    assert (tmp_path / "runs").read_text() == "run\n"


def test_one_that_hangs_ends_with_its_children(az: Any, tmp_path: Path) -> None:
    az(f"trap '' TERM\nsleep 600 &\necho $! $$ > {tmp_path}/pids\nwait")
    start = time.monotonic()
    with pytest.raises(azcred.TransientError, match=r"az did not answer within 0\.5 s; the option process_timeout"):
        token("cli-hangs", process_timeout=0.5)
    assert time.monotonic() - start < PATIENCE / 2
    for pid in (tmp_path / "pids").read_text().split():
        stat = Path(f"/proc/{pid}/stat")
        assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_one_that_closes_its_output_and_stays(az: Any, tmp_path: Path) -> None:
    az(f"echo $$ > {tmp_path}/pid\n{good()}\nexec >&- 2>&-\nexec sleep 600")
    assert token("cli-stays").token == "tok"
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


def test_one_that_leaves_something_behind(az: Any, tmp_path: Path) -> None:
    """A child of the tool that holds its output open does not hold up a token that is complete."""
    az(f"sleep 30 &\necho $! > {tmp_path}/pid\n{good()}")
    start = time.monotonic()
    assert token("cli-leaves", process_timeout=20).token == "tok"
    assert time.monotonic() - start < 10
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_the_tool_takes_signals(az: Any, tmp_path: Path) -> None:
    az(f"grep SigBlk /proc/self/status > {tmp_path}/mask\n{good()}")
    token("cli-signals")
    assert int((tmp_path / "mask").read_text().split()[1], 16) == 0


@pytest.mark.parametrize(
    ("name", "script", "error", "words"),
    [
        (
            "nobody",
            "echo 'ERROR: Please run az login to setup account.' >&2; exit 1",
            "CredentialUnavailableError",
            "run 'az login'",
        ),
        ("refused", "echo 'ERROR: AADSTS50076: mfa. az login' >&2; exit 1", "AuthenticationFailedError", "AADSTS50076"),
        ("broken", "echo 'Traceback' >&2; exit 2", "AuthenticationFailedError", "exit code 2"),
        ("noise", "echo hello", "TransientError", "is not JSON"),
        ("flood", "yes | head -c 3000000", "TransientError", "larger than a token"),
        ("killed", "kill -9 $$", "TransientError", "is not JSON"),
    ],
)
def test_what_it_may_do_wrong(az: Any, name: str, script: str, error: str, words: str) -> None:
    az(script)
    with pytest.raises(getattr(azcred, error), match=words):
        token(f"cli-{name}")


def test_a_host_that_ignores_its_children(az: Any) -> None:
    """A program that ignores SIGCHLD takes exit codes from everybody; complete output is what counts."""
    az(good())
    code = """
import json, signal, azcred
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print(json.dumps(azcred.AzureCliCredential(tenant_id="cli-sigchld").get_token("https://storage.azure.com/.default")[0]))
"""
    assert python(code, {"PATH": os.environ["PATH"]}) == "tok"


def test_nothing_in_the_callers_folder_runs(tmp_path: Path) -> None:
    az = tmp_path / "az"
    az.write_text(f"#!/bin/sh\n{good()}\n")
    az.chmod(0o755)
    code = "import azcred; azcred.AzureCliCredential().get_token('https://storage.azure.com/.default')"
    done = run([sys.executable, "-c", code], {"PATH": ".:"}, check=False, cwd=tmp_path)
    assert "Azure CLI (az) was not found on PATH" in done.stderr
