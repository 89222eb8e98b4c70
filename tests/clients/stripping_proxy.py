"""A proxy that takes all headers out of answers but those that HTTP itself needs.

So does Salesforce External Services see answers: it does not support response headers.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

KEPT = frozenset({"content-type", "content-length"})
_LIMIT_S = 60.0


@contextmanager
def stripping_proxy(upstream: str) -> Iterator[tuple[str, set[str]]]:
    """Its address, and the names (in lower case) of the headers that it has taken away so far."""
    stripped: set[str] = set()
    where = urlsplit(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=_LIMIT_S)
            try:
                connection.request(self.command, self.path, body or None, dict(self.headers.items()))
                answer = connection.getresponse()
                content = answer.read()
            finally:
                connection.close()
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() in KEPT:
                    self.send_header(name, value)
                else:
                    stripped.add(name.lower())
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = _pass  # noqa: N815 - the names that the server calls

        def log_message(self, *_: object) -> None:
            """Nothing: the tests say what went wrong."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", stripped
        finally:
            server.shutdown()
            thread.join()
