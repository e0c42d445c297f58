"""A proxy that leads chosen names to local servers: clients use a cloud's real host names, and nothing leaves."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType

PRODUCTION = ("login.microsoftonline.com", "login.microsoft.com", "login.windows.net")
"""The names of Entra ID, for which the emulator's certificate is good."""

LONGEST = 30
"""How long a side may be silent, in seconds."""


class ConnectProxy:
    """Answers `CONNECT name:port` for the names it knows; every other request is refused."""

    def __init__(self, names: dict[str, tuple[str, int]]) -> None:
        """Take where each name leads."""
        self.names = names
        self.led: list[str] = []
        self.refused: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        """What `HTTPS_PROXY` is to say."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def env(self) -> dict[str, str]:
        """Give the variables that make a client use it, save for servers on loopback."""
        return {"HTTPS_PROXY": self.url, "NO_PROXY": "localhost,127.0.0.1,::1"}

    def __enter__(self) -> ConnectProxy:
        """Listen."""
        self._start(self._listen)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, with every connection."""
        with self._lock:
            everything = [self._listener, *self._open]
        for one in everything:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(LONGEST)

    def _start(self, target: object, *arguments: socket.socket) -> threading.Thread:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()
        return thread

    def _keep(self, one: socket.socket) -> None:
        one.settimeout(LONGEST)
        with self._lock:
            self._open.add(one)

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._keep(client)
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                more = client.recv(4096)
                if not more or len(head) > 65536:
                    return
                head += more
            method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
            name = target.rpartition(":")[0]
            if method != "CONNECT" or name not in self.names:
                self.refused.append(target)
                client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            self.led.append(name)
            with socket.create_connection(self.names[name], LONGEST) as server:
                self._keep(server)
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                back = self._start(self._pump, server, client)
                self._pump(client, server)
                back.join()

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)
