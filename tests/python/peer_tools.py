"""Programs for `test_tools_differential.py`: a recording tool, and one runner per language for all cases."""

from __future__ import annotations

TOOL = r"""
import json, os, pathlib, select, sys, time

folder = pathlib.Path(__file__).resolve().parent.parent
# @azure/identity asks first whether PowerShell is there.
if sys.argv[1:] != ["/?"]:
    record = {
        "program": pathlib.Path(__file__).name,
        "absolute": os.path.isabs(sys.argv[0]),
        "argv": sys.argv[1:],
        "folder": os.getcwd(),
        # @azure/identity leaves it open, and says nothing.
        "input": sys.stdin.read() if select.select([0], [], [], 0)[0] else "open",
        "env": dict(os.environ),
    }
    with open(folder / "ran", "a") as ran:
        ran.write(json.dumps(record) + "\n")
    does = json.loads((folder / "does").read_text())
    if does.get("hangs"):
        time.sleep(30)
    sys.stdout.write(does.get("stdout", ""))
    sys.stderr.write(does.get("stderr", ""))
    sys.exit(does.get("code", 0))
"""
"""Writes down how it was started and does what the file `does` says."""

PYTHON = r"""
import importlib, json, logging, os, pathlib, sys

def kind(error):
    from azure.core.exceptions import ClientAuthenticationError
    code = getattr(error, "kind", None)
    if code:
        return {"INVALID_CONFIGURATION": "ARGUMENT", "INVALID_ARGUMENT": "ARGUMENT"}.get(code, code)
    if type(error).__name__ == "CredentialUnavailableError":
        return "UNAVAILABLE"
    return "FAILED" if isinstance(error, ClientAuthenticationError) else "ARGUMENT"

logging.disable(logging.CRITICAL)
module, folder = importlib.import_module(sys.argv[1]), pathlib.Path(sys.argv[2])
results = []
for case in json.loads((folder / "cases").read_text()):
    (folder / "does").write_text(json.dumps(case["does"]))
    (folder / "ran").write_text("")
    os.environ["PATH"] = case["path"]
    try:
        credential = getattr(module, case["credential"])(**case["options"])
        token = credential.get_token(*case["scopes"], **case["request"])
        outcome = [token.token, token.expires_on]
    except Exception as error:
        outcome = kind(error)
        case["error"] = str(error)
    ran = [json.loads(line) for line in (folder / "ran").read_text().splitlines()]
    results.append({"outcome": outcome, "ran": ran, "error": case.get("error", "")})
print(json.dumps(results))
"""

NODE = r"""
import fs from "node:fs";
const [name, folder] = process.argv.slice(2);
const module = await import(name);
const camel = (given) => Object.fromEntries(Object.entries(given).map(([key, value]) =>
  key === "process_timeout" ? ["processTimeoutInMs", value * 1000]
    : [key.replace(/_(.)/g, (_, letter) => letter.toUpperCase()), value]));
function kind(error) {
  const codes = { INVALID_CONFIGURATION: "ARGUMENT", INVALID_ARGUMENT: "ARGUMENT" };
  if (name === "azcred") return codes[error.code] ?? error.code;
  if (/Unavailable|AggregateAuth/.test(error.name)) return "UNAVAILABLE";
  return error.name === "AuthenticationError" ? "FAILED" : "ARGUMENT";
}
const results = [];
for (const given of JSON.parse(fs.readFileSync(`${folder}/cases`))) {
  fs.writeFileSync(`${folder}/does`, JSON.stringify(given.does));
  fs.writeFileSync(`${folder}/ran`, "");
  process.env.PATH = given.path;
  let outcome, message = "";
  try {
    const token = await new module[given.credential](camel(given.options)).getToken(given.scopes, camel(given.request));
    outcome = [token.token, token.expiresOnTimestamp / 1000];
  } catch (error) {
    outcome = kind(error);
    message = error.message;
  }
  const ran = fs.readFileSync(`${folder}/ran`, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));
  results.push({ outcome, ran, error: message });
}
console.log(JSON.stringify(results));
"""
