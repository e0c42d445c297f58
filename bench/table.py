"""The lines as a table: on the page, and on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from goals import GOALS
from line import Line, shown

HEADINGS = ("what", "azcred", "peers", "floor", "ratio", "goal", "met")


@dataclass
class Failure:
    """A row that could not be measured, and why."""

    row: str
    reason: str


def cells(line: Line) -> list[str]:
    """Give a line's cells."""
    goal = GOALS[line.key]
    peers = "; ".join(f"{name} {shown(value, line.unit)}" for name, value in line.peers.items())
    ratios = [ratio for bound in goal.bounds if (ratio := bound.ratio(line))]
    if not goal.bounds and line.floor:
        ratios = [f"{line.azcred / line.floor:.3g} × floor"]
    met = "-" if not goal.bounds else "met" if all(bound.met(line) for bound in goal.bounds) else "**not met**"
    return [
        goal.what,
        shown(line.azcred, line.unit),
        peers or "-",
        "-" if line.floor is None else shown(line.floor, line.unit),
        "; ".join(ratios) or "-",
        "; ".join(bound.text(line) for bound in goal.bounds) or "-",
        met,
    ]


def page(lines: Sequence[Line]) -> str:
    """Give the lines as a table in Markdown."""
    rows = [HEADINGS, ["---"] * len(HEADINGS), *(cells(line) for line in lines)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def terminal(lines: Sequence[Line]) -> str:
    """Give the lines for a terminal: two rows each, since the peers take room."""
    text = []
    for line in lines:
        what, azcred, peers, floor, ratios, goal, met = cells(line)
        text.append(f"{what.replace('`', '')}\n    azcred {azcred}, floor {floor}, peers: {peers}")
        text.append(f"    {ratios}; goal {goal}: {met.replace('*', '')}")
        text.extend(f"    ({note})" for note in line.notes)
    return "\n".join(text)


def what(line: Line) -> str:
    """Give what a line is about."""
    return GOALS[line.key].what
