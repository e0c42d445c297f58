"""What rows have in common: the emulator, and how a contestant is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from places import BENCH, BUILT, NODE, NODE_FOLDER, PYTHON, RUST
from program import Command, ask
from rounds import Answer

from emulator import Emulator

Contestant = Callable[[], Answer]


@dataclass
class Stage:
    """A running emulator and the ways to ask for tokens of it."""

    emulator: Emulator

    def python(self, program: str, name: str, *words: str) -> Contestant:
        """Give a contestant in Python: the program of that name, and who it measures."""
        return self._of([*python(program), name, *words], name)

    def node(self, program: str, name: str, *words: str) -> Contestant:
        """Give a contestant in Node."""
        return self._of([*node(program), name, *words], name)

    def c(self, program: str, *words: str) -> Contestant:
        """Give a contestant in C, with a managed identity."""
        return self._of([BUILT / program, *words], "")

    def peer(self, *words: str) -> Contestant:
        """Give azure_identity, in Rust, with a managed identity."""
        return self._of([RUST / "peer", *words], "")

    def _of(self, command: Command, name: str) -> Contestant:
        return partial(ask, command, self.env(name))

    def env(self, name: str) -> Mapping[str, str]:
        """Give the variables for a contestant, by the kind in its name."""
        return self.emulator.env(name.rpartition("/")[2]) | {"PYTHONPATH": str(BUILT)}


def python(program: str) -> Command:
    """Give the command of a program in Python."""
    return [PYTHON, BENCH / "python" / f"{program}.py"]


def node(program: str) -> Command:
    """Give the command of a program in Node."""
    return [NODE, NODE_FOLDER / f"{program}.mjs"]
