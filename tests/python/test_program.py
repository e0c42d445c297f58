"""The program: `azcred token` and `azcred emulator`."""

from __future__ import annotations

import datetime
import json
import re
import signal
import struct
import subprocess
import time
from pathlib import Path

import pytest
from conftest import AZCRED, DIST, PATIENCE, ROOT, Emulator, plain, run

RESOURCE = "https://storage.azure.com"


def test_a_token_in_three_forms(emulator: Emulator) -> None:
    env = emulator.app_service()
    text = run([AZCRED, "token", "--resource", RESOURCE], env).stdout.strip()
    header = run([AZCRED, "token", "--scope", f"{RESOURCE}/.default", "--output", "header"], env).stdout
    told = json.loads(run([AZCRED, "token", "--resource", RESOURCE, "--output", "json"], env).stdout)
    assert text.count(".") == 2
    assert header.startswith("Authorization: Bearer ey")
    assert (told["token_type"], told["source"]) == ("Bearer", "app_service")
    assert told["credential"] == "ManagedIdentityCredential"
    assert time.time() < told["refresh_on"] < told["expires_on"]
    assert {entry["query"]["resource"] for entry in emulator.requests()} == {RESOURCE}


def test_a_token_for_a_shell(emulator: Emulator) -> None:
    script = f'set -a; eval "$({AZCRED} token --resource {RESOURCE} --output env)"; env'
    lines = dict(line.split("=", 1) for line in run(["sh", "-c", script], emulator.app_service()).stdout.splitlines())
    assert lines["AZCRED_TOKEN"].startswith("ey")
    assert time.time() < int(lines["AZCRED_TOKEN_EXPIRES_ON"]) < time.time() + 86_500


