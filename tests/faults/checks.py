"""What must hold when a world has come to rest: DESIGN's invariants, against both ERPs' own books, the ledger, the
outbox and the events that were received."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.ledger.current_keys import CurrentKeys
from gateway.ledger.key_files import KeyFiles
from gateway.ledger.log_files import WaitingTiles
from gateway.ledger.log_keys import LogKeys
from gateway.ledger.state.audit import audit_state
from gateway.ledger.stored_receipts import ProvableLog
from gateway.ledger.verify import verify_log
from gateway.messaging.jetstream import NatsStream
from gateway.settings import load_settings
from gateway.store.store import open_store
from gateway.wiring.ledger import key_files, log_origin
from tests.faults.books import Booked, booked
from tests.faults.callers import Asked
from tests.faults.rows import rows

SIDES = ("legacy", "cloud")


@dataclass(frozen=True, slots=True)
class Rest:
    """What lies there when everything has ended."""

    url: str
    data: Path
    books: Path
    asked: Sequence[Asked]
    stream: NatsStream


async def check_between(rest: Rest) -> list[str]:
    """What must hold at any instant: nothing stands twice in the books, and what was answered is on record. That the
    state is as the ledger tells, the next life looks at before it serves."""
    found = posted_once({f"{side}-main": booked(rest.books / f"{side}.jsonl") for side in SIDES})
    return found + await _accepted_is_on_record(rest)


async def check(rest: Rest, allowed: frozenset[str] = frozenset()) -> list[str]:
    """Every violation in a sentence; none is none. `allowed`: ends beside posted and rejected."""
    books = {f"{side}-main": booked(rest.books / f"{side}.jsonl") for side in SIDES}
    found = posted_once(books)
    found += await _accepted_is_on_record(rest)
    found += await _everything_has_ended(rest, {"posted", "rejected", *allowed})
    found += await _record_agrees_with_books(rest, books)
    found += await _events_arrived(rest)
    return found + await ledger_is_sound(rest.url, rest.data)


def posted_once(books: dict[str, list[Booked]]) -> list[str]:
    """By reference in each book, and by natural key over both."""
    found = []
    keys: Counter[tuple[str, str]] = Counter()
    for system, book in books.items():
        references = Counter(one.reference for one in book)
        found += [f"{system} holds {n} documents of reference {ref}" for ref, n in references.items() if n > 1]
        keys.update(one.natural_key for one in book)
    return found + [f"{n} documents in the books for {key}" for key, n in keys.items() if n > 1]


async def _accepted_is_on_record(rest: Rest) -> list[str]:
    known = {
        (domain, name): transaction_id
        for domain, name, transaction_id in await rows(
            rest.url, "SELECT domain, external_id, transaction_id FROM natural_keys WHERE transaction_id IS NOT NULL"
        )
    }
    found = []
    for one in rest.asked:
        on_record = known.get((one.domain, one.external_id))
        if one.transaction_id is not None and on_record != one.transaction_id:
            found.append(f"{one.external_id} was accepted as {one.transaction_id}, on record is {on_record}")
    return found


async def _everything_has_ended(rest: Rest, ends: set[str]) -> list[str]:
    found = await rows(rest.url, "SELECT transaction_id, status FROM transactions")
    return [f"{transaction} has come to rest as {status}" for transaction, status in found if status not in ends]


async def _record_agrees_with_books(rest: Rest, books: dict[str, list[Booked]]) -> list[str]:
    """Posted is in the book of its system under that number and that name; what was refused is in none."""
    by_reference = {system: {one.reference: one for one in book} for system, book in books.items()}
    anywhere = {reference for book in by_reference.values() for reference in book}
    found = []
    told = await rows(
        rest.url,
        "SELECT t.transaction_id, t.status, t.domain, t.external_id, s.system_id, s.external_reference,"
        " s.document_number FROM transactions t JOIN steps s ON s.transaction_id = t.transaction_id",
    )
    for transaction, status, domain, name, system, reference, number in told:
        entry = by_reference[system].get(reference)
        if status == "posted" and entry is None:
            found.append(f"{transaction} is posted, and {system} does not hold it")
        elif status == "posted" and entry is not None and (entry.number, entry.natural_key) != (number, (domain, name)):
            found.append(f"{transaction} is {number} on record, and {entry.number} of {entry.natural_key} in {system}")
        elif status in {"rejected", "cancelled"} and reference in anywhere:
            found.append(f"{transaction} is {status}, and it stands in a book")
    known = {row[5] for row in told}
    return found + [f"nobody knows of {one} in a book" for one in sorted(anywhere - known)]


async def _events_arrived(rest: Rest) -> list[str]:
    """All of them, in order in their lineages after those that came twice are left out."""
    counted = dict(await rows(rest.url, "SELECT lineage_id, event_count FROM lineages WHERE event_count > 0"))
    statuses = dict(await rows(rest.url, "SELECT transaction_id, status FROM transactions"))
    numbers: dict[str, list[int]] = {}
    last: dict[str, str] = {}
    for event in once_each(await received(rest.stream)):
        numbers.setdefault(event["lineageid"], []).append(int(event["sequence"]))
        if (status := event.get("data", {}).get("status")) is not None:
            last[event["subject"]] = status
    found = [
        f"lineage {lineage} has {count} events, {numbers.get(lineage, [])} came"
        for lineage, count in counted.items()
        if numbers.get(lineage) != list(range(1, count + 1))
    ]
    return found + [
        f"{transaction} is {status}, its last event says {last.get(transaction)}"
        for transaction, status in statuses.items()
        if last.get(transaction) != status
    ]


async def received(stream: NatsStream) -> list[dict[str, Any]]:
    """Everything that the stream holds, in its order."""
    end = await stream.prepare()
    reader = await stream.read_after(0)
    found, at = [], 0
    while at < end.last_sequence:
        messages = await reader.next(1_000, wait_s=20)
        if not messages:
            break
        at = messages[-1].stream_sequence
        found += [json.loads(one.body) for one in messages]
    await reader.close()
    return found


def once_each(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first of each id."""
    return list({event["id"]: event for event in reversed(events)}.values())[::-1]


async def ledger_is_sound(url: str, data: Path) -> list[str]:
    """As an auditor looks at it: the state is as the entries tell, and the entries are as they were signed."""
    settings = load_settings(data)
    files: KeyFiles = key_files(data, settings)
    keys = LogKeys.pinned(*(one.key for one in CurrentKeys(files).signers()))
    store = await open_store(url)
    try:
        found = [str(one) for one in await audit_state(store.reads, files.commitment_key())]
        log = ProvableLog(store.log, log_origin(settings))
        note = await log.note("checkpoint")
        if note is None:
            return [*found, "the log has no checkpoint"]
        tiles = WaitingTiles(log, note, asyncio.get_running_loop())
        verified = await asyncio.to_thread(verify_log, tiles, keys, None)
        return found if verified.ok else [*found, f"the log: {verified.wrong}"]
    finally:
        await store.close()
