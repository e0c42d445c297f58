"""How a chain asks members that are not azcred's. Imported with the first chain that has one."""

from __future__ import annotations

import sys

from azcred._errors import AzcredError, make

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task
    from collections.abc import Callable
    from typing import Any

__all__ = ["ask", "judge", "start"]

_TASKS: set[Task[None]] = set()
"""What runs on event loops, which themselves don't keep it alive."""


def ask(member: Any, scopes: tuple[str, ...], options: dict[str, Any]) -> tuple[str, int, int | None]:
    """Ask on this thread, which may block."""
    _in_a_chain()
    answer = _call(member, scopes, options)
    if hasattr(answer, "__await__"):
        # Otherwise Python warns of a coroutine that nobody awaited; what has no `close` needs none.
        if hasattr(answer, "close"):
            answer.close()
        raise make("INVALID_CONFIGURATION", "it is for asyncio: take azcred.aio.ChainedTokenCredential", {})
    return _read(answer)


def start(
    events: AbstractEventLoop | None,
    member: Any,
    scopes: tuple[str, ...],
    options: dict[str, Any],
    done: Callable[[tuple[str, int, int | None] | None, BaseException | None], None],
) -> None:
    """Ask on an event loop, from another thread. Gives the answer to ``done``, whatever comes."""
    if events is None:
        raise make("TRANSIENT", "it is asked on an event loop, and none has asked its chain yet", {})

    async def run() -> None:
        _in_a_chain()
        try:
            answer = _call(member, scopes, options)
            if hasattr(answer, "__await__"):
                answer = await answer
            token = _read(answer)
        except BaseException as error:
            done(None, error)
            if not isinstance(error, Exception):
                raise
        else:
            done(token, None)

    def ended(task: Task[None]) -> None:
        _TASKS.discard(task)
        # Looked at, since asyncio complains of exceptions that nobody looks at; `done` had it.
        if not task.cancelled():
            task.exception()

    def begin() -> None:
        task = events.create_task(run())
        _TASKS.add(task)
        task.add_done_callback(ended)

    try:
        events.call_soon_threadsafe(begin)
    except RuntimeError as error:
        raise make("TRANSIENT", "the event loop that it is asked on is closed", {}) from error


def judge(error: BaseException) -> tuple[str, str]:
    """Tell what an exception is for a chain, and what it says."""
    if isinstance(error, AzcredError):
        return error.kind, str(error)
    text = " ".join(str(error).split())
    if isinstance(error, _theirs("azure.identity", "CredentialUnavailableError")):
        return "UNAVAILABLE", text or "unavailable"
    sentence = f"{type(error).__name__}: {text}" if text else type(error).__name__
    # Nobody answered: it may mend. What ends a program or a task is no refusal either.
    network = (OSError, *_theirs("azure.core.exceptions", "ServiceRequestError", "ServiceResponseError"))
    mends = isinstance(error, network) or not isinstance(error, Exception)
    return "TRANSIENT" if mends else "FAILED", sentence


def _call(member: Any, scopes: tuple[str, ...], options: dict[str, Any]) -> Any:
    method = getattr(member, "get_token_info", None)
    return member.get_token(*scopes, **options) if method is None else method(*scopes, options=options)


def _read(answer: Any) -> tuple[str, int, int | None]:
    refresh_on = getattr(answer, "refresh_on", None)
    return answer.token, int(answer.expires_on), None if refresh_on is None else int(refresh_on)


def _in_a_chain() -> None:
    """Tell azure-identity's credentials that another one may follow: off Azure, theirs asks IMDS for a moment only."""
    for flag in _theirs("azure.identity._internal", "within_credential_chain"):
        flag.set(True)


def _theirs(module: str, *names: str) -> tuple[Any, ...]:
    """Give what a library calls so, as far as the program has loaded it."""
    found = (getattr(sys.modules.get(module), name, None) for name in names)
    return tuple(one for one in found if one is not None)
