"""Tasks for workers that are forked after this was loaded: one answers with a token, one ends its worker."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import celery_post
import preloaded

FOLDER = Path(os.environ["CELERY_FOLDER"])
application = celery_post.application(FOLDER)


@application.task(name="answer")  # type: ignore[untyped-decorator]
def answer(reply: str, credential: str, scope: str) -> None:
    """Answer one question."""
    celery_post.answer(FOLDER, reply, json.dumps(preloaded.answer(credential, scope)))


@application.task(name="end")  # type: ignore[untyped-decorator]
def end(reply: str) -> None:
    """Say which worker this is, and end it. From an idle one the lock of Celery's queue would never come back."""
    celery_post.answer(FOLDER, reply, str(os.getpid()))
    os.kill(os.getpid(), signal.SIGKILL)
