"""Measuring in turns: whatever the machine does meanwhile, it does to all."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from typing import Any

from program import ProgramError

ROUNDS = 7

Answer = Mapping[str, Any]


def in_turn(contestants: Mapping[str, Callable[[], Answer]], rounds: int = ROUNDS) -> dict[str, dict[str, float]]:
    """Ask each contestant once per round; give the medians of all numbers in the answers."""
    answers: dict[str, list[Answer]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            try:
                answers[name].append(contestant())
            except ProgramError as error:
                raise ProgramError(f"{name}: {error}") from None
    return {name: _medians(given) for name, given in answers.items()}


def seconds(contestants: Mapping[str, Callable[[], Answer]], rounds: int = ROUNDS) -> dict[str, float]:
    """Ask in turn for answers that have seconds and nothing else of interest."""
    return {name: answer["seconds"] for name, answer in in_turn(contestants, rounds).items()}


def _medians(answers: list[Answer]) -> dict[str, float]:
    return {name: statistics.median(answer[name] for answer in answers) for name in answers[0]}