@pytest.mark.parametrize("asked", ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1", None])
def test_a_token_for_kubectl(asked: str | None, emulator: Emulator) -> None:
    env = emulator.app_service() | {"CI": "true"}
    # What kubectl sets; who is called by it does not write to a log.
    info = {"apiVersion": asked, "kind": "ExecCredential", "spec": {"interactive": False}}
    env |= {"KUBERNETES_EXEC_INFO": json.dumps(info)} if asked else {"CI": "false"}
    told = json.loads(run([AZCRED, "token", "--resource", RESOURCE, "--output", "exec-credential"], env).stdout)
    assert (told["apiVersion"], told["kind"]) == (asked or "client.authentication.k8s.io/v1", "ExecCredential")
    expires = datetime.datetime.fromisoformat(told["status"]["expirationTimestamp"].replace("Z", "+00:00"))
    assert expires.timestamp() > time.time()
    assert told["status"]["token"].startswith("ey")


@pytest.mark.parametrize("info", ["", "{", "[]", '{"apiVersion": "client.authentication.k8s.io/v1alpha1"}'])
def test_a_kubectl_that_asks_for_something_else(info: str) -> None:
    command = [AZCRED, "token", "--resource", RESOURCE, "--output", "exec-credential"]
    done = run(command, {"KUBERNETES_EXEC_INFO": info}, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "KUBERNETES_EXEC_INFO: expected the apiVersion client.authentication.k8s.io/v1 or" in done.stderr


def test_a_token_for_odbc(emulator: Emulator) -> None:
    env = plain() | emulator.app_service()
    made = subprocess.run(
        [AZCRED, "token", "--resource", RESOURCE, "--output", "odbc"], env=env, stdout=subprocess.PIPE, check=True
    ).stdout
    # As the driver's documentation packs it in Python.
    text = made[4:].decode("utf-16-le")
    assert text.startswith("ey")
    assert made == struct.pack(f"<I{len(made) - 4}s", len(made) - 4, text.encode("utf-16-le"))


def test_no_token_gets_into_the_log_of_ci(emulator: Emulator, tmp_path: Path) -> None:
    env = emulator.app_service()
    command = [AZCRED, "token", "--resource", RESOURCE]
    for sign in (
        {"CI": "true"},
        {"GITHUB_ACTIONS": "true"},
        {"TF_BUILD": "True"},
        {"JENKINS_URL": "http://ci.example"},
    ):
        done = run(command, env | sign, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"{next(iter(sign))} says that this is a CI job" in done.stderr
    assert emulator.requests() == []
    assert run([*command, "--allow-ci"], env | {"CI": "true"}).stdout.startswith("ey")
    assert run(command, env | {"CI": "false"}).stdout.startswith("ey")
    # A file is no log.
    with (tmp_path / "token").open("w") as file:
        subprocess.run([str(part) for part in command], env=plain() | env | {"CI": "true"}, stdout=file, check=True)
    assert (tmp_path / "token").read_text().startswith("ey")


def test_completions_and_pages(tmp_path: Path) -> None:
    script = tmp_path / "complete"
    script.write_text(run([AZCRED, "completions", "bash"]).stdout)
    words = "COMP_WORDS=(azcred token --out); COMP_CWORD=2; _azcred azcred --out token"
    asked = f'. {script}; {words}; echo "${{COMPREPLY[*]}}"'
    assert run(["bash", "-c", asked]).stdout == "--output\n"
    for file in (
        "bash-completion/completions/azcred",
        "zsh/site-functions/_azcred",
        "fish/vendor_completions.d/azcred.fish",
    ):
        assert "exec-credential" in (DIST / "share" / file).read_text()
    page = (DIST / "share/man/man1/azcred-token.1").read_text()
    assert ".TH azcred-token 1" in page
    assert "Kubernetes" in page


@pytest.mark.parametrize("credential", ["DefaultAzureCredential", "ManagedIdentityCredential"])
def test_a_user_assigned_identity(credential: str, emulator: Emulator) -> None:
    client = "33333333-3333-3333-3333-333333333331"
    asked = ["--resource", RESOURCE, "--credential", credential, "--client-id", client, "--output", "json"]
    told = json.loads(run([AZCRED, "token", *asked], emulator.imds()).stdout)
    assert (told["client_id"], told["source"]) == (client, "imds")


def test_options_on_the_command_line(emulator: Emulator, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(emulator["client_secret"] + "\n")
    given = {
        "tenant_id": emulator["tenant_id"],
        "client_id": emulator["client_id"],
        "client_secret": f"@{secret}",
        "authority": emulator["https"],
        "additionally_allowed_tenants": '["*"]',
        "connection_timeout": "5",
    }
    options = [part for name, value in given.items() for part in ("--option", f"{name}={value}")]
    asked = ["--resource", RESOURCE, "--credential", "ClientSecretCredential", *options, "--output", "json"]
    told = json.loads(run([AZCRED, "token", *asked], {"SSL_CERT_FILE": emulator["ca_file"]}).stdout)
    assert (told["client_id"], told["source"]) == (emulator["client_id"], "entra")


def test_every_option_that_is_a_secret_needs_a_file() -> None:
    table = (ROOT / "core/src/options/mod.rs").read_text()
    secrets = re.findall(r"pub\(crate\) (\w+): Option<Secret>", table)
    assert len(secrets) >= 5
    for name in secrets:
        done = run([AZCRED, "token", "--resource", RESOURCE, "--option", f"{name}=canary"], check=False)
        assert f"--option {name}: every user" in done.stderr
        assert "canary" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ([], 2, "--scope <SCOPE>|--resource <RESOURCE>"),
        (["--scope", "a", "--resource", "b"], 2, "cannot be used with"),
        (
            ["--resource", RESOURCE, "--output", "yaml"],
            2,
            "[possible values: text, json, header, env, exec-credential, odbc]",
        ),
        (["--resource", RESOURCE, "--timeout", "0"], 2, "0 is not in 1..=3600"),
        (["--resource", ""], 2, "'--resource <RESOURCE>'"),
        (["--scope", ""], 2, "'--scope <SCOPE>'"),
        (["--resource", RESOURCE, "--option", "tenant_id"], 2, "expected NAME=VALUE"),
        (["--resource", RESOURCE, "--option", "client_secret=x"], 1, "name a file, as @FILE"),
        (["--resource", RESOURCE, "--option", "nonsense=x"], 1, "unknown option nonsense"),
        (["--resource", RESOURCE, "--option", "process_timeout=ten"], 1, "process_timeout: expected a number"),
        (
            ["--resource", RESOURCE, "--client-id", "x", "--option", "managed_identity_client_id=y"],
            1,
            "option managed_identity_client_id is given twice",
        ),
        (["--scope", "a b"], 1, "malformed scope 'a b'"),
        (["--resource", RESOURCE, "--credential", "Magic"], 1, "unknown credential 'Magic'"),
        (["--resource", RESOURCE, "--credential", "EnvironmentCredential"], 1, "AZURE_TENANT_ID, AZURE_CLIENT_ID"),
    ],
)
def test_bad_command_lines(arguments: list[str], status: int, words: str) -> None:
    done = run([AZCRED, "token", *arguments], check=False)
    assert (done.returncode, done.stdout) == (status, "")
    assert words in done.stderr


def test_logs_hold_no_secret(emulator: Emulator) -> None:
    env = emulator.application() | {"AZCRED_LOG": "trace"}
    done = run([AZCRED, "token", "--resource", RESOURCE], env)
    assert done.stderr
    assert emulator["client_secret"] not in done.stderr
    assert done.stdout.strip() not in done.stderr


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
def test_the_emulator_ends_when_told(kind: signal.Signals) -> None:
    process = subprocess.Popen([AZCRED, "emulator"], stdout=subprocess.PIPE, text=True, env=plain())
    try:
        assert process.stdout
        ready = json.loads(process.stdout.readline())
        assert ready["http"].startswith("http://127.0.0.1:")
        process.send_signal(kind)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.communicate()


def test_the_emulator_listens_on_loopback_only() -> None:
    done = run([AZCRED, "emulator", "--http", "0.0.0.0:0"], check=False)
    assert done.returncode == 1
    assert "loopback" in done.stderr


def test_the_limits_of_imds(emulator: Emulator) -> None:
    """The limits are on by default, and three programs in turn stay within them."""
    process = subprocess.Popen(
        [AZCRED, "emulator", "--with-stdin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=plain()
    )
    try:
        assert process.stdout
        limited = Emulator(json.loads(process.stdout.readline()))
        for _ in range(3):
            run([AZCRED, "token", "--resource", RESOURCE], limited.imds())
        counters = limited.call("GET", "/counters")["by_endpoint"]["imds"]
        assert (counters["tokens"], counters["throttled"]) == (3, 0)
    finally:
        process.kill()
        process.communicate()
