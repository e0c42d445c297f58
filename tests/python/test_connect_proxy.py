"""The proxy that leads production names to the emulator: it does, and leads nowhere else."""

from __future__ import annotations

import threading

import azure.identity
import pytest
import requests
from conftest import AZCRED, STORAGE, Emulator, run
from connect_proxy import ConnectProxy
from tokens import verified


def test_it_leads_the_names_it_knows(
    emulator: Emulator, connect_proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (connect_proxy.env() | {"REQUESTS_CA_BUNDLE": emulator["ca_file"]}).items():
        monkeypatch.setenv(name, value)
    credential = azure.identity.ClientSecretCredential(
        emulator["tenant_id"], emulator["client_id"], emulator["client_secret"]
    )
    theirs = credential.get_token(STORAGE).token
    environment = emulator.application() | connect_proxy.env()
    del environment["AZURE_AUTHORITY_HOST"]
    ours = run([AZCRED, "token", "--scope", STORAGE], environment).stdout.strip()
    assert set(connect_proxy.led) == {"login.microsoftonline.com"}
    assert {one["host"] for one in emulator.requests()} == {"login.microsoftonline.com"}
    for token in (theirs, ours):
        assert verified(emulator, token, "https://storage.azure.com")["appid"] == emulator["client_id"]


def test_it_leads_nowhere_else(connect_proxy: ConnectProxy) -> None:
    for address in ("https://elsewhere.example/", "http://login.microsoftonline.com/"):
        proxies = {"https": connect_proxy.url, "http": connect_proxy.url}
        if address.startswith("https"):
            with pytest.raises(requests.exceptions.ProxyError):
                requests.get(address, proxies=proxies, timeout=10)
        else:
            assert requests.get(address, proxies=proxies, timeout=10).status_code == 403
    assert connect_proxy.refused == ["elsewhere.example:443", "http://login.microsoftonline.com/"]


def test_it_ends_with_its_connections(emulator: Emulator, connect_proxy: ConnectProxy) -> None:
    before = threading.active_count()
    with ConnectProxy(connect_proxy.names) as proxy, requests.Session() as session:
        session.get(
            "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration",
            proxies={"https": proxy.url},
            verify=emulator["ca_file"],
            timeout=10,
        ).raise_for_status()
        assert threading.active_count() > before
    assert threading.active_count() == before
