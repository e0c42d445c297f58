"""A relay in front of the emulator that notes which questions came on which connection."""

from __future__ import annotations

import contextlib
import re
import select
import socket
import threading
from types import TracebackType

LONGEST = 30
"""How long both sides of a connection may be silent, in seconds."""


class WireTap:
    """Passes bytes on both ways, one thread per connection; to be used as a context."""

    def __init__(self, target: tuple[str, int]) -> None:
        """Take where it leads."""
        self.target = target
        self.connections: list[list[str]] = []
        """The resources that were asked for, by connection; none where TLS hides them."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._listen)]

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> WireTap:
        """Listen."""
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; the clients are gone, so every connection has ended by itself."""
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(LONGEST)
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            asked: list[str] = []
            self.connections.append(asked)
            thread = threading.Thread(target=self._pass, args=(client, asked))
            self._threads.append(thread)
            thread.start()

    def _pass(self, client: socket.socket, asked: list[str]) -> None:
        with client, socket.create_connection(self.target, LONGEST) as server, contextlib.suppress(OSError):
            while ready := select.select([client, server], [], [], LONGEST)[0]:
                for source in ready:
                    data = source.recv(65536)
                    if not data:
                        return
                    if source is client:
                        asked += re.findall(r"[?&]resource=https(?:%3A%2F%2F|://)([\w-]+)", data.decode("latin-1"))
                    (server if source is client else client).sendall(data)
