"""The C door: programs compiled against dist/."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest
from c_door import CPP, LOADER, SHARED, STRICT, VALGRIND, C, compiled
from conftest import DIST, ROOT, Emulator, run

# Of the lock file, as all tools of the tests.
CMAKE = Path(sys.executable).with_name("cmake")


@pytest.fixture(scope="session")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile the program that checks the header's promises."""
    return compiled(tmp_path_factory.mktemp("contract"), "contract")


@pytest.mark.parametrize(
    ("scenario", "tokens"),
    [
        ("twice", 1),
        ("provider", 1),
        ("refusal", 2),
        ("log_lines", 1),
        ("bad_calls", 0),
        ("older_struct", 1),
        ("forks", 2),
        ("no_descriptors", 1),
        ("no_threads", 1),
    ],
)
def test_the_contract(contract: Path, emulator: Emulator, scenario: str, tokens: int) -> None:
    emulator.fault(endpoint="app_service", latency_ms=100, count=1)
    run([contract, scenario], emulator.app_service() | LOADER)
    assert emulator.tokens() == tokens


@pytest.mark.parametrize("scenario", ["cancelling", "fork_and_cancel"])
def test_cancelling(contract: Path, emulator: Emulator, scenario: str) -> None:
    emulator.fault(endpoint="app_service", mode="hang")
    run([contract, scenario], emulator.app_service() | LOADER)


@pytest.mark.parametrize("scenario", ["twice", "provider", "refusal", "bad_calls", "log_lines"])
def test_the_contract_under_valgrind(contract: Path, emulator: Emulator, scenario: str) -> None:
    assert shutil.which("valgrind"), "valgrind is not installed"
    run([*VALGRIND, contract, scenario], emulator.app_service() | LOADER)


@pytest.mark.parametrize("scenario", ["functions", "failures", "users"])
@pytest.mark.parametrize("checked", [False, True], ids=["alone", "valgrind"])
def test_sign_ins(emulator: Emulator, tmp_path: Path, scenario: str, checked: bool) -> None:
    program = compiled(tmp_path, "sign_ins")
    approve = tmp_path / "approve.py"
    approve.write_text(
        "import sys, urllib.request\n"
        'body = b\'{"action":"approve","user_code":"\' + sys.argv[1].encode() + b\'"}\'\n'
        f"request = urllib.request.Request({emulator['admin'] + '/devicecode'!r}, body)\n"
        'request.add_header("content-type", "application/json")\n'
        "urllib.request.urlopen(request, timeout=10)\n"
    )
    env = {
        "AZURE_TENANT_ID": emulator["tenant_id"],
        "AZURE_CLIENT_ID": emulator["public_client_id" if scenario == "users" else "workload_client_id"],
        "AZURE_FEDERATED_TOKEN_FILE": emulator["federated_token_file"],
        "AZURE_AUTHORITY_HOST": emulator["https"],
        "SSL_CERT_FILE": emulator["ca_file"],
        "APPROVE": f"{sys.executable} {approve}",
    }
    # TLS: ring's assembly works on vectors, and valgrind loses track of which of their bytes are defined.
    options = ["--undef-value-errors=no", f"--suppressions={ROOT / 'tests/c/valgrind.supp'}"]
    run([*([*VALGRIND, *options] if checked else []), program, scenario], env | LOADER)


def test_cplusplus(emulator: Emulator, tmp_path: Path) -> None:
    run([*CPP, ROOT / "tests/c/face.cpp", "-o", tmp_path / "face", *SHARED])
    trust = {"AZURE_AUTHORITY_HOST": emulator["https"], "SSL_CERT_FILE": emulator["ca_file"]}
    assertion = {"FEDERATED": Path(emulator["federated_token_file"]).read_text(), "TENANT": emulator["tenant_id"]}
    workload = {"WORKLOAD": emulator["workload_client_id"]}
    run([tmp_path / "face"], emulator.app_service() | trust | assertion | workload | LOADER)


@pytest.mark.parametrize(
    "compiler", [C, [*C[:1], "-std=c17", *STRICT], [*CPP, "-x", "c++"]], ids=["c99", "c17", "c++17"]
)
def test_the_header_stands_alone(compiler: list[str], tmp_path: Path) -> None:
    source = tmp_path / "alone.c"
    source.write_text("#include <azcred.h>\nint main(void) { return AZCRED_OK; }\n")
    run([*compiler, "-I", DIST / "include", source, "-o", tmp_path / "alone"])


def test_the_static_library(emulator: Emulator, tmp_path: Path) -> None:
    pkg_config = ["pkg-config", "--static", "--libs-only-l", "azcred"]
    libraries = run(pkg_config, {"PKG_CONFIG_PATH": str(DIST / "lib/pkgconfig")}).stdout.split()
    libraries = [DIST / "lib/libazcred.a" if library == "-lazcred" else library for library in libraries]
    run([*C, ROOT / "tests/c/contract.c", "-o", tmp_path / "contract", "-I", DIST / "include", *libraries])
    run([tmp_path / "contract", "twice"], emulator.app_service())


def test_cmake(emulator: Emulator, tmp_path: Path) -> None:
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.16)\nproject(user C)\nfind_package(azcred 0.1.0 REQUIRED)\n"
        f"find_package(Threads REQUIRED)\nadd_executable(user {ROOT}/tests/c/contract.c)\n"
        "target_link_libraries(user azcred::azcred Threads::Threads)\n"
    )
    run([CMAKE, "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={DIST / 'lib/cmake'}"])
    run([CMAKE, "--build", tmp_path / "build"])
    run([tmp_path / "build/user", "twice"], emulator.app_service())


def test_exported_names_are_the_headers() -> None:
    header = (DIST / "include/azcred.h").read_text()
    declared = set(re.findall(r"\b(azcred_\w+)\(", re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)))
    exported = {
        line.split()[-1] for line in run(["nm", "-D", "--defined-only", DIST / "lib/libazcred.so"]).stdout.splitlines()
    }
    assert {name for name in exported if name.startswith("azcred_")} == declared
    others = {name for name in exported if not name.startswith("azcred_")}
    assert not others, others


def test_the_library_says_who_it_is() -> None:
    tags = run(["readelf", "-d", DIST / "lib/libazcred.so"]).stdout
    assert "Library soname: [libazcred.so.0]" in tags
    assert "NODELETE" in tags
    flags = run(["pkg-config", "--cflags", "--libs", "azcred"], {"PKG_CONFIG_PATH": str(DIST / "lib/pkgconfig")}).stdout
    assert "-lazcred" in flags
