"""An S3 server for the storage benchmark: it keeps in memory what it gets, and reads it back."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

__all__ = ["server"]


@contextmanager
def server() -> Iterator[str]:
    """Run the server, and give its address."""
    command = [sys.executable, "-m", "benchmarks.storage_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        try:
            yield running.stdout.readline().strip()
        finally:
            running.terminate()


class Store(http.server.BaseHTTPRequestHandler):
    """Takes objects; ``GET /arrived`` tells what they hold, and forgets them."""

    protocol_version = "HTTP/1.1"
    objects: ClassVar[dict[str, bytes]] = {}

    def do_PUT(self) -> None:  # http.server's name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.objects[self.path] = body
        self._answer(b"", ETag=f'"{hashlib.md5(body).hexdigest()}"')

    def do_GET(self) -> None:  # http.server's name
        plain = hashlib.sha256()
        for _, body in sorted(self.objects.items()):
            plain.update(gzip.decompress(body))
        size = sum(map(len, self.objects.values()))
        self.objects.clear()
        self._answer(json.dumps({"bytes": size, "sha256": plain.hexdigest()}).encode())

    def _answer(self, body: bytes, **headers: str) -> None:
        self.send_response(200)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serve() -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Store) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    serve()
