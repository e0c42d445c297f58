"""The main job on real parts: three programs, three identities, one Blob Storage, no password.

Starts azcred's emulator and Azurite, then the programs of examples/blob in Python, Node and C++. Each uploads a blob,
reads another's back and compares the bytes. Ends with a table, and with nothing left running: not after a signal, and
not when it is killed, which guard.py waits for.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT, CONTAINER = "azcreddemo", "demo"
PATIENCE = 60
"""How long anything here may take, in seconds."""


class Failure(Exception):
    """The demo did not work, and why."""


class Signals:
    """The first signal that ends the demo interrupts it, but not in the middle of a start; the rest are ignored."""

    ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        """Listen, save to what whoever started the demo has it ignore."""
        self.starting = self.came = False
        for kind in self.ENDING:
            if signal.getsignal(kind) is not signal.SIG_IGN:
                signal.signal(kind, self.interrupt)

    def interrupt(self, *_: object) -> None:
        """End the demo, now or when what is being started has its end on the stack."""
        self.ignore()
        self.came = True
        if not self.starting:
            raise KeyboardInterrupt

    def ignore(self) -> None:
        """Let nothing come between the demo and its end."""
        for kind in self.ENDING:
            signal.signal(kind, signal.SIG_IGN)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let a start be whole."""
        self.starting = True
        try:
            yield
        finally:
            self.starting = False
        if self.came:
            raise KeyboardInterrupt


class Group:
    """What the demo starts, each in a process group of its own, and ends."""

    def __init__(self, stack: ExitStack, folder: Path, signals: Signals) -> None:
        """Start the guard."""
        self.stack = stack
        self.signals = signals
        guard = [sys.executable, ROOT / "examples/guard.py"]
        with signals.held():
            # Its last words are heard when all else has ended: it was put on the stack first.
            self.guard = subprocess.Popen(guard, stdin=subprocess.PIPE, text=True, start_new_session=True)
            stack.callback(self.guard.communicate, "done\n")
        self.tell(f"folder {folder}")

    def tell(self, line: str) -> None:
        """Tell the guard."""
        assert self.guard.stdin  # noqa: S101  # a pipe, as asked for
        with suppress(BrokenPipeError):  # somebody killed it
            self.guard.stdin.write(line + "\n")
            self.guard.stdin.flush()

    def start(self, name: str, command: list[str | Path], log: Path, **options: Any) -> subprocess.Popen[str]:
        """Start a program, which ends with the stack."""
        errors = self.stack.enter_context(log.open("w"))
        with self.signals.held():
            try:
                process = subprocess.Popen(command, text=True, stderr=errors, start_new_session=True, **options)
            except OSError as error:
                raise Failure(f"{name} could not be started: {error}") from error
            self.stack.callback(self.end, process)
            self.tell(f"started {process.pid}")
        return process

    def end(self, process: subprocess.Popen[str]) -> None:
        """End a program, and wait for that."""
        for kind in (signal.SIGTERM, signal.SIGKILL):
            if process.poll() is None:
                os.killpg(process.pid, kind)
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    continue
        self.tell(f"ended {process.pid}")


def first_line(process: subprocess.Popen[str], name: str) -> str:
    """Wait for what a program says first."""
    line: list[str] = []
    reader = threading.Thread(target=lambda: line.append(process.stdout.readline()), daemon=True)
    reader.start()
    reader.join(PATIENCE)
    if not line or not line[0]:
        raise Failure(f"{name} did not come up within {PATIENCE} s")
    return line[0]


def start_emulator(group: Group, folder: Path) -> dict[str, str]:
    """Start Entra ID and the metadata services."""
    command = [ROOT / "dist/bin/azcred", "emulator", "--dir", folder, "--with-stdin"]
    pipe = subprocess.PIPE
    process = group.start("the emulator", command, folder / "emulator.log", stdin=pipe, stdout=pipe)
    ready: dict[str, str] = json.loads(first_line(process, "the emulator"))
    return ready


def start_azurite(group: Group, folder: Path) -> str:
    """Start Azurite over HTTPS with token checks; give the account's URL."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [
        *("node", ROOT / ".work/node/node_modules/azurite/dist/src/blob/main.js"),
        *("--blobHost", "127.0.0.1", "--blobPort", str(port), "--inMemoryPersistence", "--disableTelemetry"),
        *("--oauth", "basic", "--cert", folder / "server.pem", "--key", folder / "server.key"),
        *("--skipApiVersionCheck", "--silent"),
    ]
    environment = plain_environment() | {"AZURITE_ACCOUNTS": f"{ACCOUNT}:ZGVtbw=="}
    log = folder / "azurite.log"
    process = group.start("Azurite", command, log, stdout=subprocess.DEVNULL, env=environment, cwd=folder)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return f"https://127.0.0.1:{port}/{ACCOUNT}"
        except OSError:
            time.sleep(0.1)
    raise Failure(f"Azurite did not come up: {log.read_text()[-500:]}")


def plain_environment() -> dict[str, str]:
    """An environment without anybody's Azure or certificate settings."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


