"""The host's identities, at every door: one file says who the services of a host are."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import azcred
import azcred.aio
import jsonschema
import pytest
import tomli
from c_door import LOADER, compiled
from conftest import AZCRED, ROOT, Emulator, plain, run
from stores import commands, start, told

STORAGE, COSMOS = "https://storage.azure.com/.default", "https://a.documents.azure.com/.default"

FILE = """
[identities.storage]
credential = "managed_identity"
client_id = "33333333-3333-3333-3333-333333333331"

[identities.databases]
credential = "managed_identity"
client_id = "33333333-3333-3333-3333-333333333332"

[identities.ci]
credential = "client_secret"
tenant_id = "{tenant_id}"
client_id = "{client_id}"
client_secret = {{ file = "{folder}/ci" }}
authority = "{https}"
disable_instance_discovery = true
expected_tenant_id = "{tenant_id}"

[identities.pinned]
credential = "managed_identity"
expected_object_id = "00000000-0000-0000-0000-000000000000"

[resources]
"https://*.documents.azure.com" = "databases"
"https://*" = "storage"
"""


@pytest.fixture
def host(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Make this process's host one with identities; give its variables."""
    file = tmp_path / "config.toml"
    file.write_text(FILE.format(**emulator.ready, folder=tmp_path))
    (tmp_path / "ci").write_text(emulator["client_secret"] + "\n")
    variables = emulator.imds() | {"AZCRED_CONFIG": str(file), "SSL_CERT_FILE": emulator["ca_file"]}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


