"""Every answer of the application beside its description: the status is declared, and each header of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

UNDECLARED = {
    "content-type": "OpenAPI says it by the media types of the content",
    "content-length": "framing (RFC 9110 section 8.6)",
    "date": "of the server",
    "server": "of the server",
    "connection": "hop-by-hop",
    "transfer-encoding": "hop-by-hop",
    "keep-alive": "hop-by-hop",
}
"""Headers that no description of an operation declares, and why."""


class Declared:
    """`document`: the description."""

    def __init__(self, document: dict[str, Any]) -> None:
        paths = document["paths"]
        self._items = [(re.compile(re.sub(r"\{[A-Za-z]+\}", "[^/]+", path)), item) for path, item in paths.items()]

    def lacks(self, method: str, path: str, status: int, headers: Iterable[str]) -> set[str]:
        """Names of headers that are not declared for this answer, or `status` if that is not. Addresses and methods
        that the document does not have are not described."""
        item = next((item for pattern, item in self._items if pattern.fullmatch(path)), {})
        operation = item.get(method.lower())
        if operation is None:
            return set()
        answer = operation["responses"].get(str(status))
        if answer is None:
            return {"status"}
        declared = {name.lower() for name in answer.get("headers", {})}
        return {name.lower() for name in headers} - declared - set(UNDECLARED)
