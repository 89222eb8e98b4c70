"""Drafts as the tests of simulations need them: saved, with a table of orders that differs in one row."""

from __future__ import annotations

import json
from typing import Any

from gateway.domain.drafts import DraftRecord
from routing_rules import parse_rulebook
from tests.line.rig import TABLES, Rig

SAMPLE = {path.name: path.read_text(encoding="utf-8") for path in TABLES.iterdir()}


def with_orders_live() -> dict[str, str]:
    """The sample, with every order live in the cloud that no other row decides."""
    text = SAMPLE["orders.csv"]
    row = next(line for line in text.splitlines() if line.startswith("o-base,"))
    live = row.replace(",legacy,legacy-main,", ",live,legacy-main,cloud-main", 1)
    return SAMPLE | {"orders.csv": text.replace(row, live)}


async def save(rig: Rig, draft_id: str = "drf_1", files: dict[str, str] | None = None, **changes: Any) -> DraftRecord:
    """Write the draft into the store."""
    texts = with_orders_live() if files is None else files
    book = parse_rulebook({name: text.encode() for name, text in texts.items()})
    values: dict[str, Any] = {
        "draft_id": draft_id,
        "title": "orders go live",
        "state": "open",
        "version": 1,
        "base_activation_number": 1,
        "table_version": book.version,
        "governance_version": book.governance_version,
        "files": json.dumps(texts),
        "created_at": rig.clock.now(),
        "updated_at": rig.clock.now(),
    }
    draft = DraftRecord(**(values | changes))
    await rig.store.write(lambda unit: unit.insert_draft(draft))
    return draft
