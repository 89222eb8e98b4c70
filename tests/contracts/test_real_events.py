"""What the line really announces, on a real store, holds the committed schemas."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.store.migrate import migrate
from gateway.store.store import open_store
from tests.contracts.json_schema import Validator
from tests.line.rig import Rig, order

EVENTS = Path(__file__).parents[2] / "docs" / "events"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    await migrate(url)
    store = await open_store(url)
    yield await Rig.on(store)
    await store.close()


async def test_real_events_hold_the_schemas(rig: Rig) -> None:
    rig.legacy.script = ["post", "reject", "lost_answer", "down"]
    for number in range(4):
        await rig.send(order(f"1024{number}"))
        await rig.settle()
    await rig.until(2.0)
    pending = await rig.store.outbox.pending(100_000)
    seen: set[str] = set()
    for record in pending:
        event: dict[str, Any] = json.loads(record.body)
        family = "control" if record.subject.startswith("erp.control.") else "status"
        schema = json.loads((EVENTS / f"{family}.v1.json").read_text(encoding="utf-8"))
        assert Validator(schema).complaints(event) == [], event["type"]
        assert event["id"] == record.event_id
        assert int(event["sequence"]) == record.sequence
        seen.add(event["type"].split(".")[2])
    assert {"accepted", "routed", "dispatched", "posted", "rejected", "unknown"} <= seen
    assert {"activated", "pinned", "linked", "pin_released"} <= seen
