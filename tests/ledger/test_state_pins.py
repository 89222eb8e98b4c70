"""The pin of a lineage, and the decision that it keeps, beside what its root and a batch of adoptions tell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.domain.records import PinRecord
from gateway.ledger.state.compare import Adopted
from gateway.ledger.state.pins import pin_findings
from gateway.ledger.state.ruled import Ruled
from gateway.ledger.state.told import Number, Told

LATER = 3_600_000_000
RULED = Ruled(sides={"legacy-main": {"legacy"}, "cloud-main": {"cloud"}})
ROOT = Told(
    "txn_1",
    routed={
        "systemId": "legacy-main",
        "stage": "live",
        "rule": {"row": "o-1", "tableVersion": "abc", "activationNumber": 3},
    },
    pin="legacy-main",
    pinned_at=5,
)
OLD = Number("doc_1", "legacy-main", "order", "1")
MOVED = Adopted(LATER, "lin_1", OLD, replace(OLD, system_id="cloud-main"))
PINNED = PinRecord("lin_1", "legacy-main", "legacy", "live", "o-1", "abc", 3, 5)
ADOPTED = replace(PINNED, system_id="cloud-main", side="cloud", pinned_at=LATER)


def _found(pin: PinRecord, *adopted: Adopted) -> list[str]:
    return [one.what for one in pin_findings("lin_1", pin, [ROOT], adopted, RULED)]


def test_a_pin_keeps_its_decision_when_it_is_adopted() -> None:
    assert _found(PINNED) == []
    assert _found(ADOPTED, MOVED) == []


@pytest.mark.parametrize(
    ("edited", "what"),
    [
        ({"side": "legacy"}, "side of the pin"),
        ({"pinned_at": 5}, "pinned_at"),
        ({"rule_row": "o-2"}, "rule_row of the pin"),
        ({"system_id": "legacy-main"}, "pin"),
    ],
)
def test_an_adopted_pin_that_was_edited_is_found(edited: dict[str, object], what: str) -> None:
    assert what in _found(replace(ADOPTED, **edited), MOVED)  # type: ignore[arg-type]
