"""Processes of one user renew a token once, in the moment in which all of them notice that it is time."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from c_door import LOADER, compiled
from conftest import started
from stores import commands, environment, start, store, told

SCOPES = [f"https://{name}/.default" for name in ("storage.azure.com", "vault.azure.net", "a.example", "b.example")]
ENVIRONMENT = "EnvironmentCredential"

ALIGNED = """
import json, sys, time
import azcred
credential = azcred.EnvironmentCredential()
scopes, moments = json.loads(sys.argv[1]), json.loads(sys.argv[2])
told = []
for moment in moments:
    time.sleep(max(0, moment - time.time()))
    begun = time.time()
    told.append([credential.get_token(scope).token for scope in scopes] + [time.time() - begun])
print(json.dumps({"told": told}))
"""

ALIGNED_NODE = """
const azcred = require("azcred");
const credential = new azcred.EnvironmentCredential();
const [scopes, moments] = process.argv.slice(1).map((text) => JSON.parse(text));
(async () => {
  const told = [];
  for (const moment of moments) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, moment * 1000 - Date.now())));
    const begun = Date.now();
    const tokens = [];
    for (const scope of scopes) tokens.push((await credential.getToken(scope)).token);
    told.push([...tokens, (Date.now() - begun) / 1000]);
  }
  console.log(JSON.stringify({ told }));
})();
"""


def test_a_herd_renews_once(tmp_path: Path) -> None:
    """300 of all doors notice it at once: one asks for each resource, and nobody waits for it."""
    aligned = compiled(tmp_path, "aligned")
    with started(tmp_path / "renewing", "refresh_in = 5\n") as emulator, store() as folder:
        env = environment(folder, emulator.application()) | LOADER
        start_at = time.time() + 20
        # The first tokens are due from 4.5 s on, the second ones not before the end.
        moments = [start_at, start_at + 5.5, start_at + 8]
        listed = json.dumps(SCOPES), json.dumps(moments)
        python: list[str | Path] = [sys.executable, "-c", ALIGNED, *listed]
        node: list[str | Path] = ["node", "-e", ALIGNED_NODE, *listed]
        c: list[str | Path] = [aligned, ENVIRONMENT, ",".join(SCOPES), ",".join(map(str, moments))]
        running = [start({0: python, 1: node}.get(at % 12, c), env) for at in range(240)]
        assert time.time() < start_at, "all are there in time"
        time.sleep(moments[1] - time.time())
        programs = [start(commands(ENVIRONMENT, {}, SCOPES[at % 4])[2], env) for at in range(60)]
        assert [answer for answer in map(told, programs) if "token" not in answer] == []
        answers = [told(process) for process in running]
        assert [answer for answer in answers if "told" not in answer] == []
        # By process, moment and scope; the time that it took comes last.
        seen: list[list[list[str]]] = [[row[:-1] for row in answer["told"]] for answer in answers]  # type: ignore[misc]
        assert all(row == seen[0] for row in seen)
        first, due, second = seen[0]
        assert first == due
        assert not set(first) & set(second)
        asked = emulator.call("GET", "/counters")["by_endpoint"]["entra_token"]["requests"]
        assert asked == 2 * len(SCOPES)
