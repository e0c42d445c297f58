"""Attacks that other libraries fell to, tried from outside; docs/advisories.md says which is whose."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import AZCRED, NODE_MODULES, PATIENCE, STORAGE, Emulator, plain, python, run

KEYS = Path("/var/opt/azcmagent/tokens")
CANARY = "canary-of-a-file"


@contextlib.contextmanager
def impostor(realm: str) -> Iterator[tuple[str, list[str]]]:
    """Have a server that asks for a file as Azure Arc's agent does; give its address and all that it is told."""
    heard: list[str] = []

    class Agent(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(f"{self.path}\n{self.headers}")
            self.send_response(401)
            self.send_header("WWW-Authenticate", f"Basic realm={realm}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Agent) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", heard
        finally:
            server.shutdown()
            thread.join()


def test_a_false_agent_gets_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.key"
    secret.write_text(CANARY)
    realms = [str(secret), f"{KEYS}/../../../..{secret}", f"{KEYS}/absent.key", "/etc/passwd"]
    with contextlib.ExitStack() as stack:
        # Whoever may put a link into the agent's folder gets no further.
        if KEYS.is_dir() and os.access(KEYS, os.W_OK):
            link = KEYS / f"azcred-test-{os.getpid()}.key"
            link.symlink_to(secret)
            stack.callback(link.unlink)
            realms.append(str(link))
        for realm in realms:
            with impostor(realm) as (address, heard):
                env = {"IDENTITY_ENDPOINT": f"{address}/metadata/identity/oauth2/token", "IMDS_ENDPOINT": address}
                command = [AZCRED, "token", "--scope", STORAGE, "--credential", "ManagedIdentityCredential"]
                done = run(command, env | {"AZCRED_LOG": "trace"}, check=False)
            assert (done.returncode, done.stdout, len(heard)) == (1, "", 1), realm
            assert CANARY not in done.stderr + "".join(heard)
            assert "authorization" not in heard[0].lower()


ATTACKS = ["-h", "--help", "a;id", "a\nid", "$(id)", "`id`", "a|id", "a'b", 'a"b', "a%PATH%", "a^b", "a\\b", "\uff0dh"]


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a recording Azure CLI on PATH; give the folder of its records."""
    folder = tmp_path / "bin"
    folder.mkdir()
    expiry = int(time.time()) + 3600
    good = json.dumps({"accessToken": "songbird", "expires_on": expiry, "tenant": "t"})
    tool = folder / "az"
    tool.write_text(
        f"#!/bin/sh\ncat /proc/$$/cmdline /proc/$$/environ > {tmp_path}/seen\n"
        f"ls /proc/$$/fd > {tmp_path}/open\necho noise-{CANARY} >&2\necho '{good}'\n"
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return tmp_path


def test_no_door_runs_what_reads_as_something_else(az: Path) -> None:
    """The library's other doors are tried in `test_developer_tools.py`."""
    path = {"PATH": os.environ["PATH"]}
    for attack in ATTACKS:
        for flags in ([f"--scope={attack}"], [f"--resource={attack}"], [f"--tenant={attack}", f"--scope={STORAGE}"]):
            done = run([AZCRED, "token", "--credential", "AzureCliCredential", *flags], path, check=False)
            assert (done.returncode, done.stdout) == (1, ""), flags
            assert "malformed" in done.stderr, flags
    (az / "node_modules").symlink_to(NODE_MODULES)
    code = f"""
import {{ AzureCliCredential }} from "azcred";
const scope = {json.dumps(STORAGE)};
const codes = new Set();
for (const text of {json.dumps(ATTACKS)}) {{
  for (const ask of [
    () => new AzureCliCredential({{ tenantId: text }}).getToken(scope),
    () => new AzureCliCredential({{ subscription: text }}).getToken(scope),
    () => new AzureCliCredential().getToken(text),
    () => new AzureCliCredential().getToken(scope, {{ tenantId: text }}),
  ]) {{
    try {{ await ask(); codes.add("ran"); }} catch (error) {{ codes.add(error.code); }}
  }}
}}
console.log(JSON.stringify([...codes].sort()));
"""
    done = run(["node", "--input-type=module", "-e", code], path, cwd=az)
    assert json.loads(done.stdout) == ["INVALID_ARGUMENT", "INVALID_CONFIGURATION"]
    assert not (az / "seen").exists()


def test_a_tool_inherits_neither_secret_nor_descriptor(az: Path, emulator: Emulator) -> None:
    own = emulator.application()
    secret = own.pop("AZURE_CLIENT_SECRET")
    code = f"""
import json, sys, azcred
application = azcred.ClientSecretCredential({own["AZURE_TENANT_ID"]!r}, {own["AZURE_CLIENT_ID"]!r}, sys.stdin.read())
token = application.get_token({STORAGE!r}).token
azcred.AzureCliCredential().get_token({STORAGE!r})
print(json.dumps(token))
"""
    done = run([sys.executable, "-c", code], own | {"PATH": os.environ["PATH"]}, input=secret)
    token = json.loads(done.stdout)
    seen = (az / "seen").read_text()
    assert "get-access-token" in seen
    assert secret not in seen
    assert token not in seen
    # Its input, its output, the shell's own script and the folder that `ls` reads: no connection of ours.
    assert len((az / "open").read_text().split()) <= 5


def test_what_a_tool_prints_is_not_echoed(az: Path) -> None:
    env = {"PATH": os.environ["PATH"], "AZCRED_LOG": "trace"}
    done = run([AZCRED, "token", "--scope", STORAGE, "--credential", "AzureCliCredential"], env)
    assert done.stdout == "songbird\n"
    assert "songbird" not in done.stderr
    assert CANARY not in done.stderr


def test_a_token_goes_to_standard_output_and_nowhere_else(emulator: Emulator) -> None:
    command = [str(AZCRED), "token", "--scope", STORAGE]
    env = plain() | emulator.app_service() | {"AZCRED_LOG": "trace"}
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command, env=env, stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=False
        )
    assert done.returncode == 1
    assert "standard output: " in done.stderr
    token = run(command, emulator.app_service()).stdout.strip()
    # Two tokens of one second differ in their ends; the first part is the same.
    assert token.split(".")[0] not in done.stderr
    assert emulator["identity_header"] not in done.stderr


def test_nothing_is_written_and_nobody_is_listened_to(emulator: Emulator, tmp_path: Path) -> None:
    """A hostile mask would open every file to everybody; there is none."""
    code = f"""
import json, os, pathlib, azcred
os.umask(0)
tokens = [azcred.EnvironmentCredential(), azcred.DefaultAzureCredential()]
tokens = [credential.get_token({STORAGE!r}).token for credential in tokens]
own = set()
for fd in os.listdir("/proc/self/fd"):
    try:
        own.add(os.readlink(f"/proc/self/fd/{{fd}}"))
    except FileNotFoundError:
        pass
listening = []
for family in ("tcp", "tcp6", "udp", "udp6"):
    for line in pathlib.Path(f"/proc/self/net/{{family}}").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] in ("0A", "07") and f"socket:[{{fields[9]}}]" in own:
            listening.append(line)
print(json.dumps([len(tokens), listening]))
"""
    folders = {
        name: tmp_path / name for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR")
    }
    for folder in folders.values():
        folder.mkdir()
    env = emulator.application() | {name: str(folder) for name, folder in folders.items()}
    assert python(code, env | {"PYTHONDONTWRITEBYTECODE": "1"}) == [2, []]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
