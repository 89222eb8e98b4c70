"""Comparing exceptions and their moves with what the entries tell: who decided what about a dead end. Pure.

The team that an exception was opened for is one that a rulebook in force named: entries tell who was named later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from gateway.domain.exceptions import EarlierWords, ExceptionRecord, MoveRecord
from gateway.domain.identity import payload_commitment
from gateway.domain.records import PayloadRecord, TransactionRecord
from gateway.ledger.state.findings import Finding, unlike, unlike_time
from gateway.ledger.state.ruled import Ruled
from gateway.ledger.state.told import Told
from gateway.ledger.state.told_exceptions import ToldException, ToldMove

_LIKE_ITS_TRANSACTION: Final = ("lineage_id", "domain", "operation", "business_unit", "geography", "amount")
_NEEDS_APPROVAL: Final = frozenset({"approved", "under_way", "done"})

Payloads = Mapping[str, PayloadRecord]


def exception_findings(
    record: TransactionRecord,
    stored: Sequence[ExceptionRecord],
    earlier_words: Sequence[EarlierWords],
    moves: Sequence[MoveRecord],
    told: Told,
    payloads: Payloads,
    ruled: Ruled,
) -> Iterator[Finding]:
    """What the rows of a transaction's exceptions say otherwise than its entries. `stored`, `earlier_words`, `moves`:
    of it alone."""
    said = told.exceptions
    yield from unlike(record.transaction_id, "exception_id", record.exception_id, said.open_id)
    rows = {one.exception_id: one for one in stored}
    for exception_id in sorted(rows.keys() | said.by_id.keys()):
        row, entries = rows.get(exception_id), said.by_id.get(exception_id)
        if row is None or entries is None:
            yield Finding(exception_id, "the row", _there(row), _there(entries))
            continue
        yield from _exception(record, row, entries)
        yield from _owner(row, entries, ruled)
        yield from _times(row, entries)
        yield from _words(exception_id, row.payload_id, entries.words_hash, told.erased, payloads)
        before = [one.payload_id for one in earlier_words if one.exception_id == exception_id]
        yield from _earlier(exception_id, before, entries.earlier_hashes, told.erased, payloads)
        yield from _moves(
            exception_id, [one for one in moves if one.exception_id == exception_id], entries, told, payloads
        )


def _exception(record: TransactionRecord, row: ExceptionRecord, entries: ToldException) -> Iterator[Finding]:
    for what, stored, said in (
        ("transaction_id", row.transaction_id, record.transaction_id),
        ("state", row.state, entries.state),
        ("reason_code", row.reason_code, entries.reason_code),
        ("cause", row.cause, entries.cause),
        ("system_id", row.system_id, entries.system_id),
        ("outcome", row.outcome, entries.outcome),
        ("replaced_by", row.replaced_by, entries.replaced_by),
        *((column, getattr(row, column), getattr(record, column)) for column in _LIKE_ITS_TRANSACTION),
    ):
        yield from unlike(row.exception_id, what, stored, said)


def _owner(row: ExceptionRecord, entries: ToldException, ruled: Ruled) -> Iterator[Finding]:
    """Who it was given to last; until then nobody in person, and the team for which it was opened."""
    if entries.owner is not None:
        yield from unlike(row.exception_id, "owner", (row.owner_team, row.owner_person), entries.owner)
        return
    yield from unlike(row.exception_id, "owner_person", row.owner_person, None)
    if not ruled.may_own(row.domain, row.owner_team):
        yield Finding(row.exception_id, "owner_team", row.owner_team, "another one, or none")


def _times(row: ExceptionRecord, entries: ToldException) -> Iterator[Finding]:
    """When it was opened and closed."""
    for what, stored, said in (
        ("opened_at", row.opened_at, entries.opened_at),
        ("closed_at", row.closed_at, entries.closed_at),
    ):
        if stored is None or said is None:
            yield from unlike(row.exception_id, what, stored, said)
        else:
            yield from unlike_time(row.exception_id, what, stored, said)


def _moves(
    exception_id: str, stored: Sequence[MoveRecord], entries: ToldException, told: Told, payloads: Payloads
) -> Iterator[Finding]:
    rows = {one.move_id: one for one in stored}
    for move_id in sorted(rows.keys() | entries.moves.keys()):
        row, said = rows.get(move_id), entries.moves.get(move_id)
        if row is None or said is None:
            yield Finding(exception_id, f"the row of the move {move_id}", _there(row), _there(said))
            continue
        yield from unlike(move_id, "move", row.move, said.move)
        yield from unlike(move_id, "asked_person", row.asked_person, said.asked_person)
        yield from unlike(move_id, "approved_person", row.approved_person, said.approved_person)
        if row.state in _NEEDS_APPROVAL and not said.allowed:
            yield Finding(move_id, "state", row.state, "asked, and by nobody approved")
        yield from _words(move_id, row.payload_id, said.reason_hash, told.erased, payloads)


def _words(
    subject: str, payload_id: str | None, hashed: str | None, erased: set[str], payloads: Payloads
) -> Iterator[Finding]:
    """What an ERP or a person said, beside what the entry commits to."""
    payload = None if payload_id is None else payloads.get(payload_id)
    if payload is None or payload.body is None:
        if hashed is not None and hashed not in erased:
            yield Finding(subject, "words", "missing", "there, and never erased")
        return
    yield from unlike(subject, "words", payload_commitment(payload.salt, payload.body), hashed)


def _earlier(
    subject: str, payload_ids: Sequence[str], hashes: set[str], erased: set[str], payloads: Payloads
) -> Iterator[Finding]:
    """What an ERP said before: a payload to which no row leads could not be erased."""
    found = set()
    for payload_id in payload_ids:
        payload = payloads.get(payload_id)
        if payload is not None and payload.body is not None:
            found.add(payload_commitment(payload.salt, payload.body))
    if found - hashes:
        yield Finding(subject, "earlier words", "there", "others")
    if hashes - found - erased:
        yield Finding(subject, "earlier words", "missing", "there, and never erased")


def _there(one: ExceptionRecord | ToldException | MoveRecord | ToldMove | None) -> str | None:
    return None if one is None else "there"
