"""The documents as the code makes them now; a test that changes one gets a copy of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest

from gateway.api.contract.flat import flat_document
from gateway.api.contract.references import reachable
from gateway.cli.schemas import served_document
from gateway.domain.records import OutboxRecord
from tests.contracts.real_events import real_events
from tools.node.installation import NodeTools, node_tools

_FEW = ("/v1/orders", "/v1/orders/{documentId}", "/v1/transactions", "/v1/transactions/{transactionId}")


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


def cut(*, flat: bool) -> dict[str, Any]:
    """A copy with few operations, the schemas that they need, and no examples of answers: a tool reads many of them in
    the time of one whole."""
    document: dict[str, Any] = json.loads(_texts()[flat])
    document["paths"] = {path: item for path, item in document["paths"].items() if path in _FEW}
    for item in document["paths"].values():
        for operation in item.values():
            for answer in operation["responses"].values():
                for content in answer.get("content", {}).values():
                    content.pop("examples", None)
    schemas = document["components"]["schemas"]
    needed = reachable(schemas, document["paths"])
    document["components"]["schemas"] = {name: one for name, one in schemas.items() if name in needed}
    return document


@pytest.fixture(scope="session")
def installed() -> NodeTools:
    """The Node tools, installed by the first test run that needs them."""
    return node_tools()


@pytest.fixture(scope="session")
def announced(tmp_path_factory: pytest.TempPathFactory) -> Sequence[OutboxRecord]:
    """Real events; see `real_events`."""
    return asyncio.run(real_events(tmp_path_factory.mktemp("events")))
