"""Programs of one user with a shared store: what each door is run with, and what it tells."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conftest import ROOT, plain

PYTHON = """
import json, sys
import azcred
credential = getattr(azcred, sys.argv[1])(**json.loads(sys.argv[2]))
try:
    token = credential.get_token_info(sys.argv[3], options={"timeout": 100})
    print(json.dumps({"token": token.token, "level": token.provenance["cache_level"]}))
except Exception as error:
    print(json.dumps({"error": str(error)}))
"""

NODE = """
const azcred = require("azcred");
const [name, options, scope] = process.argv.slice(1);
const credential = new azcred[name](JSON.parse(options));
credential.getToken(scope).then(
  (token) => console.log(JSON.stringify({ token: token.token, level: token.provenance.cacheLevel })),
  (error) => console.log(JSON.stringify({ error: error.message })),
);
"""


@contextmanager
def store() -> Iterator[Path]:
    """Give a folder for a store, in memory, that is gone afterwards."""
    folder = Path(f"/dev/shm/azcred-test-{uuid.uuid4().hex[:12]}")  # noqa: S108  # nobody knows the name before
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def commands(name: str, options: dict[str, object], scope: str) -> list[list[str | Path]]:
    """Give the command of each door for one token: Python, Node, the program. C's is compiled by its test."""
    snake = [
        f"--option={key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in options.items()
    ]
    return [
        [sys.executable, "-c", PYTHON, name, json.dumps(options), scope],
        ["node", "-e", NODE, name, json.dumps({camel(key): value for key, value in options.items()}), scope],
        [ROOT / "dist/bin/azcred", "token", f"--credential={name}", f"--scope={scope}", "--output=json", *snake],
    ]


def camel(name: str) -> str:
    """Give a name as Node has it."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest) + ("InMs" if name == "process_timeout" else "")


def environment(folder: Path, more: dict[str, str]) -> dict[str, str]:
    """Give what a program of this store runs in."""
    return plain() | {"AZCRED_SHARING": str(folder), "NODE_PATH": str(ROOT / ".work/node/node_modules")} | more


def start(command: list[str | Path], env: dict[str, str]) -> subprocess.Popen[str]:
    """Start a program."""
    return subprocess.Popen(
        [str(word) for word in command],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def told(process: subprocess.Popen[str], patience: float = 120) -> dict[str, str]:
    """Give what a program tells at its end."""
    out, err = process.communicate(timeout=patience)
    try:
        return json.loads(out)  # type: ignore[no-any-return]
    except ValueError:
        return {"error": f"{process.args!r} ended with {process.returncode}: {out!r} {err!r}"}


def entries(folder: Path) -> list[Path]:
    """Give the files of all entries."""
    return [path for path in (folder / "v1").iterdir() if len(path.name) == 32]


def is_locked(folder: Path) -> bool:
    """Tell whether anybody holds a lock in the store, as the kernel says."""
    inode = os.stat(folder / "v1/locks").st_ino
    return any(f":{inode} " in line for line in Path("/proc/locks").read_text().splitlines())
