"""Comparing the postings of a transaction's plan with what the entries tell of each. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.domain.records import StepRecord
from gateway.ledger.state.findings import Finding
from gateway.ledger.state.told_steps import ToldStep, ToldSteps


def step_findings(transaction_id: str, stored: Sequence[StepRecord], told: ToldSteps) -> Iterator[Finding]:
    """Steps that are gone or were never dispatched, and those that stand otherwise than told. `stored`: of it alone."""
    rows = {(one.step, one.direction): one for one in stored}
    for place in sorted(rows.keys() | told.by_place.keys()):
        row, said = rows.get(place), told.by_place.get(place)
        name = f"step {place[0]}" if place[1] == "do" else f"undo of step {place[0]}"
        if row is None or said is None:
            there = None if row is None else "there", None if said is None else "there"
            yield Finding(transaction_id, f"the row of {name}", *there)
            continue
        yield from _differences(transaction_id, name, row, said)


def _differences(subject: str, name: str, row: StepRecord, said: ToldStep) -> Iterator[Finding]:
    if row.state not in said.may_be:
        yield Finding(subject, f"state of {name}", row.state, " or ".join(sorted(said.may_be)))
    for what, stored, told in (
        ("system_id", row.system_id, said.system_id),
        ("external_reference", row.external_reference, said.reference),
        ("attempt", row.attempt, said.attempt),
        ("document_type", row.document_type, said.document_type),
        ("document_number", row.document_number, said.document_number),
    ):
        if stored != told:
            yield Finding(subject, f"{what} of {name}", stored, told)
