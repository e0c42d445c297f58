"""What a program asks @azure/identity and azcred for: cases as data, with what comes of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

TOKEN, REFUSED, REQUIRED, UNAVAILABLE = "token", "refused", "user has to sign in", "unavailable"
AGGREGATE, WRONG, RECORD, LATE = "no member gave one", "wrong argument or setting", "record", "time is up"


@dataclass(frozen=True)
class Came:
    """What came of a case."""

    kind: str = TOKEN
    words: tuple[str, ...] = ()
    """Which the error's text has."""


@dataclass(frozen=True)
class Case:
    """A credential, and what a program does with it."""

    name: str
    credential: str
    args: tuple[Any, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    request: dict[str, Any] = field(default_factory=dict)
    steps: tuple[dict[str, Any], ...] = ({"does": "token"},)
    faults: tuple[dict[str, Any], ...] = ()
    came: Came = Came()
    theirs: Came | None = None
    """What comes of it with @azure/identity, where that is something else."""
    asked: tuple[list[str], list[str]] | None = None
    """Which endpoints azcred and @azure/identity ask, where they do not ask the same."""
    but: tuple[str, ...] = ()
    """Parts of requests that are not the same."""
    why: str = ""
    """Why anything differs: the row of docs/differences.md, by its first column."""

    @property
    def scope(self) -> str:
        """What is asked for: something that no other case has, since azcred's cache is the process's."""
        return f"https://{re.sub('[^a-z0-9]+', '-', self.name.lower()).strip('-')}.example/.default"

    def told(self) -> dict[str, Any]:
        """Give what the program reads."""
        steps = [{"scopes": self.scope, "request": self.request} | step for step in self.steps]
        return {
            "name": self.name,
            "credential": self.credential,
            "args": self.args,
            "env": self.env,
            "steps": steps,
            "faults": self.faults,
        }


def no(kind: str, *words: str) -> Came:
    """Give an error."""
    return Came(kind, words)


def does(*steps: str | dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """Give steps by their names."""
    return tuple({"does": step} if isinstance(step, str) else step for step in steps)
