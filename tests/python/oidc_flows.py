"""Goes through azcred's flows at the server of `oidc_entra.py`: `oidc_flows.py SERVER`, prints what came of each."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
import urllib.parse
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import azcred
import jwt
from oidc_entra import OidcEntra

BACK = "http://localhost:5000"
BROWSER = """#!{python}
import json, os, sys
if os.fork():
    # As a desktop's opener, it comes back before the page does.
    os._exit(0)
sys.path.insert(0, {folder!r})
from oidc_entra import OidcEntra
OidcEntra(**json.loads({server!r})).browse(sys.argv[-1])
"""


def by_secret(server: OidcEntra, secret: str) -> azcred.ClientSecretCredential:
    """Make the credential of a secret."""
    return azcred.ClientSecretCredential(server.tenant_id, server.secret_client_id, secret, authority=server.authority)


def by_certificate(server: OidcEntra, client: str) -> azcred.CertificateCredential:
    """Make the credential of the certificate, for that client."""
    file = server.certificate_file
    return azcred.CertificateCredential(server.tenant_id, client, file, authority=server.authority)


def by_assertion(server: OidcEntra, client: str) -> azcred.ClientAssertionCredential:
    """Make the credential of an assertion that the certificate's client signs."""

    def assertion() -> str:
        now = int(time.time())
        said = {
            "iss": server.certificate_client_id,
            "sub": server.certificate_client_id,
            "aud": f"{server.authority}/{server.tenant_id}/oauth2/v2.0/token",
            "jti": str(uuid.uuid4()),
            "iat": now,
            "exp": now + 300,
        }
        return jwt.encode(said, server.key_pem, "RS256")

    return azcred.ClientAssertionCredential(server.tenant_id, client, assertion, authority=server.authority)


def code(server: OidcEntra) -> str:
    """Sign in, and take the code out of the address."""
    query = {
        "client_id": server.secret_client_id,
        "response_type": "code",
        "redirect_uri": BACK,
        "scope": f"{server.scope} openid profile offline_access",
    }
    address = f"{server.authority}/{server.tenant_id}/oauth2/v2.0/authorize?{urllib.parse.urlencode(query)}"
    back = server.authorize(address)
    return urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)["code"][0]


def by_code(server: OidcEntra, text: str) -> azcred.AuthorizationCodeCredential:
    """Make the credential of a code."""
    return azcred.AuthorizationCodeCredential(
        server.tenant_id,
        server.secret_client_id,
        text,
        BACK,
        client_secret=server.secret,
        authority=server.authority,
    )


def by_device(server: OidcEntra) -> azcred.DeviceCodeCredential:
    """Make the credential of a user on another device."""
    return azcred.DeviceCodeCredential(
        server.public_client_id,
        tenant_id=server.tenant_id,
        prompt_callback=lambda address, user_code, _: server.approve_device(address, user_code),
        timeout=20,
        authority=server.authority,
    )


def by_browser(server: OidcEntra) -> azcred.InteractiveBrowserCredential:
    """Make the credential of a user at a browser."""
    return azcred.InteractiveBrowserCredential(
        tenant_id=server.tenant_id, client_id=server.public_client_id, timeout=20, authority=server.authority
    )


def once(server: OidcEntra, credential: Any) -> dict[str, Any]:
    """Ask once."""
    return {"tokens": [credential.get_token(server.scope).token]}


def twice(server: OidcEntra, credential: Any) -> dict[str, Any]:
    """Ask again where the first token will not do, since it is for a client without capabilities."""
    told = once(server, credential)
    told["tokens"].append(credential.get_token(server.scope, enable_cae=True).token)
    return told


def with_record(server: OidcEntra, credential: Any) -> dict[str, Any]:
    """Sign in, ask twice, and tell who it was."""
    record = credential.authenticate(scopes=[server.scope])
    return twice(server, credential) | {"record": record.username}


def used_code(server: OidcEntra) -> dict[str, Any]:
    """Redeem a code after another program did."""
    text = code(server)
    once(server, by_code(server, text))
    # Of another identity for the cache: this is no credential that already has a token.
    other = azcred.AuthorizationCodeCredential(
        server.tenant_id,
        server.secret_client_id,
        text,
        BACK,
        client_secret=server.secret,
        authority=server.authority,
        additionally_allowed_tenants=["*"],
    )
    return once(server, other)


def main() -> None:
    """Go through all of them."""
    server = OidcEntra(**json.loads(sys.argv[1]))
    flows: dict[str, Callable[[], dict[str, Any]]] = {
        "secret": lambda: once(server, by_secret(server, server.secret)),
        "wrong secret": lambda: once(server, by_secret(server, "another")),
        "certificate": lambda: once(server, by_certificate(server, server.certificate_client_id)),
        "another's certificate": lambda: once(server, by_certificate(server, server.secret_client_id)),
        "assertion": lambda: once(server, by_assertion(server, server.certificate_client_id)),
        "another's assertion": lambda: once(server, by_assertion(server, server.secret_client_id)),
        "device code and refresh": lambda: with_record(server, by_device(server)),
        "browser and refresh": lambda: twice(server, by_browser(server)),
        "code and refresh": lambda: twice(server, by_code(server, code(server))),
        "code: twice": lambda: used_code(server),
    }
    told: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        browser = Path(folder) / "browser"
        here = str(Path(__file__).parent)
        browser.write_text(BROWSER.format(python=sys.executable, folder=here, server=sys.argv[1]))
        browser.chmod(0o755)
        os.environ["BROWSER"] = str(browser)
        for name, flow in flows.items():
            try:
                told[name] = flow()
            except Exception as error:
                told[name] = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(told))


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main()
