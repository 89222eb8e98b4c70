"""The answer to OPTIONS names every method of its address (RFC 9110 section 9.3.7).

Litestar makes that answer when the first handler of a path is registered, so it names the methods of that one alone.
"""

from __future__ import annotations

from typing import Any

from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, Receive, Send


class EveryMethod:
    """Wraps the framework's application and writes the whole `Allow` into its answers to OPTIONS."""

    def __init__(self, app: Litestar) -> None:
        self._inner: ASGIApp = app.asgi_handler
        self._methods: dict[str, set[str]] = {}
        for route in app.routes:
            if isinstance(route, HTTPRoute):
                self._methods.setdefault(route.path_format, set()).update(route.methods)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """One request."""

        async def answer(message: Any) -> None:
            methods = self._methods.get(str(scope.get("path_template")))
            if message["type"] == "http.response.start" and message["status"] == 204 and methods is not None:
                kept = [header for header in message["headers"] if header[0].lower() != b"allow"]
                message["headers"] = [*kept, (b"allow", ", ".join(sorted(methods)).encode("ascii"))]
            await send(message)

        await self._inner(scope, receive, answer if scope.get("method") == "OPTIONS" else send)