def refused(command: list[str | Path], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a program that shall not succeed."""
    done = run(command, env, check=False)
    assert done.returncode == 1, done.stdout
    return done


def client(token: str) -> str:
    """Give the identity that a token speaks for."""
    body = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["appid"])


def test_python(host: dict[str, str], emulator: Emulator) -> None:
    credential = azcred.HostCredential()
    assert client(credential.get_token(STORAGE).token).endswith("31")
    assert client(credential.get_token(COSMOS).token).endswith("32")
    ci = azcred.HostCredential(identity="ci").get_token_info(STORAGE)
    assert client(ci.token) == emulator["client_id"]
    assert ci.provenance["credential"] == "ClientSecretCredential"
    # The cache is the identity's.
    seen = len(emulator.requests())
    own = azcred.ManagedIdentityCredential(client_id="33333333-3333-3333-3333-333333333331")
    assert own.get_token(STORAGE) is credential.get_token(STORAGE)
    assert len(emulator.requests()) == seen
    with pytest.raises(azcred.AuthenticationFailedError, match="speaks for another identity: expected_object_id is 0"):
        azcred.HostCredential(identity="pinned").get_token(STORAGE)
    with pytest.raises(azcred.InvalidConfigurationError, match="no identity is called 'other': expected one of"):
        azcred.HostCredential(identity="other").get_token(STORAGE)
    with pytest.raises(azcred.InvalidConfigurationError, match=r"api://x.* pattern for it in \[resources\] of /"):
        credential.get_token("api://x/.default")
    assert credential.statistics()["hits"] > 0


def test_asyncio(host: dict[str, str]) -> None:
    async def tokens() -> list[str]:
        async with azcred.aio.HostCredential() as credential:
            return [(await credential.get_token(scope)).token for scope in (STORAGE, COSMOS, STORAGE)]

    first, second, third = asyncio.run(tokens())
    assert client(first).endswith("31") and client(second).endswith("32") and first == third


def test_node_the_program_and_c(host: dict[str, str], tmp_path: Path) -> None:
    probe = compiled(tmp_path, "probe")
    env = plain() | host | {"NODE_PATH": str(ROOT / ".work/node/node_modules")}
    _, node, _ = commands("HostCredential", {}, COSMOS)
    assert client(told(start(node, env))["token"]).endswith("32")
    _, node, _ = commands("HostCredential", {"identity": "storage"}, COSMOS)
    assert client(told(start(node, env))["token"]).endswith("31")
    for identity, scope, expected in [("", COSMOS, "32"), ("storage", COSMOS, "31"), ("", STORAGE, "31")]:
        token = run([AZCRED, "token", f"--identity={identity}", f"--scope={scope}"], env=env).stdout.strip()
        assert client(token).endswith(expected)
        words = [f"text:identity={identity}"] if identity else []
        c = told(start([probe, "HostCredential", *words, f"scope:{scope}"], env | LOADER))
        assert (c["kind"], c["source"]) == ("OK", "imds")


def within(patience: float, what: Callable[[], bool]) -> bool:
    """Tell whether something becomes so."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(0.02)
    return what()


def test_an_edit_counts_within_a_second_in_every_memo(host: dict[str, str]) -> None:
    file = Path(host["AZCRED_CONFIG"])
    good = file.read_text()
    credential = azcred.HostCredential()
    before = credential.get_token(STORAGE)
    assert credential.get_token(STORAGE) is before
    file.write_text(good.replace('"https://*" = "storage"', '"https://*" = "databases"'))
    assert within(2.5, lambda: client(credential.get_token(STORAGE).token).endswith("32"))
    # A bad one changes nothing.
    file.write_text("[identities.storage\n")
    time.sleep(1.1)
    assert client(credential.get_token(STORAGE).token).endswith("32")
    file.write_text(good)
    assert within(2.5, lambda: credential.get_token(STORAGE) is before)
    # A call beyond the cache hands the line about it to `logging`, where no other test waits for it.
    credential.get_token("https://elsewhere.example/.default")


NODE = """
const azcred = require("azcred");
const fs = require("fs");
const file = process.env.AZCRED_CONFIG;
const credential = new azcred.HostCredential();
const appid = async () => {
  const { token } = await credential.getToken(process.argv[1]);
  return JSON.parse(Buffer.from(token.split(".")[1], "base64url")).appid.slice(-2);
};
(async () => {
  const seen = [await appid(), await appid()];
  fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace('"https://*" = "storage"', '"https://*" = "databases"'));
  const until = Date.now() + 2500;
  let last;
  do {
    last = await appid();
  } while (last === seen[0] && Date.now() < until);
  console.log(JSON.stringify({ token: [...seen, last].join(" ") }));
})();
"""


def test_an_edit_counts_in_nodes_memo(host: dict[str, str]) -> None:
    env = plain() | host | {"NODE_PATH": str(ROOT / ".work/node/node_modules")}
    assert told(start(["node", "-e", NODE, STORAGE], env)) == {"token": "31 31 32"}


def test_a_file_that_others_can_change_is_refused(host: dict[str, str], tmp_path: Path) -> None:
    file = Path(host["AZCRED_CONFIG"])
    command = [AZCRED, "token", "--identity=storage", f"--scope={STORAGE}"]
    env = plain() | host
    folder = file.parent
    for path, mode, words in [(file, 0o666, "mode 666"), (file, 0o620, "mode 620"), (folder, 0o777, "mode 777")]:
        before = path.stat().st_mode & 0o777
        path.chmod(mode)
        failed = refused(command, env)
        assert f"{path}: others may write to it ({words})" in failed.stderr
        path.chmod(before)
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    run(command, env=env | {"AZCRED_CONFIG": str(link)})
    if os.getuid() == 0:
        os.chown(file, 12345, 0)
        failed = refused(command, env)
        assert f"{file}: it belongs to user 12345, expected root or user 0" in failed.stderr


def test_mistakes_have_file_line_and_column(host: dict[str, str]) -> None:
    file = Path(host["AZCRED_CONFIG"])
    file.write_text('[identities.ci]\ncredential = "client_secret"\nclient_secret = "canary"\n')
    failed = refused([AZCRED, "token", "--identity=ci", f"--scope={STORAGE}"], host)
    assert f"{file}:3:17: identities.ci: option client_secret: a secret is not written here" in failed.stderr
    assert "canary" not in failed.stderr


def test_the_schema_and_the_reader_agree(host: dict[str, str]) -> None:
    schema = json.loads((ROOT / "docs/config.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    file = Path(host["AZCRED_CONFIG"])
    validator.validate(tomli.loads(file.read_text()))
    page = (ROOT / "docs/configuration.md").read_text()
    example = page.split("```toml\n")[1].split("```")[0]
    validator.validate(tomli.loads(example))
    for wrong in [
        '[identities.a]\ncredential = "nothing"\n',
        '[identities.a]\ncredential = "client_secret"\nclient_secret = "literal"\n',
        '[identities.a]\ncredential = "managed_identity"\ncolour = "red"\n',
        '[identities.a]\ncredential = "chain"\n',
        '[other]\na = "b"\n',
        "[resources]\na = 5\n",
    ]:
        assert list(validator.iter_errors(tomli.loads(wrong))), wrong
        file.write_text(wrong)
        failed = refused([AZCRED, "token", "--identity=a", f"--scope={STORAGE}"], host)
        assert f"{file}:" in failed.stderr


def test_doctor_says_what_each_would_do(host: dict[str, str], emulator: Emulator, tmp_path: Path) -> None:
    """Named identities and the chain, for programs and for people, without a secret."""
    canary = "canary-3f1c"
    env = plain() | host | emulator.application() | {"HTTPS_PROXY": f"http://me:{canary}@127.0.0.1:1", "NO_PROXY": "*"}
    env |= {"AZURE_CLIENT_SECRET": canary, "PATH": str(tmp_path), "AZCRED_SHARING": "/tmp"}  # noqa: S108  # no place for it
    told = run([AZCRED, "doctor", "--json", "--resource=https://storage.azure.com"], env=env)
    report = json.loads(told.stdout)
    identities = {identity["name"]: identity for identity in report["identities"]}
    assert {name: check["outcome"] for name, check in identities.items()} == {
        "storage": "TOKEN",
        "databases": "TOKEN",
        "ci": "TOKEN",
        "pinned": "FAILED",
    }
    assert identities["storage"]["client_id"].endswith("31")
    assert "pin" in identities["pinned"]["next"]
    chain = {member["credential"]: member for member in report["chain"]["members"]}
    assert chain["EnvironmentCredential"]["outcome"] == "FAILED"
    assert "AADSTS7000215" in chain["EnvironmentCredential"]["message"]
    assert chain["EnvironmentCredential"]["next"].startswith("make a new one")
    # The application's id is no identity of this host's.
    assert chain["ManagedIdentityCredential"]["outcome"] == "UNAVAILABLE"
    assert "unset AZURE_CLIENT_ID" in chain["ManagedIdentityCredential"]["next"]
    assert chain["AzureCliCredential"]["next"] == "install it"
    assert all("took_ms" in check for check in [*identities.values(), *chain.values()])
    assert report["store"]["folder"] is None
    assert report["store"]["trouble"]["next"]
    assert report["agent"]["address"] is None
    assert abs(report["authority"]["clock_ahead_s"]) < 5
    trusted = {trust["variable"]: (trust["exists"], trust["replaces_the_systems"]) for trust in report["trust"]}
    assert trusted["SSL_CERT_FILE"] == (True, True)
    assert report["proxies"]["HTTPS_PROXY"] == "…@127.0.0.1:1"
    assert {"AZURE_CLIENT_SECRET", "AZCRED_CONFIG"} <= set(report["variables"])
    people = run([AZCRED, "doctor"], env=env)
    for text in (told.stdout, told.stderr, people.stdout, people.stderr):
        assert canary not in text and "eyJ" not in text and emulator["client_secret"] not in text
    for words in [
        "storage: ManagedIdentityCredential (imds)",
        "next: install it",
        "clock is right",
        "shared store: none",
    ]:
        assert words in people.stdout


def test_doctor_fails_where_nobody_gives_a_token(tmp_path: Path) -> None:
    env = plain() | {"PATH": str(tmp_path), "HOME": str(tmp_path), "AZURE_TOKEN_CREDENTIALS": "dev"}
    env |= {"AZURE_AUTHORITY_HOST": "https://127.0.0.1:1"}
    told = refused([AZCRED, "doctor"], env)
    assert "nobody gives a token here" in told.stderr
    assert "authority: 127.0.0.1:1 gives no answer" in told.stdout
    bad = refused([AZCRED, "doctor", "--json"], env | {"AZCRED_CONFIG": "here"})
    trouble = json.loads(bad.stdout)["configuration"]["trouble"]
    assert "AZCRED_CONFIG: expected an absolute path, got 'here'" in trouble["message"]
