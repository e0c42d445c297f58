"""Credentials as Python's objects: extended, copied, pickled, collected; beside azure-identity's."""

from __future__ import annotations

import copy
import gc
import inspect
import json
import pickle
import sys
import weakref
from pathlib import Path
from typing import Any

import azcred
import azcred.aio
import azure.identity
import azure.identity.aio
import pytest
from conftest import Emulator, run

SCOPE = "https://objects.example/.default"


def assertion() -> str:
    """Stand for a function that gives one."""
    return "a.b.c"


def arguments(emulator: Emulator) -> dict[str, dict[str, Any]]:
    """Give what each class needs."""
    application = {"tenant_id": "t", "client_id": "c"}
    return {
        "AuthorizationCodeCredential": application
        | {"authorization_code": "x", "redirect_uri": "http://localhost", "client_secret": "s"},
        "AzureCliCredential": {"process_timeout": 3, "additionally_allowed_tenants": ["a", "*"]},
        "AzureDeveloperCliCredential": {},
        "AzurePipelinesCredential": application | {"service_connection_id": "s", "system_access_token": "x"},
        "AzurePowerShellCredential": {},
        "CertificateCredential": application
        | {"certificate_data": Path(emulator["certificate_file"]).read_bytes(), "send_certificate_chain": True},
        "ClientAssertionCredential": application | {"func": assertion},
        "ClientSecretCredential": application | {"client_secret": "s", "connection_timeout": 2.5},
        "DefaultAzureCredential": {"exclude_cli_credential": True, "logging_enable": True},
        "DeviceCodeCredential": {"client_id": "c"},
        "EnvironmentCredential": {},
        "HostCredential": {"identity": "x"},
        "InteractiveBrowserCredential": {"login_hint": "alex"},
        "ManagedIdentityCredential": {"identity_config": {"object_id": "o"}},
        "OnBehalfOfCredential": application | {"user_assertion": "u", "client_secret": "s"},
        "SharedTokenCacheCredential": {"username": "alex"},
        "UsernamePasswordCredential": {"client_id": "c", "username": "u", "password": "p"},
        "VisualStudioCodeCredential": {},
        "WorkloadIdentityCredential": application | {"token_file_path": Path("/nowhere")},
    }


def pickled(thing: Any, protocol: int = pickle.DEFAULT_PROTOCOL) -> Any:
    """Give what comes out of its pickle."""
    return pickle.loads(pickle.dumps(thing, protocol))  # noqa: S301  # our own


def classes(module: Any) -> set[str]:
    """Give the names of the credentials that take options."""
    return {
        name
        for name in module.__all__
        if name.endswith("Credential") and inspect.isclass(getattr(module, name)) and name != "ChainedTokenCredential"
    }


@pytest.mark.parametrize(
    ("ours", "theirs"), [(azcred, azure.identity), (azcred.aio, azure.identity.aio)], ids=["sync", "aio"]
)
def test_all_can_be_pickled_and_copied(ours: Any, theirs: Any, emulator: Emulator) -> None:
    given = arguments(emulator)
    assert classes(ours) <= set(given)
    for name in classes(ours):
        cls = getattr(ours, name)
        credential = cls(**given[name])
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            again = pickled(credential, protocol)
            assert type(again) is cls, name
            # What it was made of went along.
            assert pickle.dumps(again, protocol) == pickle.dumps(credential, protocol), name
        for other in (copy.copy(credential), copy.deepcopy(credential)):
            assert type(other) is cls, name
            assert other is not credential
    chain = ours.ChainedTokenCredential(ours.EnvironmentCredential(), ours.ManagedIdentityCredential(client_id="x"))
    again = pickled(chain)
    assert [type(member).__name__ for member in again.credentials] == [
        "EnvironmentCredential",
        "ManagedIdentityCredential",
    ]
    # As theirs.
    pickled(theirs.ChainedTokenCredential(theirs.AzureCliCredential()))


def test_a_copy_has_the_same_tokens(app_service: Emulator) -> None:
    credential = azcred.ManagedIdentityCredential()
    token = credential.get_token(SCOPE)
    for other in (copy.copy(credential), copy.deepcopy(credential), pickled(credential)):
        assert other.get_token(SCOPE) is token
    assert app_service.tokens() == 1


class Extended(azcred.ManagedIdentityCredential):
    """A program's class: arguments and attributes of its own."""

    def __init__(self, purpose: list[str]) -> None:
        """Take something that azcred knows nothing of."""
        super().__init__()
        self.purpose = purpose


