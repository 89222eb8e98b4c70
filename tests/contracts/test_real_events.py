"""What the line really announces, on a real store, holds the committed schemas."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway.domain.records import OutboxRecord
from tests.contracts.json_schema import Validator

EVENTS = Path(__file__).parents[2] / "docs" / "events"


def test_real_events_hold_the_schemas(announced: Sequence[OutboxRecord]) -> None:
    seen: set[str] = set()
    for record in announced:
        event: dict[str, Any] = json.loads(record.body)
        family = "control" if record.subject.startswith("erp.control.") else "status"
        schema = json.loads((EVENTS / f"{family}.v1.json").read_text(encoding="utf-8"))
        assert Validator(schema).complaints(event) == [], event["type"]
        assert event["id"] == record.event_id
        assert int(event["sequence"]) == record.sequence
        seen.add(event["type"].split(".")[2])
    assert {"accepted", "routed", "dispatched", "posted", "rejected", "unknown"} <= seen
    assert {"activated", "pinned", "linked", "pin_released"} <= seen
