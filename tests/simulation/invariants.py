"""What must hold when a world has ended: DESIGN's invariants, checked against both ERPs' own books."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from hashlib import sha256
from typing import Any

from adapters.port import Reversal, Submission
from tests.simulation.epochs import TOLD, under_old_epochs
from tests.simulation.leg_invariants import check_legs, leg_references
from tests.simulation.newcomer_invariants import check_newcomers
from tests.simulation.resend_invariants import check_resends
from tests.simulation.stream_invariants import check_stream


def check(world: Any) -> list[str]:
    """Every violation in a sentence; none is none."""
    found = list(world.violations)
    found += _accepted_is_durable(world)
    found += _posted_once(world)
    found += _record_agrees_with_books(world)
    found += _refused_by_the_erp(world)
    found += _numbers_are_kept(world)
    found += _a_person_looks_at_what_others_did(world)
    found += _senders_are_heard(world)
    found += _one_system_a_lineage(world)
    found += check_legs(world)
    found += check_newcomers(world)
    found += check_resends(world)
    found += _nothing_under_an_old_epoch(world)
    found += check_stream(world)
    found += _entries_and_events_without_a_gap(world)
    return found


def digest(world: Any) -> str:
    """Of the whole ledger, byte for byte, of both books, and of everything that was ever in the stream."""
    hash_ = sha256()
    for trace, seq, body in world.rows("SELECT trace, seq, body FROM ledger_entries ORDER BY trace, seq"):
        hash_.update(f"{trace}/{seq}/".encode() + body)
    for name, erp in sorted(world.erps.items()):
        hash_.update(name.encode())
        for one in erp.book:
            hash_.update(repr(one).encode())
    for life in world.stream.streams:
        hash_.update(f"stream {life.created_at}".encode())
        for message in life.messages:
            hash_.update(f"{message.sequence}/".encode() + message.event.body)
    return hash_.hexdigest()


def _accepted_is_durable(world: Any) -> list[str]:
    there = {row[0] for row in world.rows("SELECT transaction_id FROM transactions")}
    return [f"accepted, and not on record: {one}" for one in sorted(world.accepted.keys() - there)]


def _posted_once(world: Any) -> list[str]:
    """By reference, and by document over both ERPs. Reversals are entries of the book as well."""
    found = []
    for erp in world.erps.values():
        counts = Counter(one.external_reference for one in erp.book if erp.meddled.get(one.external_reference) != "two")
        found += [f"{erp.system_id} holds {n} documents of reference {ref}" for ref, n in counts.items() if n > 1]
    submitted: Counter[tuple[str, str | None]] = Counter()
    legs = leg_references(world)
    for erp in world.erps.values():
        for posting in _booked(erp):
            # the legs of a document are told apart by their references
            if isinstance(posting, Submission) and posting.external_reference not in legs:
                submitted[posting.document.domain, posting.document.external_id] += 1
    # a document that an ERP refused may be sent again, but one that stands in a book is there once
    return found + [f"{n} documents in the books for {key}" for key, n in submitted.items() if n > 1]


def _booked(erp: Any) -> list[Any]:
    """What was asked for, by entry of the book; without customers that were taken back, who may be made again."""
    asked = {one.external_reference: one for one in erp.seen if isinstance(one, Submission | Reversal)}
    there = {
        # what others made two of counts as one
        (one.external_reference if one.external_reference in erp.meddled else one.number.document_number): one
        for one in erp.book
        if not (one.cancelled and one.number.document_type == "customer")
    }.values()
    return [asked[one.external_reference] for one in there if one.external_reference in asked]


def _record_agrees_with_books(world: Any) -> list[str]:
    """Posted is in the book under that number; refused and cancelled are in no book."""
    found = []
    books: dict[str, dict[str, Any]] = {
        erp.system_id: {one.external_reference: one for one in erp.book} for erp in world.erps.values()
    }
    anywhere = {reference for book in books.values() for reference in book}
    rows = world.rows(
        "SELECT t.transaction_id, t.operation, t.status, s.system_id, s.external_reference, s.document_number"
        " FROM transactions t LEFT JOIN steps s ON s.transaction_id = t.transaction_id WHERE t.legs IS NULL"
    )
    for transaction, operation, status, system, reference, number in rows:
        if operation not in {"create", "reverse"}:
            continue
        if status == "posted":
            entry = books.get(system, {}).get(reference)
            if entry is None:
                found.append(f"{transaction} is posted, and {system} does not hold it")
            elif entry.number.document_number != number:
                found.append(f"{transaction} is {number} on record and {entry.number.document_number} in {system}")
        elif status in {"rejected", "cancelled"} and reference in anywhere:
            found.append(f"{transaction} is {status}, and it stands in a book")
    return found


def _refused_by_the_erp(world: Any) -> list[str]:
    """Nobody is told of a refusal that there was not."""
    refused = set().union(*(erp.refused for erp in world.erps.values()))
    return [
        f"{transaction} ended as refused, and no ERP refused it"
        for transaction, reference in world.rows(
            "SELECT t.transaction_id, s.external_reference FROM transactions t JOIN steps s"
            " ON s.transaction_id = t.transaction_id"
            " WHERE t.status = 'rejected' AND t.problem LIKE '%rejected-by-erp%' AND s.direction = 'do'"
        )
        if reference not in refused
    ]


def _numbers_are_kept(world: Any) -> list[str]:
    """What was posted is found by its number."""
    return [
        f"{transaction} is posted, and its document has no number on record"
        for (transaction,) in world.rows(
            "SELECT t.transaction_id FROM transactions t WHERE t.status = 'posted' AND t.operation = 'create'"
            " AND t.legs IS NULL AND NOT EXISTS (SELECT 1 FROM cross_references c WHERE c.document_id = t.document_id"
            " AND c.document_number = t.erp_document_number)"
        )
    ]


def _a_person_looks_at_what_others_did(world: Any) -> list[str]:
    """Somebody else's document under our reference, two of them, or one that was undone there: nobody guesses."""
    meddled = {reference: way for erp in world.erps.values() for reference, way in erp.meddled.items()}
    return [
        f"{transaction} is {status}, and at its ERP others did '{meddled[reference]}'"
        for transaction, status, reference in world.rows(
            "SELECT t.transaction_id, t.status, s.external_reference FROM transactions t JOIN steps s"
            " ON s.transaction_id = t.transaction_id WHERE t.operation = 'create' AND s.direction = 'do'"
        )
        if reference in meddled and status != "in_doubt"
    ]


