"""The Python door: the installed wheel."""

from __future__ import annotations

import asyncio
import inspect
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import azcred
import azcred.aio
import pytest
from conftest import PATIENCE, STORAGE, Emulator, plain, python, run


def scope(request: pytest.FixtureRequest) -> str:
    """Give a scope that no other test has cached."""
    return f"https://{request.node.name.replace('_', '-').split('[')[0]}.example/.default"


def test_a_token_asked_for_twice_is_one_request_and_one_object(
    app_service: Emulator, request: pytest.FixtureRequest
) -> None:
    credential = azcred.ManagedIdentityCredential()
    first = credential.get_token(scope(request))
    assert credential.get_token(scope(request)) is first
    assert azcred.ManagedIdentityCredential().get_token(scope(request)).token == first.token, "one cache per process"
    info = credential.get_token_info(scope(request))
    assert credential.get_token_info(scope(request), options={"enable_cae": False}) is info
    assert (info.token, info.expires_on, info.token_type) == (first.token, first.expires_on, "Bearer")
    assert time.time() < info.refresh_on < info.expires_on
    token, expires_on = first
    assert (token, expires_on) == (first.token, first.expires_on)
    assert first.provenance["source"] == "app_service"
    assert app_service.tokens() == 1


def test_cancelling_a_task_leaves_the_fetch_alone(app_service: Emulator, request: pytest.FixtureRequest) -> None:
    app_service.fault(endpoint="app_service", latency_ms=300, count=1)

    async def main() -> None:
        credential = azcred.aio.ManagedIdentityCredential()
        task = asyncio.ensure_future(credential.get_token(scope(request)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await credential.get_token(scope(request))).token

    asyncio.run(main())
    assert app_service.tokens() == 1


def test_programs_end_well_whatever_azcred_is_doing(app_service: Emulator) -> None:
    """The interpreter ends while azcred's thread is telling a loop, or a daemon thread waits."""
    app_service.fault(endpoint="app_service", latency_ms=20)
    code = """
import asyncio, sys, threading, azcred, azcred.aio
async def main():
    async with azcred.aio.ManagedIdentityCredential() as credential:
        await credential.get_token("https://end.example/.default")
asyncio.run(main())
waiting = azcred.ManagedIdentityCredential()
threading.Thread(target=waiting.get_token, args=("https://daemon.example/.default",), daemon=True).start()
"""
    env = plain() | app_service.app_service()
    for _ in range(5):
        batch = [subprocess.Popen([sys.executable, "-c", code], env=env, stderr=subprocess.PIPE) for _ in range(10)]
        told = [process.communicate(timeout=PATIENCE)[1] for process in batch]
        assert [(process.returncode, words) for process, words in zip(batch, told, strict=True)] == [(0, b"")] * 10


def test_hooks_at_the_end_of_a_program_get_tokens(app_service: Emulator) -> None:
    """Such as those that send what is left to be sent: they may run after azcred's own."""
    code = """
import atexit, json
def at_the_end():
    import asyncio
    async def ask():
        async with azcred.aio.ManagedIdentityCredential() as credential:
            return await credential.get_token("https://later-still.example/.default")
    told = [azcred.ManagedIdentityCredential().get_token("https://later.example/.default"), asyncio.run(ask())]
    try:
        asyncio.run(azcred.aio.EnvironmentCredential().get_token("x"))
    except azcred.CredentialUnavailableError:
        print(json.dumps([token.provenance["source"] for token in told]))
atexit.register(at_the_end)
import azcred, azcred.aio
"""
    assert python(code, app_service.app_service()) == ["app_service", "app_service"]


def test_a_signal_handler_that_forks(app_service: Emulator) -> None:
    """The child of a waiting thread starts its wait anew, and tells its parent's callers nothing."""
    app_service.fault(endpoint="app_service", latency_ms=800)
    code = """
import json, os, signal, azcred
read, write = os.pipe()
child = []
signal.signal(signal.SIGALRM, lambda *_: child.append(os.fork()))
signal.setitimer(signal.ITIMER_REAL, 0.3)
token = azcred.ManagedIdentityCredential().get_token("https://handler.example/.default", timeout=30)
if child[0] == 0:
    os.write(write, b"child has it")
    os._exit(0)
os.waitpid(child[0], 0)
print(json.dumps(os.read(read, 100).decode()))
"""
    assert python(code, app_service.app_service()) == "child has it"


def test_a_timeout_is_a_timeout_error(app_service: Emulator) -> None:
    app_service.fault(endpoint="app_service", mode="hang")
    # A process of its own, so that no fetch goes on into the next test.
    code = """
import asyncio, json, azcred, azcred.aio
told = []
try:
    azcred.ManagedIdentityCredential().get_token("https://late.example/.default", timeout=0.05)
except TimeoutError as error:
    told.append([error.kind, str(error), isinstance(error, azcred.AzcredError)])
async def main():
    await azcred.aio.ManagedIdentityCredential().get_token("https://late.example/.default", timeout=0.05)
try:
    asyncio.run(main())
except TimeoutError as error:
    told.append([error.kind, str(error), isinstance(error, azcred.WaitTimeoutError)])
print(json.dumps(told))
"""
    expected = ["TIMED_OUT", "no token within the 50 ms the caller allowed", True]
    assert python(code, app_service.app_service()) == [expected, expected]


def test_ctrl_c_ends_a_wait(app_service: Emulator) -> None:
    app_service.fault(endpoint="app_service", mode="hang", count=1)
    code = (
        "import azcred\ncredential = azcred.ManagedIdentityCredential()\n"
        "try:\n    credential.get_token('https://ctrl-c.example/.default')\n"
        "except KeyboardInterrupt:\n    print('interrupted')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=plain() | app_service.app_service(), stdout=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + PATIENCE
    asked = "https://ctrl-c.example"
    while asked not in str(app_service.requests()) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE)
    assert out == "interrupted\n"


def test_a_forked_child_has_the_tokens_and_gets_more(app_service: Emulator) -> None:
    code = """
import json, os, azcred
credential = azcred.ManagedIdentityCredential()
first = credential.get_token("https://fork.example/.default").token
read, write = os.pipe()
if os.fork() == 0:
    same = credential.get_token("https://fork.example/.default").token == first
    other = credential.get_token("https://fork-child.example/.default").token != first
    os.write(write, json.dumps([same, other]).encode())
    os._exit(0)
os.wait()
print(os.read(read, 100).decode())
"""
    assert python(code, app_service.app_service()) == [True, True]
    assert app_service.tokens() == 2


def test_a_fork_with_a_fetch_in_flight(app_service: Emulator) -> None:
    code = """
import json, os, threading, azcred
credential = azcred.ManagedIdentityCredential()
scope = "https://fork-in-flight.example/.default"
thread = threading.Thread(target=credential.get_token, args=(scope,))
thread.start()
while not credential_asked():
    pass
read, write = os.pipe()
if os.fork() == 0:
    os.write(write, json.dumps(bool(credential.get_token(scope, timeout=20).token)).encode())
    os._exit(0)
os.wait()
thread.join()
print(os.read(read, 100).decode())
""".replace(
        "while not credential_asked():\n    pass",
        "import urllib.request\n"
        f"url = {app_service['admin'] + '/requests'!r}\n"
        "while b'app_service' not in urllib.request.urlopen(url).read():\n    pass",
    )
    app_service.fault(endpoint="app_service", latency_ms=1500, count=1)
    assert python(code, app_service.app_service()) is True
    assert app_service.tokens() == 2, "one by the parent, one by the child"


def test_errors_are_azure_cores_own(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    from azure.core.exceptions import ClientAuthenticationError

    for name, value in emulator.application().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "canary-wrong")
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215") as caught:
        azcred.DefaultAzureCredential().get_token(STORAGE)
    error = caught.value
    assert isinstance(error, azcred.AuthenticationFailedError)
    assert (error.kind, error.code, error.status_code) == ("FAILED", "invalid_client", 401)
    assert error.correlation_id
    assert error.correlation_id in {entry["headers"]["client-request-id"] for entry in emulator.requests()}
    assert [(name, attempt.kind) for name, attempt in error.attempts] == [("EnvironmentCredential", "FAILED")]
    assert "canary" not in f"{error!r} {error} {error.attempts}"


def test_without_azure_core_errors_have_stand_ins() -> None:
    code = """
import json, sys
sys.modules["azure"] = None
import azcred
try:
    azcred.EnvironmentCredential().get_token("https://x/.default")
except azcred.CredentialUnavailableError as error:
    print(json.dumps([cls.__name__ for cls in type(error).__mro__]))
"""
    names = python(code)
    public = [name for name in names if not name.startswith("_")]
    assert public[:3] == ["CredentialUnavailableError", "AzcredError", "ClientAuthenticationError"]


def test_import_is_light() -> None:
    code = """
import sys, json, threading
before = set(sys.modules)
import azcred, azcred.aio
azcred.DefaultAzureCredential()
print(json.dumps([sorted(set(sys.modules) - before), threading.active_count()]))
"""
    modules, threads = python(code)
    assert threads == 1
    assert len(modules) <= 10, modules
    assert not {"logging", "typing", "enum", "asyncio", "azure.core"} & set(modules)


def test_the_protocols_of_azure_core() -> None:
    from azure.core.credentials import SupportsTokenInfo, TokenCredential
    from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential

    for name in ("DefaultAzureCredential", "ManagedIdentityCredential", "EnvironmentCredential", "AzureCliCredential"):
        sync, asynchronous = getattr(azcred, name)(), getattr(azcred.aio, name)()
        assert isinstance(sync, TokenCredential)
        assert isinstance(sync, SupportsTokenInfo)
        assert isinstance(asynchronous, AsyncTokenCredential)
        assert isinstance(asynchronous, AsyncSupportsTokenInfo)
        for credential in (sync, asynchronous):
            assert not hasattr(credential, "token_type")
            assert not hasattr(credential, "__iter__")
            assert name in repr(credential)
        with sync as same:
            assert same is sync
        sync.close()


def test_no_secret_is_shown(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", emulator["ca_file"])
    credential = azcred.ClientSecretCredential(
        emulator["tenant_id"], emulator["client_id"], emulator["client_secret"], authority=emulator["https"]
    )
    token = credential.get_token_info("https://no-secret.example/.default")
    pair = credential.get_token("https://no-secret.example/.default")
    shown = f"{credential!r} {token!r} {pair!r} {token}"
    assert emulator["client_secret"] not in shown
    assert token.token not in shown
    assert json.dumps(token.provenance) == json.dumps(
        {
            "credential": "ClientSecretCredential",
            "source": "entra",
            "tenant_id": emulator["tenant_id"],
            "client_id": emulator["client_id"],
            "cache_level": "source",
        }
    )


def test_a_chain_goes_on_until_one_answers(app_service: Emulator) -> None:
    chain = azcred.ChainedTokenCredential(azcred.EnvironmentCredential(), azcred.ManagedIdentityCredential())
    assert chain.get_token("https://chain.example/.default").provenance["source"] == "app_service"
    with pytest.raises(ValueError, match="argument 2: expected a credential, got an object of type str"):
        azcred.ChainedTokenCredential(azcred.EnvironmentCredential(), "x")  # type: ignore[arg-type]


def test_an_option_that_holds_itself_is_refused() -> None:
    circle: list[object] = []
    circle.append(circle)
    nest: dict[str, object] = {}
    nest["nest"] = nest
    for value in (circle, nest):
        with pytest.raises(ValueError, match="option connection_verify"):
            azcred.EnvironmentCredential(connection_verify=value)
        with pytest.raises(ValueError, match="unknown option nonsense"):
            azcred.EnvironmentCredential(nonsense=value)


@pytest.mark.parametrize("module", [azcred, azcred.aio], ids=["sync", "aio"])
def test_empty_claims_and_tenants_are_none(module: Any, app_service: Emulator, request: pytest.FixtureRequest) -> None:
    """As azure-identity has it: programs pass on what they have."""
    wanted = scope(request).replace("https://", f"https://{module.__name__}.")

    async def ask(**options: str) -> Any:
        token = module.ManagedIdentityCredential().get_token(wanted, **options)
        return await token if hasattr(token, "__await__") else token

    tokens = [asyncio.run(ask(**options)) for options in ({}, {"claims": ""}, {"tenant_id": ""})]
    assert len(set(tokens)) == 1
    credential = azcred.ManagedIdentityCredential()
    assert credential.get_token_info(wanted, options={"claims": "", "tenant_id": ""}).token == tokens[0].token
    assert app_service.tokens() == 1


def test_the_stubs_are_true(tmp_path: Path) -> None:
    # The stub has the further keywords of azure-core's protocol, which at run time are none.
    allowed = tmp_path / "allowed"
    allowed.write_text("azcred._azcred.Credential.get_token\n")
    command = [sys.executable, "-m", "mypy.stubtest", "--ignore-disjoint-bases", "--allowlist", allowed]
    run([*command, "azcred._azcred", "azcred._token"])
    keywords = ["self", "scopes", "claims", "tenant_id", "enable_cae", "timeout", "min_ttl"]
    for method in (azcred.DefaultAzureCredential.get_token, azcred.aio.DefaultAzureCredential.get_token):
        assert list(inspect.signature(method).parameters) == keywords
