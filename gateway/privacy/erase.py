"""Erasing one transaction: its payloads, and what the ERP and people said of it. One unit, one entry `erased`.

What stays: the entries with their commitments (nobody can open them any more, because the salts go too), the facts that
decided, what the ERP confirmed, ids, and the names that keep the document from being posted twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from gateway.domain.entries import EntryKind
from gateway.domain.identity import content_hash, payload_commitment
from gateway.domain.months import month_without
from gateway.domain.privacy import Erasable, KeptBack, KeptFor, kept_until
from gateway.domain.records import TransactionRecord
from gateway.privacy.parts import PrivacyParts
from gateway.privacy.retention import rule_for
from gateway.privacy.told import hold_told
from gateway.store.store import StoreUnit
from gateway.transactions.journal import Journal

_STAYS_OF_PROBLEM: Final = ("type", "title", "status", "code")
"""Of a refusal: what it was called. Its words and the fields that it names may tell of a person."""
ERASED: Final = "erased"


@dataclass(frozen=True, slots=True)
class Erased:
    """How many payloads went with a transaction; 0: they were gone already."""

    payloads: int


async def erase_one(
    unit: StoreUnit, parts: PrivacyParts, one: Erasable, actor: str, cause: Mapping[str, Any]
) -> Erased | KeptBack:
    """Erase it, unless it must be kept. Doing it again does nothing. `cause`: wire members of the entry."""
    kept = await judge(unit, parts, one)
    if kept is not None:
        return kept
    record = await unit.transaction(one.transaction_id)
    if record is None:
        return Erased(0)
    told = [json.loads(entry.body) for entry in await unit.entries_of(record.transaction_id)]
    hashes = await _erase(unit, parts, await _payload_ids(unit, record, told))
    await _erase_what_sent_it(unit, parts, record, actor, cause)
    if not hashes:
        return Erased(0)
    journal = Journal(parts.tools, record, actor)
    if record.problem is not None:
        left = _without_words(record.problem)
        if left != record.problem:
            committed = content_hash(record.problem.encode())
            # words to which no entry commits have no salt: their hash would tell what was erased
            if any(one.get("problemHash") == committed for one in told):
                hashes.append(committed)
            journal.change(problem=left)
    await unit.forget_why_steps_failed(record.transaction_id)
    journal.act(EntryKind.ERASED, {"documentId": record.document_id, "payloadHashes": hashes, **cause})
    await unit.update_transaction(await journal.flush(unit))
    return Erased(len(hashes))


async def _erase(unit: StoreUnit, parts: PrivacyParts, payload_ids: Iterable[str]) -> list[str]:
    """The commitments of those that were there."""
    hashes = []
    for payload_id in payload_ids:
        payload = await unit.payload(payload_id)
        if payload is not None and payload.body is not None:
            hashes.append(payload_commitment(payload.salt, payload.body))
            await unit.erase_payload(payload_id, parts.tools.clock.now())
    return hashes


async def _replaced_of_another(unit: StoreUnit, record: TransactionRecord) -> TransactionRecord | None:
    """What it was sent in place of, if that is another customer's."""
    if record.replaces is None:
        return None
    replaced = await unit.transaction(record.replaces)
    of_another = replaced is not None and replaced.customer_id not in {None, record.customer_id}
    return replaced if of_another else None


async def _erase_what_sent_it(
    unit: StoreUnit, parts: PrivacyParts, record: TransactionRecord, actor: str, cause: Mapping[str, Any]
) -> None:
    """The document as a person corrected it stands in a move of what it replaces. Where that is another customer's, it
    would not go with it."""
    replaced = await _replaced_of_another(unit, record)
    if replaced is None:
        return
    hashes = await _erase(unit, parts, await unit.moves_that_sent(record.transaction_id, replaced.transaction_id))
    if hashes:
        journal = Journal(parts.tools, replaced, actor)
        journal.act(EntryKind.ERASED, {"documentId": replaced.document_id, "payloadHashes": hashes, **cause})
        await unit.update_transaction(await journal.flush(unit))


async def judge(unit: StoreUnit, parts: PrivacyParts, one: Erasable) -> KeptBack | None:
    """Why it must be kept; None: it may go. Until the unit ends nothing of that changes."""
    kept = KeptBack(one.transaction_id, one.document_id, one.domain, KeptFor.UNDER_WAY)
    await unit.erasing()
    await unit.document(one.document_id, alone=True)
    if await unit.hold_over(one.lineage_id, one.customer_id) is not None:
        return replace(kept, kept_for=KeptFor.LEGAL_HOLD)
    if (lost := await hold_told(unit, one)) is not None:
        return replace(kept, kept_for=KeptFor.LEGAL_HOLD, lost_hold=lost)
    rule = rule_for(parts.rules, parts.rulebook().geographies, one)
    if rule.keep_days and (until := kept_until(rule, one).isoformat()) >= today(parts):
        return replace(kept, kept_for=KeptFor.RETENTION, until=until)
    if await unit.is_under_way(one.lineage_id):
        return kept
    record = await unit.transaction(one.transaction_id)
    if record is not None and record.exception_id is not None:
        return replace(kept, kept_for=KeptFor.EXCEPTION_OPEN)
    # what it replaces of another customer gets an entry too
    replaced = None if record is None else await _replaced_of_another(unit, record)
    for trace in [one.transaction_id, *([] if replaced is None else [replaced.transaction_id])]:
        seqs = [entry.seq for entry in await unit.entries_of(trace)]
        if month_without(trace, seqs) is not None:
            return replace(kept, kept_for=KeptFor.ARCHIVED)
    return None


def today(parts: PrivacyParts) -> str:
    """ISO date, UTC."""
    return datetime.fromtimestamp(parts.tools.clock.now() / 1_000_000, UTC).date().isoformat()


async def _payload_ids(unit: StoreUnit, record: TransactionRecord, told: Iterable[Mapping[str, Any]]) -> list[str]:
    """Its own, that of the words with which it was called off, and those of its exceptions. What it stood on
    (`base_payload_id`) is another transaction's."""
    called_off = [body.get("payloadId") for body in told]
    said = await unit.payloads_of_exceptions(record.transaction_id)
    return list(dict.fromkeys([record.payload_id, *filter(None, called_off), *said]))


def _without_words(problem: str) -> str:
    told: dict[str, Any] = json.loads(problem)
    left = {name: told[name] for name in _STAYS_OF_PROBLEM if name in told}
    return json.dumps({**left, "detail": ERASED}, ensure_ascii=False, separators=(",", ":"))
