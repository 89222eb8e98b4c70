"""Requests to the Go verifier (tools/go_verifier/main.go) that more than one test makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gateway.ledger.held import Held
from gateway.ledger.lines import base64_text
from tests.ledger.logs import KEY, ORIGIN


def audit_request(directory: Path, held: Held | None = None, **more: Any) -> dict[str, Any]:
    """A full audit of a published log, with our key and what was seen of it before."""
    asked = {"do": "audit", "directory": str(directory), "origin": ORIGIN, "keys": [KEY.key.text]}
    if held is not None:
        asked |= {"heldSize": held.checkpoint.size, "heldRoot": base64_text(held.checkpoint.root)}
    return asked | more
