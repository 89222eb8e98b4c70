"""What one write unit adds to a transaction's trace and announces of it: fact and announcement commit together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter
from typing import Any, Final

from gateway.domain.entries import EntryKind, ledger_entry
from gateway.domain.events import control_event, status_event
from gateway.domain.identity import external_reference
from gateway.domain.new_customer import links_of
from gateway.domain.records import EntryRecord, OutboxRecord, TransactionRecord
from gateway.domain.transaction import Status, check_move
from gateway.transactions.parts import Tools
from gateway.transactions.ports import WriteUnit

_MEMBERS: Final = tuple(one.name for one in fields(TransactionRecord))
_values_of: Final = attrgetter(*_MEMBERS)
_ENTRY_COUNT: Final = _MEMBERS.index("entry_count")
_UPDATED_AT: Final = _MEMBERS.index("updated_at")


@dataclass(slots=True)
class Journal:
    """Collects the entries and events of one unit for one transaction, whose row the unit has locked.

    `record` is always the transaction as it stands after what was noted so far; `woken_jobs` counts the jobs of
    others that became due with it.
    """

    tools: Tools
    record: TransactionRecord
    actor: str
    woken_jobs: int = 0
    _entries: list[EntryRecord] = field(default_factory=list)
    _links: Mapping[str, Any] = field(default_factory=dict)
    _events: list[tuple[EntryKind, TransactionRecord | Mapping[str, Any], int]] = field(default_factory=list)

    def note(self, kind: EntryKind, members: Mapping[str, Any] | None = None) -> int:
        """Add an entry; the time that it bears (µs), never before that of the entry before it."""
        at = max(self.tools.clock.now(), self.record.updated_at)
        seq = self.record.entry_count + 1
        self._entries.append(
            ledger_entry(
                kind,
                trace=self.record.transaction_id,
                seq=seq,
                at=at,
                actor=self.actor,
                lineage=self.record.lineage_id,
                members=members,
            )
        )
        self.record = _counted(self.record, seq, at)
        return at

    def begin(self, members: Mapping[str, Any]) -> None:
        """The first entry of a trace: `accepted`."""
        self._links = links_of(members)
        at = self.note(EntryKind.ACCEPTED, {**members, "traceId": self.record.trace_id})
        self._events.append((EntryKind.ACCEPTED, self.record, at))

    def move(self, status: Status, members: Mapping[str, Any] | None = None, **changes: Any) -> None:
        """Change the status (only along a legal move), with entry and status event. `changes`: record fields."""
        check_move(self.record.status, status)
        self.record = replace(self.record, status=status, **changes)
        kind = EntryKind(status.value)
        at = self.note(kind, members)
        self._events.append((kind, self.record, at))

    def act(self, kind: EntryKind, members: Mapping[str, Any]) -> None:
        """An act on pins or names: an entry and a control event."""
        at = self.note(kind, members)
        self._events.append((kind, {"transactionId": self.record.transaction_id, **members}, at))

    def change(self, **changes: Any) -> None:
        """Change fields that are no step of the transaction's life."""
        self.record = replace(self.record, **changes)

    async def flush(self, unit: WriteUnit) -> TransactionRecord:
        """Write entries and events into the unit. The caller writes the record itself."""
        if self._entries:
            await unit.insert_entries(self._entries)
        if self._events:
            first = await unit.take_event_sequences(self.record.lineage_id, len(self._events))
            await unit.insert_events(
                [self._outbox(first + offset, *event) for offset, event in enumerate(self._events)]
            )
        self._entries, self._events = [], []
        return self.record

    def _outbox(
        self, sequence: int, kind: EntryKind, what: TransactionRecord | Mapping[str, Any], at: int
    ) -> OutboxRecord:
        event_id = self.tools.ids.new("evt")
        traceparent = traceparent_of(self.record.trace_id, event_id)
        if isinstance(what, TransactionRecord):
            return status_event(
                what,
                kind=kind.value,
                event_id=event_id,
                sequence=sequence,
                at=at,
                gateway_name=self.tools.gateway_name,
                traceparent=traceparent,
                external_reference=first_reference(what),
                links=self._links if kind is EntryKind.ACCEPTED else None,
            )
        return control_event(
            kind.value,
            what,
            event_id=event_id,
            lineage_id=self.record.lineage_id,
            sequence=sequence,
            at=at,
            gateway_name=self.tools.gateway_name,
            traceparent=traceparent,
            about=self.record.transaction_id,
        )


def _counted(record: TransactionRecord, entry_count: int, updated_at: int) -> TransactionRecord:
    """The record after one more entry. What `dataclasses.replace` makes, in half the time: every entry pays for it."""
    values = list(_values_of(record))
    values[_ENTRY_COUNT] = entry_count
    values[_UPDATED_AT] = updated_at
    return TransactionRecord(*values)


def first_reference(record: TransactionRecord) -> str | None:
    """The external reference of the first step once there is a target; it depends on the transaction's id alone."""
    return external_reference(record.transaction_id, 1, "do") if record.system_id else None


def traceparent_of(trace_id: str, event_id: str) -> str:
    """A W3C traceparent that continues the request's trace; the span id is made of the event's id."""
    span = f"{int.from_bytes(event_id[-13:].encode()[-8:], 'big'):016x}"
    return f"00-{trace_id}-{span}-01"
