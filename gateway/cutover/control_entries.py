"""Entries and events of what people and monitors do to the rules: written in one commit, under the control lineage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.domain.entries import EntryKind, ledger_entry
from gateway.domain.events import CONTROL_LINEAGE, control_event
from gateway.domain.records import LineageRecord
from gateway.transactions.parts import Tools
from gateway.transactions.ports import WriteUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One entry with its event. `members`: lowerCamelCase, no names of people's own choosing and no free text (those
    lie in erasable tables; an entry holds their salted commitments). `event_id`: drawn outside of the unit, which may
    run again. `data`: what the event bears, where that differs from the entry's members."""

    kind: EntryKind
    members: Mapping[str, Any]
    event_id: str
    data: Mapping[str, Any] | None = None


class ControlTrace:
    """The trace of one thing that is acted on (a draft, an activation, an overlay): its entries count from 1.

    `trace`: the thing's own id. `entry_count`: how many entries it has so far; the caller keeps `entry_count` in the
    thing's row, under whose lock the unit writes.
    """

    def __init__(self, tools: Tools, trace: str, *, entry_count: int = 0) -> None:
        self._tools = tools
        self.trace = trace
        self.entry_count = entry_count

    async def record(
        self,
        unit: WriteUnit,
        kind: EntryKind,
        actor: str,
        members: Mapping[str, Any],
        *,
        event_id: str,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """Write one entry and its event, as `Note` says of them."""
        await self.record_all(unit, actor, [Note(kind=kind, members=members, event_id=event_id, data=data)])

    async def record_all(self, unit: WriteUnit, actor: str, notes: Sequence[Note], *, at: int | None = None) -> None:
        """Write several in their order, in as many statements as one takes: the unit may hold a lock for which all
        accepts wait. `at`: µs, where a row beside the entries says the same; else the clock's."""
        now = self._tools.clock.now() if at is None else at
        first = self.entry_count + 1
        self.entry_count += len(notes)
        await unit.ensure_lineage(LineageRecord(CONTROL_LINEAGE, CONTROL_LINEAGE))
        sequence = await unit.take_event_sequences(CONTROL_LINEAGE, len(notes))
        await unit.insert_entries(
            [
                ledger_entry(
                    one.kind,
                    trace=self.trace,
                    seq=seq,
                    at=now,
                    actor=actor,
                    lineage=CONTROL_LINEAGE,
                    members=one.members,
                )
                for seq, one in enumerate(notes, first)
            ]
        )
        await unit.insert_events(
            [
                control_event(
                    one.kind.value,
                    dict(one.members if one.data is None else one.data),
                    event_id=one.event_id,
                    sequence=number,
                    at=now,
                    gateway_name=self._tools.gateway_name,
                    about=self.trace,
                )
                for number, one in enumerate(notes, sequence)
            ]
        )