def programs(emulator: dict[str, str], folder: Path) -> list[dict[str, Any]]:
    """Each program: its name, its command, the blob it reads, and the environment that is its identity."""
    build = ROOT / ".work/examples"
    app = build / "node"
    app.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "examples/blob/main.mjs", app)
    for link, target in (("node_modules", ROOT / ".work/node/node_modules"),):
        (app / link).unlink(missing_ok=True)
        (app / link).symlink_to(target)
    return [
        {
            "name": "Python",
            "identity": "system-assigned",
            "command": [ROOT / ".work/venv/bin/python", ROOT / "examples/blob/main.py"],
            "blobs": ("python.bin", "cpp.bin"),
            "environment": {
                "IDENTITY_ENDPOINT": emulator["identity_endpoint"],
                "IDENTITY_HEADER": emulator["identity_header"],
                "REQUESTS_CA_BUNDLE": emulator["ca_file"],
            },
        },
        {
            "name": "Node",
            "identity": "user-assigned",
            "command": ["node", app / "main.mjs"],
            "blobs": ("node.bin", "python.bin"),
            "environment": {
                "AZURE_POD_IDENTITY_AUTHORITY_HOST": emulator["imds"],
                "AZURE_CLIENT_ID": "33333333-3333-3333-3333-333333333331",
                "NODE_EXTRA_CA_CERTS": emulator["ca_file"],
            },
        },
        {
            "name": "C++",
            "identity": "application",
            "command": [build / "blob"],
            "blobs": ("cpp.bin", "node.bin"),
            "environment": {
                "AZURE_TENANT_ID": emulator["tenant_id"],
                "AZURE_CLIENT_ID": emulator["client_id"],
                "AZURE_CLIENT_SECRET": emulator["client_secret"],
                "AZURE_AUTHORITY_HOST": emulator["https"],
                "CURL_CA_BUNDLE": emulator["ca_file"],
                "LD_LIBRARY_PATH": str(ROOT / "dist/lib"),
            },
        },
    ]


def run(group: Group, folder: Path) -> list[tuple[str, ...]]:
    """Run everything; give the rows of the table."""
    emulator = start_emulator(group, folder)
    account = start_azurite(group, folder)
    # Not the user's: where this is not in memory, the programs share nothing.
    store = Path(f"/dev/shm/azcred-demo-{os.getpid()}")  # noqa: S108  # azcred makes it, or refuses it
    group.stack.callback(shutil.rmtree, store, ignore_errors=True)
    started = []
    for program in programs(emulator, folder):
        log = folder / f"{program['name']}.log"
        command = [*program["command"], account, CONTAINER, *program["blobs"]]
        environment = plain_environment() | {"AZCRED_SHARING": str(store)} | program["environment"]
        process = group.start(program["name"], command, log, stdout=subprocess.PIPE, env=environment)
        started.append((program, process, log))
    told = []
    for program, process, log in started:
        try:
            out, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired as error:
            raise Failure(f"{program['name']} did not end within {PATIENCE} s") from error
        if process.returncode != 0:
            raise Failure(f"{program['name']} failed: {log.read_text().strip()[-2000:]}")
        told.append((program, json.loads(out)))
    with urllib.request.urlopen(emulator["admin"] + "/counters", timeout=5) as answer:  # noqa: S310  # loopback
        requests = json.load(answer)["by_client"]
    rows = []
    for program, result in told:
        # The emulator counts tokens of its system-assigned identity under "system".
        client = "system" if program["identity"] == "system-assigned" else result["client_id"]
        count = requests.get(client, 0)
        if count != 1:
            raise Failure(f"{program['name']} caused {count} token requests, expected 1")
        identity = f"{program['identity']} {result['client_id']}"
        rows.append((program["name"], identity, result["source"], str(result["bytes"]), str(count)))
    return rows


def show(rows: list[tuple[str, ...]]) -> None:
    """Print the table."""
    table = [("program", "identity", "source", "bytes verified", "token requests"), *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def main() -> int:
    """Run the demo; 0 if every byte was right."""
    try:
        signals = Signals()
        with tempfile.TemporaryDirectory(prefix="azcred-demo-") as folder, ExitStack() as stack:
            try:
                show(run(Group(stack, Path(folder), signals), Path(folder)))
            finally:
                signals.ignore()
    except Failure as failure:
        print(f"demo: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: interrupted", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
