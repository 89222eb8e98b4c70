"""Comparing exceptions and their moves with what the entries tell: who decided what about a dead end. Pure.

What is not told, or follows from the rules alone (the team that an exception was opened for), is not judged here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from gateway.domain.exceptions import ExceptionRecord, MoveRecord
from gateway.domain.identity import payload_commitment
from gateway.domain.records import PayloadRecord, TransactionRecord
from gateway.ledger.state.findings import Finding
from gateway.ledger.state.told import Told
from gateway.ledger.state.told_exceptions import ToldException, ToldMove

_LIKE_ITS_TRANSACTION: Final = ("lineage_id", "domain", "operation", "business_unit", "geography", "amount")
_NEEDS_APPROVAL: Final = frozenset({"approved", "under_way", "done"})

Payloads = Mapping[str, PayloadRecord]


def exception_findings(
    record: TransactionRecord,
    stored: Sequence[ExceptionRecord],
    moves: Sequence[MoveRecord],
    told: Told,
    payloads: Payloads,
) -> Iterator[Finding]:
    """What the rows of a transaction's exceptions say otherwise than its entries. `stored`, `moves`: of it alone."""
    said = told.exceptions
    yield from _unlike(record.transaction_id, "exception_id", record.exception_id, said.open_id)
    rows = {one.exception_id: one for one in stored}
    for exception_id in sorted(rows.keys() | said.by_id.keys()):
        row, entries = rows.get(exception_id), said.by_id.get(exception_id)
        if row is None or entries is None:
            yield Finding(exception_id, "the row", _there(row), _there(entries))
            continue
        yield from _exception(record, row, entries)
        yield from _words(exception_id, row.payload_id, entries.words_hash, told.erased, payloads)
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
        yield from _unlike(row.exception_id, what, stored, said)
    if entries.owner is not None:
        yield from _unlike(row.exception_id, "owner", (row.owner_team, row.owner_person), entries.owner)


def _moves(
    exception_id: str, stored: Sequence[MoveRecord], entries: ToldException, told: Told, payloads: Payloads
) -> Iterator[Finding]:
    rows = {one.move_id: one for one in stored}
    for move_id in sorted(rows.keys() | entries.moves.keys()):
        row, said = rows.get(move_id), entries.moves.get(move_id)
        if row is None or said is None:
            yield Finding(exception_id, f"the row of the move {move_id}", _there(row), _there(said))
            continue
        yield from _unlike(move_id, "move", row.move, said.move)
        yield from _unlike(move_id, "asked_person", row.asked_person, said.asked_person)
        yield from _unlike(move_id, "approved_person", row.approved_person, said.approved_person)
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
    yield from _unlike(subject, "words", payload_commitment(payload.salt, payload.body), hashed)


def _there(one: ExceptionRecord | ToldException | MoveRecord | ToldMove | None) -> str | None:
    return None if one is None else "there"


def _unlike(subject: str, what: str, stored: object, said: object) -> Iterator[Finding]:
    if stored != said:
        yield Finding(subject, what, stored, said)
