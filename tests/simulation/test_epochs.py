"""What the ledger tells of who wrote under an old epoch."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulation.epochs import under_old_epochs


def _entry(kind: str, attempt: int = 1, epoch: int | None = None, **members: Any) -> dict[str, Any]:
    told = {"kind": kind, "actor": "gateway", "step": 1, "attempt": attempt, **members}
    return told if epoch is None else {**told, "epoch": epoch}


SOUND = (
    [_entry("dispatched", 1, 1), _entry("posted")],
    [
        *(_entry("dispatched", 1, 1), _entry("unknown"), _entry("inquired"), _entry("inquired")),
        *(_entry("dispatched", 2, 3), _entry("posted", 2)),
    ],
    [_entry("dispatched", 1, 1), _entry("unknown"), _entry("inquired"), _entry("posted", foundByInquiry=True)],
    # a refusal that was kept, and counts by now
    [_entry("dispatched", 1, 1), _entry("unknown"), _entry("inquired"), _entry("rejected")],
    # a person names what somebody posted there
    [_entry("dispatched", 1, 1), _entry("unknown"), _entry("inquired"), _entry("posted", actor="console-bob")],
    # two legs of one plan, under one lease
    [_entry("dispatched", 1, 4), _entry("posted"), _entry("dispatched", 1, 4, step=2), _entry("posted", step=2)],
    [_entry("dispatched", 1, 1), _entry("dispatched", 1, 2, direction="undo"), _entry("posted", direction="undo")],
)

APPENDED_LATE = {
    "an attempt under an older epoch": [_entry("dispatched", 1, 5), _entry("unknown"), _entry("dispatched", 2, 4)],
    "the same attempt again": [_entry("dispatched", 1, 1), _entry("dispatched", 1, 2)],
    "an answer to an attempt before": [_entry("dispatched", 1, 1), _entry("dispatched", 2, 2), _entry("rejected", 1)],
    "an inquiry of an attempt before": [_entry("dispatched", 1, 1), _entry("dispatched", 2, 2), _entry("inquired", 1)],
    "an answer after it was taken over": [_entry("dispatched", 1, 1), _entry("unknown"), _entry("posted")],
    "it is unknown a second time": [_entry("dispatched", 1, 1), _entry("unknown"), _entry("unknown")],
}


@pytest.mark.parametrize("entries", SOUND)
def test_a_sound_trace_alarms_nobody(entries: list[dict[str, Any]]) -> None:
    assert list(under_old_epochs("txn_1", entries)) == []


@pytest.mark.parametrize("name", APPENDED_LATE)
def test_what_an_overtaken_sender_appended_shows(name: str) -> None:
    assert len(list(under_old_epochs("txn_1", APPENDED_LATE[name]))) == 1
