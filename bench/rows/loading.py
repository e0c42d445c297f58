"""What `import` and `require` cost over a process that does neither."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from functools import partial

from line import Line
from places import NODE, NODE_FOLDER, PYTHON
from program import Command, ask, plain, wall
from rounds import in_turn
from stage import Stage

ROUNDS = 12
TURNS = 4
"""Of azcred in each round."""

RESIDENT = 'int(open("/proc/self/status").read().split("VmRSS:")[1].split()[0]) * 1024'
PYTHON_ROOM = f"""
import sys
resident = lambda: {RESIDENT}
before, modules = resident(), len(sys.modules)
%s
print('{{"memory": %%d, "modules": %%d}}' %% (resident() - before, len(sys.modules) - modules))
"""
NODE_ROOM = """
const before = process.memoryUsage.rss();
%s
console.log(JSON.stringify({ memory: process.memoryUsage.rss() - before }));
"""


def by_import(_stage: Stage) -> list[Line]:
    """Give the time, the modules and the memory of `import`."""
    statements = {
        name: f"from {module} import DefaultAzureCredential"
        for name, module in (("azcred", "azcred"), ("azure-identity", "azure.identity"))
    }
    walls = over_bare([PYTHON, "-c", "pass"], {name: [PYTHON, "-c", text] for name, text in statements.items()})
    rooms = in_turn({name: partial(ask, [PYTHON, "-c", PYTHON_ROOM % text]) for name, text in statements.items()})
    lines = [_line("import/wall", walls, "s")]
    for what, unit in (("modules", ""), ("memory", "B")):
        lines.append(_line(f"import/{what}", {name: room[what] for name, room in rooms.items()}, unit))
    return lines


def by_require(_stage: Stage) -> list[Line]:
    """Give the time and the memory of `require`."""
    statements = {name: f"require({json.dumps(name)})" for name in ("azcred", "@azure/identity")}
    walls = over_bare([NODE, "-e", "0"], {name: [NODE, "-e", text] for name, text in statements.items()})
    rooms = in_turn(
        {name: partial(ask, [NODE, "-e", NODE_ROOM % text], cwd=NODE_FOLDER) for name, text in statements.items()}
    )
    memory = {name: room["memory"] for name, room in rooms.items()}
    return [_line("require/wall", walls, "s"), _line("require/memory", memory, "B")]


def over_bare(
    bare: Command, commands: Mapping[str, Command], envs: Mapping[str, Mapping[str, str]] | None = None
) -> dict[str, float]:
    """Give how much longer each process takes than the bare one beside it: the median of the differences.

    azcred's are so short that a few don't tell: it takes its turn more often.
    """
    more: dict[str, list[float]] = {name: [] for name in commands}
    spent = partial(wall, cwd=NODE_FOLDER)
    # The first round brings everything into the page cache, and counts for nothing.
    for number in range(ROUNDS + 1):
        for name, command in commands.items():
            env = plain() | dict((envs or {}).get(name, {}))
            for _ in range(TURNS if name.startswith("azcred") else 1):
                difference = -spent(bare, env) + spent(command, env)
                if number:
                    more[name].append(difference)
    return {name: statistics.median(differences) for name, differences in more.items()}


def _line(key: str, found: Mapping[str, float], unit: str) -> Line:
    peers: Sequence[str] = [name for name in found if name != "azcred"]
    return Line(key, found["azcred"], unit=unit, peers={name: found[name] for name in peers})
