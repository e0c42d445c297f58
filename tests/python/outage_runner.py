"""A process that goes through the outages of one source with credentials that it keeps, and tells what came of each.

usage: outage_runner.py SOURCE; AZCRED_EMULATOR is the line of an emulator; what is written goes to the current folder
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import azcred
from cable import Cable, Reel, Tls
from outages import GOOD_TOOL, REST, SERVERS, TOOLS, Outage

EMULATOR: dict[str, str] = json.loads(os.environ["AZCRED_EMULATOR"])
PATIENCE = 45
"""How long a call may take, in seconds: IMDS is asked for 25 s."""

TOLD: dict[str, dict[str, Any]] = {}
ENTRA = {"disable_instance_discovery": True, "read_timeout": 2}


def suffer(
    name: str,
    credential: Callable[[], Any],
    mend: Callable[[], None],
    leaves: float | None = None,
    held: float = 0.0,
) -> None:
    """Ask during an outage, end it, and ask until there is a token; tell what came and when."""
    began = time.monotonic()
    told: dict[str, Any] = {"kind": None}
    assert TOLD.setdefault(name, told) is told, f"two outages are called {name}"
    # A scope of its own: nothing of another outage is in the cache.
    scope = f"https://outage-{list(TOLD).index(name)}.example/.default"
    try:
        credential().get_token(scope, timeout=leaves or PATIENCE)
    except azcred.AzcredError as error:
        told |= {"kind": error.kind, "error": str(error)}
    told["failed_after"] = round(time.monotonic() - began, 2)
    mend()
    mended = time.monotonic()
    while "rest" not in told:
        began = time.monotonic()
        try:
            credential().get_token(scope, timeout=PATIENCE)
            told["rest"] = round(time.monotonic() - mended, 2)
        except azcred.AzcredError as error:
            told["still"] = f"{error.kind}: {error}"
            if began - mended > REST + held:
                return
            time.sleep(0.05)


def kept(credential: Any) -> Callable[[], Any]:
    """Give the same credential each time."""
    return lambda: credential


def admin(path: str, body: dict[str, Any]) -> Any:
    """Speak to the emulator's admin path."""
    asked = urllib.request.Request(EMULATOR["admin"] + path, json.dumps(body).encode())
    asked.add_header("content-type", "application/json")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=10) as answer:
        return json.load(answer)


@contextlib.contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Set variables for as long as a credential is made."""
    os.environ.update(variables)
    yield
    for name in variables:
        del os.environ[name]


def imds(port: int) -> Any:
    """Make a credential of a VM."""
    with environment(AZURE_POD_IDENTITY_AUTHORITY_HOST=f"http://127.0.0.1:{port}"):
        return azcred.ManagedIdentityCredential()


def app_service(port: int) -> Any:
    """Make a credential of an App Service worker."""
    path = urllib.parse.urlsplit(EMULATOR["identity_endpoint"]).path
    header = EMULATOR["identity_header"]
    with environment(IDENTITY_ENDPOINT=f"http://127.0.0.1:{port}{path}", IDENTITY_HEADER=header):
        return azcred.ManagedIdentityCredential()


def client_secret(port: int, secret: str = EMULATOR["client_secret"], **options: Any) -> Any:
    """Make a credential of an application."""
    options = ENTRA | {"authority": f"https://localhost:{port}"} | options
    return azcred.ClientSecretCredential(EMULATOR["tenant_id"], EMULATOR["client_id"], secret, **options)


def workload_identity(port: int, file: str = EMULATOR["federated_token_file"]) -> Any:
    """Make a credential of a pod."""
    return azcred.WorkloadIdentityCredential(
        tenant_id=EMULATOR["tenant_id"],
        client_id=EMULATOR["workload_client_id"],
        token_file_path=file,
        authority=f"https://localhost:{port}",
        **ENTRA,
    )


MAKERS: dict[str, Callable[..., Any]] = {
    "imds": imds,
    "app_service": app_service,
    "client_secret": client_secret,
    "workload_identity": workload_identity,
}


def without_descriptors(name: str, credential: Any) -> None:
    """Let it ask where no descriptor is to be had."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    # A limit below what is open leaves that alone.
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    suffer(name, kept(credential), lambda: resource.setrlimit(resource.RLIMIT_NOFILE, before))


