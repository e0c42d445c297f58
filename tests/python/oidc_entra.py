"""npm's oidc-provider, a certified OAuth server, at the paths of Entra ID: a protocol peer that nobody here wrote."""

from __future__ import annotations

import contextlib
import datetime
import html
import ipaddress
import json
import re
import shutil
import ssl
import subprocess
import threading
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import requests
from conftest import NODE_MODULES, PATIENCE, ROOT, plain
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

TENANT = "11111111-1111-1111-1111-111111111111"
RESOURCE = "https://storage.azure.com"
MOST_PAGES = 12
"""How many pages a sign-in may have."""


@dataclass
class OidcEntra:
    """A running server, and what its three clients know."""

    authority: str
    """What `AZURE_AUTHORITY_HOST` is to say."""
    ca_file: str
    secret_client_id: str
    secret: str
    certificate_client_id: str
    certificate_file: str
    """PEM: the key and the certificate of the client that signs its assertions."""
    public_client_id: str
    tenant_id: str = TENANT
    resource: str = RESOURCE

    @property
    def scope(self) -> str:
        """The one scope that there is."""
        return f"{self.resource}/.default"

    @property
    def key_pem(self) -> str:
        """The key of the client that signs its assertions."""
        return Path(self.certificate_file).read_text()

    def claims(self, token: str) -> dict[str, Any]:
        """Check a token as a resource would; give what it says."""
        base = f"{self.authority}/{self.tenant_id}"
        context = ssl.create_default_context(cafile=self.ca_file)
        keys = jwt.PyJWKClient(f"{base}/discovery/v2.0/keys", ssl_context=context)
        key = keys.get_signing_key_from_jwt(token).key
        required = {"require": ["exp", "iat", "sub"]}
        said: dict[str, Any] = jwt.decode(
            token, key, algorithms=["RS256"], audience=self.resource, issuer=base, options=required
        )
        return said

    def approve_device(self, verification_uri: str, user_code: str, user: str = "alex") -> None:
        """Type a code, sign in and agree, as the user does on another device."""
        query = urllib.parse.urlencode({"user_code": user_code})
        self._walk(f"{verification_uri}?{query}", user)

    def authorize(self, address: str, user: str = "alex") -> str:
        """Sign in and agree on the page at that address; give the address that the browser is sent to."""
        return self._walk(address, user)

    def browse(self, address: str, user: str = "alex") -> None:
        """Do the same, and go there: to the program that listens."""
        requests.get(self.authorize(address, user), timeout=PATIENCE).close()

    def _walk(self, address: str, user: str) -> str:
        with requests.Session() as session:
            session.trust_env = False
            session.verify = self.ca_file
            page = session.get(address, allow_redirects=False, timeout=PATIENCE)
            for _ in range(MOST_PAGES):
                if page.is_redirect:
                    target = urllib.parse.urljoin(page.url, page.headers["location"])
                    if not target.startswith(self.authority):
                        return target
                    page = session.get(target, allow_redirects=False, timeout=PATIENCE)
                    continue
                form = re.search(r'<form[^>]*action="([^"]+)"', page.text)
                if form is None:
                    page.raise_for_status()
                    return page.url
                target = urllib.parse.urljoin(page.url, html.unescape(form[1]))
                fields = self._fields(page.text, user)
                if not target.startswith(self.authority):
                    return f"{target}?{urllib.parse.urlencode(fields)}"
                page = session.post(target, fields, allow_redirects=False, timeout=PATIENCE)
        raise AssertionError(f"the sign-in at {self.authority} has more than {MOST_PAGES} pages")

    @staticmethod
    def _fields(page: str, user: str) -> dict[str, str]:
        fields = {}
        for tag in re.findall(r"<input[^>]*>", page):
            name, value = (re.search(rf'\b{word}="([^"]*)"', tag) for word in ("name", "value"))
            if name:
                fields[html.unescape(name[1])] = html.unescape(value[1]) if value else ""
        answers = {"login": user, "password": "password"}
        return fields | {name: value for name, value in answers.items() if name in fields}


def issue(
    name: str, issuer: tuple[x509.Certificate, rsa.RSAPrivateKey] | None = None
) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    """Give a certificate of a day and its key: an authority's own, or one for a server on this machine."""
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer:
        loopback = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(loopback), critical=False)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256()), key


def write_pem(file: Path, *parts: x509.Certificate | rsa.RSAPrivateKey) -> str:
    """Write keys and certificates into one file; give its path."""
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    texts = [
        part.public_bytes(form[0]) if isinstance(part, x509.Certificate) else part.private_bytes(*form)
        for part in parts
    ]
    file.write_bytes(b"".join(texts))
    return str(file)


@contextlib.contextmanager
def set_up(folder: Path) -> Iterator[OidcEntra]:
    """Start the server; it ends with the block."""
    authority = issue("oidc-provider's authority")
    server, server_key = issue("localhost", authority)
    application, application_key = issue("application")
    ca_file = write_pem(folder / "ca.pem", authority[0])
    certificate_file = write_pem(folder / "application.pem", application_key, application)
    clients = {
        "secret_client_id": "22222222-2222-2222-2222-222222222221",
        "secret": "a secret of this test",
        "certificate_client_id": "22222222-2222-2222-2222-222222222222",
        "certificate_file": write_pem(folder / "application.crt", application),
        "public_client_id": "22222222-2222-2222-2222-222222222223",
    }
    settings = {
        "tenant": TENANT,
        "resource": RESOURCE,
        "key_file": write_pem(folder / "server.key", server_key),
        "cert_file": write_pem(folder / "server.pem", server),
        "clients": clients,
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    shutil.copy(ROOT / "tests/node/oidc_provider.mjs", folder)
    (folder / "node_modules").symlink_to(NODE_MODULES)
    process = subprocess.Popen(
        ["node", "oidc_provider.mjs", "settings.json"],
        cwd=folder,
        env=plain() | {"NODE_NO_WARNINGS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        # A server that does not come up ends the wait.
        timer = threading.Timer(PATIENCE, process.kill)
        timer.start()
        # Before its address the provider says that it is not set up for production.
        lines = iter(process.stdout or [])
        line = next((line for line in lines if line.startswith("{")), "")
        timer.cancel()
        assert line, "oidc-provider did not come up"
        known = clients | {"certificate_file": certificate_file}
        yield OidcEntra(authority=json.loads(line)["authority"], ca_file=ca_file, **known)
    finally:
        process.communicate(timeout=10)
