"""Celery over files: how tasks get to workers, and answers back, by way of one folder."""

from __future__ import annotations

import threading
import time
import uuid
from pathlib import Path
from typing import Any

from celery import Celery

POLLED = 0.02
"""How often each side looks, in seconds."""


def application(folder: Path, *, to: str = "messages") -> Celery:
    """Give an application that takes its messages out of a folder's `messages` and puts those of its own into `to`."""
    for name in ("messages", "outbox", "answers", "control"):
        (folder / name).mkdir(exist_ok=True)
    made = Celery("tokens", broker="filesystem://")
    made.conf.update(
        broker_transport_options={
            "data_folder_in": str(folder / "messages"),
            "data_folder_out": str(folder / to),
            "control_folder": str(folder / "control"),
            "polling_interval": POLLED,
        },
        # A worker takes a task when it has nothing else to do.
        worker_prefetch_multiplier=1,
        task_ignore_result=True,
        # The end does not wait long for the task of a worker that is gone.
        worker_lost_wait=0.5,
    )
    return made


def answer(folder: Path, name: str, text: str) -> None:
    """Leave an answer, all of it at once."""
    (folder / "outbox" / name).write_text(text)
    (folder / "outbox" / name).rename(folder / "answers" / name)


class Post:
    """Who sends tasks and waits for their answers."""

    def __init__(self, folder: Path) -> None:
        """Take the folder that the workers use."""
        self._folder = folder
        self._application = application(folder, to="outbox")
        self._lock = threading.Lock()

    def ask(self, task: str, arguments: dict[str, Any], patience: float) -> str:
        """Send a task, and give its answer."""
        name = str(uuid.uuid4())
        with self._lock:
            self._application.send_task(task, kwargs={"reply": name, **arguments})
            # A worker would read a message that is still being written.
            for message in (self._folder / "outbox").glob("*.msg"):
                message.rename(self._folder / "messages" / message.name)
        deadline = time.monotonic() + patience
        file = self._folder / "answers" / name
        while not file.exists():
            assert time.monotonic() < deadline, f"no answer to {task} {arguments}"
            time.sleep(POLLED)
        return file.read_text()
