"""Every option that azure-identity and azure-core know is known here: taken, or refused with the reason."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import azcred
import azcred.aio
import azure.core
import azure.identity
import azure.identity.aio
import pytest

PAIRS = [(azcred, azure.identity), (azcred.aio, azure.identity.aio)]
both = pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=["sync", "aio"])

NOT_OF_A_CREDENTIAL = {"credential", "decompress", "enable_cae", "name", "pipeline", "prefix", "response"}
"""Parts of azure-core's own classes, and of one request."""

REFUSED = {
    "base_headers",
    "connection_cert",
    "headers",
    "policies",
    "raw_request_hook",
    "raw_response_hook",
    "retry_policy_class",
    "session",
    "transport",
}
"""What a caller relies on, and azcred has not: an error says why."""


APPLICATION = {"tenant_id": "t", "client_id": "c"}
NEEDED: dict[str, dict[str, Any]] = {
    "ClientSecretCredential": APPLICATION | {"client_secret": "s"},
    "CertificateCredential": APPLICATION | {"certificate_path": "/nowhere"},
    "ClientAssertionCredential": APPLICATION | {"func": lambda: "x"},
    "AzurePipelinesCredential": APPLICATION | {"service_connection_id": "s", "system_access_token": "x"},
    "OnBehalfOfCredential": APPLICATION | {"user_assertion": "u", "client_secret": "s"},
    "AuthorizationCodeCredential": APPLICATION | {"authorization_code": "a", "redirect_uri": "http://localhost"},
    "UsernamePasswordCredential": {"client_id": "c", "username": "u", "password": "p"},
    "WorkloadIdentityCredential": APPLICATION | {"token_file_path": "/nowhere"},
}
"""What a credential can't do without."""


def keywords(credential: type) -> set[str]:
    """Give the names that a class of azure-identity documents, or has in its signature."""
    constructor = credential.__init__  # type: ignore[misc]
    documented = f"{inspect.getdoc(credential)}\n{inspect.getdoc(constructor)}"
    named = {
        name
        for name, parameter in inspect.signature(constructor).parameters.items()
        if name != "self" and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    }
    return named | set(re.findall(r":keyword (?:[^:]*? )?(\w+):", documented))


def said(ours: ModuleType, credential: str, name: str, value: Any = None) -> str:
    """Make a credential with one option, and give what is wrong with that."""
    try:
        getattr(ours, credential)(**(NEEDED.get(credential, {}) | {name: value}))
    except (ValueError, TypeError, azcred.CredentialUnavailableError) as error:
        return str(error)
    return ""


@both
def test_every_keyword_of_a_credential(ours: ModuleType, theirs: ModuleType) -> None:
    """No name of a class of theirs is unknown to the class of that name here."""
    names = [name for name in theirs.__all__ if name.endswith("Credential") and name != "ChainedTokenCredential"]
    assert len(names) > 12
    known = {credential: keywords(getattr(theirs, credential)) for credential in names}
    assert sum(map(len, known.values())) > 80
    unknown = [
        f"{credential}: {name}"
        for credential, options in known.items()
        for name in options
        if re.search("unknown option|unexpected keyword", said(ours, credential, name))
    ]
    assert unknown == []
    for credential in names:
        assert "bogus" in said(ours, credential, "bogus")


def of_pipelines() -> Iterator[str]:
    """Give the names that azure-core's source reads from its keywords, which are those of a credential."""
    core = Path(azure.core.__file__).parent
    own = Path(azure.identity.__file__).parent / "_internal" / "pipeline.py"
    parts = [*core.glob("pipeline/policies/*.py"), *core.glob("pipeline/transport/*.py")]
    for file in [core / "configuration.py", own, *parts]:
        for function in ast.walk(ast.parse(file.read_text())):
            makes = ("__init__", "build_pipeline", "build_async_pipeline")
            if not isinstance(function, ast.FunctionDef) or function.name not in makes:
                continue
            if function.args.kwarg:
                yield from (argument.arg for argument in [*function.args.args, *function.args.kwonlyargs])
            for call in ast.walk(function):
                match call:
                    case ast.Call(ast.Attribute(ast.Name("kwargs"), "pop" | "get"), args=[ast.Constant(str(name)), *_]):
                        yield name


def test_every_name_of_azure_core() -> None:
    names = set(of_pipelines()) - NOT_OF_A_CREDENTIAL - {"self"}
    assert len(names) > 40
    for credential in ("ManagedIdentityCredential", "AzureCliCredential", "DefaultAzureCredential"):
        assert [name for name in sorted(names) if said(azcred, credential, name)] == []
    reasons = {name: said(azcred, "ManagedIdentityCredential", name, object()) for name in names}
    assert {name for name, sentence in reasons.items() if "is not supported: " in sentence} == REFUSED
