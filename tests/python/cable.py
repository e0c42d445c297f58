"""A cable to a server, which can be cut: connections go through to it, or suffer a fault in its place."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import Any

LONGEST = 60
"""How long a silent server holds a connection, in seconds."""


@dataclass(frozen=True)
class Fault:
    """What is done to a connection before it is closed; `bare` is before TLS, where the server has that."""

    done: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
    bare: bool = False


async def request(reader: asyncio.StreamReader) -> None:
    """Read a request to its end."""
    head = await reader.readuntil(b"\r\n\r\n")
    _, _, rest = head.lower().partition(b"content-length:")
    await reader.readexactly(int(rest.split(b"\r\n")[0] or 0))


def answers(status: int, body: object = None, **headers: str) -> Fault:
    """Give another answer: bytes, or a document as JSON."""
    text = body if isinstance(body, bytes) else json.dumps(body or {"error": "an_outage"}).encode()
    named = {"Content-Length": str(len(text)), "Content-Type": "application/json", "Connection": "close"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} Outage", *(f"{name}: {value}" for name, value in named.items()), "", ""]

    async def done(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write("\r\n".join(lines).encode() + text)
        await writer.drain()

    return Fault(done)


def breaks_off(sent: bytes) -> Fault:
    """Begin an answer, and close."""

    async def done(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(sent)
        await writer.drain()

    return Fault(done)


def stalls(sent: bytes = b"", *, bare: bool = False) -> Fault:
    """Begin an answer, and say nothing more."""

    async def done(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not bare:
            await request(reader)
        writer.write(sent)
        await writer.drain()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(reader.read(), LONGEST)

    return Fault(done, bare)


def hangs_up(said: bytes = b"") -> Fault:
    """Close as soon as somebody is there, with some words that are no protocol's."""

    async def done(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        if said:
            await reader.read(1)

    return Fault(done, bare=True)


def resets(*, bare: bool) -> Fault:
    """Reset the connection, at once or when the request has come."""

    async def done(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not bare:
            await request(reader)
        reset(writer)

    return Fault(done, bare)


def reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection as one whose process was killed."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@dataclass(frozen=True)
class Tls:
    """The server's certificate with its key, and whose certificates are trusted."""

    certificate: str
    key: str
    authority: str


class Cable:
    """One end is an address of its own; the other is the server, or a fault until the cable is mended."""

    def __init__(self, reel: Reel, server: tuple[str, int], fault: Fault | None = None, tls: Tls | None = None) -> None:
        """Lay it. It speaks TLS on both ends where it has to look into what it carries."""
        self._reel, self._server, self._fault = reel, server, fault
        self._shown: ssl.SSLContext | None = None
        self._trusted: ssl.SSLContext | None = None
        if tls and not (fault and fault.bare):
            self._shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._shown.load_cert_chain(tls.certificate, tls.key)
            self._trusted = ssl.create_default_context(cafile=tls.authority)
        self._open: set[asyncio.StreamWriter] = set()
        self._listener: asyncio.Server | None = None
        self.port = 0
        self.connect()
        reel.cables.append(self)

    def connect(self) -> None:
        """Take connections, at the same address as before."""
        listener = socket.create_server(("127.0.0.1", self.port), backlog=100)
        self.port = listener.getsockname()[1]
        self._listener = self._reel.do(asyncio.start_server(self._serve, sock=listener, ssl=self._shown))

    def cut(self) -> None:
        """Reset all connections, and take no new ones."""
        self._reel.do(self.end())

    async def end(self) -> None:
        """Do so on the thread of the reel."""
        if self._listener:
            self._listener.close()
        for writer in self._open:
            reset(writer)

    def mend(self) -> None:
        """Let connections through from now on; those that suffer the fault suffer it to its end."""
        self._fault = None
        if self._listener and not self._listener.is_serving():
            self.connect()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        fault = self._fault
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await (fault.done if fault else self._through)(reader, writer)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*self._server, ssl=self._trusted)
        pumps = [asyncio.create_task(pump(reader, back)), asyncio.create_task(pump(there, writer))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in pumps:
                task.cancel()
            back.close()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry what comes."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


class Reel:
    """The thread that serves all cables of a process."""

    def __enter__(self) -> Reel:
        """Start it."""
        self.cables: list[Cable] = []
        self._loop = asyncio.new_event_loop()
        # What a fault leaves behind is meant to look bad.
        self._loop.set_exception_handler(lambda *_: None)
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, with every connection."""
        self.do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        for cable in self.cables:
            await cable.end()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def do(self, what: Coroutine[Any, Any, Any]) -> Any:
        """Do something on that thread."""
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(LONGEST)