class ExtendedLater(azcred.aio.ManagedIdentityCredential):
    """The same for asyncio."""

    def __init__(self, purpose: list[str]) -> None:
        """Take something that azcred knows nothing of."""
        super().__init__()
        self.purpose = purpose


@pytest.mark.parametrize("cls", [Extended, ExtendedLater])
def test_a_class_may_have_arguments_of_its_own(cls: Any) -> None:
    credential = cls(["reports"])
    assert credential.purpose == ["reports"]
    assert copy.copy(credential).purpose is credential.purpose
    deep = copy.deepcopy(credential)
    assert (deep.purpose, deep.purpose is credential.purpose) == (["reports"], False)
    again = pickled(credential)
    assert (type(again), again.purpose) == (cls, ["reports"])
    # As in azure-identity.
    assert inspect.signature(cls) == inspect.signature(type("Theirs", (object,), {"__init__": cls.__init__}))


class Forgetful(azcred.ManagedIdentityCredential):
    """A class that does not make what it extends."""

    def __init__(self) -> None:
        """Do nothing."""


def test_a_class_that_does_not_make_itself_is_told() -> None:
    credential = Forgetful()
    calls = [
        lambda: credential.get_token(SCOPE),
        lambda: credential.get_token_info(SCOPE),
        lambda: credential.reject("x"),
        credential.statistics,
        lambda: copy.copy(credential),
        lambda: pickle.dumps(credential),
        lambda: azcred.ChainedTokenCredential(credential),
    ]
    for call in calls:
        with pytest.raises(azcred.InvalidConfigurationError, match=r"^Forgetful: its __init__ did not call"):
            call()
    assert repr(credential).startswith("<")
    made = azcred.ManagedIdentityCredential()
    with pytest.raises(azcred.InvalidConfigurationError, match="made already"):
        made.__init__()  # type: ignore[misc]


def test_other_processes_get_them(app_service: Emulator, tmp_path: Path) -> None:
    """A pool whose workers are new processes, not forks, and import their parent's main module."""
    program = tmp_path / "pool.py"
    program.write_text("""
import multiprocessing, azcred

def ask(credential):
    return credential.get_token("https://pool.example/.default").provenance["source"]

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(ask, [azcred.ManagedIdentityCredential()]))
""")
    assert run([sys.executable, program], app_service.app_service()).stdout == "['app_service']\n"


def test_circles_are_collected() -> None:
    """Through functions and members, of copies too: each reference is shown to the collector once."""

    class Holder:
        """A credential and a member, in a circle."""

        def get_token(self, *_: str) -> None:
            """Give nothing."""

    gone = []
    for _ in range(3):
        holder = Holder()
        assertions = azcred.ClientAssertionCredential("t", "c", lambda holder=holder: str(holder))
        chain = azcred.ChainedTokenCredential(assertions, holder, azcred.ChainedTokenCredential(holder))
        holder.chain = [chain, copy.copy(chain), copy.deepcopy(assertions), copy.copy(copy.copy(chain))]
        gone.append(weakref.ref(holder))
        kept = copy.copy(chain)
        del holder, assertions, chain
        gc.collect()
        # What somebody has is there.
        assert gone[-1]() is not None
        assert kept.credentials[1] is gone[-1]()
        del kept
    gc.collect()
    assert [ref() for ref in gone] == [None] * 3


def test_a_pickle_of_a_member_of_the_default_chain_is_refused() -> None:
    with pytest.raises(TypeError, match="pickle the chain"):
        pickle.dumps(azcred.DefaultAzureCredential().credentials[0])


def test_errors_can_be_pickled() -> None:
    with pytest.raises(azcred.CredentialUnavailableError) as caught:
        azcred.DefaultAzureCredential(
            exclude_managed_identity_credential=True,
            exclude_cli_credential=True,
            exclude_powershell_credential=True,
            exclude_developer_cli_credential=True,
        ).get_token(SCOPE)
    again = pickled(caught.value)
    assert (type(again), str(again), len(again.attempts)) == (type(caught.value), str(caught.value), 5)
    required = azcred.AuthenticationRequiredError(["s"], "sign in", claims="{}")
    again = pickled(required)
    assert (again.scopes, str(again), again.message, again.claims) == (["s"], "sign in", "sign in", "{}")
    assert json.dumps(str(copy.copy(required))) == '"sign in"'
