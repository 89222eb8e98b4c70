"""Adopting: the record of a migration that was done elsewhere. It posts nothing; it moves pins, and says why for ever.

A batch is asked for by one person and approved by another, from its effective day on. Each lineage is checked in both
systems and moves in a commit of its own, or is refused with a reason; the others go on. Source: docs/rules.md,
'Adopting'.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from adapters.canonical import ErpNumber
from gateway.cutover.acting import Acting, acting
from gateway.cutover.adopted_lineage import Checked, LineRefused, check, remainder_of
from gateway.cutover.adoption_batch import WantedBatch, amounts_of, check_day, content_of, refuse_waiting, told
from gateway.cutover.adoption_ports import AdoptionReads, AdoptionStore, AdoptionUnit
from gateway.domain.adoptions import AdoptionLineRecord, AdoptionRecord
from gateway.domain.caller import Caller
from gateway.domain.drafts import PersonRecord
from gateway.domain.entries import EntryKind, ledger_entry
from gateway.domain.events import control_event
from gateway.domain.identity import content_hash
from gateway.domain.records import CrossReferenceRecord, PinRecord
from gateway.errors import Problem
from gateway.transactions.parts import ErpSystem, RulesInForce, Tools

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptingParts:
    """What adopting is done with. `rules`: what is in force now; `events_left`: has events published."""

    store: AdoptionStore
    reads: AdoptionReads
    tools: Tools
    systems: Mapping[str, ErpSystem]
    rules: Callable[[], RulesInForce]
    events_left: Callable[[], None]


class Adopting:
    """The desk at which batches are asked for and approved."""

    def __init__(self, parts: AdoptingParts) -> None:
        self._parts = parts

    async def request(self, caller: Caller, batch: WantedBatch) -> str:
        """Keep the batch; its id. The same request under the same key changes nothing.

        Raises Problem: out-of-scope, invalid-document (no lines, a lineage twice, a day long past), not-found (an
        unknown system), policy-check-failed (no person; the control total is not what is open; a lineage waits in
        another batch), idempotency-key-reused.
        """
        parts = self._parts
        who = _person(parts.tools, caller)
        systems = parts.rules().rulebook.systems
        for system_id in (batch.from_system_id, batch.to_system_id):
            if system_id not in systems:
                raise Problem("not-found", f"the rulebook in force has no system {system_id}")
        check_day(batch, parts.tools.clock.now())
        content = content_of(batch)
        adoption_id = parts.tools.ids.new("adp")
        known = await parts.store.write(lambda unit: unit.adoption_by_key(who.client, batch.idempotency_key))
        if known is None:
            await self._check_total(batch)
        record = AdoptionRecord(
            adoption_id=adoption_id,
            state="requested",
            from_system_id=batch.from_system_id,
            to_system_id=batch.to_system_id,
            effective_on=batch.effective_on.isoformat(),
            control_count=batch.control_count,
            control_totals=json.dumps(amounts_of(batch.control_totals)),
            content_hash=content_hash(content),
            idempotency_key=batch.idempotency_key,
            requested_at=parts.tools.clock.now(),
            requested_by=who.client,
            requested_person=who.person,
        )
        lines = [
            AdoptionLineRecord(adoption_id, at, one.lineage_id, one.document_type, one.document_number)
            for at, one in enumerate(batch.lines, start=1)
        ]

        async def unit_of_work(unit: AdoptionUnit) -> AdoptionRecord:
            standing = await unit.adoption_by_key(who.client, batch.idempotency_key)
            if standing is not None:
                return standing
            await refuse_waiting(unit, lines)
            await unit.insert_adoption(record, lines)
            await unit.ensure_person(_name(who))
            return record

        kept = await parts.store.write(unit_of_work)
        if kept.content_hash != record.content_hash:
            raise Problem("idempotency-key-reused", "another batch was asked for under this Idempotency-Key")
        return kept.adoption_id

    async def read(self, adoption_id: str) -> tuple[AdoptionRecord, Sequence[AdoptionLineRecord]] | None:
        """A batch with its lines, as it stands."""
        return await self._parts.reads.adoption(adoption_id)

    async def _check_total(self, batch: WantedBatch) -> None:
        totals: dict[str, Decimal] = {}
        for at, line in enumerate(batch.lines, start=1):
            try:
                row = await remainder_of(self._parts.reads, line.lineage_id)
            except LineRefused as refused:
                raise Problem("policy-check-failed", f"line {at}, lineage {line.lineage_id}: {refused}") from refused
            code = row.currency_code or ""
            totals[code] = totals.get(code, Decimal(0)) + row.amount
        if batch.control_count != len(batch.lines) or dict(batch.control_totals) != totals:
            raise Problem(
                "policy-check-failed",
                f"the control total is not what is open: {len(batch.lines)} lineage(s), {told(totals)} here",
                remedy="count again in the old system; what differs must be found before anything is adopted",
                extra={"openHere": {"lineageCount": len(batch.lines), "amounts": amounts_of(totals)}},
            )

    async def approve(self, caller: Caller, adoption_id: str) -> None:
        """Check every line that was not adopted yet, and move its pin. Approving again tries again what was refused.

        Raises Problem: out-of-scope, not-found, policy-check-failed (no person, the same person, before its day).
        """
        parts, tools = self._parts, self._parts.tools
        who = _person(tools, caller)
        found = await parts.reads.adoption(adoption_id)
        if found is None:
            raise Problem("not-found", "There is no batch with this id.")
        record, lines = found
        if who.person == record.requested_person:
            raise Problem(
                "policy-check-failed",
                "the person who asked for the batch cannot approve it",
                remedy="have a second person approve it",
            )
        today = (_EPOCH + timedelta(microseconds=tools.clock.now())).date().isoformat()
        if today < record.effective_on:
            raise Problem("policy-check-failed", f"the batch takes effect on {record.effective_on}; approve it then")

        async def approved(unit: AdoptionUnit) -> None:
            standing = await unit.adoption(adoption_id)
            if standing is not None:
                await unit.update_adoption(
                    replace(
                        standing,
                        state="approved",
                        approved_at=tools.clock.now(),
                        approved_by=who.client,
                        approved_person=who.person,
                    )
                )
                await unit.ensure_person(_name(who))

        await parts.store.write(approved)
        for line in lines:
            if line.state != "adopted":
                await self._adopt(record, line, who)
        parts.events_left()

    async def _adopt(self, record: AdoptionRecord, line: AdoptionLineRecord, who: Acting) -> None:
        parts, now = self._parts, self._parts.tools.clock.now()
        try:
            new = ErpNumber(
                system_id=record.to_system_id,
                document_type=line.document_type,
                document_number=line.document_number,
            )
            checked = await check(parts.reads, parts.systems, line.lineage_id, record.from_system_id, new)
            event_id = parts.tools.ids.new("evt")
            await parts.store.write(lambda unit: self._move(unit, record, line, checked, who, event_id))
        except LineRefused as refused:
            settled = replace(line, state="refused", reason=str(refused), settled_at=now)
            await parts.store.write(lambda unit: unit.settle_adoption_line(settled))

    async def _move(
        self,
        unit: AdoptionUnit,
        record: AdoptionRecord,
        line: AdoptionLineRecord,
        checked: Checked,
        who: Acting,
        event_id: str,
    ) -> None:
        """One commit: entry, event, numbers, pin. Everything is looked at again under its locks."""
        tools, now = self._parts.tools, self._parts.tools.clock.now()
        batch = await unit.adoption(record.adoption_id)
        documents = await unit.documents_held(line.lineage_id)
        pin = await unit.pin_held(line.lineage_id)
        if batch is None or pin is None or pin.system_id != record.from_system_id:
            raise LineRefused(f"the lineage is not pinned to {record.from_system_id} any more")
        if checked.document not in documents:
            raise LineRefused("its open document was changed meanwhile")
        if await unit.unended(line.lineage_id):
            raise LineRefused("a transaction of it has not ended")
        if await unit.followers(checked.document.document_id):
            raise LineRefused("a document follows it meanwhile")
        new = checked.new
        if await unit.number_borne_by_another(
            checked.document.document_id, new.system_id, new.document_type, new.document_number
        ):
            raise LineRefused(f"{new} is another document's number")
        rules = self._parts.rules()
        await unit.end_numbers(checked.document.document_id, record.from_system_id, now)
        await unit.insert_cross_reference(
            CrossReferenceRecord(
                checked.document.document_id,
                new.system_id,
                new.document_type,
                new.document_number,
                _midnight(record.effective_on),
            )
        )
        await unit.move_pin(
            PinRecord(
                lineage_id=line.lineage_id,
                system_id=new.system_id,
                side=rules.rulebook.systems[new.system_id].side.value,
                stage=pin.stage,
                rule_row=pin.rule_row,
                table_version=pin.table_version,
                activation_number=pin.activation_number,
                pinned_at=now,
            ),
            moved_from=record.from_system_id,
        )
        members = _members(record, checked, who)
        entry = ledger_entry(
            EntryKind.ADOPTED,
            trace=record.adoption_id,
            seq=batch.entry_count + 1,
            at=now,
            actor=who.client,
            lineage=line.lineage_id,
            members=members,
        )
        await unit.insert_entries([entry])
        sequence = await unit.take_event_sequences(line.lineage_id, 1)
        event = control_event(
            EntryKind.ADOPTED.value,
            members,
            event_id=event_id,
            lineage_id=line.lineage_id,
            sequence=sequence,
            at=now,
            gateway_name=tools.gateway_name,
            about=record.adoption_id,
        )
        await unit.insert_events([event])
        await unit.settle_adoption_line(replace(line, state="adopted", reason=None, settled_at=now))
        await unit.update_adoption(replace(batch, entry_count=batch.entry_count + 1))


def _members(record: AdoptionRecord, checked: Checked, who: Acting) -> dict[str, Any]:
    return {
        "adoptionId": record.adoption_id,
        "documentId": checked.document.document_id,
        "old": _number(checked.old),
        "new": _number(checked.new),
        "remainder": {"currencyCode": checked.currency_code, "amount": format(checked.amount, "f")},
        "control": {"lineageCount": record.control_count, "amounts": json.loads(record.control_totals)},
        "effectiveOn": record.effective_on,
        "requestedPerson": record.requested_person,
        "approvedPerson": who.person,
    }


def _number(number: ErpNumber) -> dict[str, str]:
    return {
        "systemId": number.system_id,
        "documentType": number.document_type,
        "documentNumber": number.document_number,
    }


def _person(tools: Tools, caller: Caller) -> Acting:
    scope = caller.data_scope
    if scope.business_units is not None or scope.geographies is not None:
        raise Problem(
            "out-of-scope",
            "a batch may hold lineages of every slice, and your token covers a part of the business",
            remedy="use a token with an unrestricted data scope",
        )
    return acting(tools, caller)


def _name(who: Acting) -> PersonRecord:
    return PersonRecord(who.person, who.name)


def _midnight(day: str) -> int:
    return (datetime.fromisoformat(day).replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
