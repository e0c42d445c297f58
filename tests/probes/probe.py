"""Asks one question through the Python door, and prints the answer: probe.py CASE_AS_JSON."""

import json
import sys

import azcred

case = json.loads(sys.argv[1])
try:
    make = getattr(azcred, case["credential"])
    credential = make(**case.get("options", {}))
    token = credential.get_token(
        *case.get("scopes", ["https://storage.azure.com/.default"]),
        tenant_id=case.get("tenant_id"),
        claims=case.get("claims"),
    )
    print(json.dumps({"kind": "OK", "message": "", "source": token.provenance["source"]}))
except azcred.AzcredError as error:
    print(json.dumps({"kind": error.kind, "message": str(error)}))
