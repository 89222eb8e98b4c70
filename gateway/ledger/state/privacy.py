"""Comparing legal holds and erasures with what the entries `hold_set`, `hold_lifted` and `erased` tell.

Whoever takes a hold away has something erased for good that a court wants; whoever puts an erasure on the wrong
customer, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from gateway.domain.privacy import ErasureRecord, HoldRecord
from gateway.ledger.state.findings import Finding, unlike, unlike_time
from gateway.ledger.state.lifts import Body, act_findings, bodies, reason_findings, row_finding
from gateway.store.told_acts import ActPart, ErasedCount

PART: Final = 200
"""Holds or erasures of one look."""


class AuditedPrivacy(Protocol):
    """What is read of holds and erasures; the store's reads are one."""

    async def hold_part(self, after: str, most: int) -> ActPart[HoldRecord]: ...
    async def erasure_part(self, after: str, most: int) -> ActPart[ErasureRecord]: ...
    async def erased_count(self, erasure_id: str, customer_id: str) -> ErasedCount: ...


async def audit_privacy(state: AuditedPrivacy, most: int) -> list[Finding]:
    """Every legal hold and every erasure; what differs, at most `most`. Others may write meanwhile."""
    found = await _holds(state, most)
    if len(found) < most:
        found += await _erasures(state, most - len(found))
    return found[:most]


async def _holds(state: AuditedPrivacy, most: int) -> list[Finding]:
    found: list[Finding] = []
    after = ""
    while len(found) < most and (part := await state.hold_part(after, PART)).ids:
        found += hold_findings(part)
        after = part.ids[-1]
    return found


async def _erasures(state: AuditedPrivacy, most: int) -> list[Finding]:
    found: list[Finding] = []
    after = ""
    while len(found) < most and (part := await state.erasure_part(after, PART)).ids:
        found += erasure_findings(part)
        for erasure_id, told in bodies(part.entries).items():
            count = await state.erased_count(erasure_id, told[0].get("documentId", ""))
            found += count_findings(erasure_id, count)
        after = part.ids[-1]
    return found


def hold_findings(part: ActPart[HoldRecord]) -> Iterator[Finding]:
    """What differs in a part. Pure."""
    return act_findings(part, "hold_id", "hold_lifted", _told_of_hold)


def _told_of_hold(first: Body) -> dict[str, object]:
    return {
        "customer_id": first.get("documentId"),
        "lineage_id": first.get("heldLineageId"),
        "set_by": first["actor"],
        "set_person": first.get("person"),
    }


def erasure_findings(part: ActPart[ErasureRecord]) -> Iterator[Finding]:
    """What differs in a part, but for how much was erased. A request has no entry, its approval has one. Pure."""
    told, rows = bodies(part.entries), {one.erasure_id: one for one in part.rows}
    payloads = {one.payload_id: one for one in part.payloads}
    for erasure_id in part.ids:
        row, entries = rows.get(erasure_id), told.get(erasure_id, [])
        if row is None:
            yield from row_finding(erasure_id, row, entries)
        elif not entries:
            yield from _asked(row)
        else:
            yield from _approved(row, entries[0])
            yield from unlike(erasure_id, "entry_count", row.entry_count, len(entries))
            yield from reason_findings(erasure_id, payloads.get(row.payload_id), entries[0])


def _asked(row: ErasureRecord) -> Iterator[Finding]:
    for what, stored, said in (
        ("state", row.state, "asked"),
        ("approved_at", row.approved_at, None),
        ("approved_by", row.approved_by, None),
        ("approved_person", row.approved_person, None),
        ("finished_at", row.finished_at, None),
        ("erased", row.erased, 0),
        ("entry_count", row.entry_count, 0),
    ):
        yield from unlike(row.erasure_id, what, stored, said)


def _approved(row: ErasureRecord, told: Body) -> Iterator[Finding]:
    """When nothing was left no entry tells; only that a row which says so also says when, and the other way round."""
    subject = row.erasure_id
    for what, stored, said in (
        ("customer_id", row.customer_id, told.get("documentId")),
        ("asked_at", row.asked_at, told.get("askedAt")),
        ("asked_by", row.asked_by, told.get("askedBy")),
        ("asked_person", row.asked_person, told.get("askedPerson")),
        ("approved_by", row.approved_by, told["actor"]),
        ("approved_person", row.approved_person, told.get("person")),
    ):
        yield from unlike(subject, what, stored, said)
    yield from unlike_time(subject, "approved_at", row.approved_at, told["at"])
    if row.state not in {"approved", "finished"}:
        yield Finding(subject, "state", row.state, "approved")
    elif (row.finished_at is not None) != (row.state == "finished"):
        yield Finding(subject, "finished_at", row.finished_at, f"a time if it is finished; its state is {row.state}")


def count_findings(erasure_id: str, count: ErasedCount) -> Iterator[Finding]:
    """How many transactions went with an erasure. Of archived months entries are missing, never too many. Pure."""
    if count.stored is None or (count.archived and count.told <= count.stored):
        return
    yield from unlike(erasure_id, "erased", count.stored, count.told)
