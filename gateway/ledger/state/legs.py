"""Comparing the legs of a transaction with what the entries tell of each. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gateway.domain.records import TransactionRecord
from gateway.ledger.state.findings import Finding
from gateway.ledger.state.told import Told


def leg_findings(record: TransactionRecord, told: Told) -> Iterator[Finding]:
    """Legs that are gone or added, that go elsewhere than they were routed, or that have other numbers."""
    kept: list[dict[str, Any]] = json.loads(record.legs) if record.legs is not None else []
    subject, steps = record.transaction_id, sorted(leg["step"] for leg in kept)
    if steps != sorted(told.legs):
        yield Finding(subject, "legs", str(steps), str(sorted(told.legs)))
        return
    for leg in kept:
        routed, step = told.legs[leg["step"]], leg["step"]
        goes, rule = leg["routedTo"], routed.get("rule", {})
        for what, stored, said in (
            ("system", goes["systemId"], routed.get("systemId")),
            ("stage", goes["stage"], routed.get("stage")),
            ("table version", goes["tableVersion"], rule.get("tableVersion")),
            ("row", goes["row"], rule.get("row")),
            ("clearing lines", leg["clearing"] or None, routed.get("clearing")),
            ("number", _number(leg), told.leg_numbers.get((step, "do"))),
            ("number of the undo", _number(leg["undo"] or {}), told.leg_numbers.get((step, "undo"))),
        ):
            if stored != said:
                yield Finding(subject, f"{what} of leg {step}", stored, said)


def _number(shown: dict[str, Any]) -> str | None:
    number = shown.get("erpNumber")
    return None if number is None else str(number["documentNumber"])
