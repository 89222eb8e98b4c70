"""Defaults of our stack that fail, and what stands in their place. A test that fails here because a library has become
right means that our mend may go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nats
import pytest
from litestar import Litestar, post
from litestar.params import JSONBody
from nats.aio.msg import Msg

from adapters.canonical import Order
from gateway.domain.events import InvalidEvent, status_subject
from gateway.messaging.server import EmbeddedServer
from tests.contracts.conftest import made
from tests.contracts.json_schema import Validator

PATTERN = "^[!-~]([ -~]*[!-~])?$"


@pytest.fixture(scope="module")
def by_default() -> dict[str, Any]:
    """What Litestar itself says of the model of an order."""

    @post("/v1/orders")
    async def create(data: JSONBody[Order]) -> None:
        return None

    found: dict[str, Any] = Litestar([create]).openapi_schema.to_schema()
    return found


@pytest.fixture
def unknown_member() -> dict[str, Any]:
    content = made()["paths"]["/v1/orders"]["post"]["requestBody"]["content"]["application/json"]
    return {**json.loads(json.dumps(content["examples"]["plain"]["value"])), "unknown": 1}


def test_litestar_forgets_that_a_model_is_closed_and_we_do_not(
    by_default: dict[str, Any], unknown_member: dict[str, Any]
) -> None:
    assert Order.model_config.get("extra") == "forbid"
    assert "additionalProperties" not in by_default["components"]["schemas"]["Order"]
    ours = made()["components"]["schemas"]["OrderRequest"]
    assert Validator(made()).complaints(unknown_member, ours) == ["$: unknown is unknown"]


def test_litestar_drops_the_pattern_of_an_optional_member_and_we_do_not(by_default: dict[str, Any]) -> None:
    default = by_default["components"]["schemas"]["Order"]["properties"]["externalId"]
    assert "pattern" not in str(default)
    ours = made()["components"]["schemas"]["OrderRequest"]["properties"]["externalId"]
    assert PATTERN in [one.get("pattern") for one in ours["anyOf"]]


async def test_nats_reads_dots_and_stars_of_an_id_as_its_own_and_we_build_no_such_subject(tmp_path: Path) -> None:
    """Without a look at the ids, a consumer of all posted orders misses the unit `We.st`, and the one of the unit `*`
    gets everybody's."""
    server = EmbeddedServer(tmp_path / "nats")
    address = await server.start()
    client = await nats.connect(address.url, user=address.user, password=address.password)
    seen: list[str] = []

    async def keep(message: Msg) -> None:
        seen.append(message.subject)

    try:
        await client.subscribe("erp.status.orders.*.DE.posted", cb=keep)
        for unit in ("West", "We.st", "East"):
            await client.publish(f"erp.status.orders.{unit}.DE.posted", b"")
        await client.drain()  # until everything that came was handed over
    finally:
        await client.close()
        await server.stop()
    assert seen == ["erp.status.orders.West.DE.posted", "erp.status.orders.East.DE.posted"]
    for unit in ("We.st", "*", ">"):
        with pytest.raises(InvalidEvent):
            status_subject("orders", unit, "DE", "posted")
