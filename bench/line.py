"""One line of the comparison: azcred, its peers, what can't be done without, and what was aimed at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

UNITS: dict[str, tuple[tuple[float, str], ...]] = {
    "s": ((1, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")),
    "B": ((1e6, "MB"), (1e3, "kB"), (1, "B")),
    "": ((1, ""),),
}


def shown(value: float, unit: str) -> str:
    """Give a number with three digits and the unit that suits it."""
    steps = UNITS[unit]
    size, name = next((step for step in steps if abs(value) >= step[0]), steps[-1])
    scaled = value / size
    digits = 0 if abs(scaled) >= 100 or unit == "" else 1 if abs(scaled) >= 10 else 2
    return f"{scaled:,.{digits}f} {name}".strip()


@dataclass
class Line:
    """What was measured. All numbers of a line are of one unit: seconds, bytes, or a count."""

    key: str
    azcred: float
    unit: str = "s"
    peers: dict[str, float] = field(default_factory=dict)
    floor: float | None = None
    """What a program takes that does only what can't be left out."""
    base: float | None = None
    """azcred itself, in the case that this one is compared with."""
    notes: list[str] = field(default_factory=list)


class Bound(Protocol):
    """Something aimed at."""

    def text(self, line: Line) -> str:
        """Say it."""

    def ratio(self, line: Line) -> str | None:
        """Give the ratio that it speaks of."""

    def met(self, line: Line) -> bool:
        """Say whether it was reached."""


@dataclass
class AtMost:
    """No more than a number."""

    value: float

    def text(self, line: Line) -> str:
        return f"≤ {shown(self.value, line.unit)}"

    def ratio(self, _line: Line) -> None:
        return None

    def met(self, line: Line) -> bool:
        return line.azcred <= self.value


@dataclass
class Exactly:
    """Neither more nor less than a number."""

    value: float

    def text(self, line: Line) -> str:
        return shown(self.value, line.unit)

    def ratio(self, _line: Line) -> None:
        return None

    def met(self, line: Line) -> bool:
        return line.azcred == self.value


@dataclass
class TimesFloor:
    """No more than so many times the floor."""

    times: float

    def text(self, _line: Line) -> str:
        return f"≤ {self.times:g} × floor"

    def ratio(self, line: Line) -> str:
        return f"{_of(line.floor, lambda floor: line.azcred / floor)} × floor"

    def met(self, line: Line) -> bool:
        return line.floor is not None and line.azcred <= self.times * line.floor


@dataclass
class TimesBase:
    """No more than so many times another case of azcred's own."""

    times: float
    case: str

    def text(self, _line: Line) -> str:
        return f"≤ {self.times:g} × {self.case}"

    def ratio(self, line: Line) -> str:
        return f"{_of(line.base, lambda base: line.azcred / base)} × {self.case}"

    def met(self, line: Line) -> bool:
        return line.base is not None and line.azcred <= self.times * line.base


@dataclass
class Faster:
    """So many times faster than the fastest case of a peer."""

    times: float
    peer: str

    def text(self, _line: Line) -> str:
        return f"≥ {self.times:g} × faster than {self.peer}"

    def ratio(self, line: Line) -> str:
        return f"{_of(self._fastest(line), lambda fastest: fastest / line.azcred)} × faster than {self.peer}"

    def met(self, line: Line) -> bool:
        fastest = self._fastest(line)
        return fastest is not None and self.times * line.azcred <= fastest

    def _fastest(self, line: Line) -> float | None:
        return min((value for name, value in line.peers.items() if name.startswith(self.peer)), default=None)


@dataclass
class AheadOfAll:
    """Less than any peer."""

    def text(self, _line: Line) -> str:
        return "ahead of all"

    def ratio(self, line: Line) -> str:
        fastest = min(line.peers.values(), default=None)
        return f"{_of(fastest, lambda value: value / line.azcred)} × faster than the first of them"

    def met(self, line: Line) -> bool:
        return bool(line.peers) and line.azcred < min(line.peers.values())


def _of(value: float | None, ratio: Callable[[float], float]) -> str:
    return "?" if value is None else f"{ratio(value):.3g}"
