"""How programs of the C door are made and run: compiled against dist/, alone or under valgrind."""

from __future__ import annotations

from pathlib import Path

from conftest import DIST, ROOT, run

STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g"]
C, CPP = ["cc", "-std=c99", *STRICT], ["c++", "-std=c++17", *STRICT]
SHARED = ["-I", DIST / "include", "-L", DIST / "lib", "-lazcred", "-pthread"]
LOADER = {"LD_LIBRARY_PATH": str(DIST / "lib")}
VALGRIND = ["valgrind", "--quiet", "--error-exitcode=9", "--leak-check=full", "--errors-for-leak-kinds=definite"]


def compiled(folder: Path, name: str) -> Path:
    """Compile a program of tests/c/."""
    run([*C, ROOT / f"tests/c/{name}.c", "-o", folder / name, *SHARED])
    return folder / name
