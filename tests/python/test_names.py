"""What `azure.identity` exports: all of it is here."""

from __future__ import annotations

import inspect
from types import ModuleType

import azcred
import azcred.aio
import azure.identity
import azure.identity.aio
import pytest

PAIRS = [(azcred, azure.identity), (azcred.aio, azure.identity.aio)]
both = pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=["sync", "aio"])


@both
def test_every_name_is_here(ours: ModuleType, theirs: ModuleType) -> None:
    assert [name for name in theirs.__all__ if not hasattr(ours, name)] == []


@both
def test_every_name_is_listed_and_there(ours: ModuleType, theirs: ModuleType) -> None:
    assert {name for name in theirs.__all__ if hasattr(ours, name)} <= set(ours.__all__)
    for name in ours.__all__:
        assert hasattr(ours, name), name
        kind = inspect.isclass(getattr(ours, name))
        assert kind == inspect.isclass(getattr(theirs, name, getattr(ours, name))), name


def test_the_authorities() -> None:
    for name in ("AzureAuthorityHosts", "KnownAuthorities"):
        ours, theirs = getattr(azcred, name), getattr(azure.identity, name)
        for constant in ("AZURE_CHINA", "AZURE_GOVERNMENT", "AZURE_PUBLIC_CLOUD"):
            assert getattr(ours, constant) == getattr(theirs, constant)
    assert issubclass(azcred.KnownAuthorities, azcred.AzureAuthorityHosts)


@both
def test_the_same_arguments_come_first(ours: ModuleType, theirs: ModuleType) -> None:
    for name in set(theirs.__all__) & set(ours.__all__):
        ordinary = [
            [
                parameter.name
                for parameter in inspect.signature(getattr(module, name)).parameters.values()
                if parameter.kind is not parameter.VAR_KEYWORD and parameter.kind is not parameter.KEYWORD_ONLY
            ]
            for module in (ours, theirs)
            if inspect.isclass(getattr(module, name)) and name.endswith("Credential")
        ]
        assert not ordinary or ordinary[0] == ordinary[1] or name == "SharedTokenCacheCredential", name
