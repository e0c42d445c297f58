"""What a master loads before it forks its workers: credentials, a token of each, and a fetch that is under way."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from pathlib import Path

import azcred
import azcred.aio

SCOPE = "https://preloaded.example/.default"
UNDER_WAY = "https://under-way.example/.default"
PATIENCE = 20
"""How long a token may take, in seconds."""

OF_HOST = azcred.ManagedIdentityCredential()
OF_APPLICATION = azcred.EnvironmentCredential()
OF_FUNCTION = azcred.ClientAssertionCredential(
    os.environ["AZURE_TENANT_ID"],
    os.environ["WORKLOAD_CLIENT_ID"],
    Path(os.environ["WORKLOAD_TOKEN_FILE"]).read_text,
)
CREDENTIALS = {"host": OF_HOST, "application": OF_APPLICATION, "function": OF_FUNCTION}
ASYNCHRONOUS = azcred.aio.ManagedIdentityCredential()

for credential in CREDENTIALS.values():
    credential.get_token(SCOPE, timeout=PATIENCE)
threading.Thread(target=OF_HOST.get_token, args=(UNDER_WAY,), daemon=True).start()


def answer(credential: str, scope: str) -> dict[str, int | str]:
    """Give a token, and the process that has it; the credential "loop" is asked on an event loop."""
    if credential == "loop":
        # Not `asyncio.run`: it takes SIGINT from uWSGI, whose workers would then not end.
        with contextlib.closing(asyncio.new_event_loop()) as loop:
            token = loop.run_until_complete(ASYNCHRONOUS.get_token(scope, timeout=PATIENCE))
    else:
        token = CREDENTIALS[credential].get_token(scope, timeout=PATIENCE)
    return {"pid": os.getpid(), "token": token.token}
