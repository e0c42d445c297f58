"""Processes of one user share tokens: one of them asks, whatever happens to it."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from c_door import LOADER, compiled
from conftest import AZCRED, Emulator, plain, run, started
from stores import commands, entries, environment, is_locked, start, store, told

RESOURCES = [
    "https://storage.azure.com",
    "https://vault.azure.net",
    "https://database.windows.net",
    "https://a.example",
]
USER_ASSIGNED = "33333333-3333-3333-3333-333333333331"
SCOPES = [f"{resource}/.default" for resource in RESOURCES]


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the C program that asks one question."""
    return compiled(tmp_path_factory.mktemp("c"), "probe")


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Emulator]:
    """Give an emulator with the limits of the real IMDS."""
    with started(tmp_path / "limited", "") as emulator:
        yield emulator


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give the folder of a store."""
    with store() as folder:
        yield folder


def upstream(emulator: Emulator, endpoint: str = "imds", what: str = "requests") -> int:
    """Count the requests so far."""
    return int(emulator.call("GET", "/counters")["by_endpoint"].get(endpoint, {}).get(what, 0))


def doors(probe: Path, scope: str) -> list[list[str | Path]]:
    """Give the command of each door for a managed identity's token."""
    name = "ManagedIdentityCredential"
    return [*commands(name, {}, scope), [probe, name, f"scope:{scope}"]]


def is_answer(answer: dict[str, str]) -> bool:
    return "token" in answer or answer.get("kind") == "OK"


def test_a_herd_of_processes_asks_once(limited: Emulator, probe: Path, folder: Path) -> None:
    """300 at once, of all doors, for four resources, within the limits of IMDS: four requests, and no 429."""
    env = environment(folder, limited.imds()) | LOADER
    all_commands = [(scope, command) for scope in SCOPES for command in doors(probe, scope)]
    running = []
    for at in range(300):
        scope, command = all_commands[at % len(all_commands)]
        running.append((scope, start(command, env)))
    answers = [(scope, told(process)) for scope, process in running]
    assert [answer for _, answer in answers if not is_answer(answer)] == []
    assert upstream(limited) == len(SCOPES)
    assert upstream(limited, what="throttled") == 0
    for scope in SCOPES:
        assert len({answer["token"] for of, answer in answers if of == scope and "token" in answer}) == 1
    assert len(entries(folder)) == len(SCOPES)
    assert not is_locked(folder)


def test_killed_holders_leave_nothing_behind(emulator: Emulator, probe: Path, folder: Path) -> None:
    """500 kills at any moment: the others have their token at once, and nobody asks more often than it was needed."""
    emulator.fault(endpoint="imds", latency_ms=15, count=100_000)
    env = environment(folder, emulator.imds()) | LOADER
    scope = SCOPES[0]
    command = [probe, "ManagedIdentityCredential", f"scope:{scope}"]
    randomly = random.Random(7)  # noqa: S311  # the same each time
    slowest = 0.0
    for kill in range(500):
        before = upstream(emulator) if kill % 50 == 0 else 0
        for entry in entries(folder) if folder.exists() else []:
            entry.unlink()
        victim = start(command, env)
        others = [start(command, env) for _ in range(2)]
        time.sleep(randomly.random() * 0.04)
        victim.kill()
        begun = time.monotonic()
        answers = [told(other) for other in others]
        slowest = max(slowest, time.monotonic() - begun)
        victim.communicate()
        assert all(map(is_answer, answers)), answers
        if before:
            assert upstream(emulator) - before <= len(others) + 1
    assert slowest < 4
    assert upstream(emulator) <= 2 * 500 + 100
    assert not is_locked(folder)
    unfinished = [path for path in (folder / "v1").iterdir() if path.name.startswith(".") and path.stat().st_size == 0]
    assert len(unfinished) < 100


def wait_for(what: Callable[[], bool], patience: float = 20) -> None:
    """Wait until something is so."""
    until = time.monotonic() + patience
    while not what():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_stopped_holder_is_waited_for_five_seconds(emulator: Emulator, probe: Path, folder: Path) -> None:
    """One stops, the next one's request hangs: the source sees one in five seconds, and the others have their token."""
    env = environment(folder, emulator.imds()) | LOADER
    command = [probe, "ManagedIdentityCredential", f"scope:{SCOPES[0]}"]
    emulator.fault(endpoint="imds", mode="hang", count=2)
    stopped = start(command, env)
    others: list[subprocess.Popen[str]] = []
    try:
        wait_for(lambda: len(emulator.requests()) == 1)
        stopped.send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        others = [start(command, env) for _ in range(20)]
        wait_for(lambda: len(emulator.requests()) == 2)
        assert 4.5 < time.monotonic() - begun < 7
        # All but the one whose request hangs.
        wait_for(lambda: sum(other.poll() is not None for other in others) == 19)
        assert 9.5 < time.monotonic() - begun < 13
        assert len(emulator.requests()) == 3
        assert all(is_answer(told(other)) for other in others if other.poll() is not None)
        # What the stopped one would bring is younger, and as good: nobody is harmed by it.
        (entry,) = entries(folder)
        stopped.send_signal(signal.SIGCONT)
        assert is_answer(told(start(command, env)))
        assert entry.exists()
    finally:
        for process in [stopped, *others]:
            process.kill()
            process.communicate()


