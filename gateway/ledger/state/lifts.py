"""What is told of an act that one person sets and two lift: its entries, its reason, and its lift. Pure."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from gateway.domain.act_records import OverlayRecord
from gateway.domain.identity import payload_commitment
from gateway.domain.privacy import HoldRecord
from gateway.domain.records import EntryRecord, PayloadRecord
from gateway.ledger.state.findings import Finding, unlike, unlike_time
from gateway.store.told_acts import ActPart

Body = Mapping[str, Any]
"""An entry's members."""
Liftable = TypeVar("Liftable", HoldRecord, OverlayRecord)


class Lifting(Protocol):
    """Who wants it lifted, and who lifted it; of legal holds and of overlays."""

    @property
    def lift_asked_at(self) -> int | None: ...
    @property
    def lift_asked_by(self) -> str | None: ...
    @property
    def lift_asked_person(self) -> str | None: ...
    @property
    def lift_payload_id(self) -> str | None: ...
    @property
    def lifted_at(self) -> int | None: ...
    @property
    def lifted_by(self) -> str | None: ...
    @property
    def lifted_person(self) -> str | None: ...


def bodies(entries: Sequence[EntryRecord]) -> Mapping[str, list[Body]]:
    """The entries by their trace, in the order of `seq`."""
    told: dict[str, list[Body]] = defaultdict(list)
    for entry in entries:
        told[entry.trace].append(json.loads(entry.body))
    return told


def one_of(told: Sequence[Body], *kinds: str) -> Body | None:
    """The first entry of these kinds."""
    return next((one for one in told if one["kind"] in kinds), None)


def lift_findings(subject: str, record: Lifting, lifted: Body | None) -> Iterator[Finding]:
    """`lifted`: the entry of the lift, which also tells who had asked for it; a request alone has no entry."""
    if lifted is None:
        for what, stored in (
            ("lifted_at", record.lifted_at),
            ("lifted_by", record.lifted_by),
            ("lifted_person", record.lifted_person),
        ):
            yield from unlike(subject, what, stored, None)
        return
    yield from unlike_time(subject, "lifted_at", record.lifted_at, lifted["at"])
    for what, stored, said in (
        ("lifted_by", record.lifted_by, lifted["actor"]),
        ("lifted_person", record.lifted_person, lifted.get("person")),
        ("lift_asked_at", record.lift_asked_at, lifted.get("askedAt")),
        ("lift_asked_by", record.lift_asked_by, lifted.get("askedBy")),
        ("lift_asked_person", record.lift_asked_person, lifted.get("askedPerson")),
    ):
        yield from unlike(subject, what, stored, said)


def reason_findings(subject: str, payload: PayloadRecord | None, told: Body) -> Iterator[Finding]:
    """A reason that is not the one to which the entry commits, or that is gone: nothing erases it."""
    if "reasonHash" not in told:
        return
    if payload is None or payload.body is None:
        yield Finding(subject, "reason", "missing", "there, and never erased")
    else:
        hashed = payload_commitment(payload.salt, payload.body)
        yield from unlike(subject, "reason (committed)", hashed, told["reasonHash"])


def lift_reason_findings(
    subject: str, payloads: Mapping[str, PayloadRecord], record: Lifting, lifted: Body | None
) -> Iterator[Finding]:
    """The same of why the lift was asked for; entries of before it was told commit to none."""
    if lifted is None or "reasonHash" not in lifted:
        return
    if record.lift_payload_id is None:
        yield Finding(subject, "lift_payload_id", None, "there")
    else:
        yield from reason_findings(subject, payloads.get(record.lift_payload_id), lifted)


def row_finding(subject: str, row: object | None, told: Sequence[Body]) -> Iterator[Finding]:
    """One of both is missing."""
    if row is None or not told:
        yield Finding(subject, "the row", None if row is None else "there", "there" if told else None)


def act_findings(
    part: ActPart[Liftable], named_by: str, lifted: str, told_first: Callable[[Body], Mapping[str, object]]
) -> Iterator[Finding]:
    """What differs in a part of acts. Pure.

    Args:
        named_by: the member of a row that holds its id.
        lifted: the kind of the entry of a lift.
        told_first: what the first entry of an act tells of its row's members, beside when it was set and why.
    """
    told = bodies(part.entries)
    rows: dict[str, Liftable] = {getattr(one, named_by): one for one in part.rows}
    payloads = {one.payload_id: one for one in part.payloads}
    for subject in part.ids:
        row, entries = rows.get(subject), told.get(subject, [])
        if row is None or not entries:
            yield from row_finding(subject, row, entries)
            continue
        first, lift = entries[0], one_of(entries, lifted)
        for what, said in {**told_first(first), "entry_count": len(entries)}.items():
            yield from unlike(subject, what, getattr(row, what), said)
        yield from unlike_time(subject, "set_at", row.set_at, first["at"])
        yield from lift_findings(subject, row, lift)
        yield from reason_findings(subject, payloads.get(row.payload_id), first)
        yield from lift_reason_findings(subject, payloads, row, lift)
