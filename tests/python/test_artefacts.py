"""What users install: nothing of where it was built, and the notices of what it is made of."""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import DIST, ROOT

NOTICES = {
    "program": ("share/doc/azcred/THIRD-PARTY-NOTICES.txt", {"clap", "axum"}),
    "library": ("share/doc/libazcred/THIRD-PARTY-NOTICES.txt", {"reqwest"}),
    "wheel": ("licenses/THIRD-PARTY-NOTICES.txt", {"pyo3"}),
    "package": ("package/THIRD-PARTY-NOTICES.txt", {"napi"}),
}
"""The notices of each artefact, and packages that it is made of and the libraries' are not all."""


def contents() -> Iterator[tuple[str, bytes]]:
    """Give every file of dist/, and of the archives there."""
    for path in sorted(path for path in DIST.resolve().rglob("*") if path.is_file() and not path.is_symlink()):
        name = str(path.relative_to(DIST.resolve()))
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as wheel:
                yield from ((f"{name}: {member}", wheel.read(member)) for member in wheel.namelist())
        elif path.suffix == ".tgz":
            with tarfile.open(path) as package:
                for member in package.getmembers():
                    file = package.extractfile(member)
                    yield f"{name}: {member.name}", file.read() if file else b""
        else:
            yield name, path.read_bytes()


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """Give what `contents` gives."""
    return dict(contents())


def test_no_artefact_says_where_it_was_built(files: dict[str, bytes]) -> None:
    home = Path.home()
    cargo = Path(os.environ.get("CARGO_HOME", home / ".cargo"))
    sysroot = subprocess.run(["rustc", "--print", "sysroot"], capture_output=True, text=True, check=True, cwd=ROOT)
    folders = {ROOT, ROOT.resolve(), DIST.resolve().parent, home, cargo, cargo.resolve(), Path(sysroot.stdout.strip())}
    # What is this short is in every file by chance.
    places = {str(folder).encode() for folder in folders if len(folder.parts) > 2} | {
        b"/registry/src/",
        b"path+file://",
    }
    found = sorted({(name, place) for name, content in files.items() for place in places if place in content})
    assert found == []


def notice(files: dict[str, bytes], artefact: str) -> str:
    """Give an artefact's notices."""
    ending, _ = NOTICES[artefact]
    (text,) = (content.decode() for name, content in files.items() if name.endswith(ending))
    return text


@pytest.mark.parametrize("artefact", NOTICES)
def test_the_notices_are_of_this_artefact(files: dict[str, bytes], artefact: str) -> None:
    text = notice(files, artefact)
    listed = set(re.findall(r"^([\w-]+) \d\S*: \S", text, re.MULTILINE))
    everybody = {"ring", "rustls", "serde", "tokio"}
    others = {name for other, (_, own) in NOTICES.items() if other != artefact for name in own} - {"reqwest"}
    assert everybody | NOTICES[artefact][1] <= listed
    assert not others & listed
    # What runs in the compiler only is no part of it.
    assert not {"syn", "quote", "serde_derive", "pyo3-macros", "napi-derive-backend"} & listed


@pytest.mark.parametrize("artefact", NOTICES)
def test_each_licence_is_there_once_with_its_packages(files: dict[str, bytes], artefact: str) -> None:
    head, *parts = re.split(r"^-{100}$", notice(files, artefact), flags=re.MULTILINE)
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    texts = [" ".join(words.split()).replace("https:", "http:") for words in sections.values()]
    assert all(texts)
    assert len(set(texts)) == len(texts)
    covered = {name.strip() for names in sections for name in names.split(",")}
    listed = re.findall(r"^([\w-]+ \d\S*): \S", head, re.MULTILINE)
    assert len(listed) > 50
    assert set(listed) == covered - {"the standard library of Rust"}
