"""A program that is run to its end, in an environment without anybody's settings."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PATIENCE = 240
"""How long anything may take, in seconds."""

Command = Sequence["str | Path"]


class ProgramError(Exception):
    """A program did not do what was asked of it."""


def plain() -> dict[str, str]:
    """Give an environment without anybody's settings; azcred keeps its tokens to its process."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"AZCRED_SHARING": "off", "PYTHONDONTWRITEBYTECODE": "1"}


def run(command: Command, env: Mapping[str, str] | None = None, *, cwd: Path | None = None) -> str:
    """Give what a program prints."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, env=plain() | dict(env or {}), cwd=cwd, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise ProgramError(f"{' '.join(words)}: no end after {PATIENCE} s") from None
    if done.returncode != 0:
        raise ProgramError(f"{' '.join(words)}: ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def ask(command: Command, env: Mapping[str, str] | None = None, *, cwd: Path | None = None) -> dict[str, Any]:
    """Give the JSON object that a program prints last."""
    answer: dict[str, Any] = json.loads(run(command, env, cwd=cwd).splitlines()[-1])
    return answer


def wall(command: Command, env: Mapping[str, str], *, cwd: Path | None = None) -> float:
    """Give the seconds from starting a program to its end."""
    words = [str(word) for word in command]
    begun = time.perf_counter()
    # No pipes and nobody to read them: they would be measured too.
    with subprocess.Popen(words, env=dict(env), cwd=cwd, stdout=subprocess.DEVNULL) as process:
        # A program that does not come to its end ends the wait. Popen.wait(timeout) looks now and then.
        timer = threading.Timer(PATIENCE, process.kill)
        timer.start()
        status = process.wait()
        spent = time.perf_counter() - begun
        timer.cancel()
    if status != 0:
        raise ProgramError(f"{' '.join(words)}: ended with {status}")
    return spent