class Together:
    """Outages that don't get into each other's way, all at once."""

    def __init__(self) -> None:
        """Begin with none."""
        self._pool = ThreadPoolExecutor(200)
        self._all: list[Any] = []

    def add(self, *arguments: Any, **options: Any) -> None:
        """Have one more."""
        self._all.append(self._pool.submit(suffer, *arguments, **options))

    def __enter__(self) -> Together:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for all of them."""
        for one in self._all:
            one.result()
        self._pool.shutdown()


class Server:
    """The emulator's end of a source, and the cables to it."""

    def __init__(self, source: str, reel: Reel) -> None:
        """Find it."""
        self.make = MAKERS[source]
        tls = source in ("client_secret", "workload_identity")
        there = urllib.parse.urlsplit(EMULATOR["https" if tls else "http"])
        self._reel, self._server = reel, (there.hostname or "", there.port or 0)
        folder = Path(EMULATOR["ca_file"]).parent
        files = [str(folder / name) for name in ("server.pem", "server.key", "ca.pem")]
        self._tls = Tls(*files) if tls else None

    def cable(self, outage: Outage) -> Cable:
        """Lay a cable that has this fault."""
        return Cable(self._reel, self._server, outage.fault, self._tls)

    def suffer(self, name: str, outage: Outage, together: Together) -> None:
        """Let a credential of its own suffer an outage."""
        cable = self.cable(outage)
        credential = self.make(cable.port)
        if outage.used:
            credential.get_token("https://before.example/.default")
        if outage.fault is None:
            cable.cut()
        together.add(name, kept(credential), cable.mend, outage.leaves, outage.held)


def servers(source: str) -> None:
    """Go through what a server may do, and what is this source's own."""
    with Reel() as reel:
        server = Server(source, reel)
        cables = [server.cable(Outage(None)) for _ in range(2)]
        without_descriptors("no descriptors for azcred's thread", server.make(cables[0].port))
        with Together() as together:
            if source == "client_secret":
                applications(cables[0].port, together)
            elif source == "workload_identity":
                pods(cables[0].port, together)
            for name, outage in SERVERS.items():
                server.suffer(name, outage, together)
        without_descriptors("no descriptors for a connection", server.make(cables[1].port))
        if source == "client_secret":
            environments()


def put(file: str | Path, text: str, mode: int = 0o644) -> None:
    """Write a file as a whole."""
    fresh = Path(f"{file}.new")
    fresh.write_text(text)
    fresh.chmod(mode)
    fresh.replace(file)


def written(name: str, text: str | None) -> Path:
    """Give a file of its own, with that text if there is one."""
    file = Path(name.translate(str.maketrans(" :", "--"))).absolute()
    if text is not None:
        put(file, text)
    return file


def applications(port: int, together: Together) -> None:
    """Go through what is an application's own."""
    good, other = (Path(EMULATOR[name]).read_text() for name in ("ca_file", "token_proxy_ca_file"))
    for name, text in {"no file": None, "an empty file": "", "another authority": other}.items():
        file = written(f"connection_verify: {name}", text)
        credential = client_secret(port, connection_verify=str(file))
        together.add(f"connection_verify: {name}", kept(credential), partial(put, file, good))
    # Names that the emulator's certificate is good for.
    for word, host in {"unknown": "login.windows.net", "silent": "login.microsoft.com"}.items():
        file = Path(os.environ["NAMES"]) / host
        put(file, word)
        credential = client_secret(port, authority=f"https://{host}:{port}")
        together.add(f"a name server: {word}", kept(credential), partial(put, file, ""))
    given = {"secret": "wrong"}
    mend = partial(given.update, secret=EMULATOR["client_secret"])
    together.add("a wrong secret, and a new credential", lambda: client_secret(port, **given), mend)