def _nothing_under_an_old_epoch(world: Any) -> list[str]:
    traces: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for trace, kind, body in world.rows("SELECT trace, kind, body FROM ledger_entries ORDER BY trace, seq"):
        if kind in TOLD:
            traces[trace].append(json.loads(body))
    return [one for trace, entries in traces.items() for one in under_old_epochs(trace, entries)]


def _senders_are_heard(world: Any) -> list[str]:
    """No person is asked whether a sender has ended that had said so, unless an earlier attempt is in doubt too."""
    unclear = {
        tuple(row) for row in world.rows("SELECT transaction_id, step, direction FROM steps WHERE earlier_until = 0")
    }
    found = []
    for trace, body in world.rows("SELECT trace, body FROM ledger_entries WHERE kind = 'in_doubt'"):
        entry = json.loads(body)
        if entry["reason"] != "sender-not-proven-ended":
            continue
        step = (trace, entry["step"], entry.get("direction", "do"))
        said_at = world.closed.get((*step, entry["attempt"]))
        if said_at is not None and said_at < entry["at"] and step not in unclear:
            found.append(f"{trace} is put before a person, and the sender of step {entry['step']} had said it is done")
    return found


def _one_system_a_lineage(world: Any) -> list[str]:
    systems: dict[str, set[str]] = defaultdict(set)
    for lineage, system in world.rows(
        "SELECT t.lineage_id, s.system_id FROM transactions t JOIN steps s ON s.transaction_id = t.transaction_id"
        " WHERE t.status IN ('posted', 'in_doubt', 'unknown') AND t.legs IS NULL"
    ):
        systems[lineage].add(system)
    return [f"lineage {one} lies in {sorted(names)}" for one, names in systems.items() if len(names) > 1]


def _entries_and_events_without_a_gap(world: Any) -> list[str]:
    found = []
    for trace, least, most, count in world.rows(
        "SELECT trace, min(seq), max(seq), count(*) FROM ledger_entries GROUP BY trace"
    ):
        if (least, most) != (1, count):
            found.append(f"trace {trace} has {count} entries numbered {least} to {most}")
    for lineage, most, count, counted in world.rows(
        "SELECT o.lineage_id, max(o.sequence), count(*), l.event_count FROM outbox o"
        " JOIN lineages l ON l.lineage_id = o.lineage_id GROUP BY o.lineage_id"
    ):
        if not most == count == counted:
            found.append(f"lineage {lineage} has {count} events, the last is {most}, counted {counted}")
    last: dict[str, str] = {}
    for (body,) in world.rows("SELECT body FROM outbox ORDER BY lineage_id, sequence"):
        event = json.loads(body)
        status = event.get("data", {}).get("status")
        if status is not None:
            last[event["subject"]] = status
    for transaction, status in world.rows("SELECT transaction_id, status FROM transactions"):
        if last.get(transaction) != status:
            found.append(f"{transaction} is {status}, its last event says {last.get(transaction)}")
    return found
