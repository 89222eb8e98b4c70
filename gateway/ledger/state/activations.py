"""Comparing what was put in force with what the entries `activated` tell, and its texts with the versions of them.

Whoever changes a text changes where the next document goes, and no transaction's entry could tell.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self

from gateway.domain.records import ActivationRecord, EntryRecord
from gateway.ledger.state.findings import Finding, unlike, unlike_time
from gateway.store.told_reads import InForce
from routing_rules import version_of

PART: Final = 500
"""Entries of one look."""
_BEFORE_ALL: Final = -(1 << 63)


class AuditedActivations(Protocol):
    """What is read of activations; the store's reads are one."""

    async def activated_entries(self, after: str, most: int) -> Sequence[EntryRecord]: ...
    async def next_activation(self, after: int) -> ActivationRecord | None: ...
    async def in_force(self) -> InForce: ...


@dataclass(frozen=True, slots=True)
class ToldActivation:
    """An entry `activated`. `at`: µs."""

    activation_number: int
    table_version: str
    governance_version: str
    actor: str
    at: int

    @classmethod
    def by(cls, entry: EntryRecord) -> Self:
        """Read the entry."""
        body = json.loads(entry.body)
        rule = body["rule"]
        return cls(rule["activationNumber"], rule["tableVersion"], rule["governanceVersion"], body["actor"], body["at"])


async def audit_activations(state: AuditedActivations, most: int) -> list[Finding]:
    """Every activation, and which is in force; what differs, at most `most`. Others may write meanwhile.

    Of the entries only what they tell is held, of the rows one at a time.
    """
    # Entries first: one that is there has its row, which never goes away. A row that came since has its entry by now.
    told, seen, after = await _told(state), set[int](), _BEFORE_ALL
    found: list[Finding] = []
    while len(found) < most and (record := await state.next_activation(after)) is not None:
        after = record.activation_number
        if after not in told:
            told = await _told(state)
        seen.add(after)
        found += activation_findings(record, told.get(after))
    if len(found) < most:
        found += [Finding(_subject(number), "the row", None, "there") for number in sorted(told.keys() - seen)]
    numbers = await state.in_force()
    if numbers.state_number != numbers.newest_number:
        found.append(
            Finding(_subject(numbers.newest_number), "the number in force", numbers.state_number, numbers.newest_number)
        )
    return found[:most]


async def _told(state: AuditedActivations) -> dict[int, ToldActivation]:
    told: dict[int, ToldActivation] = {}
    after = ""
    while entries := await state.activated_entries(after, PART):
        after = entries[-1].trace
        told |= {one.activation_number: one for one in map(ToldActivation.by, entries)}
    return told


def activation_findings(record: ActivationRecord, told: ToldActivation | None) -> Iterator[Finding]:
    """What a row says otherwise than its entry. Pure."""
    subject = _subject(record.activation_number)
    if told is None:
        yield Finding(subject, "the row", "there", None)
        return
    for what, stored, said in (
        ("table_version", record.table_version, told.table_version),
        ("governance_version", record.governance_version, told.governance_version),
        ("activated_by", record.activated_by, told.actor),
        ("rules (hashed)", version_of(record.rules.encode()), told.table_version),
        ("governance (hashed)", version_of(record.governance.encode()), told.governance_version),
    ):
        yield from unlike(subject, what, stored, said)
    yield from unlike_time(subject, "activated_at", record.activated_at, told.at)


def _subject(activation_number: int) -> str:
    return f"activation {activation_number}"
