"""A pod of AKS with an identity binding: azcred and the published azure-identity ask the same token proxy."""

from __future__ import annotations

import asyncio
import itertools
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import azcred
import azcred.aio
import azure.identity
import azure.identity.aio
import pytest
from conftest import Emulator
from tokens import verified

NUMBERS = itertools.count()


def sync_token(module: Any, scope: str, **options: Any) -> str:
    """Ask with the blocking class."""
    with module.WorkloadIdentityCredential(enable_azure_proxy=True, **options) as credential:
        return credential.get_token(scope).token  # type: ignore[no-any-return]


def aio_token(module: Any, scope: str, **options: Any) -> str:
    """Ask with the class for asyncio."""

    async def main() -> str:
        async with module.aio.WorkloadIdentityCredential(enable_azure_proxy=True, **options) as credential:
            return (await credential.get_token(scope)).token  # type: ignore[no-any-return]

    return asyncio.run(main())


each = pytest.mark.parametrize("module", [azcred, azure.identity], ids=["azcred", "azure.identity"])
asked = pytest.mark.parametrize("ask", [sync_token, aio_token], ids=["sync", "aio"])


@pytest.fixture
def pod(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Make this process a pod. Nobody vouches for the authority, so that only the proxy can be asked."""
    for name, value in {
        "AZURE_TENANT_ID": emulator["tenant_id"],
        "AZURE_CLIENT_ID": emulator["workload_client_id"],
        "AZURE_FEDERATED_TOKEN_FILE": emulator["federated_token_file"],
        "AZURE_AUTHORITY_HOST": emulator["https"],
        "AZURE_KUBERNETES_TOKEN_PROXY": emulator["token_proxy"],
        "AZURE_KUBERNETES_CA_FILE": emulator["token_proxy_ca_file"],
    }.items():
        monkeypatch.setenv(name, value)
    return emulator


def resource() -> str:
    """Give a resource that nobody has asked for: azcred keeps tokens for the whole process."""
    return f"https://token-proxy-{next(NUMBERS)}.example"


@asked
@pytest.mark.parametrize("named", [False, True], ids=["host", "sni"])
def test_both_ask_it_the_same(
    pod: Emulator, monkeypatch: pytest.MonkeyPatch, ask: Callable[..., str], *, named: bool
) -> None:
    if named:
        monkeypatch.setenv("AZURE_KUBERNETES_SNI_NAME", pod["token_proxy_sni"])
    audience = resource()
    for module in (azcred, azure.identity):
        token = ask(module, f"{audience}/.default")
        assert verified(pod, token, audience)["appid"] == pod["workload_client_id"]
    # Whoever checks a token asks for the keys; flights of other tests may still be under way.
    ours, theirs = (seen for seen in pod.requests() if audience in str(seen["form"]))
    for seen in (ours, theirs):
        assert (seen["endpoint"], seen["sni"]) == ("token_proxy", pod["token_proxy_sni"] if named else "localhost")
    assert (ours["path"], ours["headers"]["host"]) == (theirs["path"], theirs["headers"]["host"])
    assert ours["form"] == {name: value for name, value in theirs["form"].items() if name != "client_info"}


@each
def test_its_certificate_may_be_replaced(
    pod: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, module: Any
) -> None:
    file = tmp_path / "ca.pem"
    monkeypatch.setenv("AZURE_KUBERNETES_CA_FILE", str(file))
    shutil.copy(pod["token_proxy_ca_file"], file)
    with module.WorkloadIdentityCredential(enable_azure_proxy=True, retry_total=0) as credential:
        assert credential.get_token(f"{resource()}/.default").token
        file.write_text("")
        assert credential.get_token(f"{resource()}/.default").token
        shutil.copy(pod["ca_file"], file)
        with pytest.raises(Exception, match=r"(?i)certificate"):
            credential.get_token(f"{resource()}/.default")
        shutil.copy(pod["token_proxy_ca_file"], file)
        assert credential.get_token(f"{resource()}/.default").token


@each
def test_a_file_without_certificates_is_an_error(
    pod: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, module: Any
) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("")
    monkeypatch.setenv("AZURE_KUBERNETES_CA_FILE", str(file))
    with pytest.raises(ValueError, match=re.escape(str(file))):
        sync_token(module, f"{resource()}/.default")
    assert not pod.requests()


@asked
@each
def test_nobody_else_vouches_for_it(
    pod: Emulator, monkeypatch: pytest.MonkeyPatch, module: Any, ask: Callable[..., str]
) -> None:
    monkeypatch.setenv("AZURE_KUBERNETES_CA_FILE", pod["ca_file"])
    with pytest.raises(Exception, match=r"(?i)certificate"):
        ask(module, f"{resource()}/.default", retry_total=0)
    # requests adds its own roots to those that azure-identity names.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", pod["token_proxy_ca_file"])
    monkeypatch.setenv("SSL_CERT_FILE", pod["token_proxy_ca_file"])
    try:
        accepted = bool(ask(module, f"{resource()}/.default", retry_total=0))
    except Exception as error:
        accepted = False
        assert "certificate" in str(error).lower()
    assert accepted == (module is azure.identity and ask is sync_token)


MISTAKES = {
    "plain": {"AZURE_KUBERNETES_TOKEN_PROXY": "http://localhost"},
    "user": {"AZURE_KUBERNETES_TOKEN_PROXY": "https://u:p@localhost"},
    "query": {"AZURE_KUBERNETES_TOKEN_PROXY": "https://localhost?q=1"},
    "fragment": {"AZURE_KUBERNETES_TOKEN_PROXY": "https://localhost#f"},
    "file and data": {"AZURE_KUBERNETES_CA_DATA": "x"},
    "no proxy": {"AZURE_KUBERNETES_TOKEN_PROXY": ""},
}


@each
@pytest.mark.usefixtures("pod")
@pytest.mark.parametrize("variables", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_noticed_when_the_credential_is_made(
    monkeypatch: pytest.MonkeyPatch, module: Any, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for classes in (module, module.aio):
        with pytest.raises(ValueError, match=r"AZURE_KUBERNETES|URL|ca_file"):
            classes.WorkloadIdentityCredential(enable_azure_proxy=True)


@asked
@each
def test_without_its_variables_the_authority_is_asked(
    pod: Emulator, monkeypatch: pytest.MonkeyPatch, module: Any, ask: Callable[..., str]
) -> None:
    monkeypatch.delenv("AZURE_KUBERNETES_TOKEN_PROXY")
    monkeypatch.delenv("AZURE_KUBERNETES_CA_FILE")
    assert ask(module, f"{resource()}/.default", connection_verify=pod["ca_file"])
    assert [request["endpoint"] for request in pod.requests()] == ["entra_token"]
