"""Another cloud's metadata service at the address of Azure's: answers every request with 404 while a command runs."""

from __future__ import annotations

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ADDRESS = ("169.254.169.254", 80)


class Stranger(BaseHTTPRequestHandler):
    """Knows nothing of Azure's paths."""

    def do_GET(self) -> None:  # the base class's name
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(ADDRESS, Stranger)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.exit(subprocess.run(sys.argv[1:], check=False).returncode)
