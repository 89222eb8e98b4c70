"""The documents as the code makes them now; a test that changes one gets a copy of its own."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from gateway.api.contract.flat import flat_document
from gateway.cli.schemas import served_document


@cache
def made() -> dict[str, Any]:
    """Made once: the whole application is built for it."""
    return served_document()


@cache
def _texts() -> tuple[str, str]:
    """Reading JSON again is the fastest way to a copy."""
    return json.dumps(made()), json.dumps(flat_document(made()))


@pytest.fixture
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_texts()[0])
    return found


@pytest.fixture
def flat() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_texts()[1])
    return found