def environments() -> None:
    """Go through what an environment may lack when a credential is made, and a new one does not."""
    whole = {
        "AZURE_TENANT_ID": EMULATOR["tenant_id"],
        "AZURE_CLIENT_ID": EMULATOR["client_id"],
        "AZURE_CLIENT_SECRET": EMULATOR["client_secret"],
    }
    options: dict[str, Any] = ENTRA | {"authority": EMULATOR["https"]}
    for missing in whole:
        given = {name: value for name, value in whole.items() if name != missing}

        def made(given: dict[str, str] = given) -> Any:
            with environment(**given):
                return azcred.EnvironmentCredential(**options)

        suffer(f"no {missing}, and a new credential", made, partial(given.update, whole))


def pods(port: int, together: Together) -> None:
    """Go through what is a pod's own: the file that its platform writes."""
    expired, alien, good = (
        admin("/federated-token", body)["token"] for body in ({"lifetime": -60}, {"audience": "api://another"}, {})
    )
    for name, text in {
        "no file": None,
        "an empty file": "",
        "half of a token": good[: len(good) // 2],
        "an expired token": expired,
        "a token for others": alien,
        "a file that is too large": good + " " * (1 << 20),
    }.items():
        file = written(f"federated token: {name}", text)
        credential = workload_identity(port, str(file))
        together.add(f"federated token: {name}", kept(credential), partial(put, file, good))


def tools() -> None:
    """Go through what the Azure CLI may do, and lack; PATH is a folder of ours alone."""
    az, scripts = Path(os.environ["PATH"]) / "az", Path("scripts").absolute()
    scripts.mkdir()
    # Each tenant has a script of its own; who names none has a good one.
    start = '#!/bin/sh\nwhile [ $# -gt 0 ] && [ "$1" != --tenant ]; do shift; done\n'
    program = f'{start}. {scripts}/"${{2:-good}}"\n'
    put(scripts / "good", GOOD_TOOL)

    def install() -> None:
        put(az, program, 0o755)

    cli = azcred.AzureCliCredential()
    install()
    without_descriptors("no descriptors for azcred's thread", cli)
    az.unlink()
    suffer("it is not installed", kept(cli), install)
    put(az, program)
    suffer("it may not be run", kept(cli), lambda: az.chmod(0o755))
    az.unlink()
    # A metadata service of this machine's, if there is one, is not to be asked.
    chain = azcred.DefaultAzureCredential(exclude_managed_identity_credential=True)
    suffer("a default chain of which nothing is there", kept(chain), install)
    with Together() as together:
        for number, (name, script) in enumerate(TOOLS.items()):
            put(scripts / str(number), script)
            credential = azcred.AzureCliCredential(tenant_id=str(number), process_timeout=2)
            together.add(name, kept(credential), partial(put, scripts / str(number), GOOD_TOOL))
    without_descriptors("no descriptors for a process", cli)


def certificates(name: str, text: str | None) -> None:
    """Ask while the file that is trusted lacks the server's authority."""
    file = written(name, text)
    os.environ["SSL_CERT_FILE"] = str(file)
    credential = client_secret(urllib.parse.urlsplit(EMULATOR["https"]).port or 0)
    suffer(name, kept(credential), partial(put, file, Path(EMULATOR["ca_file"]).read_text()))


def main(source: str) -> None:
    """Go through one source."""
    # Nothing has to be opened, or imported, to tell an error.
    with contextlib.suppress(azcred.AzcredError):
        azcred.AzureCliCredential().get_token("bad scope")
    if source == "azure_cli":
        tools()
    elif source == "no_certificates":
        certificates("SSL_CERT_FILE: no file", None)
    elif source == "other_certificates":
        certificates("SSL_CERT_FILE: another authority", Path(EMULATOR["token_proxy_ca_file"]).read_text())
    else:
        os.environ["SSL_CERT_FILE"] = EMULATOR["ca_file"]
        servers(source)
    print(json.dumps(TOLD))


main(sys.argv[1])
