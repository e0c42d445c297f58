"""The programs in C, and what else has to be in its place before anything is measured."""

from __future__ import annotations

import shutil
import sysconfig

from places import BENCH, BUILT, DIST, NODE_FOLDER, RUST
from program import run

STRICT = ["cc", "-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-pthread"]


def compile_all() -> None:
    """Compile what is in C against dist/, and put Node's programs beside the packages that they import."""
    BUILT.mkdir(parents=True, exist_ok=True)
    azcred = ["-I", DIST / "include", "-L", DIST / "lib", "-lazcred", f"-Wl,-rpath,{DIST / 'lib'}"]
    floor = ["-L", RUST, "-lfloor", f"-Wl,-rpath,{RUST}"]
    loop = BENCH / "c/loop.c"
    run([*STRICT, BENCH / "c/cached.c", loop, "-o", BUILT / "cached", *azcred])
    run([*STRICT, BENCH / "c/first.c", "-o", BUILT / "first", *azcred])
    run([*STRICT, BENCH / "c/cold.c", BENCH / "c/crowd.c", "-o", BUILT / "cold", *azcred])
    run([*STRICT, BENCH / "c/scopes.c", BENCH / "c/crowd.c", "-o", BUILT / "scopes", *azcred])
    run([*STRICT, BENCH / "c/renewal.c", BENCH / "c/crowd.c", "-o", BUILT / "renewal", *azcred])
    run([*STRICT, "-shared", "-fPIC", BENCH / "c/clock.c", "-o", BUILT / "clock.so"])
    run([*STRICT, BENCH / "c/nothing.c", "-o", BUILT / "nothing"])
    run([*STRICT, BENCH / "c/floor.c", loop, "-o", BUILT / "floor", *floor])
    python = ["-shared", "-fPIC", "-I", sysconfig.get_paths()["include"]]
    run([*STRICT, *python, BENCH / "python/floor.c", "-o", BUILT / "floor.so"])
    for program in (BENCH / "node").glob("*.mjs"):
        shutil.copy(program, NODE_FOLDER)