FORKS = """
import os, sys, threading, time
import azcred
credential = azcred.ManagedIdentityCredential()
threading.Thread(target=lambda: credential.get_token(sys.argv[1]), daemon=True).start()
sys.stdin.readline()
child = os.fork()
if child == 0:
    time.sleep(60)
    os._exit(0)
print(child, flush=True)
time.sleep(60)
"""


def test_a_holder_that_forked_leaves_its_lock_when_it_is_killed(emulator: Emulator, folder: Path) -> None:
    env = environment(folder, emulator.imds())
    emulator.fault(endpoint="imds", mode="hang", count=1)
    holder = subprocess.Popen(
        [sys.executable, "-c", FORKS, SCOPES[0]],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert holder.stdin and holder.stdout
    try:
        wait_for(lambda: len(emulator.requests()) == 1)
        assert is_locked(folder)
        holder.stdin.write("fork\n")
        holder.stdin.flush()
        child = int(holder.stdout.readline())
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        os.kill(child, 0)
        assert not is_locked(folder)
        begun = time.monotonic()
        assert is_answer(told(start(commands("ManagedIdentityCredential", {}, SCOPES[0])[2], env)))
        assert time.monotonic() - begun < 3
    finally:
        os.killpg(holder.pid, signal.SIGKILL)
        holder.stdin.close()
        holder.stdout.close()


def test_users_without_a_common_store_all_have_their_token(limited: Emulator, probe: Path) -> None:
    """200 processes of as many users, where this one may become them: IMDS says 429, and they come back."""
    folder = Path("/var/tmp") / f"azcred-users-{os.getpid()}"  # noqa: S108  # for other users to read
    shutil.copytree(LOADER["LD_LIBRARY_PATH"], folder / "lib", symlinks=True)
    shutil.copy2(probe, folder / "probe")
    env = plain() | limited.imds() | {"LD_LIBRARY_PATH": str(folder / "lib")}
    try:
        begun = time.monotonic()
        running = [
            subprocess.Popen(
                [folder / "probe", "ManagedIdentityCredential", f"scope:{SCOPES[0]}"],
                env=env,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                user=20_000 + at if os.getuid() == 0 else None,
            )
            for at in range(200)
        ]
        answers = [told(process) for process in running]
        assert [answer for answer in answers if not is_answer(answer)] == []
        assert time.monotonic() - begun < 60
    finally:
        shutil.rmtree(folder)


def secrets(emulator: Emulator) -> dict[str, tuple[str, dict[str, str], list[str]]]:
    """Give the kinds of identities that have a secret: credential, variables, and what nobody may see."""
    application = emulator.application()
    certificate = application | {
        "AZURE_CLIENT_ID": emulator["certificate_client_id"],
        "AZURE_CLIENT_CERTIFICATE_PATH": emulator["certificate_pfx"],
        "AZURE_CLIENT_CERTIFICATE_PASSWORD": emulator["certificate_password"],
    }
    del certificate["AZURE_CLIENT_SECRET"]
    workload = application | {
        "AZURE_CLIENT_ID": emulator["workload_client_id"],
        "AZURE_FEDERATED_TOKEN_FILE": emulator["federated_token_file"],
    }
    federated = Path(emulator["federated_token_file"]).read_text().strip()
    machine_learning = {"MSI_ENDPOINT": emulator["ml_endpoint"], "MSI_SECRET": emulator["ml_secret"]}
    return {
        "secret": ("EnvironmentCredential", application, [emulator["client_secret"]]),
        "certificate": ("EnvironmentCredential", certificate, [emulator["certificate_password"]]),
        "workload": ("WorkloadIdentityCredential", workload, [federated, federated.rsplit(".", 1)[1]]),
        "app service": ("ManagedIdentityCredential", emulator.app_service(), [emulator["identity_header"]]),
        "machine learning": ("ManagedIdentityCredential", machine_learning, [emulator["ml_secret"]]),
    }


@pytest.mark.parametrize("kind", ["secret", "certificate", "workload", "app service", "machine learning"])
def test_no_secret_is_in_the_store_or_the_log(kind: str, emulator: Emulator, folder: Path) -> None:
    name, variables, hidden = secrets(emulator)[kind]
    env = environment(folder, variables) | {"AZCRED_LOG": "trace"}
    process = start([AZCRED, "token", f"--credential={name}", f"--scope={SCOPES[0]}"], env)
    token, log = process.communicate(timeout=60)
    assert process.returncode == 0, log
    hidden.append(token.strip().rsplit(".", 1)[1])
    (entry,) = entries(folder)
    doctor = run([AZCRED, "doctor", "--json"], env | {"PATH": str(folder)}, check=False)
    stored = entry.read_bytes().decode(errors="replace")
    for secret in hidden:
        for text in (stored, log, doctor.stdout, doctor.stderr):
            assert secret not in text
    assert SCOPES[0] in stored, "its label is for everybody of this user"


def test_who_has_another_secret_finds_nothing(emulator: Emulator, folder: Path) -> None:
    env = environment(folder, emulator.application())
    command: list[str | Path] = [AZCRED, "token", "--credential=EnvironmentCredential", f"--scope={SCOPES[0]}"]
    run(command, env)
    wrong = start(command, env | {"AZURE_CLIENT_SECRET": "another"})
    _, log = wrong.communicate(timeout=60)
    assert wrong.returncode == 1 and "AADSTS7000215" in log


def test_a_new_process_needs_no_network_where_the_store_is_warm(emulator: Emulator, folder: Path) -> None:
    env = environment(folder, emulator.imds())
    python, node, program = commands("ManagedIdentityCredential", {}, SCOPES[0])
    assert told(start(python, env))["level"] == "source"
    seen = len(emulator.requests())
    assert [told(start(command, env)).get("level") for command in (python, node)] == ["store"] * 2
    assert "token" in told(start(program, env))
    assert len(emulator.requests()) == seen


def test_a_full_or_closed_place_costs_no_token(emulator: Emulator, folder: Path) -> None:
    """In a mount namespace of its own: a store without room; then folders that can't be used."""
    program = commands("ManagedIdentityCredential", {}, SCOPES[0])[2]
    folder.mkdir(mode=0o700)
    env = environment(folder, emulator.imds())
    fill = f"mount -t tmpfs -o size=4k,mode=700 tmpfs {folder} && mkdir -m 700 {folder}/v1 && ! yes 2>&- >{folder}/x"
    full = ["unshare", "--map-root-user", "--mount", "sh", "-c", f'{fill}; exec "$@"', "sh", *map(str, program)]
    for command, setting in [(full, folder), (program, "/nowhere/at/all"), (program, "here"), (program, "/proc")]:
        assert "token" in told(start([*command], env | {"AZCRED_SHARING": str(setting)}))
    folder.chmod(0o500)
    assert "token" in told(start(program, env))
    assert upstream(emulator) == 5
    folder.chmod(0o700)


def test_off_is_off(emulator: Emulator, folder: Path) -> None:
    env = environment(folder, emulator.imds()) | {"AZCRED_SHARING": "off"}
    program = commands("ManagedIdentityCredential", {}, SCOPES[0])[2]
    for _ in range(2):
        assert "token" in told(start(program, env))
    assert upstream(emulator) == 2
    assert not folder.exists()


def test_a_new_token_takes_the_place_of_the_shared_one(emulator: Emulator, folder: Path) -> None:
    """`azcred token --refresh`, and not again within half a minute."""
    env = environment(folder, emulator.imds())
    program = commands("ManagedIdentityCredential", {}, SCOPES[0])[2]
    first = told(start(program, env))["token"]
    second = told(start([*program, "--refresh"], env))["token"]
    assert first != second
    assert told(start(program, env))["token"] == second
    assert told(start([*program, "--refresh"], env))["token"] == second
    assert upstream(emulator) == 2


def test_status_lists_what_is_shared(emulator: Emulator, folder: Path) -> None:
    env = environment(folder, emulator.imds() | emulator.application())
    empty = run([AZCRED, "status"], env).stdout
    assert empty == f"{folder}/v1: nothing\n"
    for name in ("ManagedIdentityCredential", "EnvironmentCredential"):
        options: dict[str, object] = {"client_id": USER_ASSIGNED} if name.startswith("Managed") else {}
        token = told(start(commands(name, options, SCOPES[0])[2], env))["token"]
    shown = run([AZCRED, "status"], env).stdout
    listed = json.loads(run([AZCRED, "status", "--json"], env).stdout)
    assert listed["store"] == f"{folder}/v1"
    assert [(entry["credential"], entry["scopes"]) for entry in listed["tokens"]] == [
        ("EnvironmentCredential", [SCOPES[0]]),
        ("ManagedIdentityCredential", [SCOPES[0]]),
    ]
    application, managed = listed["tokens"]
    assert (application["client_id"], application["tenant_id"]) == (emulator["client_id"], emulator["tenant_id"])
    assert managed["client_id"] == USER_ASSIGNED
    assert managed["got"] <= time.time() < managed["expires_on"]
    assert "2 tokens" in shown and SCOPES[0] in shown
    assert "lives 1 d 0 h" in shown or "lives 23 h 59 min" in shown
    for text in (shown, json.dumps(listed)):
        assert "eyJ" not in text and token not in text and emulator["client_secret"] not in text
    off = run([AZCRED, "status"], env | {"AZCRED_SHARING": "off"}).stdout
    assert off == "no tokens are shared: AZCRED_SHARING is off\n"


def test_doctor_says_why_nothing_is_shared(emulator: Emulator, folder: Path, tmp_path: Path) -> None:
    """Every way in which the place for it may be wrong, with what to do about it."""
    env = environment(folder, emulator.imds()) | {"PATH": str(tmp_path)}
    beside = folder.with_name(folder.name + "-beside")
    hurt: list[tuple[Callable[[], object], str, str]] = [
        (lambda: folder.mkdir(mode=0o755), "its mode is 755, expected 700", "chmod 700"),
        (lambda: folder.symlink_to(beside), "expected a folder, and no link to one", "find out who did"),
        (lambda: folder.write_text(""), "expected a folder, and no link to one", "find out who did"),
    ]
    if os.getuid() == 0:
        squat = lambda: (folder.mkdir(mode=0o700), os.chown(folder, 12345, 12345))  # noqa: E731
        hurt.append((squat, "it belongs to user 12345, expected 0", "find out who did"))
    for hurting, reason, remedy in hurt:
        hurting()
        report = json.loads(run([AZCRED, "doctor", "--json"], env).stdout)
        trouble = report["store"]["trouble"]
        assert reason in trouble["message"] and remedy in trouble["next"], trouble
        assert any(member["outcome"] == "TOKEN" for member in report["chain"]["members"])
        folder.rmdir() if folder.is_dir() and not folder.is_symlink() else folder.unlink()
    for setting, reason in [
        ("off", "AZCRED_SHARING is off"),
        ("here", "an absolute path"),
        (str(tmp_path), "memory-backed"),
    ]:
        report = json.loads(run([AZCRED, "doctor", "--json"], env | {"AZCRED_SHARING": setting}).stdout)
        assert reason in report["store"]["trouble"]["message"]


def regions(pid: int) -> Iterator[tuple[str, bytes]]:
    """Give the memory that a process may write to and that is no file's: its heaps, and the stacks of its threads."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, permissions, *_, inode = line.split(maxsplit=5)[:5]
            name = line.split(maxsplit=5)[5:] or [""]
            if not permissions.startswith("rw") or inode != "0" or name[0].strip() in ("[vvar]", "[stack]"):
                continue
            first, last = (int(end, 16) for end in span.split("-"))
            memory.seek(first)
            yield f"{span} {name[0].strip()}", memory.read(last - first)


def test_no_secret_is_left_in_memory_after_drop(emulator: Emulator, folder: Path, tmp_path: Path) -> None:
    """Neither where azcred kept it, nor where libraries copied it, nor where the store sealed by it."""
    program, secret = compiled(tmp_path, "secret"), emulator["client_secret"]
    hidden = "".join(f"{ord(char) ^ 0x5A:02x}" for char in secret)
    env = environment(folder, emulator.application()) | LOADER
    del env["AZURE_CLIENT_SECRET"]
    for level in ("source", "store"):
        process = subprocess.Popen(
            [program, SCOPES[0], emulator["tenant_id"], emulator["client_id"], hidden],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin and process.stdout
        try:
            assert [process.stdout.readline() for _ in range(2)] == [f"{level}\n", "ready\n"]
            searched = list(regions(process.pid))
            assert any("[heap]" in name for name, _ in searched)
            assert any(emulator["tenant_id"].encode() in content for _, content in searched), "the search finds things"
            assert [name for name, content in searched if secret.encode() in content] == []
        finally:
            process.communicate("")
