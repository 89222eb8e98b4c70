"""What was accepted before the record was restored is asked for before it ends.

The gateway that was lost may have posted what this record says was never sent. So where such a transaction would end
now, refused by what holds today or called off, it becomes `unknown` at the ERP to which it would have gone, together
with what is to become of it. The protocol of unknowns goes on from there: what is found is posted, whatever was wanted;
what is not found again once the quiet time is over ends as it was to end, and is not sent.

Where nobody can be asked it ends at once: the gateway keeps it itself, no rule says any more where it would have gone,
its payload is erased, or the document has no number there to which anything could have been done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from adapters.canonical import CanonicalDocument, JournalEntry, Payment
from gateway.domain.entries import EntryKind
from gateway.domain.facts import facts_of
from gateway.domain.records import PinRecord, StepRecord, TransactionRecord
from gateway.domain.transaction import Status
from gateway.errors import Problem
from gateway.transactions.books import judged_books, legs_of_books
from gateway.transactions.dispatch import Lease, begin_dispatch
from gateway.transactions.execute import RESTORED
from gateway.transactions.judge import judge
from gateway.transactions.leg_routes import undoing_legs
from gateway.transactions.links import LinkedDocument, parents_of, pins_of_parents, resolve_links, spans_systems
from gateway.transactions.parts import LineParts
from gateway.transactions.payment_legs import legs_of_payment
from gateway.transactions.ports import WriteUnit
from gateway.transactions.posting import stored_document
from gateway.transactions.route import is_master, share_key_of
from gateway.transactions.settle import become_unknown, note_problem
from gateway.transactions.target import Ready, decided, pinned
from gateway.transactions.work import Work


async def ask_first(
    work: Work, wanted: Mapping[str, Any], told: Mapping[str, Any] | None = None
) -> TransactionRecord | None:
    """Make an unknown of what has no step yet; None if it may end at once. The rules must be in force.

    `wanted`: why it ends if nothing is found, as a refusal is kept. `told`: further members of its `unknown` entry.
    """
    if not work.parts.inquires_first(work.record):
        return None
    try:
        ready = await _would_go(work.unit, work.parts, work.record)
    except Problem:
        return None
    if ready.target.is_home:
        return None
    if work.record.status is Status.HELD:
        work.journal.note(EntryKind.RELEASED, {"systemId": ready.target.system_id})
    lease = Lease.take(work.parts, ready.target.system_id, work.job.epoch)
    step = await begin_dispatch(work.unit, work.parts, work.journal, ready, lease)
    await work.unit.insert_step(step)
    work.job = replace(work.job, system_id=step.system_id)
    return await ask_again_first(work, step, wanted, told)


async def ask_again_first(
    work: Work, step: StepRecord, wanted: Mapping[str, Any], told: Mapping[str, Any] | None = None
) -> TransactionRecord:
    """The same for a dispatched step of which this record says that nothing happened."""
    work.journal.change(retry_after_s=None)
    return await become_unknown(work, note_problem(work, step, wanted), RESTORED, work.now, told=told)


async def _would_go(unit: WriteUnit, parts: LineParts, record: TransactionRecord) -> Ready:
    """Where the rules send it, whatever keeps it back or refuses it by now. Raises Problem where nothing tells."""
    document = await stored_document(unit, record)
    if record.operation != "create":
        return await _operation_would_go(unit, parts, document, record)
    linked = await resolve_links(unit, document, record.source, None)
    parents = parents_of(linked)
    if record.lineage_id not in {one.document.lineage_id for one in parents}:
        # a root, or detached when it was accepted
        parents = []
    pins = {**await pins_of_parents(unit, parents), **await _pins_to_be(unit, parts, parents)}
    pin = next(iter(pins.values()), None)
    if pin is None and not is_master(document):
        pin = await unit.pin(record.lineage_id)
    share_key = share_key_of(parts, document, linked, record.source, record.transaction_id)
    facts = facts_of(document, operation="create", share_key=share_key, is_root=not parents)
    if isinstance(document, Payment) and spans_systems(pins):
        paid = legs_of_payment(parts, document, parents, pins, facts)
        return Ready(paid[0].target, {}, paid)
    decision = judge(parts, facts, follows=bool(parents))
    target = pinned(parts, pin, decision, facts) if pin is not None else decided(parts, decision, facts)
    if isinstance(document, JournalEntry):
        legs = legs_of_books(parts, document, judged_books(parts, document, facts, pin), pin, target)
        return Ready(legs[0].target if legs else target, {}, legs)
    return Ready(target, {})


async def _pins_to_be(unit: WriteUnit, parts: LineParts, parents: Sequence[LinkedDocument]) -> dict[str, PinRecord]:
    """Of lineages that have no pin in this record: where their documents would go themselves."""
    found: dict[str, PinRecord] = {}
    for one in parents:
        if one.transaction is None or await unit.pin(one.document.lineage_id) is not None:
            continue
        target = (await _would_go(unit, parts, one.transaction)).target
        found[one.document.lineage_id] = PinRecord(
            lineage_id=one.document.lineage_id,
            system_id=target.system_id,
            side=target.side,
            stage=target.stage,
            rule_row=target.rule_row,
            table_version=target.table_version,
            activation_number=target.activation_number,
            pinned_at=parts.tools.clock.now(),
        )
    return found


async def _operation_would_go(
    unit: WriteUnit, parts: LineParts, document: CanonicalDocument, record: TransactionRecord
) -> Ready:
    pin = None if is_master(document) else await unit.pin(record.lineage_id)
    share_key = share_key_of(parts, document, (), record.source, record.transaction_id)
    facts = facts_of(document, operation=record.operation, share_key=share_key, is_root=pin is None)
    if record.posting_date is not None:
        facts = replace(facts, posting_date=date.fromisoformat(record.posting_date))
    legs = await undoing_legs(unit, parts, record, facts) if record.operation == "reverse" else ()
    if legs:
        return Ready(legs[0].target, {}, legs)
    decision = judge(parts, facts, follows=pin is not None)
    target = pinned(parts, pin, decision, facts) if pin is not None else decided(parts, decision, facts)
    if not await unit.numbers_in([record.document_id], target.system_id):
        raise Problem("unknown-reference", f"the document has no number in {target.system_id}")
    return Ready(target, {})
