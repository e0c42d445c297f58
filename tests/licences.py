"""Every linked crate's licence is one that deny.toml allows: `cargo deny check licenses` for machines without it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def allowed(expression: str, licences: set[str]) -> bool:
    """Say whether an SPDX expression of OR, AND and brackets can be met."""
    expression = expression.replace("/", " OR ")
    words = re.findall(r"\(|\)|[^\s()]+(?: WITH [^\s()]+)?", expression)
    code = " ".join({"OR": "or", "AND": "and", "(": "(", ")": ")"}.get(word, str(word in licences)) for word in words)
    if not code or set(code.split()) - {"or", "and", "(", ")", "True", "False"}:
        return False
    return bool(eval(code))  # noqa: S307  # only the words checked above


def main() -> int:
    """Check what cargo says of every package."""
    listed = re.search(r"allow = \[(.*?)\]", (ROOT / "deny.toml").read_text(), re.DOTALL)
    licences = set(re.findall(r'"([^"]+)"', listed[1])) if listed else set()
    command = [
        "cargo",
        "tree",
        "--locked",
        "--workspace",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--format",
        "{p}|{l}",
    ]
    tree = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    packages = {line.removesuffix(" (*)") for line in tree.splitlines() if line}
    refused = sorted(line for line in packages if not allowed(line.partition("|")[2].removesuffix(" (*)"), licences))
    for line in refused:
        print(f"licence not in deny.toml: {line}", file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
