"""The credentials that sign in to Entra ID, and what the program gives them: functions, records, codes."""

from __future__ import annotations

import asyncio
import gc
import inspect
import signal
import ssl
import threading
import time
import urllib.parse
import urllib.request
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import azcred
import azcred.aio
import azure.identity
import azure.identity.aio
import pytest
from conftest import STORAGE, Emulator, python


@pytest.fixture
def entra(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Make the emulator this process's authority."""
    monkeypatch.setenv("SSL_CERT_FILE", emulator["ca_file"])
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", emulator["https"])
    monkeypatch.setenv("SYSTEM_OIDCREQUESTURI", emulator["pipelines_uri"])
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", emulator["federated_token_file"])
    return emulator


def assertion(entra: Emulator) -> str:
    return Path(entra["federated_token_file"]).read_text()


def user_token(entra: Emulator) -> str:
    body = {"username": entra["username"], "client_id": entra["client_id"]}
    return entra.call("POST", "/user-token", body)["access_token"]  # type: ignore[no-any-return]


def code(entra: Emulator) -> str:
    """Sign the first user in as a browser would; give the code that comes back."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    context = ssl.create_default_context(cafile=entra["ca_file"])
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context), Stay
    )
    query = urllib.parse.urlencode(
        {
            "client_id": entra["client_id"],
            "response_type": "code",
            "redirect_uri": "http://localhost",
            "scope": f"{STORAGE} openid offline_access",
        }
    )
    with pytest.raises(urllib.error.HTTPError) as answer:
        opener.open(f"{entra['https']}/{entra['tenant_id']}/oauth2/v2.0/authorize?{query}", timeout=10)
    location = answer.value.headers["location"]
    answer.value.close()
    return urllib.parse.parse_qs(urllib.parse.urlsplit(location).query)["code"][0]


Make = Callable[[Any, Emulator], Any]

APPLICATIONS: dict[str, Make] = {
    "assertion": lambda door, e: door.ClientAssertionCredential(
        e["tenant_id"], e["workload_client_id"], lambda: assertion(e)
    ),
    "assertion in bytes": lambda door, e: door.ClientAssertionCredential(
        e["tenant_id"], e["workload_client_id"], lambda: assertion(e).encode()
    ),
    "workload": lambda door, e: door.WorkloadIdentityCredential(
        tenant_id=e["tenant_id"], client_id=e["workload_client_id"]
    ),
    "workload by path": lambda door, e: door.WorkloadIdentityCredential(
        tenant_id=e["tenant_id"],
        client_id=e["workload_client_id"],
        token_file_path=Path(e["federated_token_file"]),
    ),
    "pipelines": lambda door, e: door.AzurePipelinesCredential(
        tenant_id=e["tenant_id"],
        client_id=e["pipelines_client_id"],
        service_connection_id=e["pipelines_service_connection_id"],
        system_access_token=e["pipelines_token"],
    ),
    "on behalf of, secret": lambda door, e: door.OnBehalfOfCredential(
        e["tenant_id"], e["client_id"], client_secret=e["client_secret"], user_assertion=user_token(e)
    ),
    "on behalf of, function": lambda door, e: door.OnBehalfOfCredential(
        e["tenant_id"], e["client_id"], client_assertion_func=lambda: assertion(e), user_assertion=user_token(e)
    ),
    "code": lambda door, e: door.AuthorizationCodeCredential(
        e["tenant_id"], e["client_id"], code(e), "http://localhost", client_secret=e["client_secret"]
    ),
}


@pytest.mark.parametrize("name", APPLICATIONS)
@pytest.mark.parametrize("door", [azcred, azcred.aio], ids=["sync", "aio"])
def test_a_token(entra: Emulator, name: str, door: Any) -> None:
    credential = APPLICATIONS[name](door, entra)
    got = credential.get_token(STORAGE)
    token = asyncio.run(got) if door is azcred.aio else got
    assert token.provenance["credential"] == type(credential).__name__
    assert token.expires_on > time.time()


def broken() -> str:
    raise OSError("no\n key")


@pytest.mark.parametrize(
    ("func", "sentence"),
    [
        (broken, "failed: OSError: no key"),
        (lambda: None, "gave no text"),
        (lambda: "", "gave no text"),
        (lambda: 5, "failed: it gave an object of type int, expected text"),
        (lambda: "\ud800", "failed: it gave text that is not Unicode"),
        (lambda wanted: "", "failed: TypeError"),
    ],
)
def test_a_function_that_gives_no_assertion(entra: Emulator, func: Any, sentence: str) -> None:
    credential = azcred.ClientAssertionCredential(entra["tenant_id"], entra["client_id"], func)
    with pytest.raises(azcred.AuthenticationFailedError) as failed:
        credential.get_token(STORAGE)
    assert sentence in failed.value.message
    assert "\n" not in failed.value.message
    assert not entra.requests()


@pytest.mark.parametrize(
    "make",
    [
        lambda: azcred.ClientAssertionCredential("t", "c", "jwt"),  # type: ignore[arg-type]
        lambda: azcred.DeviceCodeCredential(prompt_callback=5),  # type: ignore[arg-type]
        lambda: azcred.ClientSecretCredential("t", "c", print),  # type: ignore[arg-type]
        lambda: azcred.ClientSecretCredential("t", "c", b"\xff"),  # type: ignore[arg-type]
        lambda: azcred.DeviceCodeCredential(authentication_record="{}"),
        lambda: azcred.OnBehalfOfCredential("t", "c", user_assertion="u"),
    ],
)
def test_options_of_another_type(make: Callable[[], Any]) -> None:
    with pytest.raises(azcred.InvalidConfigurationError, match="expected"):
        make()


def test_a_slow_function_is_called_once_and_keeps_nobody_else_waiting(entra: Emulator) -> None:
    calls, go = [], threading.Event()

    def func() -> str:
        calls.append(threading.current_thread())
        assert go.wait(30)
        return assertion(entra)

    slow = azcred.ClientAssertionCredential(entra["tenant_id"], entra["workload_client_id"], func)
    fast = azcred.ClientSecretCredential(entra["tenant_id"], entra["client_id"], entra["client_secret"])
    with ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(slow.get_token, "https://slow.example/.default") for _ in range(20)]
        assert fast.get_token("https://fast.example/.default").token
        with pytest.raises(azcred.WaitTimeoutError):
            slow.get_token("https://slow.example/.default", timeout=0.01)
        go.set()
        assert len({token.result(30).token for token in waiting}) == 1
    assert len(calls) == 1
    assert threading.main_thread() not in calls


def test_a_function_may_ask_another_credential(entra: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in entra.app_service().items():
        monkeypatch.setenv(name, value)
    identity = azcred.ManagedIdentityCredential()

    def func() -> str:
        assert identity.get_token("api://nested/.default").token
        return assertion(entra)

    credential = azcred.ClientAssertionCredential(entra["tenant_id"], entra["workload_client_id"], func)
    assert azcred.ChainedTokenCredential(credential).get_token("https://nested.example/.default").token


def test_twenty_tasks_call_the_function_once(entra: Emulator) -> None:
    calls = []

    def func() -> str:
        calls.append(1)
        return assertion(entra)

    async def main() -> None:
        async with azcred.aio.ClientAssertionCredential(
            entra["tenant_id"], entra["workload_client_id"], func
        ) as credential:
            tokens = await asyncio.gather(*(credential.get_token("https://tasks.example/.default") for _ in range(20)))
            assert len({token.token for token in tokens}) == 1

    asyncio.run(main())
    assert len(calls) == 1


def test_a_function_that_leads_to_its_credential_keeps_nothing_alive() -> None:
    class Service:
        def __init__(self) -> None:
            own = azcred.ClientAssertionCredential("t", "c", self.func)
            self.chain = azcred.ChainedTokenCredential(own, azcred.ClientAssertionCredential("t", "c", self.func))

        def func(self) -> str:
            return ""

    services = [weakref.ref(Service()) for _ in range(10)]
    gc.collect()
    assert not [service for service in services if service() is not None]


def test_a_program_ends_after_its_function(entra: Emulator) -> None:
    """The function runs while the interpreter ends, and asks a credential then."""
    script = """
import sys, threading, time, azcred
began = threading.Event()
def func():
    began.set()
    time.sleep(0.5)
    try:
        azcred.ClientSecretCredential("t", "c", "s", authority="localhost:1").get_token("x")
    except azcred.AzcredError as error:
        print('"' + type(error).__name__ + '"', flush=True)
    return "jwt"
credential = azcred.ClientAssertionCredential("t", "c", func)
threading.Thread(target=credential.get_token, args=["x"], daemon=True).start()
began.wait()
"""
    assert python(script) == "TransientError"


def approve(entra: Emulator, username: str | None = None) -> Callable[[str, str, datetime], None]:
    """Give a callback whose user signs in at once."""

    def prompt(verification_uri: str, user_code: str, expires_on: datetime) -> None:
        assert verification_uri.startswith("https://")
        assert expires_on.tzinfo is timezone.utc
        assert timedelta(0) < expires_on - datetime.now(timezone.utc) <= timedelta(minutes=15)
        user = {"username": username} if username else {}
        entra.call("POST", "/devicecode", {"user_code": user_code, "action": "approve", **user})

    return prompt


def test_a_device_code_and_its_record(entra: Emulator) -> None:
    credential = azcred.DeviceCodeCredential(
        entra["public_client_id"],
        tenant_id=entra["tenant_id"],
        prompt_callback=approve(entra),
        disable_automatic_authentication=True,
    )
    with pytest.raises(azcred.AuthenticationRequiredError) as required:
        credential.get_token(STORAGE, claims='{"a":1}')
    assert isinstance(required.value, azcred.CredentialUnavailableError)
    assert (required.value.scopes, required.value.claims) == ((STORAGE,), '{"a":1}')

    record = credential.authenticate(scopes=required.value.scopes, claims=required.value.claims, timeout=30)
    assert record.username == entra["username"]
    theirs = azure.identity.AuthenticationRecord.deserialize(record.serialize())
    assert azcred.AuthenticationRecord.deserialize(theirs.serialize()) == record
    assert credential.get_token(STORAGE).token
    assert credential.get_token("https://vault.azure.net/.default").token, "by the refresh token"

    for given in (record, record.serialize(), theirs):
        again = azcred.DeviceCodeCredential(
            entra["public_client_id"],
            tenant_id=entra["tenant_id"],
            authentication_record=given,
            prompt_callback=approve(entra, entra["mfa_username"]),
        )
        with pytest.raises(azcred.AuthenticationFailedError, match="expected a sign-in of alex"):
            again.get_token(STORAGE)


def test_a_prompt_that_fails_ends_the_sign_in(entra: Emulator) -> None:
    def prompt(*_: Any) -> None:
        raise LookupError("no display")

    credential = azcred.DeviceCodeCredential(entra["public_client_id"], prompt_callback=prompt)
    with pytest.raises(azcred.AuthenticationFailedError, match="LookupError: no display"):
        credential.authenticate()

    async def later(*_: Any) -> None:
        """Show nothing, since nobody awaits it."""

    credential = azcred.DeviceCodeCredential(entra["public_client_id"], prompt_callback=later)
    with pytest.raises(azcred.AuthenticationFailedError, match="it is a coroutine function, expected an ordinary one"):
        credential.authenticate()


def test_a_signal_ends_the_wait_for_the_user(entra: Emulator) -> None:
    credential = azcred.DeviceCodeCredential(entra["public_client_id"], prompt_callback=lambda *_: None)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            credential.authenticate()
        assert time.monotonic() - began < 5
    finally:
        signal.signal(signal.SIGALRM, before)


def test_a_password(entra: Emulator) -> None:
    credential = azcred.UsernamePasswordCredential(
        entra["public_client_id"], entra["username"], entra["password"], tenant_id=entra["tenant_id"]
    )
    assert credential.get_token(STORAGE).token
    assert credential.authenticate().username == entra["username"]


@pytest.mark.parametrize("data", ["", "{}", "[]", '{"version":"2.0"}', 'x"'])
def test_records_that_are_none(data: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        azcred.AuthenticationRecord.deserialize(data)


def test_nobody_signs_in_to_an_application(entra: Emulator) -> None:
    credential = azcred.ClientSecretCredential("t", "c", "s")
    with pytest.raises(azcred.InvalidArgumentError, match="no user who could sign in"):
        credential._authenticate((), {})


@pytest.mark.parametrize(
    ("ours", "theirs"), [(azcred, azure.identity), (azcred.aio, azure.identity.aio)], ids=["sync", "aio"]
)
def test_positional_arguments_are_the_peers(ours: Any, theirs: Any) -> None:
    for name in set(ours.__all__) & set(theirs.__all__):
        their = getattr(theirs, name)
        if not isinstance(their, type) or not name.endswith("Credential"):
            continue
        positional = [
            parameter.name
            for parameter in list(inspect.signature(their.__init__).parameters.values())[1:]
            if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        ]
        mine = [
            parameter.name
            for parameter in list(inspect.signature(getattr(ours, name).__init__).parameters.values())[1:]
            if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        ]
        assert mine == positional, name
