"""What type checkers are told: a user's program, and the options of all classes."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import azcred
import pytest
from conftest import run
from test_objects import arguments, classes

PACKAGE = Path(azcred.__file__).parent
NODES = {"proxy_options", "retry_options"}
"""@azure/identity's spellings, which core takes at every door."""


def test_a_users_program(tmp_path: Path) -> None:
    """Strict: an error that is expected and not found is one too."""
    program = Path(__file__).with_name("typed_program.py")
    run([sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path, program])


def listed() -> dict[str, set[str]]:
    """Give the names of the options in each class of `_options.pyi`, those of the classes that it extends included."""
    found: dict[str, set[str]] = {"TypedDict": set()}
    for node in ast.parse((PACKAGE / "_options.pyi").read_text()).body:
        if isinstance(node, ast.ClassDef):
            own = {entry.target.id for entry in node.body if isinstance(entry, ast.AnnAssign)}  # type: ignore[union-attr]
            found[node.name] = own.union(*(found[base.id] for base in node.bases))  # type: ignore[attr-defined]
    return found


def constructors() -> Iterator[tuple[str, set[str]]]:
    """Give each class of credentials and the names of the options that a type checker knows."""
    options = listed()
    for node in ast.parse((PACKAGE / "__init__.py").read_text()).body:
        if not isinstance(node, ast.ClassDef) or node.name not in classes(azcred):
            continue
        (init,) = [entry for entry in node.body if getattr(entry, "name", "") == "__init__"]
        named = {argument.arg for argument in init.args.args[1:] + init.args.kwonlyargs}  # type: ignore[attr-defined]
        extra = re.search(r"_options\.(\w+)", ast.unparse(init.args.kwarg.annotation))  # type: ignore[attr-defined]
        assert extra, node.name
        yield node.name, named | options[extra[1]]


def test_the_options_are_cores(emulator: Any) -> None:
    given, noted = arguments(emulator), listed()["Noted"]
    seen = set()
    for name, known in constructors():
        seen.add(name)
        cls = getattr(azcred, name)
        with pytest.raises(azcred.InvalidConfigurationError) as caught:
            cls(**given[name], nonsense=1)
        takes = re.search("unknown option nonsense; it takes (.*)", str(caught.value))
        assert takes, name
        taken = set(takes[1].split(", ")) - NODES
        assert taken - known == set(), f"{name}: a type checker does not know them"
        # The others are noted and not used: their values don't matter.
        for option in known - taken:
            cls(**{key: value for key, value in given[name].items() if key != option}, **{option: object()})
        assert noted <= known - taken
    assert seen == classes(azcred)
